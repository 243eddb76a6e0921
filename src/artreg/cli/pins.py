"""What `lock` and `outdated` say: their JSON, and their tables."""

from __future__ import annotations

from artreg.cli.documents import version_event
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.wording import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from artreg.consuming.pinning import Pinned, Standing
    from artreg.core.lock import Lock, Pin
    from artreg.core.record import PromotionRecord


def locked(file: str, lock: Lock, made: Sequence[Pinned], *, changed: bool) -> dict[str, Any]:
    """Return what `lock` prints."""
    return {
        "file": file,
        "registry": lock.registry,
        "changed": changed,
        "pins": [
            {
                **pin_document(one.pin),
                "previous_version": None if one.before is None else str(one.before.version),
                "changed": one.changed,
                "warning": one.warning,
            }
            for one in made
            if one.pin is not None
        ],
        "removed": [str(one.before.reference) for one in made if one.pin is None and one.before is not None],
    }


def outdated(file: str, lock: Lock, found: Sequence[Standing]) -> dict[str, Any]:
    """Return what `outdated` prints."""
    return {
        "file": file,
        "registry": lock.registry,
        "outdated": any(one.outdated for one in found),
        "pins": [
            {
                **pin_document(one.pin),
                "outdated": one.outdated,
                "now": None if one.now is None else str(one.now),
                "behind": one.behind,
                "move": None if one.move is None else _move(one.move),
                "yanked": None if one.yank is None else version_event(one.yank),
                "problem": one.gone,
            }
            for one in found
        ],
    }


def lock_view(made: Sequence[Pinned], done: str, tone: Tone = Tone.GOOD) -> list[Block]:
    """Return what `lock` shows."""
    rows = []
    for one in made:
        pin = one.pin or one.before
        assert pin is not None
        was = "" if one.before is None or not one.changed else str(one.before.version)
        rows.append((str(pin.reference), "-" if one.pin is None else str(pin.version), was, pin.digest[:12]))
    table = [Table(("reference", "version", "was", "digest"), tuple(rows))] if rows else []
    return [*table, Line(done, tone)]


def outdated_view(found: Sequence[Standing]) -> list[Block]:
    """Return what `outdated` shows."""
    columns = ("reference", "locked", "now", "moves", "by", "why", "yanked")
    table = [Table(columns, tuple(map(_row, found)), numeric=frozenset({3}))] if found else []
    moved, yanked = sum(one.outdated for one in found), sum(one.yank is not None for one in found)
    count = plural(len(found), "pin")
    if not moved and not yanked:
        return [*table, Line(f"all {count} up to date", Tone.GOOD)]
    return [
        *table,
        *([Line(f"{moved} of {count} out of date: artreg lock", Tone.BAD)] if moved else []),
        *([Line(f"{yanked} of {count} yanked: to be used no more", Tone.BAD)] if yanked else []),
    ]


def _row(one: Standing) -> tuple[str, ...]:
    move = one.move
    return (
        str(one.pin.reference),
        str(one.pin.version),
        "gone" if one.now is None else str(one.now),
        "-" if one.behind is None else str(one.behind),
        "" if move is None else move.who,
        "" if move is None else f"{move.action.value}: {move.why}" if move.why else move.action.value,
        "" if one.yank is None else one.yank.why,
    )


def pin_document(pin: Pin) -> dict[str, Any]:
    """Return what all three print of a pin."""
    return {
        "reference": str(pin.reference),
        "project": pin.reference.model.project,
        "model": pin.reference.model.model,
        "version": str(pin.version),
        "generation": pin.generation,
        "digest": pin.digest,
    }


def _move(move: PromotionRecord) -> dict[str, Any]:
    return {
        "action": move.action.value,
        "generation": move.generation,
        "who": move.who,
        "why": move.why,
        "time": move.time,
    }
