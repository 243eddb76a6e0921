"""The latency gate against a model that was really trained, and against what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import joblib
import pytest

from artreg.core.config import parse_config
from artreg.core.gates.limits import Latency
from artreg.core.version import Version
from artreg.instruments.latency import read_figures
from artreg.registry.publish import publish as put
from artreg.training.churn import write_churn
from artreg.training.run import train
from instruments.conftest import MODEL, Lab


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a small model that was trained just now."""
    folder = tmp_path_factory.mktemp("made")
    write_churn(folder / "churn.csv", 400)
    config = parse_config(
        {
            "trainer": "logistic_regression",
            "data": {"path": "churn.csv", "id_column": "customer_id", "target": "churned", "salt": "s"},
        }
    )
    train(config, folder / "out", command=[], now=lambda: datetime(2026, 1, 2, tzinfo=UTC), base=folder)
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def publish(lab: Lab, files: dict[str, bytes]) -> None:
    folder = lab.folder / "trained"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    put(lab.registry, MODEL, folder, Version(2, 0, 0))


GATE = {"gate": "latency", "max_ms": 60_000, "calls": 5}


def test_a_trained_model_is_timed(lab: Lab, made: dict[str, bytes]) -> None:
    publish(lab, made)
    verdict = lab.ask({**GATE, "rows": 7}, "2.0.0")
    assert verdict.passed, verdict.message
    assert (verdict.figures["calls"], verdict.figures["rows"]) == (5, 7)
    assert 0 < verdict.figures["ms"] < 60_000


def without(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {key: data for key, data in files.items() if key != name}


def replaced(name: str, data: bytes) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {**files, name: data}


def sample(**changes: object) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {**files, "sample.json": json.dumps({**json.loads(files["sample.json"]), **changes}).encode()}


UNFIT = {
    "no sample": (without("sample.json"), "sample.json"),
    "a damaged model": (replaced("model.skops", b"garbage"), "zip"),
    "a sample without columns": (sample(numeric=[], categorical=[]), "Error"),
    "a sample without rows": (sample(rows=[]), "Error"),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.slow
def test_what_cannot_be_timed_refuses_and_says_why(lab: Lab, made: dict[str, bytes], name: str) -> None:
    change, said = UNFIT[name]
    publish(lab, change(made))
    verdict = lab.ask(GATE, "2.0.0")
    assert not verdict.passed
    assert verdict.message.startswith("latency was not measured: ")
    assert said in verdict.message
    assert verdict.figures == {"ms": None}


def test_a_measurement_that_does_not_end_is_given_up(lab: Lab, made: dict[str, bytes]) -> None:
    publish(lab, made)
    verdict = lab.ask({**GATE, "calls": 10_000, "timeout_s": 0.01}, "2.0.0")
    assert verdict.message == "latency was not measured: no answer within 0.01 s"
    assert not verdict.passed


@pytest.mark.slow
def test_what_a_model_prints_is_not_taken_for_its_latency(
    lab: Lab, made: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "chatty.py").write_text(
        "class Chatty:\n"
        "    def __setstate__(self, state):\n        print('{\"median_ms\": 0}')\n"
        "    def __getstate__(self):\n        return 1\n"
        "    def predict_proba(self, rows):\n        print('predicting')\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    from importlib import import_module

    joblib.dump(import_module("chatty").Chatty(), tmp_path / "chatty.joblib")
    publish(lab, {**without("model.skops")(made), "model.joblib": (tmp_path / "chatty.joblib").read_bytes()})
    verdict = lab.ask({**GATE, "trust": "this registry"}, "2.0.0")
    assert verdict.passed, verdict.message
    assert verdict.figures["calls"] == 5


@pytest.mark.slow
def test_a_model_that_ends_the_measurement_is_refused(
    lab: Lab, made: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "quitting.py").write_text("import os\nclass Quitter:\n    def __init__(self): os._exit(0)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    publish(lab, {**without("model.skops")(made), "model.joblib": b"\x80\x04\x8c\x08quitting\x8c\x07Quitter\x93)R."})
    verdict = lab.ask({**GATE, "trust": "this registry"}, "2.0.0")
    assert (verdict.passed, verdict.message) == (False, "latency was not measured: the measurement gave no figures")


def test_a_pickle_is_not_loaded_to_time_it(lab: Lab, made: dict[str, bytes], tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    command = f"touch '{canary}'".encode()
    hostile = b"cos\nsystem\n(S'" + command.replace(b"'", b'"') + b"'\ntR."
    publish(lab, {**without("model.skops")(made), "model.joblib": hostile})
    verdict = lab.ask(GATE, "2.0.0")
    assert not verdict.passed
    assert "may run code when loaded" in verdict.message
    assert not canary.exists()
    lab.ask({**GATE, "trust": "this registry"}, "2.0.0")
    assert canary.exists(), "the model was not hostile at all"


OUTPUTS = {
    "nothing": b"",
    "text": b"fast",
    "no text": b"\xff",
    "half a document": b'{"median_ms": 1}',
    "a list": b"[1]",
    "a number": b"1",
    "words for numbers": b'{"median_ms": "x", "p95_ms": 1, "calls": 1, "rows": 1}',
    "null": b'{"median_ms": null, "p95_ms": 1, "calls": 1, "rows": 1}',
    "an infinite count": b'{"median_ms": 1, "p95_ms": 1, "calls": Infinity, "rows": 1}',
    "beyond all floats": b'{"median_ms": 1' + b"0" * 400 + b', "p95_ms": 1, "calls": 1, "rows": 1}',
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_is_no_measurement_is_not_taken_for_one(name: str) -> None:
    assert read_figures(OUTPUTS[name]) == "the measurement gave no figures"


def test_the_last_line_is_the_measurement() -> None:
    output = b'{"median_ms": 0}\nhello\n{"median_ms": 1, "p95_ms": 2.5, "calls": 5, "rows": 1}'
    assert read_figures(output) == Latency(1.0, 2.5, 5, 1)
