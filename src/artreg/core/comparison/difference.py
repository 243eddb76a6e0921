"""The words in which a comparison is told."""

from __future__ import annotations

from enum import Enum

from artreg.frozen import Frozen

_DIGITS = 12  # a figure that takes more is rounded for people; JSON has it exactly


class Axis(Enum):
    """What a training is a function of."""

    CODE = "code"
    ENVIRONMENT = "environment"
    CONFIG = "config"
    DATA = "data"


class Likeness(Enum):
    """Whether two things are alike."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Difference(Frozen):
    """One thing in which two trainings differ.

    Attributes:
        what: The thing: a package, a key of the config, a column, a metric.
        before: What it was in the first; None where it was not there, or is not known.
        after: What it is in the second; the same.
        note: What else is to be said, or ''.
    """

    what: str
    before: object = None
    after: object = None
    note: str = ""

    def __str__(self) -> str:
        """Return it in one line, for people."""
        parts = [self.what] if self.what else []
        if self.before is not None or self.after is not None:
            parts.append(f"{_shown(self.before)} → {_shown(self.after)}")
        return ": ".join([" ".join(parts), self.note] if self.note and parts else [self.note or " ".join(parts)])

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"what": self.what, "before": self.before, "after": self.after, "note": self.note}


class Comparison(Frozen):
    """How two trainings compare on one axis.

    Attributes:
        axis: The axis.
        likeness: Whether they are alike on it.
        summary: What they have in common, or why it is not known, in a few words.
        differences: In what they differ, the most telling first.
    """

    axis: Axis
    likeness: Likeness
    summary: str
    differences: tuple[Difference, ...] = ()

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "axis": self.axis.value,
            "likeness": self.likeness.value,
            "summary": self.summary,
            "differences": [difference.document() for difference in self.differences],
        }


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    exact = str(value)
    return f"{value:.8g}" if isinstance(value, float) and len(exact) > _DIGITS else exact
