"""A quarter of the answers of a simulated S3 broken: nobody is told something false."""

import pytest

from faults.broken_answers import promote_through_broken_answers, publish_through_broken_answers
from sizes import size
from store.proxy import MODES

LOUD = ("reset", "error", "refuse")

pytestmark = pytest.mark.usefixtures("broken_connections")


def test_promotions_are_reported_truly(moto_place, tmp_path):
    # Silence is what costs time: of the ways to break an answer it is one of seven, of four at full size.
    promote_through_broken_answers(moto_place, tmp_path, 2, 2, size((*MODES, *LOUD), MODES, MODES))


def test_publishing_is_reported_truly(moto_place, tmp_path):
    publish_through_broken_answers(moto_place, tmp_path, versions=size(1, 3, 3))
