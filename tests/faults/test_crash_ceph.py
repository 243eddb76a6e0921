"""Killed at every request to a real S3, every operation leaves a sound registry that the same command finishes."""

import pytest

from faults.build import make_sources
from faults.crash_bucket import BUCKET, kill_at_every_request
from sizes import size
from store.places import PART

pytestmark = pytest.mark.s3


def test_killed_at_every_request(ceph_place, tmp_path):
    """At night; else at those that may have changed something, since only what these leave is checked."""
    sources = make_sources(tmp_path / "sources", large=PART + 1)
    points = 0
    for name in BUCKET:
        place = type(ceph_place)(
            ceph_place.endpoint, ceph_place.bucket, f"{ceph_place.prefix}-{name.replace(' ', '-')}", ceph_place.client
        )
        folder = tmp_path / name
        folder.mkdir()
        points += kill_at_every_request(place, name, sources, folder, changes_only=size(True, True, False))[0]
    print(f"{points} crash points in a bucket")
    assert points >= size(25, 25, 220)
