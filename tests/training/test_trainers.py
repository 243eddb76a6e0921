"""Every trainer keeps the one contract; what is particular to one comes after it."""

from __future__ import annotations

import gc
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from artreg.core.config import CONFIGS, TrainerKind, TrainingConfig, parse_config
from artreg.errors import IntegrityError, InvalidInput
from artreg.training import skops_bytes
from artreg.training.config_file import load_config
from artreg.training.data import Dataset, load_dataset, read_data
from artreg.training.fit import FittedModel, fit
from artreg.training.model_files import Estimator, load_model
from artreg.training.recipe import recipe_of
from artreg.training.trainers import TRAINERS, Model

REGRESSION = ("data.task=regression", "data.target=age")
MLP = pytest.param("mlp", marks=pytest.mark.torch)
CLASSIFIERS = ["hist_gradient_boosting", "logistic_regression", MLP]
EVERY = [
    ("hist_gradient_boosting", ()),
    ("logistic_regression", ()),
    pytest.param("mlp", (), marks=pytest.mark.torch),
    ("hist_gradient_boosting", REGRESSION),
    ("ridge", REGRESSION),
    pytest.param("mlp", REGRESSION, marks=pytest.mark.torch),
]
MakeConfig = Callable[..., TrainingConfig]


def dataset_of(config: TrainingConfig, base: Path) -> Dataset:
    return load_dataset(config.data, read_data(config.data, base))


def train(config: TrainingConfig, base: Path) -> FittedModel:
    return fit(recipe_of(config, base), dataset_of(config, base))


def read_back(fitted: FittedModel, folder: Path) -> Model:
    for name, data in fitted.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return load_model(folder, run_code=True)


def fast(kind: str) -> tuple[str, ...]:
    return {"mlp": ("model.epochs=2",), "hist_gradient_boosting": ("model.max_iter=5",)}.get(kind, ())


def test_every_kind_has_a_config_and_a_trainer() -> None:
    assert set(get_args(TrainerKind)) == set(TRAINERS) == set(CONFIGS)
    assert all(trainer.nondeterministic and trainer.tasks for trainer in TRAINERS.values())
    assert {name for name, trainer in TRAINERS.items() if name != trainer.name} == set()


@pytest.mark.parametrize(("kind", "task"), EVERY)
def test_the_model_predicts_raw_rows(
    make_config: MakeConfig, base: Path, tmp_path: Path, kind: str, task: tuple[str, ...]
) -> None:
    config = make_config(*fast(kind), *task, trainer=kind)
    model = read_back(train(config, base), tmp_path)
    raw = pd.read_csv(base / "data" / "small.csv").iloc[:3]  # ids, target and all
    shape = (3,) if task else (3, 2)
    assert model.predict(raw).shape == shape
    if not task:
        assert model.predict(raw).sum(axis=1) == pytest.approx(1)

    strange = raw.astype({"contract": object, "region": object})
    strange["contract"] = ["never-seen", None, np.nan]
    strange["satisfaction"] = np.nan
    shuffled = strange[sorted(strange.columns)]
    assert np.isfinite(model.predict(strange)).all()
    assert (model.predict(strange) == model.predict(shuffled)).all()


@pytest.mark.parametrize(("kind", "task"), EVERY)
def test_the_files_are_a_fixed_point_and_know_nothing_of_here(
    make_config: MakeConfig, base: Path, tmp_path: Path, kind: str, task: tuple[str, ...]
) -> None:
    fitted = train(make_config(*fast(kind), *task, trainer=kind), base)
    read = read_back(fitted, tmp_path)
    if kind == "mlp":
        assert read.files() == fitted.files
    for data in fitted.files.values():
        assert str(base).encode() not in data
    assert train(make_config(*fast(kind), *task, trainer=kind), base).files == fitted.files


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_several_classes(make_config: MakeConfig, base: Path, kind: str) -> None:
    fitted = train(make_config(*fast(kind), "data.target=region", trainer=kind), base)
    assert fitted.predicted.shape[1] == 6
    assert {"accuracy", "macro_f1", "log_loss", "roc_auc_ovr"} < set(fitted.metrics)
    assert set(fitted.metrics["test"]["classes"]) == {"north", "south", "east", "west", "central", "islands"}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_table_of_flags_only(tmp_path: Path, kind: str) -> None:
    lines = ["id,a,b,churned", *(f"u{n:03d},{n % 2 == 0},{n % 3 == 0},{n % 4 // 2}" for n in range(200))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data = {"path": "t.csv", "id_column": "id", "target": "churned"}
    assert train(parse_config({"data": data, "trainer": kind}), tmp_path).metrics["test"]["rows"] > 10


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_more_categories_than_bins_are_grouped(tmp_path: Path, kind: str) -> None:
    lines = ["id,city,age,churned"]
    lines += [f"u{n:04d},{'' if n % 50 == 0 else f'city{n % 333}'},{n % 60},{n * n % 7 % 2}" for n in range(2000)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data = {"path": "t.csv", "id_column": "id", "target": "churned"}
    fitted = train(parse_config({"data": data, "trainer": kind}, fast(kind)), tmp_path)
    assert 0 <= fitted.metrics["roc_auc"] <= 1


@pytest.mark.parametrize(("kind", "task"), [("ridge", "classification"), ("logistic_regression", "regression")])
def test_a_trainer_for_another_task_is_refused(make_config: MakeConfig, base: Path, kind: str, task: str) -> None:
    target = "age" if task == "regression" else "churned"
    with pytest.raises(InvalidInput, match=f"the trainer {kind} is for .*, not for {task}"):
        train(make_config(f"data.task={task}", f"data.target={target}", trainer=kind), base)


# --- scikit-learn's ------------------------------------------------------------------------------------------------


def estimator(config: TrainingConfig, base: Path, folder: Path) -> Any:
    model = read_back(train(config, base), folder)
    assert isinstance(model, Estimator)
    return model.estimator["model"]


def test_the_seed_and_the_params_reach_the_model(make_config: MakeConfig, base: Path, tmp_path: Path) -> None:
    config = make_config("model.max_iter=3", "model.max_depth=2", "model.max_leaf_nodes=5", "seed=9")
    model = estimator(config, base, tmp_path / "one")
    found = model.get_params()
    assert {name: found[name] for name in ("max_iter", "max_depth", "max_leaf_nodes", "random_state")} == {
        "max_iter": 3, "max_depth": 2, "max_leaf_nodes": 5, "random_state": 9,
    }  # fmt: skip
    assert model.is_categorical_.tolist() == [True] * 5 + [False] * 9
    assert model._bin_mapper.n_threads == 1
    logistic = estimator(make_config("model.C=0.5", trainer="logistic_regression"), base, tmp_path / "two")
    assert (logistic.C, logistic.random_state) == (0.5, 42)


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", "logistic_regression"])
def test_skops_and_joblib_predict_alike(make_config: MakeConfig, base: Path, kind: str) -> None:
    formats = ("auto", "skops", "joblib")
    made = {name: train(make_config(*fast(kind), f"format={name}", trainer=kind), base) for name in formats}
    assert [list(fitted.files) for fitted in made.values()] == [["model.skops"], ["model.skops"], ["model.joblib"]]
    assert (made["skops"].predicted == made["joblib"].predicted).all()
    assert made["skops"].metrics == made["joblib"].metrics
    assert b"artreg" not in made["joblib"].files["model.joblib"]  # it loads without artreg


@pytest.mark.parametrize("enabled", [True, False])
def test_storing_leaves_garbage_collection_as_it_was(*, enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        assert skops_bytes.stored(StandardScaler()) is not None
        assert skops_bytes.stored(object()) is None
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_skops_says_nothing_of_addresses_or_of_the_time(make_config: MakeConfig, base: Path) -> None:
    data = train(make_config("model.max_iter=2"), base).files["model.skops"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [entry.filename for entry in archive.infolist()]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        schema = json.loads(archive.read("schema.json"))

    def ids(node: Any) -> Iterator[int]:
        if isinstance(node, dict):
            yield from ([node["__id__"]] if "__id__" in node else [])
            for value in node.values():
                yield from ids(value)
        elif isinstance(node, list):
            for value in node:
                yield from ids(value)

    assert max(ids(schema)) < 10_000
    assert names == [*sorted(names[:-1]), "schema.json"]
    assert names[0].startswith("000001.")


def test_what_skops_cannot_hold_is_stored_as_joblib_or_refused(make_config: MakeConfig, base: Path) -> None:
    kind = {"kind": "training.own:fit_strange"}
    assert list(train(make_config(trainer=kind), base).files) == ["model.joblib"]
    with pytest.raises(InvalidInput, match="cannot be stored as skops"):
        train(make_config("format=skops", trainer=kind), base)


def test_what_the_libraries_warn_of_is_handed_on(make_config: MakeConfig, base: Path) -> None:
    fitted = train(make_config("model.max_iter=1", trainer="logistic_regression"), base)
    assert any(message.startswith("ConvergenceWarning: ") for message in fitted.warnings)
    assert train(make_config(trainer="logistic_regression"), base).warnings == ()


# --- cross-validation ------------------------------------------------------------------------------------------------


def test_cross_validation_gives_a_figure_a_fold(make_config: MakeConfig, base: Path) -> None:
    config = make_config("cross_validation.folds=3", "model.max_iter=5")
    found = train(config, base).metrics
    assert found["cv"]["folds"] == 3
    auc = found["cv"]["roc_auc"]
    assert len(auc["values"]) == 3
    assert auc["mean"] == pytest.approx(np.mean(auc["values"]))
    assert auc["std"] == pytest.approx(np.std(auc["values"], ddof=1))
    alone = train(make_config("model.max_iter=5"), base).metrics
    assert {key: value for key, value in found.items() if key != "cv"} == alone


def test_too_many_folds_for_the_rows_are_refused(tmp_path: Path) -> None:
    lines = ["id,a,churned", *(f"u{n:03d},{n},{n % 2}" for n in range(60))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data = {"path": "t.csv", "id_column": "id", "target": "churned"}
    config = parse_config({"data": data, "trainer": "logistic_regression", "cross_validation": {"folds": 100}})
    with pytest.raises(InvalidInput, match="leaves too few rows"):
        train(config, tmp_path)


# --- a user's own ----------------------------------------------------------------------------------------------------


def test_a_users_own_trainer_gets_its_own_params(make_config: MakeConfig, base: Path, tmp_path: Path) -> None:
    config = make_config("trainer.depth=2", trainer={"kind": "training.own:fit"})
    recipe = recipe_of(config, base)
    assert recipe.config.model_dump()["trainer"] == {"kind": "training.own:fit", "depth": 2, "leaves": 7}
    assert parse_config(json.loads(recipe.config.model_dump_json())) == recipe.config
    fitted = fit(recipe, dataset_of(config, base))
    model = read_back(fitted, tmp_path)
    assert isinstance(model, Estimator)
    assert model.estimator["tree"].get_depth() == 2
    assert 0.5 < fitted.metrics["roc_auc"] < 1


def test_a_users_own_model_says_its_own_files(make_config: MakeConfig, base: Path) -> None:
    fitted = train(make_config(trainer={"kind": "training.own:fit_constant"}), base)
    assert fitted.files == {"model.json": b"0.25"}
    assert fitted.metrics["roc_auc"] == 0.5


@pytest.mark.parametrize(
    ("trainer", "problem"),
    [
        ({"kind": "no.such.module:fit"}, "no.such.module cannot be imported"),
        ({"kind": "training.own:nothing"}, "has no function nothing"),
        ({"kind": "training.own:fit_untold"}, "does not say what it may be told"),
        ({"kind": "training.own:fit", "deep": 3}, "deep: unknown key; did you mean depth?"),
        ({"kind": "training.own:fit", "depth": "x"}, "depth: must be a valid integer"),
        ({"kind": "training.own:fit_broken"}, "training.own:fit_broken failed: ZeroDivisionError"),
        ({"kind": "training.own:fit_nothing"}, "returned NoneType, which is no model"),
        ({"kind": "training.own:fit_lost"}, "NaN or infinite"),
        ({"kind": "training.own:fit_wrong_shape"}, "predicts an array of shape"),
    ],
)
def test_a_trainer_that_is_not_fit_is_refused(
    make_config: MakeConfig, base: Path, trainer: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        train(make_config(trainer=trainer), base)


@pytest.mark.parametrize("kind", ["fit", "os:system:x", "../x:f", "a.b:", ":f", "a b:c"])
def test_a_kind_that_names_no_function_is_refused(make_config: MakeConfig, kind: str) -> None:
    with pytest.raises(InvalidInput, match=r"trainer\.kind"):
        make_config(trainer={"kind": kind})


# --- torch -----------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_the_files_of_torch_that_do_not_go_together_are_refused(
    make_config: MakeConfig, base: Path, tmp_path: Path
) -> None:
    fitted = train(make_config("model.epochs=1", trainer="mlp"), base)
    other = train(make_config("model.epochs=1", "model.hidden=[8]", trainer="mlp"), base)
    for name, data in {**fitted.files, "model/architecture.json": other.files["model/architecture.json"]}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(IntegrityError, match="are no model of artreg's"):
        load_model(tmp_path)
    (tmp_path / "model" / "architecture.json").write_bytes(b'{"format": "artreg/mlp/2"}')
    with pytest.raises(IntegrityError, match="artreg/mlp/2"):
        load_model(tmp_path)


@pytest.mark.torch
def test_torch_gets_its_threads_back(make_config: MakeConfig, base: Path) -> None:
    import torch

    torch.set_num_threads(2)
    train(make_config("model.epochs=1", trainer="mlp"), base)
    assert torch.get_num_threads() == 2


@pytest.mark.torch
def test_a_device_that_is_not_there_is_refused(make_config: MakeConfig, base: Path) -> None:
    import torch

    config = make_config("model.epochs=1", "model.device=cuda", trainer="mlp")
    if torch.cuda.is_available():
        assert train(config, base).files == train(config, base).files
    else:
        with pytest.raises(InvalidInput, match="no CUDA device is here"):
            train(config, base)


@pytest.mark.torch
def test_how_good_the_digits_are_read(configs: Path, base: Path) -> None:
    metrics = train(load_config(configs / "digits.yaml"), base).metrics
    assert metrics["accuracy"] > 0.95
    assert len(metrics["test"]["classes"]) == 10


def test_without_torch_the_way_to_it_is_named(
    make_config: MakeConfig, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(InvalidInput, match="the trainer mlp needs") as caught:
        train(make_config(trainer="mlp"), base)
    assert "--extra torch" in caught.value.hint


# --- how good they are -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "metric", "overrides", "least", "most"),
    [
        ("default", "roc_auc", (), 0.84, 0.90),
        ("logistic", "roc_auc", (), 0.84, 0.90),
        ("breast_cancer", "roc_auc", (), 0.97, 1.0),
        ("diabetes", "r2", (), 0.4, 0.6),
        # The README and the gates name these two: one fails prod (0.80), the other fails staging too (0.75).
        ("default", "roc_auc", ("model.max_iter=2", "model.max_depth=3"), 0.755, 0.795),
        ("default", "roc_auc", ("model.max_iter=1", "model.learning_rate=0.001", "model.max_depth=1"), 0.55, 0.72),
    ],
)
def test_how_good_the_models_are(
    *, configs: Path, base: Path, name: str, metric: str, overrides: tuple[str, ...], least: float, most: float
) -> None:
    metrics = train(load_config(configs / f"{name}.yaml", overrides), base).metrics
    assert least < metrics[metric] < most
