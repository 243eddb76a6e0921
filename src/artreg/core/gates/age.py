"""Gates about time: `soak`, `fresh`."""

from __future__ import annotations

from datetime import datetime, timedelta

from artreg.core.ages import parse_age, shown
from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import AliasText, Gate
from artreg.core.names import Alias
from artreg.core.record import Verdict

_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clock of a publisher may be ahead."""

Age = str
"""How long, such as 24h or 7d."""


class SoakGate(Gate):
    """The version must have been held by an earlier alias for a while, without a break.

    Attributes:
        alias: The earlier alias.
        at_least: For how long, such as 24h or 7d; inclusive.
    """

    alias: AliasText
    at_least: Age

    def needs(self, alias: Alias) -> Needs:
        """Ask for the newest record of the earlier alias, and since when it has held what it holds."""
        return Needs(since=frozenset({Alias(self.alias)}))

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a version that has stood there long enough."""
        head, since = evidence.heads[Alias(self.alias)], evidence.held_since.get(Alias(self.alias))
        figures: dict[str, object] = {"alias": self.alias, "at_least": self.at_least}
        same = head is not None and (head.version, head.digest) == (
            evidence.candidate.version,
            evidence.candidate.digest,
        )
        if not same or since is None:
            return self.verdict(False, f"{self.alias} does not hold it", **figures, held_seconds=None)
        held, least = evidence.now - since, parse_age(self.at_least)
        figures["held_seconds"] = held.total_seconds()
        message = f"{self.alias} has held it for {shown(held)}"
        if held < least:
            off = (least - held).total_seconds()
            return self.verdict(False, f"{message}; it must be {self.at_least}", **figures, off_by=off)
        return self.verdict(True, message, **figures)


class FreshGate(Gate):
    """The version must not be older than a limit, counted from its publication.

    Attributes:
        at_most: How old it may be, such as 30d; inclusive.
    """

    at_most: Age

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a version that was published recently enough."""
        try:
            published = datetime.fromisoformat(str(evidence.candidate.run.get("published_at")))
            age = evidence.now - published
        except (ValueError, TypeError):
            return self.verdict(False, "run.json does not say when it was published", at_most=self.at_most)
        figures = {"at_most": self.at_most, "age_seconds": age.total_seconds()}
        if age < -_CLOCKS_DIFFER:
            return self.verdict(
                False, f"run.json says it was published at {published.isoformat()}, yet to come", **figures
            )
        message = f"published {shown(max(age, timedelta()))} ago"
        if age > parse_age(self.at_most):
            off = (age - parse_age(self.at_most)).total_seconds()
            return self.verdict(False, f"{message}; at most {self.at_most} is allowed", **figures, off_by=off)
        return self.verdict(True, message, **figures)
