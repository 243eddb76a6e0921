"""`history`: who moved an alias, when, and why."""

from __future__ import annotations

from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.names import Alias, ModelName, Reference, is_alias
from artreg.core.record import MOVES
from artreg.core.wording import plural
from artreg.errors import IntegrityError, InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Annotated, Any

    from artreg.core.allowed_signers import SignedBy
    from artreg.core.record import PromotionRecord
    from artreg.registry.history import Head


def history(
    session: Session,
    subject: Annotated[str, Argument(help="[PROJECT/]MODEL, MODEL@ALIAS, or ALIAS", complete="references")],
    limit: Annotated[int, Option("--limit", "-n", least=0, help="At most so many records an alias; 0 for all")] = 20,
    at: Annotated[
        str | None, Option("--at", metavar="TIME", help="What was held then, such as 2026-03-01T12:00Z")
    ] = None,
    verify: Annotated[
        bool, Option("--verify", help="Check the whole chain of records, their signatures, and what they pin")
    ] = False,
    signed_by: Annotated[
        list[str] | None, Option("--signed-by", metavar="NAME", help="With --verify: such a one must have moved it")
    ] = None,
    allowed_signers: Annotated[
        str | None,
        Option(
            "--allowed-signers", metavar="FILE", help="Whose keys count, as OpenSSH has it [ARTREG_ALLOWED_SIGNERS]"
        ),
    ] = None,
) -> None:
    """Tell who moved an alias when, from where to where, and why; newest first.

    With --verify every record must follow from the one before it, every version must still be what was pinned, and
    every signature must be good, also where the policy that was in force demands one. With --signed-by the move that
    holds must bear a signature that counts, which vouches for all before it.

    Examples: artreg history prod; artreg history churn@prod --at 2026-03-01T12:00Z; artreg history churn --verify;
    artreg history churn@prod --verify --signed-by carol@example.com --allowed-signers signers
    """
    from itertools import islice

    from artreg.registry.history import at as held_at
    from artreg.registry.history import records, require_head

    moved_by = session.signed_by(signed_by or [], allowed_signers)
    if moved_by is not None and not verify:
        raise InvalidInput("only a verification asks for signatures", hint="add --verify")
    session.registry.store.require_root()
    model, aliases = _histories(session, subject)
    moment = None if at is None else parse_time(at)
    heads: list[Head] = []
    for alias in aliases:
        require_head(session.registry, model, alias)
        if moment is not None:
            head = held_at(session.registry, model, alias, moment)
            heads += [] if head is None else [head]
        else:
            found = list(islice(records(session.registry, model, alias), None if verify else limit or None))
            if verify:
                _prove(session, model, found, moved_by)
            heads += found
    heads.sort(key=lambda head: (head.record.time, head.record.generation), reverse=True)
    document: dict[str, Any] = {"records": [head.record.document() for head in heads]}
    if moment is not None:
        session.output.result({**document, "at": at}, _held_view(model, heads, at or ""))
        return
    blocks: list[Block] = [_history_view(model, heads)]
    if verify:
        document["verified"] = True
        signed = sum(head.record.signature is not None for head in heads)
        document["signed"] = signed
        words = f"{plural(len(heads), 'record')}, each follows from the one before it"
        words += f", {signed} signed" if signed else ""
        blocks.append(Line(words, Tone.GOOD))
    session.output.result(document, blocks)


def _prove(session: Session, model: ModelName, heads: list[Head], moved_by: SignedBy | None) -> None:
    from artreg.registry.check_history import check_policies, history_faults

    in_force, policies = check_policies(session.registry)
    faults = [f"{problem.file}: {problem.problem}" for checked in policies for problem in checked.problems]
    faults += history_faults(session.registry, model, heads, in_force, moved_by)
    if faults:
        raise IntegrityError(
            "; ".join(faults[:5]), hint="compare with a copy; artreg verify looks at everything", problems=faults
        )


def parse_time(text: str) -> datetime:
    """Read a moment; without a time zone it is taken for UTC.

    Raises:
        InvalidInput: It is none.
    """
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a time", hint="write it as 2026-03-01T12:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _histories(session: Session, subject: str) -> tuple[ModelName, list[Alias]]:
    from artreg.registry.versions import list_aliases, list_models, require_model

    if "@" not in subject and not subject.startswith("models:/"):
        model = session.model(subject)
        if is_alias(subject) and model not in list_models(session.registry.store):
            return session.model_with(Alias(subject)), [Alias(subject)]
        require_model(session.registry, model)
        return model, [Alias(name) for name in list_aliases(session.registry.store, model)]
    reference = Reference.parse(subject, session.settings.project)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(
            f"{subject!r} names no alias", hint="only aliases have a history: write churn@prod, or churn"
        )
    return reference.model, [reference.target]


def _held_view(model: ModelName, heads: list[Head], at: str) -> list[Block]:
    if not heads:
        return [Line(f"{model} held nothing at {at}")]
    return [
        Line(f"{model}@{head.record.alias} was {head.record.version or 'nothing'} at {at}, since {head.record.time}")
        for head in heads
    ]


def _history_view(model: ModelName, heads: list[Head]) -> Table:
    rows = tuple(_history_row(head) for head in heads)
    columns = ("when (UTC)", "alias", "gen", "action", "move", "who", "gates", "why")
    return Table(columns, rows, title=str(model), numeric=frozenset({2}), times=frozenset({0}), below=7)


def _history_row(head: Head) -> tuple[str, ...]:
    record = head.record
    overridden = [verdict.gate for verdict in record.gates if not verdict.passed]
    gates = f"{len(record.gates) - len(overridden)}/{len(record.gates)}" if record.gates else "-"
    forced = f"forced over {', '.join(overridden)}: " if overridden else ""
    return (
        record.time.replace("T", " ")[:19],
        str(record.alias),
        str(record.generation),
        record.action.value,
        move_of(record),
        record.who,
        gates,
        forced + record.why,
    )


def move_of(record: PromotionRecord) -> str:
    """Return from where to where a record moves its alias, or where it leaves it."""
    if record.action not in MOVES:
        return str(record.version or "-")
    return f"{record.previous_version or '-'} → {record.version or '-'}"
