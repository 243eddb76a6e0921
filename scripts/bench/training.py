"""What is timed of training: artreg's own share of it, and the split and the manifest of a large table."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from measure import Result, compare, process
from places import ARTREG

CONFIG = Path(__file__).parents[2] / "configs" / "default.yaml"
ROWS = 10_000_000
BARE = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    pipeline, features, target = pickle.load(file)
from threadpoolctl import threadpool_limits
with threadpool_limits(limits=1):
    pipeline.fit(features, target)
"""


def training(work: Path, runs: int) -> Iterator[Result]:
    """Time a whole training against scikit-learn alone, and the split and manifest of a table against reading it."""
    yield _share(work, runs)
    yield _table(work)


def _share(work: Path, runs: int) -> Result:
    place = work / "train"
    (place / "configs").mkdir(parents=True)
    shutil.copy(CONFIG, place / "configs")
    subprocess.run([ARTREG, "data", "churn", "-q"], cwd=place, check=True, stdout=subprocess.DEVNULL)
    fitted = place / "fit.pickle"
    fitted.write_bytes(pickle.dumps(_what_is_fitted(place)))

    def empty() -> None:
        shutil.rmtree(place / "registry", ignore_errors=True)
        (place / "registry").mkdir()

    own = process([ARTREG, "train", "-q"], place)
    bare = process([sys.executable, "-c", BARE, str(fitted)], place)
    ratio = compare(own, bare, runs, between=empty)
    note = f"artreg's own share is {1 - 1 / ratio.value:.0%}, which is to be at most 15 %"
    return Result("Training", "artreg train", "scikit-learn's import and fit", ratio, 1 / 0.85, note=note)


def _what_is_fitted(place: Path) -> tuple[object, object, object]:
    """Return the pipeline of the default config, not fitted, and the training rows."""
    from sklearn.base import clone

    from artreg.training.config_file import load_config
    from artreg.training.data import load_dataset, read_data
    from artreg.training.recipe import recipe_of
    from artreg.training.trainers import TrainingData

    config = load_config(CONFIG)
    dataset = load_dataset(config.data, read_data(config.data, place))
    recipe = recipe_of(config, place)
    features = dataset.frame.loc[~dataset.test, dataset.features.ordered]
    data = TrainingData(features, dataset.target[~dataset.test], dataset.features, dataset.task, dataset.classes)
    return clone(recipe.trainer.fit(data, recipe.params, recipe.seed)), features, data.target


def _table(work: Path) -> Result:
    import numpy as np
    import pandas as pd

    from artreg.core.config import parse_config
    from artreg.training.data import load_dataset, read_data
    from artreg.training.data_manifest import data_manifest
    from artreg.training.split import test_mask
    from artreg.training.table import parse_table

    random = np.random.default_rng(0)
    file = work / "large.csv"
    columns = {
        "id": [f"c{number:08d}" for number in range(ROWS)],
        "age": random.integers(18, 90, ROWS),
        "spend": random.gamma(2.0, 50.0, ROWS).round(2),
        "plan": random.choice(np.array(["basic", "plus", "pro"]), ROWS),
        "churned": random.integers(0, 2, ROWS),
    }
    pd.DataFrame(columns).to_csv(file, index=False)
    config = parse_config({"data": {"path": str(file), "id_column": "id", "target": "churned", "salt": "s"}}).data
    dataset = load_dataset(config, read_data(config, work))

    def split_and_describe() -> None:
        test_mask(dataset.ids, "s", 0.2)
        data_manifest(config, dataset)

    def read() -> None:
        parse_table(read_data(config, work).data, str(file), config.id_column)

    ratio = compare(split_and_describe, read, 3)
    file.unlink()
    return Result("Training", "split and manifest of 10,000,000 rows", "reading the CSV file", ratio, 2)
