"""What `artreg import` shows: as JSON, as text, and as one error where something did not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artreg.cli.output import error_document
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.wording import human_bytes, plural
from artreg.errors import (
    AlreadyExists,
    ArtregError,
    Conflict,
    GateRejected,
    IntegrityError,
    InvalidInput,
    NotFound,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from artreg.importing.aliases import AliasSet
    from artreg.importing.bring import Arrival, Brought
    from artreg.importing.yanks import YankSet

GRAVEST = (IntegrityError, StorageError, NotFound, AlreadyExists, Conflict, InvalidInput, GateRejected)
"""Of several troubles the first of these gives the exit code: what may be lost comes before what a person decides."""

_NAMED = 5
_YANK = {
    (True, False): "is now yanked",
    (True, True): "would be yanked",
    (False, False): "is no longer yanked",
    (False, True): "would no longer be yanked",
}
"""What became of a version, by whether it is yanked and whether it was a dry run."""


def document(result: Brought) -> dict[str, Any]:
    """Return what `import` prints."""
    return {
        "ok": not result.troubles and result.stopped is None,
        "from": result.kind,
        "location": result.location,
        "imported": [_arrival(one) for one in result.imported],
        "present": [_arrival(one) for one in result.present],
        "yanks": [_yank(one) for one in result.yanks],
        "aliases": [_alias(one) for one in result.aliases],
        "troubles": [{"item": one.item, **error_document(one.error)} for one in result.troubles],
        "dry_run": result.dry_run,
    }


def error(result: Brought) -> ArtregError | None:
    """Return what the command fails with, None if everything came."""
    if result.stopped is not None:
        return result.stopped
    if not result.troubles:
        return None
    gravest = next((kind for kind in GRAVEST if any(isinstance(it.error, kind) for it in result.troubles)), ArtregError)
    items = [one.item for one in result.troubles]
    more = f" and {len(items) - _NAMED:,} more" if len(items) > _NAMED else ""
    return gravest(
        f"{'would not come' if result.dry_run else 'did not come'}: {', '.join(items[:_NAMED])}{more}",
        hint="each is listed with what to do; run again, the command goes on where it stopped",
    )


def blocks(result: Brought) -> list[Block]:
    """Return what a person is shown."""
    verb = "would come" if result.dry_run else "came"
    shown: list[Block] = []
    if result.imported:
        rows = tuple((one.item, f"{one.model}@{one.version}", _size(one), _how(one)) for one in result.imported)
        shown.append(Table(("of the source", verb, "size", ""), rows, numeric=frozenset({2})))
    for yank in result.yanks:
        how = _YANK[yank.yanked, result.dry_run]
        shown.append(Line(f"{yank.item}: {yank.model}@{yank.version} {how}: {yank.why}", Tone.CARE))
    for alias in result.aliases:
        here = f"{alias.model}@{alias.alias}"
        how = "is already" if not alias.changed else "would become" if result.dry_run else "is now"
        unless = f", unless {_either(alias.unasked)} refuses it then" if alias.unasked else ""
        over = f", over {', '.join(alias.over)}" if alias.over else ""
        tone = Tone.PLAIN if alias.changed else Tone.DIM
        shown.append(Line(f"{alias.item}: {here} {how} {alias.version}{over}{unless}", tone))
    for one in result.troubles:
        shown.append(Line(f"{one.item}: {one.error.message}", Tone.BAD))
        shown += [Line(f"  hint: {one.error.hint}")] if one.error.hint else []
    return [*shown, _summary(result, verb)]


def _summary(result: Brought, verb: str) -> Line:
    told = f"{plural(len(result.imported), 'version')} {verb}, {len(result.present):,} were here already"
    if result.troubles:
        return Line(f"{told}; {plural(len(result.troubles), 'trouble')}", Tone.BAD)
    return Line(told, Tone.GOOD)


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _size(one: Arrival) -> str:
    return "" if one.size is None else human_bytes(one.size)


def _how(one: Arrival) -> str:
    return "compared first" if one.to_compare else ""


def _named(one: Arrival | YankSet | AliasSet) -> dict[str, Any]:
    return {"item": one.item, "project": one.model.project, "model": one.model.model}


def _arrival(one: Arrival) -> dict[str, Any]:
    return {
        **_named(one),
        "version": str(one.version),
        "digest": one.digest,
        "bytes": one.size,
        "to_compare": one.to_compare,
    }


def _yank(one: YankSet) -> dict[str, Any]:
    return {
        **_named(one),
        "version": str(one.version),
        "yanked": one.yanked,
        "why": one.why,
    }


def _alias(one: AliasSet) -> dict[str, Any]:
    return {
        **_named(one),
        "alias": str(one.alias),
        "version": str(one.version),
        "generation": one.generation,
        "unasked": list(one.unasked),
        "over": list(one.over),
        "changed": one.changed,
    }
