"""Where two model files part, by their format, and without running what is in them."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.reproduction.model_difference import first_difference
from inspection import bombs


def told(name: str, before: bytes, after: bytes) -> str:
    return str(first_difference(name, before, after))


def safetensors(tensors: Mapping[str, np.ndarray]) -> bytes:
    header, body = {}, b""
    for name, tensor in tensors.items():
        start = len(body)
        body += tensor.tobytes()
        kind = {"float32": "F32", "float64": "F64", "int64": "I64"}[str(tensor.dtype)]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [start, len(body)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def skops(schema: Any, **arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, values in arrays.items():
            inner = io.BytesIO()
            np.save(inner, values)
            archive.writestr(f"{name}.npy", inner.getvalue())
        archive.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def test_the_same_bytes_have_no_difference() -> None:
    assert first_difference("model.skops", b"x", b"x") is None


def test_safetensors_name_the_tensor_and_the_number() -> None:
    before = safetensors({"bias": np.zeros(2, "float32"), "weight": np.arange(6, dtype="float32")})
    changed = np.arange(6, dtype="float32")
    changed[4] = 4.5
    after = safetensors({"bias": np.zeros(2, "float32"), "weight": changed})
    found = first_difference("model/model.safetensors", before, after)
    assert found is not None
    assert found.what == "model/model.safetensors: tensor weight[4]"
    assert (found.before, found.after, found.note) == (4.0, 4.5, "1 of 6 numbers differ")


def test_safetensors_name_shapes_and_missing_tensors() -> None:
    before = safetensors({"a": np.zeros(2, "float64")})
    assert told("m.safetensors", before, safetensors({"a": np.zeros(3, "float64")})) == (
        "m.safetensors: tensor a F64 [2] → F64 [3]"
    )
    assert told("m.safetensors", before, safetensors({"b": np.zeros(2, "float64")})) == (
        "m.safetensors: tensor a there → none"
    )


def test_integers_are_told_by_their_bytes() -> None:
    before, after = (safetensors({"n": np.array([1, value])}) for value in (2, 3))
    assert "tensor n: the first byte that differs is number 8" in told("m.safetensors", before, after)


def test_skops_names_the_path_of_an_array() -> None:
    def schema(c: float) -> Any:
        fields = {
            "C": {"__loader__": "JsonNode", "content": str(c), "__id__": 7},
            "coef_": {"__loader__": "NdArrayNode", "type": "numpy", "file": "1.npy", "__id__": 8},
        }
        return {"__class__": "LogisticRegression", "content": {"content": fields, "__id__": 1}, "__id__": 2}

    before = skops(schema(1.0), **{"1": np.array([0.5, 0.25])})
    assert told("model.skops", before, skops(schema(1.0), **{"1": np.array([0.5, 0.75])})) == (
        "model.skops: coef_[1] 0.25 → 0.75: 1 of 2 numbers differ"
    )
    assert told("model.skops", before, skops(schema(2.0), **{"1": np.array([0.5, 0.25])})) == (
        "model.skops: C 1.0 → 2.0"
    )


def test_json_names_the_key() -> None:
    before, after = (json.dumps({"layers": [{"units": 64}, {"units": units}]}).encode() for units in (32, 16))
    assert told("model/architecture.json", before, after) == "model/architecture.json: layers[1].units 32 → 16"


def test_a_pickle_names_the_attribute_without_running_it() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return print, ("it ran",)

    def dumped(rate: float) -> bytes:
        buffer = io.BytesIO()
        joblib.dump({"learning_rate": rate, "weights": np.ones(3)}, buffer)
        return buffer.getvalue() + pickle.dumps([Bomb()])

    assert told("model.joblib", dumped(0.1), dumped(0.2)).startswith(
        "model.joblib: after learning_rate: the first byte"
    )


def test_an_unknown_format_tells_the_byte_and_the_sizes() -> None:
    assert told("model.bin", b"abc", b"abd") == "model.bin: the first byte that differs is number 2"
    assert told("model.bin", b"abc", b"ab") == "model.bin: the first byte that differs is number 2; 3 and 2 bytes long"


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(["skops", "safetensors", "json", "joblib"]))
def test_garbage_of_any_format_is_told_by_its_bytes(before: bytes, after: bytes, suffix: str) -> None:
    found = first_difference(f"model.{suffix}", before, after)
    assert (found is None) == (before == after)


@given(st.data(), st.sampled_from(["skops", "safetensors", "json"]))
def test_one_flipped_byte_is_found_and_never_fatal(data: st.DataObject, suffix: str) -> None:
    made = {
        "skops": skops({"content": {"file": "1.npy"}}, **{"1": np.arange(4.0)}),
        "safetensors": safetensors({"a": np.arange(4.0)}),
        "json": b'{"a": [1, {"b": null}]}',
    }[suffix]
    place = data.draw(st.integers(0, len(made) - 1))
    flipped = bytearray(made)
    flipped[place] ^= data.draw(st.integers(1, 255))
    assert first_difference(f"model.{suffix}", made, bytes(flipped)) is not None


@pytest.mark.parametrize("name", ["a bomb", "overlapping members", "a name that climbs", "a deep schema"])
def test_what_is_beyond_a_limit_is_compared_by_its_bytes(name: str) -> None:
    hostile = bombs.ARCHIVES[name][0]()
    found = first_difference("model.skops", hostile, bombs.skops({"a": 1}))
    assert found is not None
    assert (found.what, found.note[:14]) == ("model.skops", "the first byte")


def test_an_array_that_claims_too_much_is_compared_by_its_bytes() -> None:
    before, after = (
        bombs.skops(bombs.array_node("a.npy"), **{"a.npy": bombs.npy("(1000000000000,)", body=body)})
        for body in (b"x", b"y")
    )
    found = first_difference("model.skops", before, after)
    assert found is not None
    assert found.what == "model.skops"
