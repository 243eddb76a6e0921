"""Every single flipped bit of a registry is found by `verify`."""

from functools import cache
from itertools import islice

import pytest

from artreg.core import record, strict, version_event
from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.store.interface import Store
from faults.build import V1, V2, V3
from sizes import FULL, size
from store.places import LocalPlace, MemoryPlace

M = ModelName("p", "m")
STAGING, PROD = Alias("staging"), Alias("prod")
POLICY = parse_policy({"aliases": {"staging": {}, "prod": {"gates": [{"gate": "from", "alias": "staging"}]}}})

PARTS = size(1, 4, 4)
"""Into how many tests the flips in memory are split, for as many workers."""


def _build(store: Store, folder) -> Registry:
    """Three versions of a few bytes; prod took the first from staging and the second by mistake."""
    registry = Registry(store, "me")
    for version in (V1, V2, V3):
        source = folder / str(version)
        source.mkdir()
        (source / "model.x").write_text(str(version.minor))
        publish(registry, M, source, version)
    for version in (V1, V2):
        promote(registry, M, version, STAGING, POLICY)
        promote(registry, M, version, PROD, POLICY)
    rollback(registry, M, PROD, POLICY, reason="bad")
    assert verify(registry).ok
    return registry


def _flips(files: dict[str, bytes], step: int = 1):
    """Each flip as key, position and bit; with a step only some of the bytes, but all parts of all files."""
    for key, data in files.items():
        for position in range(0, len(data), step):
            for bit in range(8) if FULL else (position % 8,):
                yield key, position, bit


def _flipped(data: bytes, position: int, bit: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


@pytest.fixture
def parsed_once(monkeypatch):
    """Records and events that are as they were are not parsed again: it depends on their bytes and names alone."""
    for module in (record, version_event):
        monkeypatch.setattr(module, "parse_strictly", cache(strict.parse_strictly))


@pytest.mark.usefixtures("parsed_once")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_flip_in_memory(tmp_path, part):
    place = MemoryPlace()
    registry = _build(place.store(), tmp_path)
    names = place.keys()
    files = {key: place.get(key) for key in names}
    assert {"p/m/prod", "p/m/history/prod/00000003.json", "p/m/1.2.0/checksum.txt"} <= files.keys()
    missed, count = [], 0
    for key, position, bit in islice(_flips(files, step=size(41, 1, 1)), part, None, PARTS):
        place.put(key, _flipped(files[key], position, bit))
        if verify(registry).ok:
            missed.append((key, position, bit))
        place.put(key, files[key])
        count += 1
    print(f"{count} flips of a single bit in memory, {len(missed)} missed")
    assert missed == []
    assert verify(registry).ok


@pytest.mark.usefixtures("parsed_once")
def test_flips_on_a_disk(tmp_path):
    place = LocalPlace(tmp_path / "registry")
    registry = _build(place.store(), tmp_path)
    names = place.keys()
    files = {key: place.get(key) for key in names}
    missed, count = [], 0
    for key, position, bit in _flips(files, step=size(97, 11, 11)):
        path = place.root / key
        path.chmod(0o644)
        path.write_bytes(_flipped(files[key], position, bit))
        if verify(registry).ok:
            missed.append((key, position, bit))
        path.write_bytes(files[key])
        count += 1
    print(f"{count} flips of a single bit on a disk, {len(missed)} missed")
    assert missed == []
