"""A quarter of the answers of a real S3 broken: nobody is told something false."""

import pytest

from faults.broken_answers import promote_through_broken_answers, publish_through_broken_answers
from sizes import size

pytestmark = pytest.mark.s3


def test_promotions_are_reported_truly(ceph_place, tmp_path):
    promoters, moves = size((4, 10), (4, 10), (10, 50))
    outcomes = promote_through_broken_answers(ceph_place, tmp_path, promoters, moves)
    assert sum(outcomes.values()) >= promoters * moves


def test_publishing_is_reported_truly(ceph_place, tmp_path):
    publish_through_broken_answers(ceph_place, tmp_path, versions=10)
