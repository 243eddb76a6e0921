"""The same faults in front of a real S3 server, at the requests that commit something and at some others."""

from __future__ import annotations

import os

import pytest

from faults.build import make_sources
from faults.s3_faults import FAULTS
from faults.s3_matrix import RealMatrix
from sizes import size
from store.proxy import Proxy
from store.s3_fake import FakeS3

pytestmark = pytest.mark.s3

STEP = int(os.environ.get("ARTREG_TEST_FAULT_STEP", size(199, 199, 61)))


def test_nothing_false_is_said_whatever_goes_wrong(ceph_place, tmp_path) -> None:
    with FakeS3() as fake, Proxy(ceph_place.endpoint) as proxy:
        matrix = RealMatrix(fake, make_sources(tmp_path / "sources", large=2**20 + 1), ceph_place, proxy, STEP)
        failed = []
        for case in matrix.sampled:
            try:
                matrix.try_case(*case)
            except Exception as error:
                failed.append(f"{case}: {type(error).__name__}: {error}"[:300])
    print(f"{len(matrix.sampled)} cases: {matrix.tally}")
    assert failed == []
    assert len(matrix.tally.faults) > len(FAULTS) // 2
