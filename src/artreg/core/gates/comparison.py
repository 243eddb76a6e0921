"""Gates that compare with what an alias holds: `significant`, `drift`."""

from __future__ import annotations

import math

from artreg.core.drift.compare import ColumnDrift, DriftReport, compare
from artreg.core.drift.profile import TableProfile, parse_profile
from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import NO_OPTIONS, NONE, AliasText, Gate
from artreg.core.names import Alias
from artreg.core.record import Verdict
from artreg.core.significance import Interval
from artreg.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Literal

    from pydantic import Field


class ComparingGate(Gate):
    """A gate that compares the candidate with what an alias holds.

    Attributes:
        against: The alias whose incumbent counts; by default the one that is to move.
        first: Whether a candidate passes where there is no incumbent.
    """

    against: AliasText | None = None
    first: bool = True

    def rival(self, alias: Alias) -> Alias:
        """Return the alias whose incumbent counts when `alias` is to move."""
        return alias if self.against is None else Alias(self.against)

    def needs(self, alias: Alias) -> Needs:
        """Ask for the incumbent, and for both manifests of data."""
        return Needs(incumbents=frozenset({self.rival(alias)}), files=True)


class SignificantGate(ComparingGate):
    """The candidate is better, or not worse, than the incumbent on the same test rows, beyond chance.

    Judged by the interval of a paired bootstrap of the difference (Efron and Tibshirani, An Introduction to the
    Bootstrap, chapter 13) over the rows that both versions were tested on.

    Attributes:
        metric: Which metric.
        claim: `better`: the whole interval is on the better side of zero. `not_worse`: no part of it is worse than
            `margin`.
        margin: How much worse still counts as not worse, in the metric's own unit.
        level: The interval's nominal coverage.
        resamples: How many bootstrap samples are drawn.
        seed: Seed of the draws.
    """

    metric: Literal["roc_auc", "log_loss", "brier", "accuracy", "average_precision"] = "roc_auc"
    claim: Literal["better", "not_worse"] = "better"
    margin: Annotated[float, Field(ge=0)] = 0.0
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    resamples: Annotated[int, Field(ge=200, le=100_000)] = 2000
    seed: Annotated[int, Field(ge=0)] = 42

    def needs(self, alias: Alias) -> Needs:
        """Ask for the incumbent, and for the interval."""
        return Needs(incumbents=frozenset({self.rival(alias)}), measured=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass by the interval's worse end."""
        rival = self.rival(evidence.alias)
        incumbent = evidence.incumbents[rival]
        figures: dict[str, object] = {"metric": self.metric, "claim": self.claim, "against": rival.name}
        if incumbent is None:
            return self.verdict(self.first, f"{rival} holds nothing to compare with", **figures, incumbent=None)
        figures["incumbent"] = str(incumbent.version)
        if incumbent.digest == evidence.candidate.digest:
            same = self.claim == "not_worse"
            return self.verdict(same, f"{rival} holds this very version", **figures)
        if not isinstance(measured, Interval):
            return self.verdict(False, f"cannot be told: {measured or 'nothing can measure it here'}", **figures)
        if not all(map(math.isfinite, (measured.low, measured.high, measured.difference))):
            return self.verdict(False, "cannot be told: the interval is not made of numbers", **figures)
        figures |= {
            "candidate_value": measured.candidate,
            "incumbent_value": measured.incumbent,
            "difference": measured.difference,
            "low": measured.low,
            "high": measured.high,
            "level": measured.level,
            "rows": measured.rows,
            "resamples": measured.resamples,
            "seed": measured.seed,
        }
        interval = f"{self.metric} differs by {measured.difference:+.4g}, {measured.level * 100:g}% within "
        interval += f"[{measured.low:+.4g}, {measured.high:+.4g}] over {measured.rows:,} rows"
        if measured.better if self.claim == "better" else measured.not_worse(self.margin):
            return self.verdict(True, interval, **figures)
        off = 0.0 - measured.least_gain - (self.margin if self.claim == "not_worse" else 0.0)
        wanted = "not better beyond chance" if self.claim == "better" else "it may be worse"
        return self.verdict(False, f"{interval}: {wanted} than {incumbent.version}", **figures, off_by=off)


class DriftGate(ComparingGate):
    """The candidate's data must not have moved away from the incumbent's, nor changed its schema.

    Attributes:
        max_psi: The most that any column's population stability index may be; inclusive.
        max_distance: The most that any column's distance may be: Kolmogorov-Smirnov for numbers, Jensen-Shannon for
            categories; inclusive.
        max_mean_psi: The most that the mean over all columns may be; inclusive.
        columns: Limits of their own for columns by name, each a `max_psi`.
        ignore: Columns that do not count.
        schema_changes: Whether changes of the schema fail (`refuse`) or are only named (`report`).
    """

    max_psi: Annotated[float | None, Field(ge=0)] = 0.2
    max_distance: Annotated[float | None, Field(ge=0, le=1)] = None
    max_mean_psi: Annotated[float | None, Field(ge=0)] = None
    columns: dict[str, Annotated[float, Field(ge=0)]] = NO_OPTIONS
    ignore: list[str] = NONE
    schema_changes: Literal["refuse", "report"] = "refuse"

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass data like that of the incumbent; the columns that moved are named."""
        rival = self.rival(evidence.alias)
        incumbent = evidence.incumbents[rival]
        if incumbent is None:
            return self.verdict(
                self.first, f"{rival} holds nothing to compare with", against=rival.name, incumbent=None
            )
        figures: dict[str, object] = {"against": rival.name, "incumbent": str(incumbent.version)}
        for which, subject in (("the candidate", evidence.candidate), (f"{incumbent.version} in {rival}", incumbent)):
            if subject.data is None:
                return self.verdict(False, f"{which} has no data_manifest.json", **figures)
        try:
            before, after = parse_profile(incumbent.data or {}), parse_profile(evidence.candidate.data or {})
        except IntegrityError as error:
            return self.verdict(False, f"the profiles cannot be compared: {error.message}", **figures)
        report = compare(before, after, ignore=self.ignore)
        unknown = [name for name in report.uncompared if _is_known(before, name) != _is_known(after, name)]
        return self._judge_report(report, unknown, figures, str(incumbent.version))

    def _judge_report(
        self, report: DriftReport, unknown: list[str], figures: dict[str, object], incumbent: str
    ) -> Verdict:
        moved = [column for column in report.columns if self._has_moved(column)]
        changes = [str(change) for change in report.schema_changes]
        figures |= {
            "columns": [{"name": c.name, "psi": c.psi, "distance": c.distance} for c in report.columns],
            "moved": [column.name for column in moved],
            "mean_psi": report.mean_psi,
            "schema_changes": changes,
            "uncompared": list(report.uncompared),
            "max_psi": self.max_psi,
        }
        problems = [f"{c.name} moved (PSI {c.psi or 0:.3g}, distance {c.distance or 0:.3g})" for c in moved]
        if self.max_mean_psi is not None and report.mean_psi > self.max_mean_psi:
            problems.append(f"the mean PSI is {report.mean_psi:.3g}, more than {self.max_mean_psi:g}")
        if self.schema_changes == "refuse":
            problems += changes
        problems += [f"{name} cannot be compared: only one of the two knows its values" for name in unknown]
        if problems:
            return self.verdict(False, f"unlike the data of {incumbent}: {'; '.join(problems)}", **figures)
        noted = f" ({'; '.join(changes)})" if changes else ""
        noted += f"; not compared, for no profile holds their values: {', '.join(report.uncompared)}" * bool(
            report.uncompared
        )
        largest = max((column.psi or 0.0 for column in report.columns), default=0.0)
        message = f"{len(report.columns)} columns like those of {incumbent}, largest PSI {largest:.3g}{noted}"
        return self.verdict(True, message, **figures)

    def _has_moved(self, column: ColumnDrift) -> bool:
        limit = self.columns.get(column.name, self.max_psi)
        too_far = self.max_distance is not None and (column.distance or 0.0) > self.max_distance
        return (limit is not None and (column.psi or 0.0) > limit) or too_far


def _is_known(profile: TableProfile, column: str) -> bool:
    return profile.columns[column].values is not None
