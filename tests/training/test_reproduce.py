"""The promise: equal axes give equal bytes. Fresh interpreters, which differ in all that must not matter."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from artreg.core.config import TrainingConfig
from artreg.errors import InvalidInput, NotReproduced
from artreg.training import reproduce, threads
from artreg.training.reproduce import Trial, compare, digests, reproduce_here, run_trials
from artreg.training.run import train
from sizes import size

MakeConfig = Callable[..., TrainingConfig]
KINDS = ("hist_gradient_boosting", "logistic_regression")
REGRESSION = ("hist_gradient_boosting", "ridge")
FEW = "model.max_iter=5"  # trees; what shows in a hundred shows in these


def train_here(config: TrainingConfig, out: Path, base: Path) -> dict[str, str]:
    train(config, out, command=[], base=base, now=lambda: datetime.now(UTC))
    return digests(out)


@pytest.fixture(scope="module")
def shuffled(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same customers in another order."""
    folder = tmp_path_factory.mktemp("shuffled")
    header, *rows = (base / "data" / "small.csv").read_text().splitlines()
    (folder / "data").mkdir()
    (folder / "data" / "small.csv").write_text("\n".join([header, *random.Random(5).sample(rows, len(rows))]))
    return folder


def test_nothing_but_the_axes_matters(
    make_config: MakeConfig, base: Path, shuffled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "MALLOC_PERTURB_": "85"}
    two = {"OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "HOME": "/"}
    configs = [make_config(trainer=kind) for kind in KINDS]
    configs += [make_config("data.task=regression", "data.target=age", trainer=kind) for kind in REGRESSION]
    configs.append(make_config("format=joblib", "cross_validation.folds=2"))
    configs = size([make_config(FEW), *configs[1::2]], configs, configs)
    monkeypatch.chdir(tmp_path)  # not the folder of the data
    trials = [Trial(shuffled, two), Trial(base, one)]  # this process is one more, and few machines have three cores
    outcomes = run_trials(configs, size(trials[:1], trials, trials))
    here = [train_here(config, tmp_path / str(number), base) for number, config in enumerate(configs)]
    assert all(outcome == here for outcome in outcomes)
    assert len({str(digests) for digests in here}) == len(configs)


@pytest.mark.torch
def test_nothing_but_the_axes_matters_to_torch(
    make_config: MakeConfig, base: Path, shuffled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}
    two = {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "HOME": "/"}
    small = ("model.epochs=3", "model.dropout=0.2")
    configs = [
        make_config(*small, trainer="mlp"),
        make_config(*small, "model.workers=2", trainer="mlp"),
        make_config(*small, "data.task=regression", "data.target=age", trainer="mlp"),
        make_config(*small, "data.target=region", trainer="mlp"),
    ]
    monkeypatch.chdir(tmp_path)
    outcomes = run_trials(configs, [Trial(base, one), Trial(shuffled, two)])
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == outcomes[0][1]  # workers change nothing
    assert outcomes[0][0].keys() == {"metrics.json", "model/architecture.json", "model/model.safetensors"}


@pytest.mark.torch
def test_ten_trainings_one_digest(make_config: MakeConfig, base: Path, shuffled: Path) -> None:
    """Threads, hash seeds, locales, time zones, folders and the order of the rows, each varied on its own."""
    circumstances = [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
        {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "99"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"TZ": "Pacific/Kiritimati"},
        {"MALLOC_PERTURB_": "85", "HOME": "/"},
        {"PYTHONUTF8": "1", "TZ": "America/Caracas"},
    ]
    configs = [make_config(trainer=kind) for kind in KINDS] + [make_config("model.epochs=2", trainer="mlp")]
    places = [base, shuffled]
    found = [
        run_trials(configs, [Trial(places[number % 2], variables)])[0] for number, variables in enumerate(circumstances)
    ]
    assert all(digests == found[0] for digests in found)


def test_what_was_trained_before_does_not_matter(make_config: MakeConfig, base: Path, tmp_path: Path) -> None:
    configs = [make_config(FEW), make_config(trainer="logistic_regression")]
    first = [train_here(config, tmp_path / f"1-{config.trainer}", base) for config in configs]
    train_here(make_config("model.max_iter=7", "seed=1"), tmp_path / "other", base)
    again = [train_here(config, tmp_path / f"2-{config.trainer}", base) for config in configs[::-1]]
    assert first == again[::-1]


@pytest.mark.parametrize("change", ["seed=43", "model.max_iter=6", "data.salt=other"])
def test_the_axes_do_matter(make_config: MakeConfig, base: Path, tmp_path: Path, change: str) -> None:
    one = train_here(make_config(FEW), tmp_path / "one", base)
    two = train_here(make_config(FEW, change), tmp_path / "two", base)
    assert one["model.skops"] != two["model.skops"]


def test_the_number_of_threads_would_show(
    make_config: MakeConfig, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the care in `fit` is needed, and that these tests would notice its loss."""
    one = train_here(make_config(FEW), tmp_path / "one", base)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # unless it is set, scikit-learn takes no more than there are cores
    monkeypatch.setattr(threads, "THREADS", 2)
    two = train_here(make_config(FEW), tmp_path / "two", base)
    assert one["model.skops"] != two["model.skops"]


def test_reproduce_here_varies_what_must_not_matter(
    make_config: MakeConfig, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, seen = make_config(), []
    outcomes = [
        dict.fromkeys(("model.skops", "metrics.json"), "a"),
        dict.fromkeys(("model.skops", "metrics.json"), "a"),
    ]

    def trials(configs: list[TrainingConfig], trials: list[Trial]) -> list[list[dict[str, str]]]:
        seen.append((configs, trials))
        return [[outcome] for outcome in outcomes]

    monkeypatch.setattr(reproduce, "run_trials", trials)
    assert reproduce_here(config, base=base).digests == outcomes[0]
    [(configs, (one, two))] = seen
    assert configs == [config]
    assert one.base == two.base == base
    assert all(one.variables[name] != two.variables[name] for name in ("OMP_NUM_THREADS", "PYTHONHASHSEED"))
    outcomes[1]["metrics.json"] = "b"
    with pytest.raises(NotReproduced, match=r"trained twice, metrics\.json did not"):
        reproduce_here(config, base=base)


def test_what_differs_is_named() -> None:
    same = {"model.joblib": "a", "metrics.json": "b"}
    assert compare(same, dict(same)) == same
    with pytest.raises(NotReproduced, match=r"model\.joblib did not") as caught:
        compare(same, {**same, "model.joblib": "c"})
    assert caught.value.details["files"] == {"model.joblib": ["a", "c"]}
    with pytest.raises(NotReproduced, match=r"metrics\.json and model\.joblib"):
        compare(same, {"model.joblib": "c", "metrics.json": "d"})


def test_an_error_of_a_trial_comes_through(make_config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no data file") as caught:
        reproduce_here(make_config(), base=tmp_path)
    assert "make data" in caught.value.hint
