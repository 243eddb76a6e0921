"""Looks through the files of a candidate, without loading any of them."""

from __future__ import annotations

from artreg.core.gates.inspected import InspectedGate
from artreg.core.names import Reference
from artreg.errors import ArtregError
from artreg.loading.look import look_at
from artreg.registry.evidence import Case


def inspect_candidate(gate: InspectedGate, case: Case) -> object:
    """Return what was found in the candidate, or a text that says why nothing was."""
    try:
        return look_at(case.registry, Reference(case.model, case.evidence.candidate.version), gate.types)[1]
    except ArtregError as error:
        return error.message
