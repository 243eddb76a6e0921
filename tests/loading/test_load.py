"""Loading by the public API: what is verified is what is loaded, and what runs code loads only where it is trusted."""

from __future__ import annotations

import os
import pickle
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import artreg
from artreg.api import Registry
from artreg.consuming.cache import Cache
from artreg.consuming.keeping import usage
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import replace
from artreg.loading import load as loading
from artreg.registry import contents
from artreg.registry.signatures import sign_version
from artreg.store.interface import Chunk
from artreg.store.local import LocalStore
from keys import allow, make_key, needs_openssh
from loading.artifacts import FRAME, as_joblib, as_skops, canary_command, estimator
from loading.conftest import CHURN, Put

METHODS = ["model.joblib", "model.pkl", "model.pickle"]


def expected() -> Any:
    return estimator().predict_proba(FRAME)


def test_loads_what_an_alias_holds(put: Put) -> None:
    put({"model.skops": as_skops(estimator(0.1))})
    registry = put({"model.skops": as_skops(estimator())})
    loaded = registry.load("churn@prod")
    assert np.array_equal(loaded.predict(FRAME), expected())
    assert np.array_equal(loaded.model.predict(FRAME), estimator().predict(FRAME))
    assert (str(loaded.source.version), loaded.format) == ("1.1.0", "skops")
    assert loaded.source.digest == registry.resolve("churn@prod").digest
    assert not np.array_equal(registry.load("churn@1.0.0").predict(FRAME), expected())


@pytest.mark.parametrize("models", [0, 2])
def test_loading_keeps_the_cache_within_its_size(put: Put, tmp_path: Path, models: int) -> None:
    data = as_skops(estimator())
    limit = models * len(data) + 4000
    for _ in range(4):
        registry = replace(put({"model.skops": data + os.urandom(8)}), cache=str(tmp_path / "cache"), cache_size=limit)
        assert np.array_equal(registry.load("churn@prod").predict(FRAME), expected())
        assert usage(Cache(str(tmp_path / "cache"))).bytes <= limit


def test_what_is_not_there_is_not_loaded(put: Put) -> None:
    registry = put({"model.skops": as_skops(estimator())})
    for reference in ("churn@2.0.0", "other@prod", "churn@staging"):
        with pytest.raises(NotFound):
            registry.load(reference)


@pytest.mark.parametrize("files", [{"model.onnx": b"?"}, {"model/own.bin": b"?"}, {"model/model.safetensors": b"?"}])
def test_a_format_that_nobody_here_reads_is_told(put: Put, files: dict[str, bytes]) -> None:
    with pytest.raises(InvalidInput, match="no model that artreg can load") as caught:
        put(files).load("churn@prod", trust=artreg.THIS_REGISTRY)
    assert "artreg pull" in caught.value.hint


# --- the bytes that are verified are the bytes that are loaded ---


class Shifty:
    """A store that gives a file as it is once, and another one whenever it is asked again."""

    def __init__(self, store: LocalStore, name: str, other: bytes) -> None:
        self._store, self._name, self._other = store, name, other
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _answer(self, key: str, honest: Callable[[], bytes]) -> bytes:
        if not key.endswith(self._name):
            return honest()
        self.asked += 1
        return honest() if self.asked == 1 else self._other

    def read(self, key: str, *limit: int) -> bytes:
        return self._answer(key, lambda: self._store.read(key, *limit))

    def chunks(self, key: str) -> Iterator[Chunk]:
        yield self._answer(key, lambda: b"".join(bytes(chunk) for chunk in self._store.chunks(key)))

    def local_path(self, key: str) -> Path | None:
        """Tell where the file lies, and put another one there at once: it must not be opened by its path."""
        path = self._store.local_path(key)
        if path is not None and key.endswith(self._name):
            path.chmod(0o644)
            path.write_bytes(self._other)
        return path


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("trust", [None, artreg.THIS_REGISTRY])
def test_what_was_verified_is_what_is_loaded(
    put: Put, monkeypatch: pytest.MonkeyPatch, canary: Path, trust: str | None, in_memory: bool
) -> None:
    honest = as_joblib(estimator()) if trust else as_skops(estimator())
    other = as_joblib(canary_command(canary)) if trust else as_skops(estimator(0.1))
    name = "model.joblib" if trust else "model.skops"
    registry = put({name: honest})
    if not in_memory:
        monkeypatch.setattr(contents, "IN_MEMORY", 10)
    store = Shifty(registry.handle.store, name, other)
    shifty = Registry(replace(registry.handle, store=store))
    assert np.array_equal(shifty.load("churn@prod", trust=trust).predict(FRAME), expected())
    assert store.asked == 1, "the file was read more than once"


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_file_that_is_replaced_while_it_is_read_is_not_loaded(
    put: Put, monkeypatch: pytest.MonkeyPatch, canary: Path, in_memory: bool
) -> None:
    """First half of the one, second half of the other: whatever comes of it is hashed as it is loaded."""
    honest = as_joblib(estimator())
    registry = put({"model.joblib": honest})
    if not in_memory:
        monkeypatch.setattr(contents, "IN_MEMORY", 10)
    (path,) = Path(registry.url).glob("demo/churn/1.0.0/model.joblib")

    class MidWay(Shifty):
        def chunks(self, key: str) -> Iterator[Chunk]:
            for number, chunk in enumerate(self._store.chunks(key)):
                if key.endswith(self._name) and number == 0:
                    half = len(chunk) // 2
                    yield bytes(chunk[:half])
                    path.chmod(0o644)
                    path.write_bytes(self._other)
                    with path.open("rb") as file:
                        file.seek(half)
                        yield file.read()
                    return
                yield chunk

    store = MidWay(registry.handle.store, "model.joblib", as_joblib(canary_command(canary)))
    with pytest.raises(IntegrityError):
        Registry(replace(registry.handle, store=store)).load("churn@prod", trust=artreg.THIS_REGISTRY)


def test_a_file_that_is_replaced_between_verification_and_loading_is_not_seen(
    put: Put, monkeypatch: pytest.MonkeyPatch, canary: Path
) -> None:
    registry = put({"model.joblib": as_joblib(estimator())})
    (path,) = Path(registry.url).glob("demo/churn/1.0.0/model.joblib")
    held = contents.held

    def held_then_swapped(*arguments: Any) -> Any:
        manager = held(*arguments)

        class Swapped:
            def __enter__(self) -> Any:
                files = manager.__enter__()
                path.unlink()
                path.write_bytes(as_joblib(canary_command(canary)))
                return files

            def __exit__(self, *error: object) -> Any:
                return manager.__exit__(*error)

        return Swapped()

    monkeypatch.setattr(loading, "held", held_then_swapped)
    assert np.array_equal(registry.load("churn@prod", trust=artreg.THIS_REGISTRY).predict(FRAME), expected())


def test_a_large_file_is_held_without_a_name(put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    registry = put({"model.skops": as_skops(estimator())})
    monkeypatch.setattr(contents, "IN_MEMORY", 10)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    found = contents.find_contents(registry.handle, registry._reference("churn@prod"))
    with contents.held(found, ["model.skops"]) as files:
        status = os.fstat(files["model.skops"].fileno())
        assert (status.st_nlink, stat.S_IMODE(status.st_mode) & 0o077) == (0, 0)
        assert list(scratch.iterdir()) == []
    assert files["model.skops"].closed


def test_a_full_disk_is_no_damage(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = put({"model.skops": as_skops(estimator())})
    monkeypatch.setattr(contents, "IN_MEMORY", 10)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(StorageError, match="cannot hold a copy"):
        registry.load("churn@prod")


@pytest.mark.parametrize("name", ["model.skops", "checksum.txt", "run.json"])
def test_a_changed_byte_is_not_loaded(put: Put, name: str) -> None:
    registry = put({"model.skops": as_skops(estimator())})
    (path,) = Path(registry.url).glob(f"demo/churn/1.0.0/{name}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        registry.load("churn@prod")


def test_a_file_that_somebody_put_beside_the_others_is_damage(put: Put) -> None:
    registry = put({"model.skops": as_skops(estimator())})
    Path(registry.url, "demo/churn/1.0.0/model.joblib").write_bytes(b"?")
    with pytest.raises(IntegrityError, match="extra"):
        registry.load("churn@prod")


# --- what runs code ---


def hostile(name: str, canary: Path) -> bytes:
    made = canary_command(canary)
    return as_joblib(made) if name.endswith("joblib") else pickle.dumps(made)


@pytest.mark.parametrize("name", [*METHODS, "model.pt", "model.pth"])
def test_a_pickle_is_not_loaded_unless_something_is_trusted(put: Put, canary: Path, name: str) -> None:
    registry = put({name: hostile(name, canary)})
    with pytest.raises(InvalidInput, match="may run code") as caught:
        registry.load("churn@prod")
    digest = registry.resolve("churn@prod").digest
    assert f"sha256:{digest}" in caught.value.hint
    assert "skops" in caught.value.hint


@pytest.mark.parametrize("trust", [True, "yes", "", "sha256:", "sha256:12", f"sha256:{'G' * 64}", 1, b"this registry"])
def test_trust_names_something(put: Put, canary: Path, trust: Any) -> None:
    registry = put({"model.joblib": hostile("model.joblib", canary)})
    with pytest.raises(InvalidInput):
        registry.load("churn@prod", trust=trust)


@pytest.mark.parametrize("name", METHODS)
def test_trust_in_the_digest_or_the_registry(put: Put, name: str) -> None:
    data = as_joblib(estimator()) if name.endswith("joblib") else pickle.dumps(estimator())
    registry = put({name: data})
    digest = registry.resolve("churn@prod").digest
    for trust in (f"sha256:{digest}", artreg.Digest(digest), artreg.THIS_REGISTRY):
        assert np.array_equal(registry.load("churn@prod", trust=trust).predict(FRAME), expected())


@pytest.mark.parametrize("data", [as_skops(estimator()), b"\x80\x04}."])
def test_another_digest_than_the_trusted_one_is_refused_whatever_the_format(put: Put, data: bytes) -> None:
    registry = put({"model.skops" if data[:2] == b"PK" else "model.pkl": data})
    with pytest.raises(IntegrityError, match="not the trusted"):
        registry.load("churn@prod", trust=artreg.Digest("0" * 64))


def test_trust_in_the_digest_is_in_the_bytes(put: Put, canary: Path) -> None:
    """Prod moves to a hostile version: what was trusted was the other one."""
    registry = put({"model.joblib": as_joblib(estimator())})
    digest = registry.resolve("churn@prod").digest
    put({"model.joblib": hostile("model.joblib", canary)})
    with pytest.raises(IntegrityError, match="not the trusted"):
        registry.load("churn@prod", trust=f"sha256:{digest}")


@needs_openssh
def test_trust_in_a_signer_is_in_what_was_signed(put: Put, tmp_path: Path, canary: Path) -> None:
    """Prod moves to a version that nobody, or somebody else, signed: nothing of it is run."""
    registry = put({"model.joblib": as_joblib(estimator())})
    alice, eve = make_key(tmp_path, "alice"), make_key(tmp_path, "eve")
    signer = artreg.Signer("alice@example.com", allow(tmp_path, alice=alice, eve=eve))
    with pytest.raises(IntegrityError, match=r"no valid signature by alice@example.com$"):
        registry.load("churn@prod", trust=signer)
    sign_version(registry.handle, CHURN, Version(1, 0, 0), alice, who="alice@example.com")
    assert registry.load("churn@prod", trust=signer).source.version == Version(1, 0, 0)
    put({"model.joblib": hostile("model.joblib", canary)})
    sign_version(registry.handle, CHURN, Version(1, 1, 0), eve, who="eve@example.com")
    with pytest.raises(IntegrityError, match=r"no valid signature by alice@example.com; signed by eve@example.com$"):
        registry.load("churn@prod", trust=signer)
    with pytest.raises(InvalidInput, match="cannot be read"):
        registry.load("churn@prod", trust=artreg.Signer("alice@example.com", tmp_path / "nowhere"))


def test_what_trusted_code_raises_is_told(put: Put) -> None:
    registry = put({"model.pkl": b"\x80\x04\x8c\x07nowhere\x8c\x01x\x93."})
    with pytest.raises(InvalidInput, match="ModuleNotFoundError"):
        registry.load("churn@prod", trust=artreg.THIS_REGISTRY)


# --- skops: the consumer says which types ---


class Own:
    """A class of somebody's own, which neither skops nor artreg trusts."""

    def __init__(self) -> None:
        self.factor = 3

    def predict(self, features: Any) -> Any:
        return features["a"] * self.factor


OWN = f"{Own.__module__}.Own"


def test_skops_makes_only_types_that_the_consumer_trusts(put: Put) -> None:
    registry = put({"model.skops": as_skops(Own())})
    for trust in (None, artreg.THIS_REGISTRY):
        with pytest.raises(InvalidInput, match="nobody here trusts") as caught:
            registry.load("churn@prod", trust=trust)
        assert caught.value.details["types"] == [OWN]
    with pytest.raises(InvalidInput, match="nobody here trusts"):
        registry.load("churn@prod", types=["os.system", "tests.Other"])
    assert registry.load("churn@prod", types=[OWN]).predict(FRAME).iloc[-1] == 3
