"""Every request of every operation goes wrong in every way, on a simulated service; nobody is told a falsehood."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from artreg.store import commit
from faults.build import make_sources
from faults.s3_matrix import Matrix
from sizes import size
from store.s3_fake import FakeS3

STEP = int(os.environ.get("ARTREG_TEST_FAULT_STEP", size(997, 29, 1)))
"""Every so manieth case is tried, 1 tries all; an odd number, since every other fault lasts."""

pytestmark = pytest.mark.usefixtures("broken_connections")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with pytest.MonkeyPatch.context() as patch, FakeS3() as fake:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        sources = make_sources(tmp_path_factory.mktemp("sources"), large=2**20 + 1)
        yield Matrix(fake, sources)


def test_nothing_false_is_said_whatever_goes_wrong(matrix: Matrix) -> None:
    failed = []
    cases = matrix.sample(STEP)
    for case in cases:
        try:
            matrix.try_case(*case)
        except Exception as error:
            failed.append(f"{case}: {type(error).__name__}: {error}"[:300])
    print(f"{len(cases)} cases: {matrix.tally}")
    assert failed == []


def test_commit_that_does_not_read_back_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge can say no."""
    monkeypatch.setattr(commit, "_is_ours", lambda *_: False)
    seen = matrix._calm("promote next")
    number = next(it for it, (method, path) in enumerate(seen, start=1) if method == "PUT" and "/prod/" in path)
    with pytest.raises(AssertionError, match="ended with conflict"):
        matrix.try_case("promote next", "412 after the effect", number, False)
