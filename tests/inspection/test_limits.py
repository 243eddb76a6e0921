"""Files that unpack to more than they may, or are not what they claim, are refused with little memory."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from artreg.errors import IntegrityError
from artreg.inspection import archives, limits
from artreg.inspection.packing import unpacked
from artreg.inspection.tensors import read_tensors
from artreg.training import skops_bytes
from inspection import bombs
from loading.artifacts import FRAME, as_joblib, as_skops, estimator


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process with 256 MiB of room says of each hostile file."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("the system does not say how much memory a process has")
    folder = tmp_path_factory.mktemp("bombs")
    for suffix, files in (("skops", bombs.ARCHIVES), ("joblib", bombs.PACKED)):
        for name, (make, _) in files.items():
            (folder / f"{name}.{suffix}").write_bytes(make())
    for name, (data, _) in bombs.TENSORS.items():
        (folder / f"{name}.safetensors").write_bytes(data)
    program = Path(__file__).with_name("bounded.py")
    done = subprocess.run([sys.executable, program, folder], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    assert found["room"] == "bounded"
    return found


@pytest.mark.parametrize("name", bombs.ARCHIVES)
def test_a_hostile_archive_is_refused(said: dict[str, str], name: str) -> None:
    assert re.search(f"^integrity: .*({bombs.ARCHIVES[name][1]})", said[f"{name}.skops"]), said[f"{name}.skops"]


@pytest.mark.parametrize("name", bombs.PACKED)
def test_a_hostile_packed_file_is_refused(said: dict[str, str], name: str) -> None:
    assert re.search(f"^integrity: .*({bombs.PACKED[name][1]})", said[f"{name}.joblib"]), said[f"{name}.joblib"]


@pytest.mark.parametrize("name", bombs.TENSORS)
def test_a_hostile_safetensors_file_is_refused(said: dict[str, str], name: str) -> None:
    shown = said[f"{name}.safetensors"]
    assert re.search(f"^integrity: .*({bombs.TENSORS[name][1]})", shown), shown


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_is_within_the_limits_loads(method: int) -> None:
    with zipfile.ZipFile(io.BytesIO(as_skops(estimator()))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    loaded = skops_bytes.load(io.BytesIO(bombs.archive(members, method)), "the model")
    assert (loaded.predict(FRAME) == estimator().predict(FRAME)).all()


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_reads_what_was_unpacked_for_it(compress: object) -> None:
    import joblib

    loaded = joblib.load(unpacked(io.BytesIO(as_joblib(estimator(), compress)), "the model"))
    assert (loaded.predict(FRAME) == estimator().predict(FRAME)).all()


def test_what_unpacks_to_much_is_kept_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from artreg.inspection import packing

    monkeypatch.setattr(packing, "_IN_MEMORY", 2**20)
    import random
    import zlib

    data = random.Random(1).randbytes(3 * 2**20)
    with unpacked(io.BytesIO(zlib.compress(data)), "the model") as file:
        assert file.fileno() > 0
        assert file.read() == data


def test_the_ratio_does_not_count_for_what_is_small() -> None:
    data = bombs.skops("[]", **{"a.bin": bytes(limits.UNPACKED_AT_LEAST - 1000)})
    with archives.checked_archive(io.BytesIO(data), "it") as archive:
        assert len(archive.namelist()) == 2
    larger = bombs.skops("[]", **{"a.bin": bytes(limits.UNPACKED_AT_LEAST + 1)})
    with pytest.raises(IntegrityError, match="unpacks to more"), archives.checked_archive(io.BytesIO(larger), "it"):
        pass


def test_what_holds_tensors_is_read() -> None:
    entry = {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}
    data = bombs.safetensors({"__metadata__": {"format": "pt"}, "a": entry, "b": {**entry, "data_offsets": [12, 24]}})
    tensors = read_tensors(io.BytesIO(data + bytes(24)), "it")
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()} == {
        "a": ("BF16", (2, 3)),
        "b": ("BF16", (2, 3)),
    }


@pytest.mark.torch
def test_layers_that_are_not_there_take_no_room() -> None:
    from artreg.core import canonical
    from artreg.training.trainers import mlp

    layers = mlp.Architecture("regression", (), (), (), (10**7, 10**7), "relu", 0.0, 0.0, 1.0)
    files = {mlp.WEIGHTS: bombs.safetensors({}), mlp.ARCHITECTURE: canonical.dumps(layers.document())}
    with pytest.raises(IntegrityError, match="do not have the shapes"):
        mlp.load(files)
