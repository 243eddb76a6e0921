"""Gate `no_regression`: a metric is not worse than that of the incumbent."""

from __future__ import annotations

from decimal import Decimal

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import AliasText, Gate
from artreg.core.gates.numbers import metric_of
from artreg.core.names import Alias
from artreg.core.record import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Literal

    from pydantic import Field


class NoRegressionGate(Gate):
    """A metric may be worse than that of an incumbent by no more than a margin, which is inclusive.

    Attributes:
        key: The metric's name; dots reach into nested objects.
        better: Whether `higher` or `lower` is better.
        against: The alias whose incumbent counts; by default the one that is to move.
        absolute: How much worse it may be, in the metric's own unit.
        relative: How much worse it may be, as a share of the incumbent's figure (0.01 is one per cent).
        first: Whether a candidate passes where there is no incumbent.
    """

    key: Annotated[str, Field(min_length=1)]
    better: Literal["higher", "lower"] = "higher"
    against: AliasText | None = None
    absolute: Annotated[float | None, Field(ge=0)] = None
    relative: Annotated[float | None, Field(ge=0)] = None
    first: bool = True

    def check(self) -> None:
        """See that something could pass."""
        if self.absolute is not None and self.relative is not None:
            raise ValueError("absolute and relative exclude each other")

    def needs(self, alias: Alias) -> Needs:
        """Ask for the incumbent."""
        return Needs(incumbents=frozenset({self._rival(alias)}))

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a figure that is at most the margin worse; a missing one fails."""
        rival = self._rival(evidence.alias)
        incumbent = evidence.incumbents[rival]
        value = metric_of(evidence.candidate, self.key)
        figures: dict[str, object] = {"key": self.key, "value": value, "against": rival.name, "better": self.better}
        if incumbent is None:
            return self.verdict(self.first, f"{rival} holds nothing to compare with", **figures, incumbent=None)
        before = metric_of(incumbent, self.key)
        figures |= {"incumbent": str(incumbent.version), "incumbent_value": before}
        if value is None or before is None:
            lacking = "the candidate" if value is None else f"the incumbent {incumbent.version}"
            return self.verdict(False, f"{lacking} has no number {self.key}", **figures)
        change = _decimal(before) - _decimal(value) if self.better == "higher" else _decimal(value) - _decimal(before)
        allowance = _decimal(self.absolute or 0.0) + _decimal(self.relative or 0.0) * abs(_decimal(before))
        worse, margin = float(change), float(allowance)
        figures |= {"worse_by": worse, "margin": margin}
        message = f"{self.key} is {value:.6g}, {incumbent.version} in {rival} has {before:.6g}"
        if change > allowance:
            allowed = f"; at most {margin:.3g} worse is allowed" if margin else ""
            off = float(change - allowance)
            return self.verdict(False, f"{message}: worse by {worse:.3g}{allowed}", **figures, off_by=off)
        return self.verdict(True, message, **figures)

    def _rival(self, alias: Alias) -> Alias:
        return alias if self.against is None else Alias(self.against)


def _decimal(number: float) -> Decimal:
    """Return a number as people write it: 0.9 less 0.89 is then 0.01, which floats miss by a hair."""
    return Decimal(repr(number))
