"""Commands about the policy: `check`, and `policy` with `show`, `check`, `schema`, `push`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.checklist import checklist, markdown
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Fields, Line, Table, Tone
from artreg.core.names import Alias, ModelName, Reference, parse_target
from artreg.core.version import Version
from artreg.errors import GateRejected, exit_code

if TYPE_CHECKING:
    from artreg.core.gates.interface import Gate
    from artreg.core.policy import Policy

PolicyFile = Annotated[Path | None, Argument(help="The policy file; by default the one that is configured")]


def check(
    session: Session,
    model: Annotated[str, Argument(help="[PROJECT/]MODEL", complete="models")],
    version: Annotated[str, Argument(help="VERSION, or an alias that holds it", complete="versions")],
    to: Annotated[str, Option("--to", help="The alias it is to become", complete="policy_aliases")],
    as_markdown: Annotated[bool, Option("--markdown", help="Print Markdown, for a pull request")] = False,
) -> None:
    """Ask every gate, and move nothing: a checklist with what each saw, and how far off it was.

    Where GITHUB_STEP_SUMMARY names a file, the checklist is appended to it as Markdown too.

    Examples: artreg check churn 1.2.1 --to prod; artreg check churn staging --to prod --markdown
    """
    from artreg.instruments import INSTRUMENTS
    from artreg.registry.assess import assess

    name, alias = session.model(model), Alias(to)
    session.registry.store.require_root()
    number = version_of(session, name, version)
    found = assess(
        session.registry,
        name,
        number,
        alias,
        session.policy,
        instruments=INSTRUMENTS,
        reporter=session.output.reporter,
    )
    gates = [verdict.document() for verdict in found.verdicts]
    title = f"{name}@{number} to {alias}"
    text = markdown(gates, title)
    _summarise(session, text)
    document = documents.assessed(found)
    blocks: list[Block] = [Line(line) for line in text.splitlines()] if as_markdown else [checklist(gates)]
    if not found.refusals:
        summary = f"{name}@{number} may become {alias}"
        session.output.result(document, blocks if as_markdown else [*blocks, Line(summary, Tone.GOOD)])
        return
    refused = f"{name}@{number} may not become {alias}"
    error = GateRejected(f"{refused}: {'; '.join(verdict.message for verdict in found.refusals)}")
    summary = f"{refused}: {len(found.refusals)} of {len(gates)} say no"
    session.output.result(
        {**document, "error": error_document(error)}, blocks if as_markdown else [*blocks, Line(summary, Tone.BAD)]
    )
    raise Exit(exit_code(error))


def version_of(session: Session, model: ModelName, text: str) -> Version:
    """Return the version that a person means by a version or by an alias that holds it."""
    from artreg.registry.resolve import resolve

    target = parse_target(text)
    if isinstance(target, Version):
        return target
    return resolve(session.registry, Reference(model, target)).version


def policy_show(session: Session) -> None:
    """Show the policy that holds, and where it comes from.

    Examples: artreg policy show; artreg policy show --json
    """
    from artreg.registry.stored_policy import stored_policy

    session.registry.store.require_root()
    stored = stored_policy(session.registry)
    policy = session.local_policy() if stored is None else stored.policy
    record = None if stored is None else stored.record
    where = (
        "local" if record is None else f"stored in the registry: number {record.number}, {record.time}, {record.who}"
    )
    document = {
        "policy": policy.document(),
        "digest": policy.digest,
        "stored": None
        if record is None
        else {"number": record.number, "who": record.who, "why": record.why, "time": record.time},
    }
    session.output.result(document, [Fields((("policy", where), ("digest", policy.digest))), *_policy_view(policy)])


def policy_check(session: Session, file: PolicyFile = None) -> None:
    """Check a policy file without using it: unknown keys, limits that nothing can pass, aliases that are not there.

    Examples: artreg policy check; artreg policy check configs/policy.yaml
    """
    policy = _policy_from(session, file)
    count = sum(len(rules.gates) for rules in policy.aliases.values())
    document = {"ok": True, "digest": policy.digest, "aliases": list(policy.aliases), "gates": count}
    session.output.result(document, [Line("the policy is valid", Tone.GOOD), *_policy_view(policy)])


def policy_schema(session: Session) -> None:
    """Print the JSON Schema of the policy file, for editors.

    Example: artreg policy schema > policy.schema.json
    """
    from artreg.core.policy_file import policy_schema as schema_of

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of()}
    session.output.result(schema, [Line(line) for line in json.dumps(schema, indent=2).splitlines()])


def policy_push(
    session: Session,
    file: PolicyFile = None,
    reason: Annotated[str, Option("--reason", help="Why; stands in the record")] = "",
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be stored")] = False,
) -> None:
    """Store a policy in the registry: from then on it holds for everybody, whatever lies beside them.

    Earlier ones are kept, and can be read.

    Examples: artreg policy push; artreg policy push configs/policy.yaml --reason "prod asks for two approvals"
    """
    from artreg.registry.stored_policy import push_policy

    policy = _policy_from(session, file)
    record, created = push_policy(session.registry, policy, reason=reason, dry_run=dry_run)
    verb = "is the registry's already" if not created else "would hold" if dry_run else "holds from now on"
    document = {"number": record.number, "digest": policy.digest, "created": created, "dry_run": dry_run}
    session.output.result(document, [Line(f"policy {record.number} {verb}", Tone.GOOD)])


def _policy_from(session: Session, file: Path | None) -> Policy:
    from artreg.core.policy import parse_policy
    from artreg.yamldoc import read_yaml

    return session.local_policy() if file is None else parse_policy(read_yaml(file, "policy file"), str(file))


def _policy_view(policy: Policy) -> list[Block]:
    places = [("everywhere", policy.aliases)]
    places += [(f"project {name}", aliases) for name, aliases in policy.projects.items()]
    places += [(name, aliases) for name, aliases in policy.models.items()]
    rows = []
    for place, aliases in places:
        for alias, rules in aliases.items():
            told = [_told(gate) for gate in rules.gates]
            people = [f"moved by {', '.join(rules.who)}"] if rules.who else []
            people += [f"forced by {', '.join(rules.force)}"] if rules.force else []
            people += ["a reason is demanded"] if rules.require_reason else []
            people += [f"signed: {' and '.join(rules.signed_moves)}"] if rules.signed_moves else []
            rows += [(place, alias, asked) for asked in [*told, *people] or ["nothing but integrity"]]
    return [Table(("where", "alias", "asks"), tuple(rows))]


def _told(gate: Gate) -> str:
    return " ".join([gate.gate, *(f"{key}={value}" for key, value in gate.settings().items())])


def _summarise(session: Session, text: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        session.output.note(f"warning: {path}, which GITHUB_STEP_SUMMARY names, cannot be written: {error.strerror}")
