"""Gates about people and plans: `approvals`, `signed`, `rollback_plan`."""

from __future__ import annotations

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import NONE, Gate
from artreg.core.names import Alias
from artreg.core.record import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from pydantic import Field


class ApprovalsGate(Gate):
    """Enough named people must have approved these very bytes; whoever published them does not count.

    Attributes:
        count: How many must have.
        of: Whose word counts; empty: anybody's.
        signed: Whether only approvals count that are signed with a key that the policy names for that person.
    """

    count: Annotated[int, Field(ge=1)] = 1
    of: list[str] = NONE
    signed: bool = False

    def check(self) -> None:
        """See that something could pass."""
        if self.of and self.count > len(set(self.of)):
            raise ValueError("count is more than there are people in of, so that nothing could pass")

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a version that enough people stand up for."""
        publisher = evidence.candidate.run.get("published_by")
        if not isinstance(publisher, str):
            return self.verdict(False, "run.json does not say who published it", count=self.count, of=self.of)
        counted = sorted(
            {
                approval.who
                for approval in evidence.approvals
                if (not self.of or approval.who in self.of)
                and approval.who != publisher
                and (approval.signed or not self.signed)
            }
        )
        figures = {"count": self.count, "of": self.of, "approved_by": counted, "signed": self.signed}
        names = ", ".join(counted) or "nobody"
        kind = "signed approvals" if self.signed else "approvals"
        if len(counted) < self.count:
            waiting = f" of {', '.join(self.of)}" if self.of else ""
            message = f"approved by {names}; {self.count} {kind}{waiting} are needed, the publisher's does not count"
            return self.verdict(False, message, **figures, off_by=self.count - len(counted))
        return self.verdict(True, f"approved by {names}", **figures)


class SignedGate(Gate):
    """Enough named people must have signed these very bytes, with the keys that the policy names under `signers`.

    Attributes:
        count: How many must have.
        of: Whose signatures count; empty: those of anybody whose key the policy names.
    """

    count: Annotated[int, Field(ge=1)] = 1
    of: list[str] = NONE

    def check(self) -> None:
        """See that something could pass."""
        if self.of and self.count > len(set(self.of)):
            raise ValueError("count is more than there are people in of, so that nothing could pass")

    def needs(self, alias: Alias) -> Needs:
        """Ask for those who signed."""
        return Needs(signers=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a version that enough people signed."""
        counted = sorted({who for who in evidence.signers if not self.of or who in self.of})
        figures = {"count": self.count, "of": self.of, "signed_by": counted}
        names = ", ".join(counted) or "nobody whose key counts"
        if len(counted) < self.count:
            waiting = f" of {', '.join(self.of)}" if self.of else ""
            message = f"signed by {names}; {self.count}{waiting} must"
            return self.verdict(False, message, **figures, off_by=self.count - len(counted))
        return self.verdict(True, f"signed by {names}", **figures)


class RollbackPlanGate(Gate):
    """The version that a rollback would return to must exist, be whole and not be yanked.

    Attributes:
        first: Whether the first promotion, which nothing can be rolled back from, passes.
    """

    first: bool = True

    def needs(self, alias: Alias) -> Needs:
        """Ask for the way back."""
        return Needs(way_back=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass where there is a way back."""
        way = evidence.way_back
        if way.version is None:
            return self.verdict(self.first, f"{evidence.alias} holds nothing to go back to", back_to=None)
        figures = {"back_to": str(way.version)}
        if way.problem:
            return self.verdict(False, f"a rollback could not return to {way.version}: {way.problem}", **figures)
        return self.verdict(True, f"a rollback would return to {way.version}, which is whole", **figures)
