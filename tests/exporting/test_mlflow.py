"""`export --to mlflow`: the folder, what loads it without artreg, and registration at a server, friendly and not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from artreg.core import canonical
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.errors import AlreadyExists, ArtregError, IntegrityError, InvalidInput, StorageError
from artreg.exporting.mlflow import export_mlflow
from artreg.exporting.mlflow_registration import register_at, registered_at
from artreg.frozen import replace
from artreg.integrations import mlflow_server
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.resolve import resolve
from artreg.store.local import LocalStore
from artreg.training import standalone
from importing.mlflow_store import MLMODEL

CHURN = ModelName("demo", "churn")
ONE = Version(1, 0, 0)
REFERENCE = Reference(CHURN, ONE)
RUN = {
    "axes": {
        "environment": {
            "python": "3.11.7",
            "packages": {"scikit-learn": "1.9.1", "skops": "0.16.0", "numpy": "2.4.6+x"},
        },
        "config": {"document": {"data": {"task": "classification"}, "trainer": "logistic_regression", "seed": 42}},
        "code": {"commit": "c" * 40},
    }
}
SAMPLE = {"categorical": ["region", "paid"], "numeric": ["age", "charge"], "rows": [["n", True, 31, 0.5]] * 9}
TYPES = {"age": "integer", "charge": "number", "paid": "boolean", "region": "text"}
DATA = {"format": "artreg/data/1", "schema": [{"name": name, "type": kind} for name, kind in TYPES.items()]}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    return Registry(store, "ada")


def published(registry: Registry, folder: Path, run: dict[str, Any] | None = None, **files: bytes) -> Path:
    """Publish files, of which `__` in the name stands for a slash and `_` for a dot."""
    made = folder / "made"
    for name, data in {"metrics_json": canonical.dumps({"auc": 0.9, "test": {"rows": 3}}), **files}.items():
        path = made / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    publish(registry, CHURN, made, ONE, run=run)
    return made


def estimator() -> Any:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows = np.random.default_rng(1).normal(size=(30, 2))
    return LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int)), rows


def test_a_model_of_artregs_gets_what_mlflow_needs(registry: Registry, tmp_path: Path) -> None:
    import skops.io

    model, rows = estimator()
    made = tmp_path / "made"
    made.mkdir()
    (made / "data_manifest.json").write_bytes(canonical.dumps(DATA))
    published(registry, tmp_path, RUN, model_skops=skops.io.dumps(model), sample_json=json.dumps(SAMPLE).encode())
    out = tmp_path / "out"
    exported = export_mlflow(registry, resolve(registry, REFERENCE), out)
    described = yaml.safe_load((out / "MLmodel").read_text())
    assert described["metadata"] == {
        "artreg.model": "demo/churn",
        "artreg.version": "1.0.0",
        "artreg.digest": exported.source.digest,
    }
    assert isinstance(described["utc_time_created"], str)
    assert described["flavors"]["sklearn"]["serialization_format"] == "skops"
    assert described["flavors"]["sklearn"]["skops_trusted_types"] == list(standalone.TRUSTED)
    assert [(it["name"], it["type"]) for it in json.loads(described["signature"]["inputs"])] == [
        ("region", "string"),
        ("paid", "boolean"),
        ("age", "long"),
        ("charge", "double"),
    ]
    assert described["saved_input_example_info"]["artifact_path"] == "input_example.json"
    example = json.loads((out / "input_example.json").read_bytes())
    assert example == {"columns": ["region", "paid", "age", "charge"], "data": SAMPLE["rows"][:3]}
    lines = (out / "requirements.txt").read_text().splitlines()
    assert lines[1:4] == ["scikit-learn==1.9.1", "skops==0.16.0", "joblib"]
    assert "numpy==2.4.6" in lines
    assert exported.notes == ()
    assert (out / "code/artreg_standalone.py").read_bytes() == Path(standalone.__file__).read_bytes()
    found = standalone._load_pyfunc(str(out)).predict(rows)
    assert (found == model.predict_proba(rows)).all()
    again = tmp_path / "again"
    export_mlflow(registry, resolve(registry, REFERENCE), again)
    assert content(again) == content(out)
    with pytest.raises(AlreadyExists):
        export_mlflow(registry, resolve(registry, REFERENCE), out)


@pytest.mark.parametrize("sample", [b"{", b"[]", b'{"categorical": "x", "numeric": [2], "rows": [[1]]}'])
def test_a_sample_that_is_none_is_left_out(registry: Registry, tmp_path: Path, sample: bytes) -> None:
    published(registry, tmp_path, RUN, model_skops=b"x", sample_json=sample)
    export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    assert not {"signature", "saved_input_example_info"} & yaml.safe_load((tmp_path / "out/MLmodel").read_text()).keys()
    assert not (tmp_path / "out/input_example.json").exists()


def content(folder: Path) -> dict[str, bytes]:
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in folder.rglob("*") if it.is_file()}


@pytest.mark.parametrize("name", ["model_joblib", "model_pkl"])
def test_a_pickle_is_said_to_be_one_and_forbidden_where_mlflow_forbids_it(
    name: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pickle

    import joblib

    model, rows = estimator()
    joblib.dump(model, tmp_path / "dumped")
    data = (tmp_path / "dumped").read_bytes() if name == "model_joblib" else pickle.dumps(model)
    published(registry, tmp_path, **{name: data})
    exported = export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    assert exported.notes == (
        "the model is a pickle: loading it may run whatever is in it",
        "nobody recorded with which packages it was made: complete requirements.txt",
    )
    assert (tmp_path / "out/requirements.txt").stat().st_mode & 0o200
    found = standalone._load_pyfunc(exported.path).predict(rows)
    assert (found == model.predict_proba(rows)).all()
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with pytest.raises(ValueError, match="forbids"):
        standalone.load(tmp_path / "out")


def test_what_came_from_mlflow_goes_back_as_it_came(registry: Registry, tmp_path: Path) -> None:
    made = published(
        registry, tmp_path, model__MLmodel=MLMODEL.encode(), model__model_pkl=b"big" * 99, model__a__b=b"b"
    )
    exported = export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    assert content(tmp_path / "out") == content(made / "model")
    assert (exported.files, exported.details["made_by_mlflow"]) == (3, True)


@pytest.mark.parametrize(
    "files", [{"model_onnx": b"x"}, {"model__weights_bin": b"x"}, {"model__MLmodel": b"flavors: {}"}]
)
def test_what_only_its_maker_can_load_is_refused(files: dict[str, bytes], registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, **files)
    with pytest.raises(InvalidInput):
        export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damage_is_found_on_the_way_and_nothing_is_left(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, model__MLmodel=MLMODEL.encode(), model__model_pkl=b"big" * 99, model__a__b=b"b")
    path = tmp_path / "registry/demo/churn/1.0.0/model/model.pkl"
    path.chmod(0o644)
    path.write_bytes(b"bag" * 99)
    with pytest.raises(IntegrityError):
        export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_perceptron_takes_rows_as_it_does_in_artreg() -> None:
    import numpy as np
    import pandas as pd

    from artreg.training.trainers.mlp import Architecture, Categorical, Numeric

    numbers = (Numeric("age", 2.0, 1.5, 0.7, True), Numeric("charge", 0.1, 0.3, 3.0, False))
    shape = Architecture(
        "classification", ("0", "1"), numbers, (Categorical("region", ("", "n", "7")),), (4,), "relu", 0.0, 0, 1
    )
    frame = pd.DataFrame({"region": ["n", None, "7", "x"], "age": [1, 2, np.nan, 4], "charge": [0.1, 0.2, 0.3, np.nan]})
    found = standalone.encoded(json.loads(json.dumps(shape.document())), frame)
    assert found.dtype == np.float32
    assert (found == shape.encode(frame)).all()
    for rows in (standalone.encoded(shape.document(), frame.iloc[:0]), shape.encode(frame.iloc[:0])):
        assert rows.shape == (0, 6)


@pytest.mark.torch
def test_a_perceptron_predicts_the_same_without_artreg(registry: Registry, tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd

    from artreg.core.config import MlpParams
    from artreg.training.trainers import mlp
    from artreg.training.trainers.interface import Columns, TrainingData

    frame = pd.DataFrame({"age": [1.0, 2.0, np.nan, 4.0] * 8, "region": ["n", "s", None, "n"] * 8})
    data = TrainingData(frame, np.array([0, 1, 0, 1] * 8), Columns(("age",), ("region",)), "classification", ("0", "1"))
    model = mlp.fit(data, MlpParams(epochs=1), 1)
    (tmp_path / "made/model").mkdir(parents=True)
    for name, file in model.files().items():
        (tmp_path / "made" / name).write_bytes(file)
    published(registry, tmp_path)
    exported = export_mlflow(registry, resolve(registry, REFERENCE), tmp_path / "out")
    found = standalone._load_pyfunc(exported.path).predict(frame)
    assert (found == model.predict(frame)).all()


# --- registration ------------------------------------------------------------------------------------------------


class Book(ThreadingHTTPServer):
    """A tracking server that remembers what it is told, and fails as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.uri = "mlflow-artifacts:/1/r1/artifacts"
        self.files: dict[str, bytes] = {}
        self.versions: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.told: list[tuple[str, Any]] = []
        self.failing: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, what: str, said: Any) -> tuple[int, Any]:
        self.told.append((what, said))
        made = {
            "registered-models/create": lambda: (400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there"}),
            "experiments/create": lambda: (200, {"experiment_id": "1"}),
            "experiments/get-by-name": lambda: (200, {"experiment": {"experiment_id": "1"}}),
            "runs/search": lambda: (200, {"runs": self.runs}),
            "runs/create": self._run,
            "model-versions/search": lambda: (200, {"model_versions": self.versions}),
            "model-versions/create": lambda: self._version(said),
        }
        return made.get(what, lambda: (200, {}))()

    def _run(self) -> tuple[int, Any]:
        self.runs.append({"info": {"run_id": "r1", "status": "RUNNING", "artifact_uri": self.uri}, "data": {}})
        return 200, {"run": self.runs[-1]}

    def _version(self, said: dict[str, Any]) -> tuple[int, Any]:
        self.versions.append({**said, "version": str(len(self.versions) + 1), "status": "READY"})
        return 200, {"model_version": self.versions[-1]}


class Page(BaseHTTPRequestHandler):
    server: Book
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer of two writes waits for 40 ms

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        """Say nothing."""

    def _do(self) -> None:
        path = unquote(urlsplit(self.path).path)
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if any(word in path for word in self.server.failing):
            self._give(503, {})
        elif "mlflow-artifacts" in path:
            self.server.files[path.partition("/artifacts/")[2]] = data
            self._give(200, {})
        else:
            what = path.removeprefix("/api/2.0/mlflow/")
            self._give(*self.server.answer(what, json.loads(data) if data else None))

    do_GET = do_POST = do_PUT = _do  # noqa: N815  # names that the base class looks for

    def _give(self, status: int, document: Any) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    monkeypatch.setattr(mlflow_server, "_PAUSES_S", (0.001,) * 2)
    server = Book()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def there(registry: Registry, tmp_path: Path) -> Registry:
    """A registry with a version that came from MLflow, in prod."""
    imported = {
        "description": "version 3",
        "tags": {"validated": "yes"},
        "run": {
            "params": {"C": "3"},
            "metrics": {"odd": {"value": "nan", "step": 2}, "auc": {"value": 0.9, "step": 1}},
        },
    }
    files = {"model__MLmodel": MLMODEL.encode(), "model__model_pkl": b"big" * 99, "model__conda_yaml": b"name: x"}
    published(registry, tmp_path, {"imported": imported}, **files)
    promote(registry, CHURN, ONE, Alias("prod"), policy=parse_policy({"aliases": {"prod": {}}}))
    return registry


def test_a_version_is_registered_with_all_that_is_known(there: Registry, book: Book) -> None:
    done = register_at(there, resolve(there, Reference(CHURN, Alias("prod"))), book.url)
    assert (done.name, done.version, done.run_id, done.created, done.alias) == ("churn", "1", "r1", True, "prod")
    assert book.files.keys() == {f"1/r1/artifacts/model/{name}" for name in ("MLmodel", "model.pkl", "conda.yaml")}
    assert list(book.files)[-1].endswith("MLmodel")
    told = dict(book.told)
    assert told["model-versions/create"]["source"] == "mlflow-artifacts:/1/r1/artifacts/model"
    tags = {it["key"]: it["value"] for it in told["model-versions/create"]["tags"]}
    assert tags == {
        "validated": "yes",
        "artreg.model": "demo/churn",
        "artreg.version": "1.0.0",
        "artreg.digest": done.source.digest,
    }
    logged = {it["key"]: (it["value"], it["step"]) for it in told["runs/log-batch"]["metrics"]}
    assert logged == {"auc": (0.9, 1), "odd": ("NaN", 2), "test.rows": (3, 0)}
    assert told["runs/log-batch"]["params"] == [{"key": "C", "value": "3"}]
    assert told["runs/update"]["status"] == "FINISHED"
    assert told["registered-models/alias"] == {"name": "churn", "alias": "prod", "version": "1"}
    before = len(book.told)
    assert registered_at(done.source, book.url) == replace(done, created=False)
    assert dict(book.told[before:])["registered-models/alias"]["version"] == "1"
    before = len(book.told)
    again = register_at(there, resolve(there, REFERENCE), book.url)
    assert (again.created, again.version, again.alias) == (False, "1", None)
    assert [what for what, _ in book.told[before:]] == ["model-versions/search"]


def test_names_of_figures_are_made_to_fit(registry: Registry, tmp_path: Path, book: Book) -> None:
    odd = {"precision@10": 1, "f1 (macro)": 2, "a//b/": 3, "../up": 4, "": 5, "ü": 6, "x" * 300: 7, "precision%10": 8}
    files = {"model__MLmodel": MLMODEL.encode(), "model__model_pkl": b"m", "metrics_json": canonical.dumps(odd)}
    published(registry, tmp_path, **files)
    register_at(registry, resolve(registry, REFERENCE), book.url)
    logged = {it["key"]: it["value"] for it in dict(book.told)["runs/log-batch"]["metrics"]}
    assert logged == {"_": 5, "a/b": 3, "f1 _macro_": 2, "precision_10": 8, "up": 4, "x" * 250: 7, "ü": 6}


@pytest.mark.parametrize("cut", ["model.pkl", "MLmodel", "model-versions/create", "runs/update", "log-batch"])
def test_registering_that_was_cut_off_goes_on(cut: str, there: Registry, book: Book) -> None:
    book.failing = [cut]
    with pytest.raises(StorageError):
        register_at(there, resolve(there, REFERENCE), book.url)
    assert len(book.versions) == (cut == "runs/update")
    book.failing = []
    register_at(there, resolve(there, REFERENCE), book.url)
    assert (len(book.versions), len(book.runs)) == (1, 1)


def test_damage_is_never_registered(there: Registry, book: Book, tmp_path: Path) -> None:
    path = tmp_path / "registry/demo/churn/1.0.0/model/model.pkl"
    path.chmod(0o644)
    path.write_bytes(b"bag" * 99)
    with pytest.raises(IntegrityError):
        register_at(there, resolve(there, REFERENCE), book.url)
    assert book.versions == []
    assert not any("model.pkl" in name or "MLmodel" in name for name in book.files)


@pytest.mark.parametrize(
    "uri", ["/srv/mlruns/1/r1/artifacts", "s3://bucket/1", "mlflow-artifacts://evil.example/1", ""]
)
def test_a_server_that_passes_nothing_on_is_refused(uri: str, there: Registry, book: Book) -> None:
    book.uri = uri
    with pytest.raises(InvalidInput):
        register_at(there, resolve(there, REFERENCE), book.url)
    assert (book.files, book.versions) == ({}, [])


def test_what_is_no_server_is_refused(there: Registry) -> None:
    for uri in ("sqlite:///mlflow.db", "mlruns", "file:///x", "http://ada:hunter2@[::1"):
        with pytest.raises(ArtregError) as raised:
            register_at(there, resolve(there, REFERENCE), uri)
        assert "hunter2" not in f"{raised.value.message} {raised.value.hint}"


def test_an_order_is_not_given_twice_when_nobody_knows_what_became_of_it(there: Registry, book: Book) -> None:
    """A version at a server has no write id, so that only what is surely not done is done again."""
    asked: list[str] = []

    def break_off(handler: Page) -> None:
        asked.append(handler.path)
        handler.close_connection = True

    plain = Page._do
    Page.do_POST = lambda self: break_off(self) if "runs/create" in self.path else plain(self)  # type: ignore[method-assign]
    try:
        with pytest.raises(StorageError, match="may have done"):
            register_at(there, resolve(there, REFERENCE), book.url)
    finally:
        Page.do_POST = plain  # type: ignore[method-assign]
    assert len(asked) == 1
