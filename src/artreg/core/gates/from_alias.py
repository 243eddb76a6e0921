"""Gate `from`: another alias holds the very same version."""

from __future__ import annotations

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import AliasText, Gate
from artreg.core.names import Alias
from artreg.core.record import Verdict


class FromGate(Gate):
    """Another alias must hold the very same version, byte for byte.

    Attributes:
        alias: The alias that comes before this one.
    """

    alias: AliasText

    def needs(self, alias: Alias) -> Needs:
        """Ask for the newest record of the other alias."""
        return Needs(heads=frozenset({Alias(self.alias)}))

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass what the other alias holds."""
        head = evidence.heads[Alias(self.alias)]
        candidate = evidence.candidate
        if head is None or head.version is None:
            message = f"{self.alias} holds nothing; {candidate.version} must stand there first"
            return self.verdict(False, message, alias=self.alias, holds=None, generation=None)
        figures = {"alias": self.alias, "holds": str(head.version), "generation": head.generation}
        if head.version != candidate.version:
            message = f"{self.alias} holds {head.version}; {candidate.version} must stand there first"
            return self.verdict(False, message, **figures)
        if head.digest != candidate.digest:
            message = f"{self.alias} holds {head.version} with other bytes: the version was changed since"
            return self.verdict(False, message, **figures)
        return self.verdict(True, f"{self.alias} holds {head.version}", **figures)
