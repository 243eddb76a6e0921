"""Proves that a config gives the same bytes again: two fresh interpreters, as different as a machine allows."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from artreg.core.config import TrainingConfig
from artreg.core.manifest import METRICS, is_model_file
from artreg.errors import ArtregError, InvalidInput, NotReproduced, StorageError
from artreg.training.config_file import dump_config, load_config
from artreg.training.data import snapshot_source
from artreg.training.run import train

CIRCUMSTANCES: tuple[Mapping[str, str], ...] = (
    {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
    {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "4242"},
)
"""What differs between the two trainings, and must not matter."""

_ERRORS: Mapping[str, type[ArtregError]] = {kind.code: kind for kind in (InvalidInput, StorageError)}
_ERROR_FILE = "error.json"


@dataclass(frozen=True)
class Trial:
    """Where and how to train once.

    Attributes:
        base: The folder that paths are relative to.
        variables: The variables to set.
        snapshot: A file with the bytes of the snapshot that the configs name, where they name one.
    """

    base: Path
    variables: Mapping[str, str]
    snapshot: Path | None = None


@dataclass(frozen=True)
class Reproduced:
    """What two trainings agreed on.

    Attributes:
        digests: The sha256 of each compared file.
        runs: In what circumstances it was trained.
    """

    digests: Mapping[str, str]
    runs: tuple[Mapping[str, str], ...]


def reproduce_here(config: TrainingConfig, *, base: Path | None = None, snapshot: Path | None = None) -> Reproduced:
    """Train twice, each time in a fresh interpreter, and compare the bytes of the model and the metrics.

    Args:
        config: The config.
        base: The folder that the data path is relative to; by default the current one.
        snapshot: A file with the bytes of the snapshot that the config names, where it names one.

    Raises:
        NotReproduced: Naming the files that differ; `details["files"]` holds both digests of each.
        InvalidInput: The data cannot be learned from.
        StorageError: The data's storage cannot be reached.
    """
    base = Path.cwd() if base is None else base.absolute()
    first, second = run_trials([config], [Trial(base, variables, snapshot) for variables in CIRCUMSTANCES])
    return Reproduced(digests=compare(first[0], second[0]), runs=CIRCUMSTANCES)


def run_trials(configs: Sequence[TrainingConfig], trials: Sequence[Trial]) -> list[list[dict[str, str]]]:
    """Train every config in every trial, each trial in an interpreter of its own, all at the same time.

    Returns:
        Of each trial, of each config, the digests of the compared files.

    Raises:
        NotReproduced: An interpreter died.
        ArtregError: What a training raised.
    """
    with tempfile.TemporaryDirectory(prefix="artreg-reproduce-") as folder, ExitStack() as running:
        names = [Path(folder, f"config-{number}.yaml") for number in range(len(configs))]
        for name, config in zip(names, configs, strict=True):
            name.write_bytes(dump_config(config))
        outs = [Path(folder, f"trial-{number}") for number in range(len(trials))]
        children = [_start(trial, out, names, running) for trial, out in zip(trials, outs, strict=True)]
        for child, out in zip(children, outs, strict=True):
            _, stderr = child.communicate()
            if child.returncode:
                raise _error_of(out / _ERROR_FILE, stderr)
        return [[digests(out / name.stem) for name in names] for out in outs]


def compare(first: Mapping[str, str], second: Mapping[str, str]) -> Mapping[str, str]:
    """Return the digests of two trainings where they are the same.

    Raises:
        NotReproduced: They are not.
    """
    names = sorted({*first, *second})
    different = {name: [first.get(name), second.get(name)] for name in names if first.get(name) != second.get(name)}
    if different:
        raise NotReproduced(
            f"trained twice, {' and '.join(different)} did not come out the same",
            hint="look for chance that is not seeded, or for a dependence on threads or the order of a set",
            files=different,
        )
    return first


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file in a folder that must come out the same: those of the model, and the metrics."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    compared = {name: path for name, path in files.items() if is_model_file(name) or name == METRICS}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(compared.items())}


def _start(trial: Trial, out: Path, configs: Sequence[Path], running: ExitStack) -> subprocess.Popen[bytes]:
    out.mkdir()
    command = [sys.executable, "-m", __name__, str(out), str(trial.base), str(trial.snapshot or ""), *map(str, configs)]
    child = running.enter_context(
        subprocess.Popen(  # noqa: S603 (no shell, and every argument is ours)
            command,
            env={**os.environ, **trial.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    )
    running.callback(child.kill)  # whatever ends this early, an interrupt for one, must leave no child behind
    return child


def _error_of(outcome: Path, stderr: bytes) -> ArtregError:
    try:
        error = json.loads(outcome.read_bytes())
    except (OSError, ValueError):
        lines = stderr.decode("utf-8", "replace").strip().splitlines() or ["no output"]
        return NotReproduced(f"a training in a fresh interpreter died: {lines[-1]}", hint="run `artreg train -v`")
    return _ERRORS.get(error["code"], ArtregError)(error["message"], hint=error["hint"])


def _main(arguments: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    out, base = map(Path, arguments[:2])
    data = Path(arguments[2]).read_bytes() if arguments[2] else None
    try:
        for name in map(Path, arguments[3:]):
            config = load_config(name)
            source = snapshot_source(config.data, data) if data is not None else None
            command = ("artreg", "reproduce")
            train(config, out / name.stem, command=command, now=now, base=base, source=source)
    except ArtregError as error:
        document = {"code": error.code, "message": error.message, "hint": error.hint}
        (out / _ERROR_FILE).write_text(json.dumps(document), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
