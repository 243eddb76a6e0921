"""Killed at requests to a simulated S3, every operation leaves a sound registry, and the same command finishes it."""

import pytest

from faults.build import make_sources
from faults.crash_bucket import kill_at_every_request
from sizes import size
from store.places import PART

POINTS = [("publish next", 6), ("promote next", 4)]


@pytest.mark.parametrize(("name", "points"), size(POINTS[1:], POINTS, POINTS))
def test_killed_at_every_change(moto_place, tmp_path, name, points):
    """At every request that changes something; test_crash_ceph does so at every other one too, at night."""
    sources = make_sources(tmp_path / "sources", large=PART + 1)
    killed, states = kill_at_every_request(moto_place, name, sources, tmp_path, changes_only=True)
    assert killed == states == points
