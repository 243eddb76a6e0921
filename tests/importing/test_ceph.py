"""Moving into a real bucket, killed between requests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.importing.naming import Naming
from artreg.registry.handle import Registry
from artreg.registry.verify import verify
from artreg.registry.version_log import find_yank
from faults import processes
from faults.children import Root
from importing.children import Withdrawing, brings_into_a_bucket_and_dies
from importing.contract import bring_all, unwritten
from importing.test_folder import TestFolder as Folders
from store.places import S3Place

pytestmark = pytest.mark.s3

STRIDE = 7


def test_an_import_into_a_bucket_that_was_killed_goes_on(ceph_place: S3Place, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    Folders().fill(place)
    killed, at = 0, 1
    with unwritten(place):
        while True:
            fresh = S3Place(ceph_place.endpoint, ceph_place.bucket, f"{ceph_place.prefix}-{at}", ceph_place.client)
            root = Root(fresh.bucket, fresh.prefix, fresh.options(parallel=1))
            code = processes.finish(processes.start(brings_into_a_bucket_and_dies, str(place), root, at))
            naming = Naming("demo", {})
            registry = Registry(fresh.store(), "ada")
            result = bring_all(registry, Withdrawing(str(place), naming), naming)
            assert (result.troubles, result.stopped) == ((), None)
            assert len(result.imported) + len(result.present) == 4
            assert [(str(it.alias), str(it.version)) for it in result.aliases] == [("prod", "1.2.0")]
            assert find_yank(registry, ModelName("demo", "fraud"), Version(3, 0, 0)) is not None
            assert verify(registry, deep=True).ok
            if code == 0:
                break
            assert code == -signal.SIGKILL
            killed += 1
            at += STRIDE
    assert killed >= 5
    assert len(result.present) == 4
