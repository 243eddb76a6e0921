"""A training in an interpreter of its own, wherever that runs: on this machine, or by a worker of a cluster.

A worker that lives long has modules loaded that may since have changed, and may train two models at a time; either
would show in the model. So each training gets a fresh interpreter, which ends with the worker that began it, and what
comes back is everything that is to be published.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from artreg.core.config import TrainingConfig
from artreg.core.snapshot import SnapshotRef
from artreg.errors import ArtregError, InvalidInput
from artreg.training.config_file import dump_config, load_config
from artreg.training.data import snapshot_source
from artreg.training.run import train

_JOB, _CONFIG, _OUT, _OUTCOME = "job", "config.yaml", "out", "outcome"


@dataclass(frozen=True)
class Job:
    """A training, as it is sent to whoever does it.

    Attributes:
        config: The config, as a config file holds it.
        base: The folder that is trained in, on the machine that trains.
        command: The command line, for the record.
        data: The bytes of the snapshot that the config names, where it names one.
    """

    config: bytes
    base: str
    command: tuple[str, ...]
    data: bytes | None = None


@dataclass(frozen=True)
class Made:
    """What a training made.

    Attributes:
        files: What is to be published: the bytes of each file by its name.
        snapshot: The data that were trained on.
        metrics: The document `metrics.json`.
        manifest: The document `data_manifest.json`.
        run: The run record, without what the registry adds when it publishes.
    """

    files: Mapping[str, bytes]
    snapshot: SnapshotRef
    metrics: Mapping[str, Any]
    manifest: Mapping[str, Any]
    run: Mapping[str, Any]


def job_of(config: TrainingConfig, base: Path, command: tuple[str, ...], data: bytes | None = None) -> Job:
    """Return the job of training what a config asks for."""
    return Job(dump_config(config), str(base.absolute()), command, data)


def train_apart(job: Job) -> Made:
    """Train in a fresh interpreter.

    Raises:
        InvalidInput: There is no such folder on this machine.
        ArtregError: What the training raised, or that its interpreter died.
    """
    if not os.path.isdir(job.base):
        raise InvalidInput(
            f"there is no folder {job.base} where the worker is", hint="give it the same checkout in the same place"
        )
    with tempfile.TemporaryDirectory(prefix="artreg-apart-") as folder:
        Path(folder, _JOB).write_bytes(pickle.dumps(job))
        # -P keeps what lies in the folder from standing in for installed packages.
        command = [sys.executable, "-P", "-m", __name__, folder]
        with subprocess.Popen(  # noqa: S603 (no shell, and every argument is ours)
            command, cwd=job.base, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as child:
            try:
                stderr = child.stderr.read() if child.stderr else b""
                child.wait()  # its stdin stays open until here
            except BaseException:
                child.kill()
                raise
        return _outcome(Path(folder, _OUTCOME), stderr)


def _outcome(file: Path, stderr: bytes) -> Made:
    try:
        outcome = pickle.loads(file.read_bytes())  # noqa: S301 (our own child wrote it)
    except (OSError, EOFError, pickle.UnpicklingError):
        lines = stderr.decode("utf-8", "replace").strip().splitlines() or ["no output"]
        raise ArtregError(
            f"the interpreter that trained died: {lines[-1]}", hint="memory may be short; train it alone to see more"
        ) from None
    if isinstance(outcome, ArtregError):
        raise outcome
    assert isinstance(outcome, Made)
    return outcome


def _work(folder: Path) -> None:
    job: Job = pickle.loads((folder / _JOB).read_bytes())  # noqa: S301 (our own parent wrote it)
    try:
        outcome: Made | ArtregError = _made(job, folder)
    except ArtregError as error:
        outcome = error
    (folder / _OUTCOME).write_bytes(pickle.dumps(outcome))


def _made(job: Job, folder: Path) -> Made:
    (folder / _CONFIG).write_bytes(job.config)
    config = load_config(folder / _CONFIG)
    source = None if job.data is None else snapshot_source(config.data, job.data)
    out = folder / _OUT
    done = train(config, out, command=job.command, now=lambda: datetime.now(UTC), base=Path(job.base), source=source)
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return Made(files, done.snapshot, done.metrics, done.manifest, done.run)


def _end_with_parent() -> None:
    """End this process when the one that began it is gone, however it ended: nobody wants the model any more."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    _end_with_parent()
    # By its full name: what is pickled here must be found there.
    from artreg.training.apart import _work as work

    work(Path(sys.argv[1]))
