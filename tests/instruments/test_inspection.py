"""The gate that looks through a model: against models of every kind, none of which is loaded."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from instruments.conftest import Lab
from loading.artifacts import as_joblib, as_skops, canary_command, estimator


@pytest.fixture
def models(tmp_path: Path) -> dict[str, dict[str, bytes]]:
    hostile = canary_command(tmp_path / "canary")
    return {
        "skops": {"model.skops": as_skops(estimator())},
        "joblib": {"model.joblib": as_joblib(estimator())},
        "hostile": {"model.joblib": as_joblib(hostile)},
        "disguised": {"model.skops": pickle.dumps(hostile)},
        "unknown": {"model.onnx": b"?"},
    }


@pytest.mark.parametrize(
    ("name", "allow", "said"),
    [
        ("skops", "data", None),
        ("joblib", "data", "model.joblib is a pickle"),
        ("joblib", "pickle", None),
        ("hostile", "pickle", "model.joblib runs code when loaded: posix.system"),
        ("disguised", "pickle", "cannot be read to its end"),
        ("unknown", "data", "model.onnx may run code when loaded: its format is not known"),
    ],
)
def test_the_gate_judges_by_what_is_in_the_files(
    lab: Lab, models: dict[str, dict[str, bytes]], tmp_path: Path, *, name: str, allow: str, said: str | None
) -> None:
    lab.publish_only("2.0.0", models[name])
    verdict = lab.ask({"gate": "inspected", "allow": allow}, "2.0.0")
    assert (verdict.passed, said is None or said in verdict.message) == (said is None, True), verdict.message
    assert not (tmp_path / "canary").exists()


def test_a_type_of_ones_own_passes_where_the_policy_names_it(lab: Lab) -> None:
    lab.publish_only("2.0.0", {"model.skops": as_skops(Own())})
    gate = {"gate": "inspected"}
    assert "needs types that nobody here trusts" in lab.ask(gate, "2.0.0").message
    assert lab.ask({**gate, "types": [f"{Own.__module__}.Own"]}, "2.0.0").passed


class Own:
    def __init__(self) -> None:
        self.x = 1
