"""Fixtures for all tests: stores to write to, and S3 servers to keep them in."""

from __future__ import annotations

import gc
import importlib.util
import os
import threading
import uuid
from collections.abc import Generator, Iterator
from typing import TypeVar

import hypothesis
import pytest
from hypothesis import is_hypothesis_test

gc.disable()  # until everything is loaded, of which nothing is garbage
os.environ.setdefault("ARTREG_CACHE", "off")  # no test fills the cache of whoever runs it
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # a thread that waits needs no core, of which all have work

pytest.register_assert_rewrite("store.contract", "store.bucket_contract", "docs.sessions", "importing.contract")

import sizes  # noqa: E402
from artreg.store.local import LocalStore  # noqa: E402
from artreg.store.memory import MemoryStore  # noqa: E402
from store.places import MotoPlace, S3Place  # noqa: E402

unshrunk = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
hypothesis.settings.register_profile(
    "artreg",
    max_examples=sizes.size(30, 100, 500),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # as slow as the machine is busy
    phases=unshrunk if os.environ.get("ARTREG_TEST_NO_SHRINKING") else tuple(hypothesis.Phase),
)
hypothesis.settings.load_profile("artreg")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test that is skipped fail where nothing may be left out."""
    return _not_left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a module that is skipped fail there, too."""
    return _not_left_out((yield))


def _not_left_out(report: Report) -> Report:
    """Where `ARTREG_TEST_NO_SKIPS` is set, as in CI, turn a report of what was skipped into one of a failure."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ARTREG_TEST_NO_SKIPS"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} must not be left out here: {why}"
    return report


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through thousands of tests again and again."""
    gc.freeze()
    gc.set_threshold(100_000)
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before markers are looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what tries more where it is asked to; leave out what needs torch where that extra is not installed."""
    for item in items:
        if isinstance(item, pytest.Function) and (sizes.asked_by(item.module) or is_hypothesis_test(item.obj)):
            item.add_marker("sized")
    if importlib.util.find_spec("torch") is None:
        left_out = [item for item in items if item.get_closest_marker("torch")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def local_store(tmp_path) -> LocalStore:
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    return store


@pytest.fixture
def memory_store() -> MemoryStore:
    store = MemoryStore(uuid.uuid4().hex)
    store.make_root()
    return store


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """A simulated S3, which checks conditions atomically only because its requests take turns."""
    from moto.server import create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_args: object) -> None:
            pass

    app = create_backend_app("s3")  # the dispatcher to all services lists moto's folder twice for each request
    turn = threading.Lock()

    def one_at_a_time(environ, start_response):
        with turn:
            return list(app(environ, start_response))

    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, os.environ.get(name, "testing"))
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def moto_place(moto_endpoint) -> MotoPlace:
    """A new bucket in the simulated S3."""
    return MotoPlace.make(moto_endpoint, f"bucket-{uuid.uuid4().hex}", prefix="pre/fix")


@pytest.fixture
def ceph_place() -> S3Place:
    """A new prefix in the bucket of the server that the environment names."""
    endpoint, bucket = os.environ.get("S3_TEST_ENDPOINT"), os.environ.get("S3_TEST_BUCKET")
    if not endpoint or not bucket:
        pytest.fail("S3_TEST_ENDPOINT and S3_TEST_BUCKET must be set; make test-s3 does that")
    return S3Place.make(endpoint, bucket, prefix=f"test-{uuid.uuid4().hex}")
