"""Gates about what a version costs: `size`, `latency`."""

from __future__ import annotations

import math

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import Gate
from artreg.core.manifest import is_model_file
from artreg.core.names import Alias
from artreg.core.record import Verdict
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Literal

    from pydantic import Field


class SizeGate(Gate):
    """The model's files together must not be larger than a limit.

    Attributes:
        max_bytes: The limit, inclusive.
    """

    max_bytes: Annotated[int, Field(gt=0)]

    def needs(self, alias: Alias) -> Needs:
        """Ask for the files."""
        return Needs(files=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a model that is small enough."""
        sizes = [size for name, size in evidence.candidate.sizes.items() if is_model_file(name)]
        if not sizes or any(type(size) is not int for size in sizes):
            return self.verdict(False, "run.json does not say how large the model is", max_bytes=self.max_bytes)
        size = sum(sizes)
        figures = {"bytes": size, "max_bytes": self.max_bytes}
        message = f"the model has {size:,} bytes"
        if size > self.max_bytes:
            off = size - self.max_bytes
            return self.verdict(False, f"{message}; at most {self.max_bytes:,} are allowed", **figures, off_by=off)
        return self.verdict(True, message, **figures)


class Latency(Frozen):
    """How long predictions took.

    Attributes:
        median_ms: Half of the calls were faster.
        p95_ms: 95 of 100 calls were faster.
        calls: How many there were.
        rows: Rows a call.
    """

    median_ms: float
    p95_ms: float
    calls: int
    rows: int


class LatencyGate(Gate):
    """Predicting the stored sample must not take longer than a limit.

    The model is loaded and run for this, in a process of its own. Formats that may run code when they are loaded
    (joblib, pickle, torch) are not, unless the policy says that whoever publishes here is trusted to run code where
    promotions are made.

    Attributes:
        max_ms: The limit for one call, inclusive.
        percentile: Which call counts: the median, or the one that 95 of 100 are faster than.
        rows: Rows a call.
        calls: How many calls are timed.
        timeout_s: Seconds after which the measurement is given up, and the gate fails.
        trust: `this registry`: formats that may run code are loaded too.
    """

    max_ms: Annotated[float, Field(gt=0)]
    percentile: Literal["median", "p95"] = "p95"
    rows: Annotated[int, Field(ge=1, le=100)] = 1
    calls: Annotated[int, Field(ge=5, le=10_000)] = 50
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    trust: Literal["this registry"] | None = None

    def needs(self, alias: Alias) -> Needs:
        """Ask for a measurement."""
        return Needs(measured=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a model that is fast enough here and now."""
        if not isinstance(measured, Latency):
            return self.verdict(False, f"latency was not measured: {measured or 'nothing can do it here'}", ms=None)
        value = measured.median_ms if self.percentile == "median" else measured.p95_ms
        if not math.isfinite(value):
            return self.verdict(False, "latency was not measured: no number came back", ms=None, max_ms=self.max_ms)
        figures = {
            "ms": value,
            "max_ms": self.max_ms,
            "percentile": self.percentile,
            "calls": measured.calls,
            "rows": measured.rows,
        }
        message = f"{self.percentile} of {measured.calls} calls is {value:.3g} ms"
        if value > self.max_ms:
            off = value - self.max_ms
            return self.verdict(False, f"{message}; at most {self.max_ms:g} ms are allowed", **figures, off_by=off)
        return self.verdict(True, message, **figures)
