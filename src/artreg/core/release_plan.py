"""The plan of a release, as people write it: which models are to move where, in one go."""

from __future__ import annotations

from pydantic import Field

from artreg.core.validation import Section, validate


class PlannedMove(Section):
    """One move.

    Attributes:
        model: `model` or `project/model`.
        version: A version, or an alias that holds it.
        to: The alias to move.
    """

    model: str
    version: str
    to: str


class ReleasePlan(Section):
    """Moves that belong together.

    Attributes:
        moves: The moves, in order.
        reason: Why; stands in every record.
    """

    moves: list[PlannedMove] = Field(min_length=1)
    reason: str = ""


def parse_plan(document: object, what: str) -> ReleasePlan:
    """Check a plan that a person wrote.

    Raises:
        InvalidInput: It is none; every problem is named.
    """
    return validate(ReleasePlan, document, what=what, hint="correct the plan")
