"""Gate `metric`: a number in metrics.json lies within limits."""

from __future__ import annotations

from artreg.core.gates.evidence import Evidence
from artreg.core.gates.interface import Gate
from artreg.core.gates.numbers import metric_of
from artreg.core.record import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from pydantic import Field


class MetricGate(Gate):
    """A number in metrics.json must lie within limits; both are inclusive.

    Attributes:
        key: The metric's name; dots reach into nested objects.
        min: The least that passes.
        max: The most that passes.
    """

    key: Annotated[str, Field(min_length=1)]
    min: float | None = None
    max: float | None = None

    def check(self) -> None:
        """See that something could pass."""
        if self.min is None and self.max is None:
            raise ValueError("a metric gate needs min, max, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max, so that nothing could pass")

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a finite number within the limits; one that is missing fails."""
        value = metric_of(evidence.candidate, self.key)
        limits = (("≥", self.min), ("≤", self.max))
        wanted = " and ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)
        figures = {"key": self.key, "value": value, "min": self.min, "max": self.max}
        if value is None:
            none = evidence.candidate.metrics is None
            where = "it has no metrics.json" if none else "its metrics.json has no such number"
            return self.verdict(False, f"{self.key} must be {wanted}, but {where}", **figures)
        off = max(self.min - value if self.min is not None else 0, value - self.max if self.max is not None else 0, 0)
        if off:
            message = f"{self.key} is {value:.6g}, which is not {wanted}"
            return self.verdict(False, message, **figures, off_by=off)
        return self.verdict(True, f"{self.key} is {value:.6g}, {wanted}", **figures)
