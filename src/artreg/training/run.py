"""A whole training run: from a config to a folder that can be published."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from artreg.card import filled_card
from artreg.core import canonical
from artreg.core.config import TrainingConfig
from artreg.core.drift.profile import DATA_MANIFEST
from artreg.core.lineage import Making
from artreg.core.manifest import CARD
from artreg.core.names import ModelName
from artreg.core.predictions import PREDICTIONS, encode
from artreg.core.snapshot import SnapshotRef
from artreg.errors import InvalidInput, StorageError
from artreg.plainfile import is_trouble, read_plain
from artreg.training.config_file import dump_config
from artreg.training.data import Dataset, load_dataset, read_data
from artreg.training.data_manifest import data_manifest
from artreg.training.environment import environment_state
from artreg.training.fit import FittedModel, fit
from artreg.training.git import code_state
from artreg.training.latency import SAMPLE_FILE, sample_document
from artreg.training.project import read_project
from artreg.training.provenance import Circumstances, rfc3339, run_record
from artreg.training.recipe import recipe_of
from artreg.training.seeding import set_seed
from artreg.training.source import Source

LARGEST_CARD = 1024 * 1024
"""Bytes of a model card."""

METRICS_FILE = "metrics.json"
CONFIG_FILE = "config.yaml"


class Progress(Protocol):
    """Told what a run is at."""

    def __call__(self, stage: str) -> None:
        """Take note that a stage (`data`, `fit`, `write`) begins."""


def _silent(stage: str) -> None:
    pass


@dataclass(frozen=True)
class TrainedRun:
    """What a training run made.

    Attributes:
        folder: Where its files lie: everything of a version but `run.json` and `checksum.txt`.
        source: The data as they were read.
        snapshot: The snapshot that the data are, or are to be kept as before the run is published.
        metrics: The document `metrics.json`.
        run: The run record, without what the registry adds when it publishes.
    """

    folder: Path
    source: Source
    snapshot: SnapshotRef
    metrics: Mapping[str, Any]
    run: Mapping[str, Any]


def train(
    config: TrainingConfig,
    out: Path,
    *,
    command: Sequence[str],
    now: Callable[[], datetime],
    base: Path | None = None,
    source: Source | None = None,
    progress: Progress = _silent,
) -> TrainedRun:
    """Train the model that a config asks for, and write its files into an empty folder.

    Args:
        config: The config.
        out: An empty folder; it is made where it is missing. After an error it may hold some of the files.
        command: The command line, for the record.
        now: The clock.
        base: The folder that the data path is relative to, and where `uv.lock` and git are looked for; by default
            the current one.
        source: The bytes of the snapshot that the config names, where it names one.
        progress: Told which stage begins.

    Raises:
        InvalidInput: The folder is not empty, or the data cannot be learned from.
        StorageError: The data's storage cannot be reached, or the folder cannot be written.
    """
    base = Path.cwd() if base is None else base
    started = now()
    rfc3339(started)  # a clock without a time zone is found out before the work, not after it
    _require_empty(out)
    with ThreadPoolExecutor() as beside:  # uv and git work while the data are read
        reading = beside.submit(read_project, base)
        asking = beside.submit(code_state, base)
        recipe = recipe_of(config, base)
        config = recipe.config
        card = None if config.card is None else read_card(base / config.card)

        progress("data")
        source = source or read_data(config.data, base)
        dataset = load_dataset(config.data, source)
        manifest = data_manifest(config.data, dataset)
        project, code = reading.result(), asking.result()

    progress("fit")
    seeds = set_seed(config.seed)
    environment = environment_state(project.lock, packages=recipe.packages, extras=project.extras)
    circumstances = Circumstances(command, started, code, environment, seeds, recipe.trainer)
    fitted = fit(recipe, dataset)

    progress("write")
    config_file = dump_config(config)
    files = {
        **fitted.files,
        METRICS_FILE: canonical.dumps(fitted.metrics),
        DATA_MANIFEST: canonical.dumps(manifest),
        **_predictions(dataset, fitted),
        SAMPLE_FILE: canonical.dumps(sample_document(dataset.frame.loc[dataset.test], dataset.features)),
        CONFIG_FILE: config_file,
    }
    files |= project.files
    record = run_record(
        config, config_file, manifest, circumstances, ended=now(), warnings=[*project.warnings, *fitted.warnings]
    )
    if card is not None:
        making = Making(ModelName(config.project, config.name), record, fitted.metrics, manifest)
        files[CARD] = filled_card(card, making, files, str(config.card)).encode()
    _write(out, files)
    return TrainedRun(folder=out, source=source, snapshot=dataset.snapshot, metrics=fitted.metrics, run=record)


def read_card(path: Path) -> str:
    """Return a model card that a config names.

    Raises:
        InvalidInput: It cannot be read, is too large, or is no text.
    """
    try:
        return read_plain(path, LARGEST_CARD).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and is_trouble(error):
            raise
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(f"card: {path} cannot be used: {reason}", hint="name a file of Markdown") from None


def _predictions(dataset: Dataset, fitted: FittedModel) -> dict[str, bytes]:
    """Return the file of predictions; it is for two classes, whose metrics can be compared row by row."""
    if len(dataset.classes) != 2:  # noqa: PLR2004 (two classes)
        return {}
    ids = dataset.frame.loc[dataset.test, dataset.id_column].tolist()
    return {PREDICTIONS: encode(ids, dataset.target[dataset.test].tolist(), fitted.predicted[:, 1].tolist())}


def _require_empty(out: Path) -> None:
    try:
        os.makedirs(out, exist_ok=True)
        empty = not os.listdir(out)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(f"{out} cannot be used: {reason}", hint="name a folder that can be written") from error
    if not empty:
        raise InvalidInput(f"the output folder {out} is not empty", hint="name an empty folder")


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        try:
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_bytes(data)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StorageError(f"{out / name} cannot be written: {reason}", hint="make room, and run again") from error
