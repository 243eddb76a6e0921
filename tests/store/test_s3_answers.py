"""What an S3 service, or whatever stands in its place, may answer: slowly, elsewhere, in the wrong shape."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from artreg.errors import AlreadyExists, IntegrityError, NotFound, OutcomeUnknown, StorageError
from artreg.pace import Pace
from artreg.store import s3_pace
from artreg.store.interface import NO_PROGRESS, Pointer
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from store.contract import file, put, tree
from store.proxy import Answer, Breaking, Exchange
from store.s3_fake import BUCKET, FakeS3, Lying, said, xml

QUICK = {
    "attempts": 2,
    "backoff": 0.001,
    "part_size": 2**20,
}


@pytest.fixture(scope="module")
def service() -> Iterator[FakeS3]:
    with pytest.MonkeyPatch.context() as patch, FakeS3() as service:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield service


@pytest.fixture
def fake(service: FakeS3) -> Iterator[FakeS3]:
    """An empty service that answers as it should."""
    service.restore(Lying())
    service.seen.clear()
    yield service
    service.breaking = lambda number, method, path: None


_connection = functools.cache(connect)
LARGE = b"w" * (2**20 + 1)  # more than a part


def bucket(fake: FakeS3, **changes: object) -> S3Bucket:
    return S3Bucket(BUCKET, "r", StorageOptions(endpoint_url=fake.url, **{**QUICK, **changes}), _connection)


def store(fake: FakeS3, **changes: object) -> ObjectStore:
    return ObjectStore(bucket(fake, **changes))


def every(breaking: Breaking) -> Callable[[int, str, str], Breaking]:
    return lambda number, method, path: breaking


def instead(answer: Answer) -> Callable[[int, str, str], Breaking]:
    return every(lambda exchange: exchange.swallow() or answer)


READS = {
    "an object": lambda it: it.read("a"),
    "a listing": lambda it: it.page(""),
    "everything": lambda it: list(it.walk("")),
    "uploads": lambda it: list(it.leftovers()),
}


# Pace


def test_what_is_slow_in_the_long_run_is_given_up():
    now = itertools.count()
    pace = Pace(silence=10.0, slowest=100, clock=lambda: next(now))
    pace.check(-19, 0)  # the clock says 0, then 1, then 2
    with pytest.raises(TimeoutError, match="too slow"):
        pace.check(-20, 0)
    pace.check(-118, 10_000)
    with pytest.raises(TimeoutError):
        pace.check(-118, 10_000)


@pytest.mark.parametrize("what", READS)
def test_answer_that_trickles_is_given_up(fake, what):
    """Byte by byte, each well within the time that silence may take."""
    fake.objects["r/a"] = b"x" * 60
    fake.breaking = every(lambda exchange: exchange.send(exchange.take_effect(), pause=0.01))
    options = StorageOptions(endpoint_url=fake.url, **{**QUICK, "read_timeout": 5.0, "slowest": 10**6, "attempts": 1})
    with pytest.raises(StorageError):
        READS[what](ObjectStore(S3Bucket(BUCKET, "r", options, hurried)))


def test_slow_line_is_no_reason_to_give_up_an_upload(fake):
    """It takes longer than a connection may take to stand, which is a socket's time-out when it is new."""
    data = b"x" * (8 * 2**20)

    def steadily(exchange: Exchange) -> Answer:
        left = len(data)
        while left:
            left -= len(exchange.request.rfile.read(min(left, 2**18)))
            exchange.proxy.ended.wait(0.02)
        return 200, [("ETag", '"x"')], b""

    fake.breaking = every(steadily)
    bucket(fake, connect_timeout=0.2, read_timeout=5.0, attempts=1).put("a", data)


def test_server_that_takes_nothing_is_given_up(fake):
    fake.breaking = every(lambda exchange: fake.ended.wait(5) and None)
    with pytest.raises(OutcomeUnknown):
        bucket(fake, read_timeout=0.1, attempts=1).put("a", b"x" * (16 * 2**20))


@functools.cache
def hurried(options: StorageOptions) -> object:
    """A connection for which, as far as pace goes, time passes fifty times as fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3_pace, "Pace", functools.partial(Pace, clock=lambda: 50 * time.monotonic()))
        return connect(options)


# The wrong shape


SHAPES = {
    "a page of a proxy": xml("<html><body>Please log in</body></html>"),
    "nothing": (200, [], b""),
    "no XML": (200, [("Content-Type", "application/xml")], b"<ListBucketResult><Contents>"),
    "another listing": xml(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>elsewhere</Key><Size>1</Size>"
        "<LastModified>2026-11-21T10:00:00.000Z</LastModified></Contents></ListBucketResult>"
    ),
    "a listing without sizes": xml(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>r/a</Key></Contents></ListBucketResult>"
    ),
    "a listing without end": xml("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
    "a condition that nobody set": said(412, "PreconditionFailed"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("what", READS)
def test_what_is_no_answer_of_a_storage_is_neither_content_nor_absence(fake, shape, what):
    if what == "uploads" and shape not in {"a page of a proxy", "nothing", "no XML", "a condition that nobody set"}:
        shape = "a page of a proxy"
    fake.objects["r/a"] = b"x"
    fake.breaking = instead(SHAPES[shape])
    with pytest.raises(StorageError):
        READS[what](store(fake))


def test_page_that_a_cache_plays_again_does_not_keep_us_reading(fake):
    fake.objects.update({f"r/{number:04}": b"x" for number in range(1001)})
    first: list[Answer] = []

    def again(exchange: Exchange) -> Answer:
        first.append(exchange.take_effect())
        return first[0]

    fake.breaking = every(again)
    with pytest.raises(StorageError):
        list(store(fake).walk(""))


@pytest.mark.parametrize("markers", ["", "<NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>b</NextUploadIdMarker>"])
def test_uploads_without_end_do_not_keep_us_reading(fake, markers):
    fake.breaking = instead(
        xml(f"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>{markers}</ListMultipartUploadsResult>")
    )
    with pytest.raises(StorageError):
        list(store(fake).leftovers())


@pytest.mark.parametrize("write", ["create", "point"])
def test_write_that_something_else_accepts_is_not_taken_for_done(fake, write):
    fake.breaking = instead((200, [("Content-Type", "text/html")], b"<html>welcome</html>"))
    with pytest.raises(OutcomeUnknown):
        store(fake).create("a", b"x") if write == "create" else store(fake).point("a", Pointer("1.0.0", 1))
    assert fake.objects == {}


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ([("ETag", '"x"'), ("Content-Range", "bytes 0-2/9")], b"123"),  # less than there is
        ([("ETag", '"x"'), ("Content-Range", "bytes 3-8/9")], b"456789"),  # from elsewhere
        ([("ETag", '"x"'), ("Content-Range", "nonsense")], b"123456789"),
    ],
)
def test_part_that_was_not_asked_for_is_not_taken(fake, headers, data):
    fake.breaking = instead((206, headers, data))
    with pytest.raises(StorageError):
        store(fake).read("a")


def test_condition_that_nobody_set_does_not_refuse_a_pointer(fake):
    fake.breaking = instead(said(412, "PreconditionFailed"))
    with pytest.raises(StorageError):
        store(fake).point("a", Pointer("1.0.0", 1))


# What credentials may not do


def test_missing_object_is_told_from_a_forbidden_one_by_a_listing(fake):
    """Who may list below a prefix only is told of any missing object that it is forbidden."""
    fake.objects["r/there"] = b"x"
    fake.breaking = lambda number, method, path: (
        None if "list-type" in path else lambda exchange: said(403, "AccessDenied")
    )
    with pytest.raises(NotFound):
        store(fake).read("missing")
    with pytest.raises(StorageError, match="AccessDenied") as caught:
        store(fake).read("there")
    assert "s3:GetObject" in caught.value.hint


@pytest.mark.parametrize(
    ("right", "act"),
    [
        ("s3:GetObject", lambda it: it.read("a")),
        ("s3:ListBucket", lambda it: it.page("")),
        ("s3:PutObject", lambda it: it.create("b", b"x")),
        ("s3:DeleteObject", lambda it: it.delete(["a"])),
    ],
)
def test_right_that_is_lacking_is_named(fake, right, act):
    fake.objects["r/a"] = b"x"
    fake.breaking = instead(said(403, "AccessDenied"))
    with pytest.raises(StorageError) as caught:
        act(store(fake))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert right in caught.value.hint


# Elsewhere


ELSEWHERE = {
    **{f"{status}": lambda url, status=status: (status, [("Location", url)], b"") for status in (301, 302, 307, 308)},
    "permanently": lambda url: said(301, "PermanentRedirect", f"<Endpoint>{url}</Endpoint>", (("Location", url),)),
    "region": lambda url: said(400, "AuthorizationHeaderMalformed", f"<Region>{url.partition('//')[2]}/x</Region>"),
    "bucket region": lambda url: said(301, "Moved", "", (("x-amz-bucket-region", f"evil@{url.partition('//')[2]}"),)),
    "another region": lambda url: said(301, "PermanentRedirect", "", (("x-amz-bucket-region", "eu-central-1"),)),
}


@pytest.mark.parametrize("way", ELSEWHERE)
@pytest.mark.parametrize("what", ["an object", "a listing", "a write"])
def test_nothing_is_sent_to_where_an_answer_points(fake, way, what):
    with FakeS3() as other:
        fake.breaking = instead(ELSEWHERE[way](f"{other.url}/{BUCKET}/r/a"))
        with pytest.raises(StorageError):
            store(fake).create("a", b"x") if what == "a write" else READS[what](store(fake))
        assert other.connections == 0
    assert fake.seen


# Uploads


def conditional(fake: FakeS3, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What is written, and whether on the condition that nothing is there."""
    written: list[tuple[str, str, bool]] = []
    pass_on = fake.pass_on

    def noted(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if method == "PUT" or "uploadId" in path:
            written.append(
                (method, path, {name.lower(): it for name, it in headers.items()}.get("if-none-match") == "*")
            )
        return pass_on(method, path, headers, body)

    monkeypatch.setattr(fake, "pass_on", noted)
    return written


def test_every_write_of_a_tree_is_conditional(fake, monkeypatch):
    written = conditional(fake, monkeypatch)
    put(store(fake), "m/1.0.0", [*tree(), file("weights", LARGE)])
    without = {path.partition("?")[2].partition("=")[0] for _, path, held in written if not held}
    assert without == {"partNumber"}  # parts are no objects
    assert [held for method, _, held in written if method == "POST"] == [True]


@pytest.mark.parametrize("name", ["metrics.json", "weights"])
def test_upload_that_was_sent_twice_is_our_own(fake, monkeypatch, name):
    written = conditional(fake, monkeypatch)
    done: list[str] = []

    def lost(exchange: Exchange) -> Answer:
        exchange.take_effect()
        return said(500, "InternalError")

    def once(number: int, method: str, path: str) -> Breaking | None:
        ends = (method == "PUT" and path.endswith(name)) or (method == "POST" and f"{name}?uploadId" in path)
        if ends and not done:
            done.append(path)
            return lost
        return None

    fake.breaking = once
    put(store(fake), "m/1.0.0", [*tree(), file("weights", LARGE)])
    assert done
    assert all(held for _, path, held in written if "partNumber" not in path)
    assert "r/m/1.0.0/checksum.txt" in fake.objects


def test_completion_without_a_condition_where_the_service_knows_none(fake, monkeypatch):
    written = conditional(fake, monkeypatch)
    pass_on = fake.pass_on

    def unknowing(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if method == "POST" and "If-None-Match" in headers:
            return said(501, "NotImplemented")
        return pass_on(method, path, headers, body)

    monkeypatch.setattr(fake, "pass_on", unknowing)
    assert bucket(fake).upload("a", file("a", LARGE), NO_PROGRESS, absent=True)
    assert fake.objects["r/a"] == LARGE
    assert written[-1][0] == "POST"


def test_refused_completion_leaves_no_parts(fake):
    fake.objects["r/a"] = b"another"
    with pytest.raises(AlreadyExists):
        bucket(fake).upload("a", file("a", LARGE), NO_PROGRESS, absent=True)
    assert fake.uploads == {}
    assert fake.objects["r/a"] == b"another"


def test_fake_starts_over(fake):
    fake.objects["r/a"] = b"x"
    lying = fake.lying()
    fake.objects["r/a"] = b"y"
    fake.restore(lying)
    assert store(fake).read("a") == b"x"
    fake.restore(Lying())
    with pytest.raises(NotFound):
        store(fake).read("a")


def test_overwritten_while_read_is_noticed(fake):
    fake.objects["r/a"] = b"1" * len(LARGE)
    pieces = store(fake).chunks("a")
    next(pieces)
    fake.objects["r/a"] = b"2" * len(LARGE)
    with pytest.raises(IntegrityError, match="overwritten"):
        list(pieces)
