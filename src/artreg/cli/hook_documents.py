"""What the commands for hooks print with `--json`; their keys are a promise (more may come, none changes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from artreg.hooks.several import Flushed
    from artreg.hooks.survey import Surveyed, Waiting
    from artreg.hooks.telling import Lane


def surveyed(found: Surveyed) -> dict[str, Any]:
    """Return one hook as `hooks list` prints it."""
    hook = found.hook
    return {
        "hook": hook.name,
        "target": hook.target,
        "models": sorted(str(model) for model in hook.models),
        "aliases": sorted(str(alias) for alias in hook.aliases),
        "actions": sorted(action.value for action in hook.actions),
        "since": hook.since.isoformat(),
        "pending": sum(one.pending for one in found.lanes),
        "problem": found.problem or None,
        "told": [_waiting(one) for one in found.lanes],
    }


def flushed(done: Flushed) -> dict[str, Any]:
    """Return one hook as `hooks flush` prints it."""
    return {
        "hook": done.hook.name,
        "target": done.hook.target,
        "ok": done.ok,
        "delivered": sum(one.events for one in done.delivered),
        "left": done.left,
        "problem": done.problem or None,
        "told": [
            {**_lane(one.lane), "delivered": one.events, "generation": one.generation, "problem": one.problem or None}
            for one in done.delivered
        ],
    }


def trouble(one: Waiting) -> str:
    """Say what stands in the way of an event, or ''."""
    if one.problem or one.failure is None:
        return one.problem
    times = "once" if one.failure.attempts == 1 else f"{one.failure.attempts} times"
    return f"tried {times} since {one.failure.since[:19].replace('T', ' ')}: {one.failure.message}"


def _waiting(one: Waiting) -> dict[str, Any]:
    return {
        **_lane(one.lane),
        "generation": one.generation,
        "pending": one.pending,
        "oldest": one.oldest,
        "failure": None if one.failure is None else one.failure.document(),
        "problem": one.problem or None,
        "skipped": [skip.document() for skip in one.skipped],
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {"project": lane.model.project, "model": lane.model.model, "alias": str(lane.alias)}
