"""Commands that make versions: `train`, `publish`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from artreg.cli import documents
from artreg.cli.datasets import keep_data, snapshot_data
from artreg.cli.declare import Argument, Option
from artreg.cli.lineage import Lineage
from artreg.cli.session import Session
from artreg.cli.sweep import is_pattern, matching, sweep
from artreg.cli.tracking import command_line, track
from artreg.cli.view import Block, Fields, Line, Tone
from artreg.cli.work import BackendOption, JobsOption, SchedulerOption, workers_of
from artreg.core.names import ModelName
from artreg.core.version import Part, Version
from artreg.errors import InvalidInput
from artreg.registry.publish import Published
from artreg.workers import Backend

if TYPE_CHECKING:
    from artreg.core.config import TrainingConfig

DEFAULT_CONFIG = "configs/default.yaml"
_SMALLEST = "data: {path: data.csv, id_column: id, target: label}"

ConfigOption = Annotated[
    list[str] | None,
    Option(
        "--config", "-c", metavar="FILE", help="Training config (YAML), or a pattern such as 'configs/sweep/*.yaml'"
    ),
]
SetOption = Annotated[
    list[str] | None,
    Option("--set", metavar="KEY=VALUE", help="Override one key, such as model.max_iter=50", complete="config_keys"),
]
VersionOption = Annotated[str | None, Option("--version", metavar="VERSION", help="Publish as this version")]
BumpOption = Annotated[Part | None, Option("--bump", help="Publish as the next version, with this part raised")]


def train(
    session: Session,
    config: ConfigOption = None,
    overrides: SetOption = None,
    version: VersionOption = None,
    bump: BumpOption = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Train, but publish nothing")] = False,
    jobs: JobsOption = None,
    backend: BackendOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Train a model and publish it as the next version, or many of them.

    A run is a function of code, environment, config and data: each is recorded in run.json, and equal ones give equal
    bytes. A run that gives the bytes of the newest version again publishes nothing. Where MLFLOW_TRACKING_URI is set
    and mlflow installed, that server is told of the run; where OPENLINEAGE_URL is, that receiver of OpenLineage.

    Of several configs each is trained in an interpreter of its own, so many at a time as --jobs says, here or on a
    cluster whose machines have the same checkout in the same place; they are published in the order of the configs.

    Examples: artreg train; artreg train --config configs/breast_cancer.yaml --bump minor;
    artreg train --set model.max_iter=50; artreg train --config 'configs/sweep/*.yaml' --jobs 4
    """
    workers = workers_of(jobs, backend, scheduler, Backend.PROCESSES)
    files = [Path(name) for name in config or [DEFAULT_CONFIG]]
    if not config and not files[0].exists():
        hint = f"write one, at the least {_SMALLEST}; or name another: --config FILE"
        raise InvalidInput(f"there is no {DEFAULT_CONFIG}", hint=hint, path=DEFAULT_CONFIG)
    if len(files) > 1 or is_pattern(files[0]) or workers.backend in {Backend.DASK, Backend.RAY}:
        if version is not None:
            raise InvalidInput("--version names one version", hint="use --bump, or train one config without a cluster")
        sweep(session, [(file, _config(file, overrides)) for file in matching(files)], bump, workers, dry_run=dry_run)
    else:
        _train_one(session, _config(files[0], overrides), version, bump, dry_run=dry_run)


def _train_one(
    session: Session, parsed: TrainingConfig, version: str | None, bump: Part | None, *, dry_run: bool
) -> None:
    from artreg.registry.publish import publish as run_publish
    from artreg.training.run import train as run_training

    target = _target(version, bump, Part(parsed.bump))
    session.registry.store.require_root()
    model = ModelName(parsed.project, parsed.name)
    with Lineage(session, dry_run=dry_run) as lineage, tempfile.TemporaryDirectory(prefix="artreg-train-") as folder:
        run = lineage.begin(parsed)
        with session.output.busy(f"training {model}"):
            trained = run_training(
                parsed,
                Path(folder),
                command=command_line(),
                now=session.registry.now,
                source=None if parsed.data.snapshot is None else snapshot_data(session, parsed.data),
            )
        keep_data(session, parsed.data, trained.source, trained.snapshot, dry_run=dry_run)
        published = run_publish(
            session.registry,
            model,
            Path(folder),
            target,
            run=trained.run,
            dry_run=dry_run,
            reporter=session.output.reporter,
        )
        lineage.complete(run, published, trained.run, trained.manifest)
    tracked = None if dry_run else track(session, published, trained.run)
    _show(session, published, dry_run, {**lineage.document(), **({} if tracked is None else {"tracking": tracked})})


def publish(
    session: Session,
    folder: Annotated[Path, Argument(help="Holds model.<ext> or model/, and what belongs to it")],
    model: Annotated[str, Option("--model", "-m", help="[PROJECT/]MODEL", complete="models")],
    version: VersionOption = None,
    bump: BumpOption = None,
    move: Annotated[bool, Option("--move", help="Take the folder's files over, and remove them there")] = False,
    link: Annotated[bool, Option("--link", help="Take them over by hard links: they become read-only")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Check everything, but publish nothing")] = False,
) -> None:
    """Publish a folder that was made elsewhere.

    It needs a model.<ext>, or a folder model/; metrics.json and run.json are taken where they are there.

    With --move and --link nothing is copied where the folder lies on the registry's own disk; elsewhere they copy.

    Examples: artreg publish out/ --model churn --version 2.0.0; artreg publish out/ --model churn --bump minor --move
    """
    from artreg.registry.publish import Taking
    from artreg.registry.publish import publish as run

    if move and link:
        raise InvalidInput("--move and --link exclude each other", hint="give one of them")
    target = _target(version, bump, None)
    result = run(
        session.registry,
        session.model(model),
        folder,
        target,
        taking=Taking.MOVE if move else Taking.LINK if link else Taking.COPY,
        dry_run=dry_run,
        reporter=session.output.reporter,
    )
    _show(session, result, dry_run, {})


def _config(path: Path, overrides: list[str] | None) -> TrainingConfig:
    from artreg.training.config_file import load_config

    return load_config(path, overrides or [])


def _target(version: str | None, bump: Part | None, default: Part | None) -> Version | Part:
    if version is not None and bump is not None:
        raise InvalidInput("--version and --bump exclude each other", hint="give one of them")
    if version is not None:
        return Version.parse(version)
    chosen = bump or default
    if chosen is None:
        raise InvalidInput("which version is it to be?", hint="add --version X.Y.Z, or --bump patch, minor or major")
    return chosen


def _show(session: Session, published: Published, dry_run: bool, more: Mapping[str, Any]) -> None:
    ref = f"{published.model}@{published.version}"
    if not published.created:
        first = Line(f"{ref} is there already with the same content: nothing to do", Tone.GOOD)
    elif dry_run:
        first = Line(f"{ref} would be published", Tone.GOOD)
    else:
        first = Line(f"published {ref}", Tone.GOOD)
    rows = [("digest", published.digest), ("path", published.path)]
    rows += [
        (key, f"{value:.6g}")
        for key, value in published.metrics.items()
        if isinstance(value, int | float) and key != "rows"
    ]
    blocks: list[Block] = [first, Fields(tuple(rows))]
    session.output.result({**documents.published(published, dry_run=dry_run), **more}, blocks)
    if not dry_run:
        session.output.note(f"next: artreg promote {_short_name(session, published)} {published.version} --to staging")


def _short_name(session: Session, published: Published) -> str:
    same = published.model.project == session.settings.project
    return published.model.model if same else str(published.model)
