"""Training many configs: done by whoever is there, published here in the order of the configs."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.cli import documents
from artreg.cli.datasets import keep_data, snapshot_data
from artreg.cli.declare import Exit
from artreg.cli.lineage import Lineage
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.tracking import command_line, track
from artreg.cli.view import Block, Line, Table, Tone
from artreg.core.names import ModelName
from artreg.core.version import Part
from artreg.core.wording import plural
from artreg.errors import ArtregError, InvalidInput, exit_code
from artreg.workers import Workers, share_out

if TYPE_CHECKING:
    from artreg.core.config import TrainingConfig
    from artreg.registry.publish import Published
    from artreg.training.apart import Job, Made


def is_pattern(file: Path) -> bool:
    """Whether a name stands for whatever matches it: it has wildcards, and no file is called so."""
    return glob.has_magic(str(file)) and not file.exists()


def matching(files: Sequence[Path]) -> list[Path]:
    """Return the files that are named or match, each once, those of a pattern by name.

    Raises:
        InvalidInput: Nothing matches a pattern.
    """
    found: dict[Path, None] = {}
    for file in files:
        names = sorted(glob.glob(str(file), recursive=True)) if is_pattern(file) else [str(file)]
        if not names:
            raise InvalidInput(f"no config matches {str(file)!r}", hint="quote the pattern, and look at the folder")
        found |= dict.fromkeys(map(Path, names))
    return list(found)


def sweep(
    session: Session,
    configs: Sequence[tuple[Path, TrainingConfig]],
    bump: Part | None,
    workers: Workers,
    *,
    dry_run: bool,
) -> None:
    """Train every config, and publish what comes of them one after the other, whoever was first.

    A training that fails keeps no other from being published; the command ends with the code of the first that did.
    """
    from artreg.training.apart import train_apart

    session.registry.store.require_root()
    publisher = _Publisher(session, bump, dry_run=dry_run)
    jobs = [_job(session, config) for _, config in configs]
    progress = session.output.reporter.step("train", len(jobs), unit="configs")
    waiting: dict[int, Made | Exception] = {}
    results: list[tuple[Path, Published | ArtregError]] = []
    with Lineage(session, dry_run=dry_run) as lineage:
        runs = [lineage.begin(config) for _, config in configs]
        with closing(share_out(workers, train_apart, jobs)) as answers:
            for number, answer in answers:
                waiting[number] = answer
                while (place := len(results)) in waiting:
                    file, config = configs[place]
                    made = waiting.pop(place)
                    results.append((file, publisher.outcome(config, made)))
                    _end(lineage, runs[place], made, results[-1][1])
                progress.advance(1)
    _tell(session, results, lineage.document(), dry_run=dry_run)


def _end(lineage: Lineage, run: str, made: Made | Exception, result: Published | ArtregError) -> None:
    if isinstance(result, ArtregError):
        lineage.fail(run, result)
    elif not isinstance(made, Exception):
        lineage.complete(run, result, made.run, made.manifest)


class _Publisher:
    """Publishes what was made, one after the other."""

    def __init__(self, session: Session, bump: Part | None, *, dry_run: bool) -> None:
        from artreg.training.git import code_state

        self._session, self._bump, self._dry_run = session, bump, dry_run
        self._commit = code_state(Path.cwd()).commit
        self._kept: dict[str, str] = {}

    def outcome(self, config: TrainingConfig, answer: Made | Exception) -> Published | ArtregError:
        """Return what was published of an answer, or why nothing was."""
        if isinstance(answer, ArtregError):
            return answer
        if isinstance(answer, Exception):
            raise answer
        try:
            return self._publish(config, answer)
        except ArtregError as error:
            return error

    def _publish(self, config: TrainingConfig, made: Made) -> Published:
        from artreg.registry.publish import publish

        commit = made.run["axes"]["code"]["commit"]
        if commit != self._commit:
            raise InvalidInput(
                f"it was trained from commit {commit}, this is {self._commit}", hint="check out the same everywhere"
            )
        self._keep_data(config, made)
        with tempfile.TemporaryDirectory(prefix="artreg-train-") as folder:
            for name, data in made.files.items():
                Path(folder, name).parent.mkdir(exist_ok=True)
                Path(folder, name).write_bytes(data)
            published = publish(
                self._session.registry,
                ModelName(config.project, config.name),
                Path(folder),
                self._bump or Part(config.bump),
                run=made.run,
                dry_run=self._dry_run,
            )
        if not self._dry_run:
            track(self._session, published, made.run)
        return published

    def _keep_data(self, config: TrainingConfig, made: Made) -> None:
        """Keep the data, which are read here, and once: where they were trained on they were read too."""
        from artreg.training.data import read_data

        key = config.data.model_dump_json()
        if config.data.path is None or made.snapshot.sha256 == self._kept.get(key):
            return
        source = read_data(config.data, Path.cwd())
        if source.sha256 != made.snapshot.sha256:
            raise InvalidInput(
                f"{source.uri} holds other data here than where it was trained", hint="put the same data everywhere"
            )
        keep_data(self._session, config.data, source, made.snapshot, dry_run=self._dry_run)
        self._kept[key] = source.sha256


def _job(session: Session, config: TrainingConfig) -> Job:
    from artreg.training.apart import job_of

    data = None if config.data.snapshot is None else snapshot_data(session, config.data).data
    return job_of(config, Path.cwd(), command_line(), data)


def _tell(
    session: Session,
    results: Sequence[tuple[Path, Published | ArtregError]],
    lineage: Mapping[str, Any],
    *,
    dry_run: bool,
) -> None:
    errors = [result for _, result in results if isinstance(result, ArtregError)]
    document: dict[str, Any] = {"ok": not errors, "runs": list(_documents(results, dry_run=dry_run)), **lineage}
    if errors:
        document["error"] = error_document(errors[0])
    session.output.result(document, _view(results, dry_run=dry_run))
    if errors:
        raise Exit(exit_code(errors[0]))


def _documents(results: Sequence[tuple[Path, Published | ArtregError]], *, dry_run: bool) -> Iterator[dict[str, Any]]:
    for file, result in results:
        told = (
            {"error": error_document(result)}
            if isinstance(result, ArtregError)
            else documents.published(result, dry_run=dry_run)
        )
        yield {"config": str(file), **told}


def _view(results: Sequence[tuple[Path, Published | ArtregError]], *, dry_run: bool) -> list[Block]:
    rows = tuple(
        (str(file), "FAIL", result.message)
        if isinstance(result, ArtregError)
        else (str(file), f"{result.model}@{result.version}", _what(result, dry_run=dry_run))
        for file, result in results
    )
    failed = sum(isinstance(result, ArtregError) for _, result in results)
    last = (
        Line(f"{failed} of {plural(len(rows), 'training')} failed", Tone.BAD)
        if failed
        else Line(f"{plural(len(rows), 'config')} trained", Tone.GOOD)
    )
    return [Table(("config", "version", "outcome"), rows), last]


def _what(result: Published, *, dry_run: bool) -> str:
    what = "is there already" if not result.created else "would be published" if dry_run else "published"
    figures = [f"{key} {value:.4g}" for key, value in result.metrics.items() if isinstance(value, float)]
    return ", ".join([what, *figures[:3]])
