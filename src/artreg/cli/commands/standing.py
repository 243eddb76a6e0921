"""What `artreg` alone shows: where things stand, what wants looking at, and what comes next."""

from __future__ import annotations

import os
import shlex

from artreg.cli.advice import Matter, Step, first_step, is_newer, matters, next_step
from artreg.cli.session import Session
from artreg.cli.settings import origin
from artreg.cli.view import Block, Fields, Line, Spans, Table, Tone
from artreg.core.wording import plural
from artreg.errors import NotFound
from artreg.registry.standing import AliasStanding, ModelStanding, survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from artreg.core.names import ModelName

_CONFIG = "configs/default.yaml"
_TONES = {"frozen": Tone.CARE, "unfinished": Tone.CARE, "pointer": Tone.CARE}


def standing(session: Session) -> None:
    """Say where things stand: what each alias holds, what wants looking at, and what comes next.

    Examples: artreg; artreg -r s3://models/churn; artreg --json
    """
    found_by = origin("registry", session.flags, os.environ)
    root = f" -r {shlex.quote(session.settings.registry)}" if session.flags.get("registry") else ""
    exists = _exists(session)
    models = survey(session.registry) if exists else []

    def short(model: ModelName) -> str:
        return model.model if model.project == session.settings.project else str(model)

    found = matters(models, short)
    first = first_step(exists=exists, config=os.path.isfile(_CONFIG))
    step = next_step(models, found, short) if models else first
    if step is not None:
        step = Step(f"{step.command}{root}", step.why)
    url = session.registry.store.url
    session.output.result(
        lambda: {
            "registry": url,
            "found_by": found_by,
            "exists": exists,
            "models": [_model_document(model) for model in models],
            "attention": [_matter_document(matter) for matter in found],
            "next": None if step is None else {"command": step.command, "why": step.why},
        },
        lambda: [
            Fields((("registry", f"{url} ({_said(found_by)})"), ("models", str(len(models)) if exists else "-"))),
            *_blocks(models, found),
            *_next_lines(step),
        ],
    )


def _exists(session: Session) -> bool:
    try:
        session.registry.store.require_root()
    except NotFound:
        return False
    return True


def _said(found_by: str) -> str:
    return "the default" if found_by == "default" else f"from {found_by}"


def _blocks(models: Sequence[ModelStanding], found: Sequence[Matter]) -> list[Block]:
    rows = tuple(row for model in models for row in _rows(model))
    columns = ("alias", "version", "gen", "since (UTC)", "by", "")
    table: list[Block] = [Table(columns, rows, numeric=frozenset({2}), times=frozenset({3}), below=5)] if rows else []
    if not found:
        return table
    told = [
        Spans((("! ", tone), (matter.ref, Tone.STRONG), (f" {matter.message}", Tone.PLAIN)), 2)
        for matter in found
        for tone in (_TONES.get(matter.kind, Tone.BAD),)
    ]
    return [*table, Line(""), Line(f"{plural(len(found), 'thing')} to look at:", Tone.STRONG), *told]


def _next_lines(step: Step | None) -> list[Block]:
    if step is None:
        return [Line("nothing is due; artreg --help shows what there is", Tone.DIM)]
    return [Spans((("next: ", Tone.PLAIN), (step.command, Tone.STRONG))), Line(f"  {step.why}", Tone.DIM)]


def _rows(model: ModelStanding) -> list[tuple[str, ...]]:
    if not model.aliases:
        newest = f"newest is {model.newest}" if model.newest else "no versions"
        return [(str(model.model), "-", "-", "", "", newest)]
    return [_row(model, alias) for alias in sorted(model.aliases, key=_order)]


def _order(alias: AliasStanding) -> tuple[bool, bool, str]:
    """Production first, then staging."""
    return (alias.alias.name != "prod", alias.alias.name != "staging", alias.alias.name)


def _row(model: ModelStanding, alias: AliasStanding) -> tuple[str, ...]:
    move = alias.move
    return (
        f"{model.model}@{alias.alias}",
        str(alias.version or "-"),
        str(alias.newest.generation if alias.newest else "-"),
        move.time.replace("T", " ")[:16] if move else "",
        move.who if move else "",
        ", ".join(_states(model, alias)),
    )


def _states(model: ModelStanding, alias: AliasStanding) -> list[str]:
    states = ["DAMAGED"] if alias.damage else []
    states += ["doubtful"] if alias.doubt else []
    states += ["yanked"] if alias.yank is not None else []
    states += ["stale pointer"] if alias.pointer else []
    states += ["frozen"] if alias.frozen is not None else []
    if alias.version is not None:
        newer = is_newer(model.newest, alias.version)
        states.append(f"{model.newest} is newer" if newer else "newest" if model.newest == alias.version else "")
    return [state for state in states if state]


def _model_document(model: ModelStanding) -> dict[str, Any]:
    held = {alias.alias.name: alias.version for alias in model.aliases}
    return {
        "project": model.model.project,
        "model": model.model.model,
        "newest": None if model.newest is None else str(model.newest),
        "ahead_of_prod": is_newer(model.newest, held.get("prod")),
        "unfinished": [str(version) for version in model.unfinished],
        "aliases": [_alias_document(alias) for alias in model.aliases],
    }


def _alias_document(alias: AliasStanding) -> dict[str, Any]:
    newest, move, yank = alias.newest, alias.move, alias.yank
    return {
        "alias": str(alias.alias),
        "version": None if alias.version is None else str(alias.version),
        "digest": None if newest is None else newest.digest,
        "generation": None if newest is None else newest.generation,
        "since": None if move is None else move.time,
        "who": None if move is None else move.who,
        "why": None if move is None else move.why,
        "action": None if move is None else move.action.value,
        "yanked": None if yank is None else {"who": yank.who, "why": yank.why, "time": yank.time},
        "frozen": None if alias.frozen is None else alias.frozen.document(),
        "pointer": alias.pointer or None,
        "doubt": alias.doubt or None,
        "damage": alias.damage or None,
    }


def _matter_document(matter: Matter) -> dict[str, Any]:
    return {"ref": matter.ref, "kind": matter.kind, "message": matter.message, "command": matter.command or None}
