"""Commands by which people judge: `yank`, `unyank`, `approve`, `approvals`, `freeze`, `unfreeze`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.commands.reading import parse_time
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import InvalidInput

if TYPE_CHECKING:
    from artreg.registry.approvals import Approval, Given
    from artreg.registry.move import Moved
    from artreg.registry.yank import Yanked

VersionReference = Annotated[
    str, Argument(metavar="MODEL@VERSION", help="[PROJECT/]MODEL@VERSION", complete="version_references")
]
AliasReference = Annotated[str, Argument(metavar="ALIAS", help="ALIAS, or [PROJECT/]MODEL@ALIAS", complete="aliases")]
Model = Annotated[
    str | None,
    Option(
        "--model",
        "-m",
        help="The model, where several have such an alias [ARTREG_MODEL]",
        complete="models",
    ),
]
Reason = Annotated[str, Option("--reason", help="Why; it is kept and shown")]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would be done, but write nothing")]


def yank(session: Session, version: VersionReference, reason: Reason = "", dry_run: DryRun = False) -> None:
    """Declare a version unfit: no alias takes it, latest and rollback skip it, whoever names it is warned.

    Nothing is deleted, and an alias that holds it keeps it: roll that back. When this returns, no promotion that was
    under way can point at the version any more.

    Examples: artreg yank churn@1.2.1 --reason "leaks the label"
    """
    from artreg.registry.yank import yank as run

    model, number = _version(session, version)
    result = run(session.registry, model, number, reason, dry_run=dry_run)
    words = ("would be yanked" if dry_run else "is yanked") if result.changed else "is yanked already: nothing to do"
    session.output.result(documents.yanked(result), _yanked_view(result, words))


def unyank(session: Session, version: VersionReference, reason: Reason = "", dry_run: DryRun = False) -> None:
    """Take a yank back: the version may be used again.

    Examples: artreg unyank churn@1.2.1 --reason "it was the monitoring"
    """
    from artreg.registry.yank import unyank as run

    model, number = _version(session, version)
    result = run(session.registry, model, number, reason, dry_run=dry_run)
    may = "would be fit for use again" if dry_run else "is fit for use again"
    words = may if result.changed else "is not yanked: nothing to do"
    session.output.result(documents.yanked(result), [Line(f"{result.model}@{result.version} {words}", Tone.GOOD)])


def approve(
    session: Session,
    version: VersionReference,
    to: Annotated[
        str,
        Option("--to", help="The alias that it may become", complete="policy_aliases"),
    ],
    reason: Reason = "",
    sign_key: Annotated[
        Path | None, Option("--sign-key", metavar="FILE", help="An SSH key to sign the approval with")
    ] = None,
    take_back: Annotated[bool, Option("--revoke", help="Take your approval back")] = False,
    dry_run: DryRun = False,
) -> None:
    """Stand up for a version, bound to its very bytes, as whoever you are (--actor).

    Whether it counts, and how many it takes, is the policy's affair. An alias that has moved does not move back when
    an approval is taken back, but no promotion that counted on it can come any more.

    Examples: artreg approve churn@1.2.1 --to prod --reason "reviewed"; artreg approve churn@1.2.1 --to prod --revoke
    """
    from artreg.registry.approvals import approve as give
    from artreg.registry.approvals import revoke

    model, number = _version(session, version)
    alias = Alias(to)
    session.policy.of(model, alias)  # a slip of the pen would approve of nothing, and say nothing
    if take_back and sign_key is not None:
        raise InvalidInput("an approval that is taken back is not signed", hint="leave --sign-key out")
    if take_back:
        result = revoke(session.registry, model, number, alias, reason, dry_run=dry_run)
    else:
        result = give(session.registry, model, number, alias, reason, sign_key=sign_key, dry_run=dry_run)
    session.output.result(documents.given(result), _given_view(session, result, take_back=take_back))


def approvals(session: Session, version: VersionReference) -> None:
    """List who stands up for a version, for which alias, and whether that can count.

    Examples: artreg approvals churn@1.2.1; artreg approvals churn@1.2.1 --json
    """
    from artreg.registry.approvals import list_approvals

    model, number = _version(session, version)
    found = list_approvals(session.registry, model, number, signers=session.policy.signers)
    document = {
        "project": model.project,
        "model": model.model,
        "version": str(number),
        "approvals": [documents.approval(one) for one in found],
    }
    session.output.result(document, _approvals_view(model, number, found))


def freeze(
    session: Session,
    alias: AliasReference,
    until: Annotated[str, Option("--until", metavar="TIME", help="When it ends, such as 2026-12-01T00:00Z")],
    model: Model = None,
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Keep everybody from moving an alias until a time; only a rollback may, and leaves it frozen.

    Examples: artreg freeze prod --until 2026-12-01T00:00Z --reason "Christmas sales"
    """
    from artreg.registry.freeze import freeze as run

    name, target = alias_of(session, alias, model)
    result = run(session.registry, name, target, parse_time(until), reason, dry_run=dry_run)
    _show_frozen(session, result)


def unfreeze(
    session: Session, alias: AliasReference, model: Model = None, reason: Reason = "", dry_run: DryRun = False
) -> None:
    """Let an alias be moved again before its freeze is over.

    Examples: artreg unfreeze prod --reason "the fix must go out"
    """
    from artreg.registry.freeze import unfreeze as run

    name, target = alias_of(session, alias, model)
    _show_frozen(session, run(session.registry, name, target, reason, dry_run=dry_run))


def _version(session: Session, text: str) -> tuple[ModelName, Version]:
    reference = Reference.parse(text, session.settings.project)
    if not isinstance(reference.target, Version):
        raise InvalidInput(
            f"{text!r} names no version", hint="an alias may move meanwhile: write the version, such as churn@1.2.1"
        )
    session.registry.store.require_root()
    return reference.model, reference.target


def alias_of(session: Session, text: str, model: str | None) -> tuple[ModelName, Alias]:
    """Return the alias that a person means, and its model."""
    session.registry.store.require_root()
    if model is not None:
        return session.model(model), Alias(text.rpartition("@")[2])
    reference = session.reference(text)
    if not isinstance(reference.target, Alias):
        raise InvalidInput(f"{text!r} is not an alias", hint="name an alias, such as prod or churn@prod")
    return reference.model, reference.target


def _yanked_view(result: Yanked, words: str) -> list[Block]:
    blocks: list[Block] = [Line(f"{result.model}@{result.version} {words}", Tone.GOOD)]
    blocks += [Line(f"a move of {alias} to it was stopped") for alias in result.fenced]
    if result.held_by:
        names = ", ".join(str(alias) for alias in result.held_by)
        blocks.append(Line(f"still held by {names}: see artreg rollback", Tone.BAD))
    return blocks


def _given_view(session: Session, result: Given, *, take_back: bool) -> list[Block]:
    log, who = result.log, session.registry.actor
    what = f"{log.model}@{log.version} for {result.alias}"
    if not result.changed:
        words = f"{who} does not approve {what}" if take_back else f"{who} approved {what} already"
        return [Line(f"{words}: nothing to do", Tone.GOOD)]
    verb = "would no longer approve" if take_back else "would approve"
    if not result.dry_run:
        verb = "no longer approves" if take_back else "approves"
    blocks: list[Block] = [Line(f"{who} {verb} {what}", Tone.GOOD)]
    if result.fenced:
        blocks.append(Line(f"a move of {result.alias} to it was stopped"))
    return blocks


def _approvals_view(model: ModelName, version: Version, found: tuple[Approval, ...]) -> list[Block]:
    if not found:
        return [Line(f"nobody approved {model}@{version}")]
    rows = tuple(
        (
            one.event.who,
            one.event.time.replace("T", " ")[:19],
            str(one.event.alias),
            one.event.why,
            "yes" if one.signed else "no",
            "yes" if one.counted else "no: published it",
        )
        for one in found
    )
    return [Table(("who", "when (UTC)", "alias", "why", "signed", "counts"), rows, title=f"{model}@{version}")]


def _show_frozen(session: Session, moved: Moved) -> None:
    record = moved.record
    name = f"{record.model}@{record.alias}"
    if record.frozen is not None:
        is_ = "would be" if moved.dry_run and moved.changed else "is"
        words = f"{name} {is_} frozen at {record.version} until {record.frozen.until}"
    else:
        words = f"{name} {'would be' if moved.dry_run and moved.changed else 'is'} free to move"
    text = words if moved.changed else f"{words} already: nothing to do"
    session.output.result(documents.frozen(moved), [Line(text, Tone.GOOD)])
