"""Which of the known words somebody may have meant who wrote another; only errors ask."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 130  # of a word: a model's full name has 129 signs at most
_MOST_KNOWN = 10_000  # are compared; beyond that a mistake would cost more than what was asked for
_LEAST_BEGINNING = 3
_NEAR = 0.65  # of 1; a word of four signs may have one wrong, one of three may lack one


def near(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known words that are most like a word, the likest first.

    Args:
        word: What was written.
        known: What there is; of very many only the first are looked at.
        most: How many at most.
    """
    import difflib  # noqa: PLC0415  # a look-up that finds what it looks for has no need of it
    from itertools import islice  # noqa: PLC0415

    if not 0 < len(word) <= _LONGEST:
        return []
    words = [one for one in islice(known, _MOST_KNOWN) if one != word and len(one) <= _LONGEST and one.isprintable()]
    shaped = {one: one.lower().replace("_", "-") for one in dict.fromkeys(words)}
    wanted = word.lower().replace("_", "-")
    like = difflib.SequenceMatcher(b=wanted)
    scored = []
    for place, (one, shape) in enumerate(shaped.items()):
        begins = len(wanted) >= _LEAST_BEGINNING and (shape.startswith(wanted) or wanted.startswith(shape))
        like.set_seq1(shape)
        is_near = like.real_quick_ratio() >= _NEAR and like.quick_ratio() >= _NEAR
        ratio = like.ratio() if is_near or begins else 0.0
        if ratio >= _NEAR or (begins and len(shape) >= _LEAST_BEGINNING):
            scored.append((-ratio, -_together(shape, wanted), place, one))
    return [one for *_, one in sorted(scored)[:most]]


def _together(one: str, other: str) -> int:
    """Return how many signs two words have in common at their beginning: 1.2.0 is nearer to 1.2.1 than 1.0.1 is."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def did_you_mean(found: Sequence[str]) -> str:
    """Return the question whether one of these was meant; '' if there are none."""
    *others, last = found or [""]
    if not last:
        return ""
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
