"""What loading a file would do is said, and none of it is done."""

from __future__ import annotations

import io
import json
import pickle
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import joblib
import numpy as np
import pytest
from hypothesis import strategies as st

from artreg.core.inspection import Danger, FileReport
from artreg.inspection import pickles
from artreg.inspection.inspect import inspect_file
from artreg.training.skops_bytes import trusted_by
from inspection import bombs, hostile_pickles
from loading.artifacts import FRAME, LABELS, as_joblib, as_skops, estimator
from sizes import size

DANGEROUS = {Danger.RUNS, Danger.UNREADABLE, Danger.MAY_RUN}


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that hostile models would make; a test fails if it is there at its end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "something in a model was run"


def look(data: bytes, name: str) -> FileReport:
    return inspect_file(io.BytesIO(data), name, trusted_by)


def runs(report: FileReport) -> list[str]:
    return [f"{finding.what} {finding.detail}" for finding in report.findings if finding.danger is Danger.RUNS]


@pytest.mark.parametrize("name", hostile_pickles.LOADED_BY_PICKLE)
def test_a_hostile_pickle_is_told_and_not_run(name: str, canary: Path) -> None:
    data = hostile_pickles.LOADED_BY_PICKLE[name](canary)
    for file in ("model.pkl", "model.joblib", "model.pt", "model.bin"):
        report = look(data, file)
        assert runs(report), (file, report)


@pytest.mark.parametrize("name", hostile_pickles.LOADED_BY_PICKLE)
def test_the_hostile_pickles_are_hostile(name: str, tmp_path: Path) -> None:
    """Otherwise nothing would be shown by their being told."""
    canary = tmp_path / "canary"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pickle.loads(hostile_pickles.LOADED_BY_PICKLE[name](canary))
        except Exception as error:
            said = str(error)
        else:
            said = "it loaded"
    assert canary.exists(), said


@pytest.mark.parametrize("name", hostile_pickles.OTHERS)
def test_a_pickle_is_found_wherever_it_hides(name: str, canary: Path) -> None:
    file, make = hostile_pickles.OTHERS[name]
    report = look(make(canary), file)
    assert report.danger in DANGEROUS, report
    if file in {"model.npy", "model.joblib", "model.pt", "model.onnx"}:
        assert any("posix.system" in line and "touch" in line for line in runs(report)), report


LARGE = {"too many members", "a large table of contents"}  # test_limits.py has them


@pytest.mark.parametrize("name", sorted(bombs.ARCHIVES.keys() - LARGE))
def test_a_hostile_archive_cannot_be_read_to_its_end(name: str) -> None:
    report = look(bombs.ARCHIVES[name][0](), "model.skops")
    assert report.danger in DANGEROUS


# --- what is no danger ---


@cache
def estimators() -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "linear": estimator(),
            "boosting": make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=3)).fit(FRAME, LABELS),
            "forest": RandomForestClassifier(3).fit(FRAME, LABELS),
            "arrays": {"a": np.array(["x", None], dtype=object), "b": np.zeros(3, dtype=[("u", "f8"), ("v", "O")])},
        }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["linear", "boosting", "forest", "arrays"])
def test_an_honest_pickle_has_known_parts_only(name: str, protocol: int) -> None:
    made = estimators()[name]
    buffer = io.BytesIO()
    joblib.dump(made, buffer, protocol=protocol)
    for data, file in ((buffer.getvalue(), "model.joblib"), (pickle.dumps(made, protocol), "model.pkl")):
        report = look(data, file)
        assert report.danger is Danger.PICKLE, [finding for finding in report.findings if finding.danger in DANGEROUS]


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_a_packed_joblib_file_is_unpacked(compress: str) -> None:
    report = look(as_joblib(estimator(), (compress, 3)), "model.joblib")
    assert (report.danger, report.format) == (Danger.PICKLE, f"joblib, packed by {compress}")


def test_of_skops_the_types_are_told_and_who_trusts_them() -> None:
    report = look(as_skops(estimator()), "model.skops")
    assert (report.danger, report.format) == (Danger.NONE, "skops")
    who = {finding.what: finding.detail for finding in report.findings}
    assert who["sklearn.linear_model._logistic.LogisticRegression"] == "trusted by skops"
    report = look(as_skops(_Own()), "model.skops")
    (finding,) = [finding for finding in report.findings if finding.danger is Danger.TYPES]
    assert (finding.what, finding.detail) == (f"{_Own.__module__}._Own", "trusted by nobody")


class _Own:
    def __init__(self) -> None:
        self.x = 1


def test_of_tensors_and_arrays_the_shapes_are_told() -> None:
    entry = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    report = look(bombs.safetensors({"w": entry}, bytes(24)), "model.safetensors")
    assert (report.danger, report.format, dict(report.parts)) == (Danger.NONE, "safetensors", {"w": "F32 [2, 3]"})
    report = look(bombs.npy("(2, 3)", body=bytes(48)), "model.npy")
    assert (report.danger, dict(report.parts)) == (Danger.NONE, {"array": "<f8 [2, 3]"})
    report = look(bombs.archive({"a.npy": bombs.npy("(1,)", body=bytes(8))}), "model.npz")
    assert (report.danger, dict(report.parts)) == (Danger.NONE, {"a.npy": "<f8 [1]"})


@pytest.mark.parametrize(("data", "name"), [(b"what is it?", "model.onnx"), (b"", "model"), (b"PK", "model.xyz")])
def test_what_nobody_knows_is_not_called_harmless(data: bytes, name: str) -> None:
    assert look(data, name).danger in DANGEROUS


def test_a_pickle_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "OPERATIONS", 1000)
    report = look(b"\x80\x04" + b"N0" * 1000 + b"N.", "model.pkl")
    assert report.danger is Danger.UNREADABLE
    assert "more than 1,000 operations" in report.findings[0].what


def test_what_follows_the_end_is_told() -> None:
    assert look(b"\x80\x04N.more", "model.pkl").danger is Danger.UNREADABLE
    assert look(b"\x80\x04N.", "model.pkl").danger is Danger.PICKLE


@hypothesis.settings(derandomize=True, deadline=None, database=None, max_examples=size(100, 300, 300))
@hypothesis.given(st.binary(max_size=200), st.sampled_from(["pkl", "joblib", "skops", "safetensors", "npy", "pt", "x"]))
def test_no_bytes_bring_it_down(data: bytes, suffix: str) -> None:
    json.dumps(look(data, f"model.{suffix}").document())


_HONEST = {
    "pkl": pickle.dumps(estimator()),
    "joblib": as_joblib(estimator()),
    "skops": as_skops(estimator()),
    "safetensors": bombs.safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
}


@hypothesis.settings(derandomize=True, deadline=None, database=None, max_examples=size(50, 150, 150))
@hypothesis.given(st.sampled_from(sorted(_HONEST)), st.data())
def test_no_change_of_a_few_bytes_brings_it_down(suffix: str, data: st.DataObject) -> None:
    changed = bytearray(_HONEST[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    json.dumps(look(bytes(changed[:cut] if data.draw(st.booleans()) else changed), f"model.{suffix}").document())
