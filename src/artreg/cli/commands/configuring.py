"""Commands about settings: `config show`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from artreg.cli.declare import Exit
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.settings import POLICY_FILE, default_actor
from artreg.cli.view import Block, Fields, Line, Table, Tone, without_credentials
from artreg.errors import InvalidInput, exit_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from artreg.cli.origins import Fault, Origin, Origins

_SHOWN = frozenset(
    (
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_SHARED_CREDENTIALS_FILE",
    )
)
_HIDDEN = "***"


def config_show(session: Session) -> None:
    """Show every setting with its value and where it comes from: option, environment, file and line, or default.

    It reads nothing but the settings file, and tells what is wrong with that; then it exits as every other command
    would. Passwords in URLs are not shown, nor are credentials in the environment.

    Examples: artreg config show; artreg config show --json; artreg config show --registry s3://models/registry
    """
    from artreg.cli.origins import find_origins

    found = find_origins(session.flags, os.environ)
    document, blocks = _document(found), _view(found)
    fatal = [fault for fault in found.faults if fault.fatal]
    if not fatal:
        session.output.result(document, blocks)
        return
    error = InvalidInput(fatal[0].message, hint=fatal[0].hint, suggestions=list(fatal[0].suggestions))
    session.output.result({**document, "error": error_document(error)}, blocks)
    raise Exit(exit_code(error))


def _document(found: Origins) -> dict[str, Any]:
    values = {one.name: one for one in found.settings}
    return {
        "file": {"path": os.path.abspath(found.file), "found": found.found},
        "registry": _registry(found),
        "policy": _policy(values["policy"]),
        "settings": [_setting(one) for one in found.settings],
        "environment": _beside(os.environ),
        "problems": [_problem(fault) for fault in found.faults],
    }


def _registry(found: Origins) -> dict[str, Any]:
    from artreg.cli.origins import absolute

    (root,) = (one.value or "" for one in found.settings if one.name == "registry")
    where = absolute(root)
    return {"root": without_credentials(where), "found": None if "://" in where else os.path.isdir(where)}


def _policy(named: Origin) -> str | None:
    """Return the local policy file; whether the registry has a policy of its own takes looking into it."""
    return named.value or (POLICY_FILE if os.path.isfile(POLICY_FILE) else None)


def _setting(one: Origin) -> dict[str, Any]:
    return {"name": one.name, "value": _value(one), "source": one.source, "place": one.place or None, "line": one.line}


def _value(one: Origin) -> str | None:
    value = default_actor() if one.name == "actor" and one.value is None else one.value
    return None if value is None else without_credentials(value)


def _problem(fault: Fault) -> dict[str, Any]:
    return {"message": fault.message, "hint": fault.hint, "suggestions": list(fault.suggestions)}


def _beside(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what else in the environment says how a bucket is reached, without what is secret."""
    named = sorted(name for name in environment if name.startswith("AWS_") and environment[name])
    return {name: without_credentials(environment[name]) if name in _SHOWN else _HIDDEN for name in named}


def _view(found: Origins) -> list[Block]:
    document = _document(found)
    file, registry = document["file"], document["registry"]
    there = {True: "", False: ", which is not there", None: ""}[registry["found"]]
    rows = [
        ("settings file", file["path"] if file["found"] else f"{file['path']}, which is not there"),
        ("registry", registry["root"] + there),
        ("policy file", document["policy"] or "none here"),
    ]
    blocks: list[Block] = [Fields(tuple(rows)), Line("")]
    cells = tuple((one.name, _value(one) or "-", _source(one)) for one in found.settings)
    blocks.append(Table(("setting", "value", "from"), cells))
    if document["environment"]:
        blocks += [Line(""), Table(("also in the environment", "value"), tuple(document["environment"].items()))]
    for fault in found.faults:
        blocks += [Line(""), Line(fault.message, Tone.BAD), Line(f"hint: {fault.hint}")]
    return blocks


def _source(one: Origin) -> str:
    line = f", line {one.line}" if one.line else ""
    return f"{one.place}{line}" if one.place else one.source
