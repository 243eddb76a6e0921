"""Figures of a registry in a real bucket: those of its copy on a disk, though they are read several at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.integrations.prometheus import Family, families
from artreg.registry.handle import Registry
from artreg.registry.mirror import mirror
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.verify import verify
from artreg.registry.vitals import take_vitals
from artreg.store.local import LocalStore
from registry.bench import FREE, Bench
from store.places import S3Place

pytestmark = pytest.mark.s3

MODELS = 12


def told(registry: Registry) -> list[Family]:
    return families("r", take_vitals(registry), 0.0)


def test_a_bucket_tells_what_its_copy_on_a_disk_does(ceph_place: S3Place, tmp_path: Path) -> None:
    bench = Bench(ceph_place.store(), tmp_path)
    made = bench.made()
    for number in range(MODELS):
        model = ModelName("demo", f"m{number:02}")
        for minor in range(2):
            publish(bench.registry, model, made, Version(1, minor, 0))
            promote(bench.registry, model, Version(1, minor, 0), FREE, bench.policy)
    copy = LocalStore(tmp_path / "copy")
    copy.make_root()
    mirror(bench.registry, Registry(copy))
    figures = told(Registry(ceph_place.store()))
    assert figures == told(Registry(copy))
    assert sum(len(family.samples) for family in figures) > 15 * MODELS
    verify(bench.registry, record=True)
    (results,) = [it for it in told(bench.registry) if it.name == "artreg_alias_verified_timestamp_seconds"]
    assert all(sample.value > 0 for sample in results.samples)
