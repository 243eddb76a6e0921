"""The command that trains again: `reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.comparison import axes_table, metrics_table
from artreg.cli.datasets import snapshot_file
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Table, Tone
from artreg.errors import InvalidInput, NotReproduced, exit_code

if TYPE_CHECKING:
    from artreg.reproduction.reproduce import Reproduction

DEFAULT_CONFIG = Path("configs/default.yaml")


def reproduce(
    session: Session,
    reference: Annotated[
        str | None,
        Argument(
            help="The version: MODEL@VERSION or @ALIAS; without one the config is trained twice",
            complete="references",
        ),
    ] = None,
    here: Annotated[bool, Option("--here", help="Use the present environment, work tree and data")] = False,
    remote: Annotated[
        str | None, Option("--remote", metavar="REPOSITORY", help="Clone the code from there, not from here")
    ] = None,
    config: Annotated[Path | None, Option("--config", "-c", help="Another config than the one that is stored")] = None,
    overrides: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="Override one key of the config", complete="config_keys"),
    ] = None,
    tolerance: Annotated[
        float | None,
        Option("--tolerance", least=0, metavar="DIFFERENCE", help="Accept other bytes if all metrics are so near"),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Train and compare, but record no proof")] = False,
) -> None:
    """Train a version again from its records alone, and compare the bytes.

    Its commit is checked out into a temporary folder, its environment is rebuilt from its own uv.lock (frozen, with
    hashes), its data are fetched and checked, and its stored config is trained with, in a registry of its own. The
    answer is a table by axis. Model and metrics must come out the same to the byte; then a proof is recorded beside
    the version. The commit comes from the repository of the present folder.

    Without a version, what --config says is trained twice in new processes, with other thread counts and hash seeds.

    Examples: artreg reproduce churn@prod; artreg reproduce churn@1.2.1 --here; artreg reproduce --config mine.yaml
    """
    if reference is None:
        _refuse_without_version(here=here, remote=remote, tolerance=tolerance, dry_run=dry_run)
        _train_twice(session, config or DEFAULT_CONFIG, overrides or [])
        return
    from artreg.registry.resolve import resolve
    from artreg.reproduction.reproduce import Wish
    from artreg.reproduction.reproduce import reproduce as run

    if here and remote is not None:
        raise InvalidInput("--here and --remote exclude each other", hint="give one of them")
    found = resolve(session.registry, session.reference(reference))
    wish = Wish(
        folder=Path.cwd(),
        here=here,
        remote=remote,
        config=None if config is None else _normalised(config),
        overrides=tuple(overrides or ()),
        tolerance=tolerance,
        dry_run=dry_run,
    )
    with session.output.busy(f"training {found} again"):
        result = run(
            session.registry,
            found.model,
            found.version,
            wish,
            stage=session.output.note,
            reporter=session.output.reporter,
        )
    _show(session, result)


def _show(session: Session, result: Reproduction) -> None:
    from artreg.reproduction.reproduce import require_reproduced

    try:
        require_reproduced(result)
    except NotReproduced as error:
        document = {**documents.reproduction(result), "error": error_document(error)}
        told = [Line(error.message, Tone.BAD), Line(f"hint: {error.hint}")]
        session.output.result(document, [*_view(result), *told])
        raise Exit(exit_code(error)) from None
    session.output.result(documents.reproduction(result), _view(result))


def _view(result: Reproduction) -> list[Block]:
    ref = f"{result.model}@{result.version}"
    if result.same_bytes:
        first = Line(f"{ref} came out the same, to the byte", Tone.GOOD)
    elif result.reproduced:
        first = Line(f"{ref} came out with other bytes; its metrics agree within {result.tolerance:g}", Tone.GOOD)
    else:
        first = Line(f"{ref} did not come out the same", Tone.BAD)
    files = ", ".join(result.outcome.differing) or "model and metrics have the same sha256"
    outcome = ("outcome", result.outcome.files.value, files)
    blocks: list[Block] = [first, axes_table(result.axes, outcome)]
    if result.outcome.metrics:
        blocks.append(metrics_table(result.outcome.metrics))
    blocks += [Line(f"first difference: {part}") for part in result.parts]
    if result.proof is not None:
        blocks.append(Line(f"proof {result.proof} stands in the log of {ref}", Tone.DIM))
    return blocks


def _normalised(path: Path) -> bytes:
    from artreg.training.config_file import dump_config, load_config

    return dump_config(load_config(path))


def _refuse_without_version(**given: object) -> None:
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None and value is not False]
    if names:
        raise InvalidInput(f"{names[0]} needs a version", hint="name one, such as artreg reproduce churn@prod")


def _train_twice(session: Session, path: Path, overrides: list[str]) -> None:
    from artreg.training.config_file import load_config
    from artreg.training.reproduce import reproduce_here

    parsed = load_config(path, overrides)
    busy = session.output.busy(f"training {parsed.project}/{parsed.name} twice")
    with busy, snapshot_file(session, parsed.data) as snapshot:
        rows = tuple(sorted(reproduce_here(parsed, snapshot=snapshot).digests.items()))
    session.output.result(
        {"reproduced": True, "digests": dict(rows)},
        [Line("the same bytes twice", Tone.GOOD), Table(("file", "sha256"), rows)],
    )
