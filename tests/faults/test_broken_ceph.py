"""A quarter of the answers of a real S3 broken: nobody is told something false."""

import pytest

from faults.broken_answers import promote_through_broken_answers, publish_through_broken_answers

pytestmark = pytest.mark.s3


def test_promotions_are_reported_truly(ceph_place, tmp_path):
    outcomes = promote_through_broken_answers(ceph_place, tmp_path, promoters=4, moves=10)
    assert sum(outcomes.values()) >= 40


def test_publishing_is_reported_truly(ceph_place, tmp_path):
    publish_through_broken_answers(ceph_place, tmp_path, versions=10)
