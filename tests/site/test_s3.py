"""The site of a registry in a real bucket: the very bytes of the site of the same registry on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg import site
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from store.places import S3Place
from stories import stories

pytestmark = pytest.mark.s3


def test_a_bucket_gives_the_same_pages_as_a_disk(ceph_place: S3Place, tmp_path: Path) -> None:
    root = stories(tmp_path / "registry", tmp_path / "work")
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            ceph_place.put(str(path.relative_to(root)), path.read_bytes())
    here = dict(site.Site(Registry(LocalStore(root))).pages()[1])
    there = dict(site.Site(Registry(ceph_place.store())).pages()[1])
    assert there.keys() == here.keys()
    assert [path for path in here if there[path] != here[path]] == []
