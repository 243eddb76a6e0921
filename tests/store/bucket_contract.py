"""What the S3 store must do beyond the contract of all stores, on a simulated server and on a real one."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
import warnings
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound, OutcomeUnknown, StorageError
from artreg.store import s3_wire
from artreg.store.commit import commit
from artreg.store.interface import NO_PROGRESS, Kind, Leftover, Pointer, TreeFile
from artreg.store.object import ObjectStore
from artreg.store.s3 import S3Bucket
from artreg.store.staging import in_place
from store.contract import file, put, tree, walked
from store.faults import Crash
from store.places import PART, S3Place
from store.proxy import Proxy

FAST = {"connect_timeout": 1.0, "read_timeout": 0.25, "attempts": 20, "backoff": 0.005}


def large(parts: int = 2, *, name: str = "weights") -> TreeFile:
    data = b"".join(bytes([number + 1]) * PART for number in range(parts)) + b"rest"
    return file(name, data)


class Dying:
    """Progress that ends the process's work once so many bytes have moved."""

    def __init__(self, after: int, action=None) -> None:
        self._left = after
        self._action = action

    def advance(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            if self._action is None:
                raise Crash
            self._action()


class BucketContract:
    """Tests that a subclass runs against the `place` that it gives."""

    @pytest.fixture
    def store(self, place: S3Place) -> ObjectStore:
        return place.store()

    def uploads(self, place: S3Place) -> list[str]:
        answer = place.client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.prefix)
        return [item["UploadId"] for item in answer.get("Uploads", ())]

    # Trees

    def test_dead_publish_is_taken_up_where_it_was_left(self, place, store):
        files = [*tree(), large()]
        small = sum(it.size for it in tree()[1:-1])
        with pytest.raises(Crash):
            put(store, "m/1.0.0", files, Dying(small))
        assert place.get("m/1.0.0/checksum.txt") is None
        assert place.get("m/1.0.0/run.json") == b"one"
        with Proxy(place.endpoint) as proxy:
            put(place.store(endpoint_url=proxy.url), "m/1.0.0", files)
        sent = [path for method, path in proxy.seen if method == "PUT"]
        assert not any("metrics.json" in path for path in sent)
        assert [place.get(f"m/1.0.0/{it.name}") for it in files] == [it.source for it in files]

    def test_dead_publish_of_somebody_else_is_left_alone(self, place, store):
        place.put("m/1.0.0/run.json", b"somebody else")
        with pytest.raises(AlreadyExists):
            put(store, "m/1.0.0", tree())
        assert place.keys() == ["m/1.0.0/run.json"]

    def test_claim_is_first_and_seal_is_last(self, place):
        with Proxy(place.endpoint) as proxy:
            put(place.store(endpoint_url=proxy.url), "m/1.0.0", tree())
        sent = [path.rpartition("/")[2] for method, path in proxy.seen if method == "PUT"]
        assert (sent[0], sent[-1]) == ("run.json", "checksum.txt")
        assert sorted(sent[1:-1]) == ["metrics.json", "part"]

    def test_wrong_object_of_a_dead_publish_is_replaced(self, place, store):
        place.put("m/1.0.0/run.json", b"one")
        place.put("m/1.0.0/metrics.json", b"[]")
        place.put("m/1.0.0/model/part", b"half")
        put(store, "m/1.0.0", tree())
        assert place.get("m/1.0.0/metrics.json") == b"{}"
        assert place.get("m/1.0.0/model/part") == b"a model"

    @pytest.mark.parametrize("damage", [b"[]", b"longer"])
    def test_object_that_was_altered_before_the_seal_is_noticed(self, place, store, damage):
        action = lambda: place.put("m/1.0.0/metrics.json", damage)  # noqa: E731
        with pytest.raises(IntegrityError, match=r"metrics\.json"):
            put(store, "m/1.0.0", [*tree(), large()], Dying(2 * PART, action))
        assert place.get("m/1.0.0/checksum.txt") is None

    def test_object_that_vanished_before_the_seal_is_noticed(self, place, store):
        key = f"{place.prefix}/m/1.0.0/metrics.json"
        action = lambda: place.client.delete_object(Bucket=place.bucket, Key=key)  # noqa: E731
        with pytest.raises(StorageError, match=r"metrics\.json"):
            put(store, "m/1.0.0", [*tree(), large()], Dying(2 * PART, action))
        assert place.get("m/1.0.0/checksum.txt") is None

    def test_tombstone_that_comes_meanwhile_wins(self, place, store):
        action = lambda: place.put("m/1.0.0/checksum.txt", b"a tombstone")  # noqa: E731
        with pytest.raises(AlreadyExists):
            put(store, "m/1.0.0", [*tree(), large()], Dying(2 * PART, action))
        assert place.get("m/1.0.0/checksum.txt") == b"a tombstone"

    def test_object_with_a_tag_that_says_nothing_is_read_back(self, place, monkeypatch):
        """As where a key service encrypts: the ETag is no MD5 there."""
        bucket = place.s3()
        monkeypatch.setattr(bucket, "upload", lambda *given, **more: f"not {S3Bucket.upload(bucket, *given, **more)}")
        put(ObjectStore(bucket), "m/1.0.0", [*tree(), large()])
        assert place.get("m/1.0.0/checksum.txt") is not None
        place.put("m/1.0.1/run.json", b"one")
        altering = lambda key, it, progress, **_: place.put(key, b"\0" * it.size) or "unknown"  # noqa: E731
        monkeypatch.setattr(bucket, "upload", altering)
        with pytest.raises(IntegrityError, match="altered"):
            put(ObjectStore(bucket), "m/1.0.1", tree())
        assert place.get("m/1.0.1/checksum.txt") is None

    def test_parts_are_repeated_through_broken_answers(self, place):
        with Proxy(place.endpoint, share=0.3, seed=7, modes=("reset", "error", "refuse")) as proxy:
            store = place.store(endpoint_url=proxy.url, **{**FAST, "read_timeout": 5.0, "attempts": 12})
            put(store, "m/1.0.0", [*tree(), large(3)])
            assert hashlib.sha256(b"".join(store.chunks("m/1.0.0/weights"))).hexdigest() == large(3).sha256
        assert proxy.broken > 3
        assert place.get("m/1.0.0/weights") == large(3).source

    def test_completion_whose_answer_is_lost_is_a_success(self, place):
        completion = lambda method, path: method == "POST" and "uploadId=" in path  # noqa: E731
        with Proxy(place.endpoint, share=1.0, modes=("error",), only=completion) as proxy:
            put(place.store(endpoint_url=proxy.url, attempts=2), "m/1.0.0", [*tree(), large()])
        assert proxy.broken
        assert place.get("m/1.0.0/weights") == large().source

    # Uploads

    def test_upload_that_dies_is_aborted(self, place, store):
        with pytest.raises(Crash):
            put(store, "m/1.0.0", [*tree(), large(5)], Dying(PART))
        assert self.uploads(place) == []
        assert place.get("m/1.0.0/weights") is None

    def test_upload_that_was_left_is_found_and_aborted(self, place, store):
        key = f"{place.prefix}/m/1.0.0/weights"
        token = place.client.create_multipart_upload(Bucket=place.bucket, Key=key)["UploadId"]
        part = place.client.upload_part(Bucket=place.bucket, Key=key, UploadId=token, PartNumber=1, Body=b"12345")
        (leftover,) = store.leftovers()
        assert (leftover.key, leftover.token, leftover.size) == ("m/1.0.0/weights", token, 5)
        assert leftover.modified > 1e9
        store.discard(leftover)
        store.discard(leftover)
        assert self.uploads(place) == []
        with pytest.raises(ClientError):  # Ceph says that it is in progress, moto that it is broken
            place.client.complete_multipart_upload(
                Bucket=place.bucket,
                Key=key,
                UploadId=token,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
            )
        assert list(store.leftovers()) == []
        assert place.keys() == []

    def test_slow_upload_cannot_finish_after_a_clean_up(self, place, store):
        def clean_up() -> None:
            for leftover in place.store().leftovers():
                place.store().discard(leftover)

        with pytest.raises((NotFound, StorageError)):
            put(store, "m/1.0.0", [*tree(), large(5)], Dying(PART, clean_up))
        assert place.get("m/1.0.0/weights") is None
        assert place.get("m/1.0.0/checksum.txt") is None

    def test_uploads_of_other_roots_are_not_ours(self, place, store):
        other = f"{place.prefix}-other/x"
        token = place.client.create_multipart_upload(Bucket=place.bucket, Key=other)["UploadId"]
        assert list(store.leftovers()) == []
        place.client.abort_multipart_upload(Bucket=place.bucket, Key=other, UploadId=token)

    # Reading

    def test_object_that_is_overwritten_while_it_is_read_is_noticed(self, place, store):
        place.put("a", b"1" * (3 * PART))
        pieces = store.chunks("a")
        next(pieces)
        place.put("a", b"2" * (3 * PART))
        with pytest.raises(IntegrityError, match="overwritten"):
            list(pieces)

    def test_object_that_vanishes_while_it_is_read_is_noticed(self, place, store):
        place.put("a", b"1" * (3 * PART))
        pieces = store.chunks("a")
        next(pieces)
        place.client.delete_object(Bucket=place.bucket, Key=f"{place.prefix}/a")
        with pytest.raises((IntegrityError, NotFound)):
            list(pieces)

    def test_reads_survive_broken_answers(self, place):
        place.put("a/b", b"x" * 1000)
        with Proxy(place.endpoint, share=0.4, seed=3) as proxy:
            store = place.store(endpoint_url=proxy.url, **FAST)
            for _ in range(5):
                assert store.read("a/b") == b"x" * 1000
                assert walked(store) == ["a/b"]
                assert [it.name for it in store.page("").entries] == ["a"]
        assert proxy.broken > 3

    def test_a_large_object_is_read_into_the_same_few_buffers(self, place, store):
        place.put("a", b"1" * (7 * PART + 1))
        pieces = store.chunks("a")
        assert len(next(pieces)) == PART
        rest = [(id(piece.obj), len(piece)) for piece in pieces]
        assert [length for _, length in rest] == [PART] * 6 + [1]
        assert len({buffer for buffer, _ in rest}) == place.options().parallel

    def test_a_large_file_is_sent_from_the_same_few_buffers(self, place, tmp_path, monkeypatch):
        (tmp_path / "weights").write_bytes(large(6).source)
        bucket, used = place.s3(), []
        put_part = bucket._multipart._put_part
        monkeypatch.setattr(
            bucket._multipart, "_put_part", lambda *given: used.append(id(given[3].obj)) or put_part(*given)
        )
        with in_place({"weights": tmp_path / "weights"}) as (it,):
            bucket.upload("a", it, NO_PROGRESS)
        assert place.get("a") == large(6).source
        assert len(used) == 7
        assert len(set(used)) <= place.options().parallel

    def test_a_small_file_is_not_hashed_again_unless_it_changed(self, place, tmp_path, monkeypatch):
        source = tmp_path / "weights"
        source.write_bytes(b"a model")
        with in_place({"weights": source}) as (it,):
            monkeypatch.setattr(s3_wire, "hashed_pieces", None)
            assert place.s3().upload("a", it, NO_PROGRESS) == hashlib.md5(b"a model").hexdigest()
            source.write_bytes(b"another")
            with pytest.raises(IntegrityError, match="changed"):
                place.s3().upload("a", it, NO_PROGRESS)
        assert place.get("a") == b"a model"

    def test_connections_are_used_again(self, place):
        with Proxy(place.endpoint) as proxy:
            store = place.store(endpoint_url=proxy.url)
            for number in range(5):
                store.create(f"a/{number}", b"x")
                assert store.read(f"a/{number}") == b"x"
                with pytest.raises(NotFound):
                    store.read("b")
            assert proxy.connections == 1

    # Names

    def test_keys_that_no_disk_can_hold_are_shown_and_are_no_files(self, place, store):
        for key in ("a//b", "a/../b", "a/b"):
            place.put(key, b"x")
        assert {it.name: it.kind for it in store.walk("")} == {
            "a//b": Kind.OTHER,
            "a/../b": Kind.OTHER,
            "a/b": Kind.FILE,
        }
        assert [it.name for it in store.page("").entries] == ["a"]

    def test_folders_that_a_console_made_are_no_files(self, place, store):
        place.put("m/1.0.0/", b"")
        place.put("m/1.0.0/x", b"x")
        assert walked(store) == ["m/1.0.0/x"]
        assert [it.name for it in store.page("m/1.0.0").entries] == ["x"]
        place.put("m/1.0.1/", b"not empty")
        assert ("m/1.0.1/", Kind.OTHER) in {(it.name, it.kind) for it in store.walk("")}

    def test_root_may_be_the_whole_bucket(self, place):
        bucket = f"whole-{uuid.uuid4().hex}"
        place.client.create_bucket(Bucket=bucket)
        store = ObjectStore(S3Bucket(bucket, "", place.options()))
        store.create("a/b", b"x")
        assert walked(store) == ["a/b"]
        assert store.url == f"s3://{bucket}"
        assert [it.name for it in store.page("").entries] == ["a"]
        assert place.client.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "a/b"

    # Errors

    def test_missing_bucket_and_refused_credentials_are_told_apart(self, place, monkeypatch):
        with pytest.raises(NotFound, match="no bucket"):
            place.missing().require_root()
        with pytest.raises(NotFound, match="no bucket"):
            place.missing().prepare_writing()
        refused = lambda method, path: True  # noqa: E731
        with Denying(place.endpoint, only=refused) as proxy:
            store = ObjectStore(S3Bucket(place.bucket, place.prefix, place.options(endpoint_url=proxy.url)))
            for call in (store.require_root, lambda: store.read("a"), lambda: store.create("a", b"x")):
                with pytest.raises(StorageError, match="AccessDenied") as caught:
                    call()
                assert not isinstance(caught.value, OutcomeUnknown)
                assert "credentials" in caught.value.hint
        assert place.keys() == []

    def test_endpoint_that_does_not_answer_is_told(self, place):
        with Proxy(place.endpoint) as proxy:
            url = proxy.url
        store = ObjectStore(S3Bucket(place.bucket, place.prefix, place.options(endpoint_url=url, attempts=2)))
        with pytest.raises(StorageError) as caught:
            store.create("a", b"x")
        assert not isinstance(caught.value, OutcomeUnknown)
        assert "endpoint" in caught.value.hint

    def test_silence_is_bounded(self, place):
        with Proxy(place.endpoint, share=1.0, modes=("hang",)) as proxy:
            options = place.options(endpoint_url=proxy.url, read_timeout=0.1, attempts=2)
            store = ObjectStore(S3Bucket(place.bucket, place.prefix, options))
            with pytest.raises(StorageError):
                store.read("a")
            with pytest.raises(OutcomeUnknown):
                store.create("a", b"x")
            end = time.monotonic() + 60
            while place.keys() != ["a"]:  # it is on its way still, perhaps
                assert time.monotonic() < end, proxy.seen
                time.sleep(0.01)
        assert place.get("a") == b"x"

    # Doubt

    def test_no_commit_is_falsely_reported_as_lost(self, place):
        """Fifty commits through a proxy that breaks every fourth answer, compared with what lies in the bucket."""
        reported = {}
        with Proxy(place.endpoint, share=0.25, seed=42) as proxy:
            store = ObjectStore(S3Bucket(place.bucket, place.prefix, place.options(endpoint_url=proxy.url, **FAST)))
            for number in range(50):
                mine = f"{number} {uuid.uuid4()}".encode()
                if number % 5 == 0:
                    place.put(f"h/{number:08}.json", b"somebody else's")
                try:
                    commit(store, f"h/{number:08}.json", mine)
                    reported[number] = "ours"
                except AlreadyExists:
                    reported[number] = "lost"
                except OutcomeUnknown:
                    reported[number] = "unknown"
                actual = "ours" if place.get(f"h/{number:08}.json") == mine else "lost"
                assert reported[number] in {actual, "unknown"}, (number, reported[number], actual)
        assert proxy.broken > 10
        assert list(reported.values()).count("unknown") <= 2

    def test_pointer_moves_through_broken_answers(self, place):
        with Proxy(place.endpoint, share=0.3, seed=5) as proxy:
            store = place.store(endpoint_url=proxy.url, **FAST)
            for number in range(10):
                store.point("m/prod", Pointer(f"1.0.{number}", number))
                assert place.store().pointer("m/prod") == Pointer(f"1.0.{number}", number)
        assert proxy.broken

    def test_deletes_go_through_broken_answers(self, place):
        place.put_many([f"m/{number}" for number in range(20)])
        with Proxy(place.endpoint, share=0.3, seed=6) as proxy:
            place.store(endpoint_url=proxy.url, **FAST).delete([f"m/{number}" for number in range(20)])
        assert proxy.broken
        assert place.keys() == []

    # Processes

    def test_store_works_on_both_sides_of_a_fork(self, place):
        store = ObjectStore(S3Bucket(place.bucket, place.prefix, place.options()))
        store.create("parent", b"x")
        child = fork()
        if child == 0:
            status = 1
            try:
                store.create("child", b"x")
                status = 0 if store.read("parent") == b"x" else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.read("child") == b"x"

    # Diagnosis

    def test_versioned_bucket_is_told(self, place):
        bucket = f"versioned-{uuid.uuid4().hex}"
        place.client.create_bucket(Bucket=bucket)
        place.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        findings = {it.check: it for it in ObjectStore(S3Bucket(bucket, "", place.options())).diagnose()}
        assert "is versioned" in findings["versioning"].message
        assert findings["versioning"].hint

    def test_versioned_bucket_is_used_only_if_it_honours_conditions(self, place):
        bucket = f"versioned-{uuid.uuid4().hex}"
        place.client.create_bucket(Bucket=bucket)
        place.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        honours = True
        for _ in range(2):
            try:
                place.client.put_object(Bucket=bucket, Key="a", Body=b"x", IfNoneMatch="*")
            except ClientError:
                break
        else:
            honours = False
        store = ObjectStore(S3Bucket(bucket, "", place.options()))
        if honours:
            store.prepare_writing()
            store.create("b", b"x")
            with pytest.raises(AlreadyExists):
                store.create("b", b"x")
        else:
            with pytest.raises(StorageError, match="cannot hold a registry"):
                store.prepare_writing()

    def test_wrong_clock_is_told(self, place, monkeypatch):
        bucket = place.s3()
        assert {it.check: it.ok for it in bucket.diagnose()} == {"versioning": True, "clock": True}
        monkeypatch.setattr("artreg.store.s3.time", SimpleNamespace(time=lambda: time.time() + 1000))
        findings = {it.check: it for it in bucket.diagnose()}
        assert not findings["clock"].ok

    def test_leftover_without_a_token_of_ours_is_refused(self, store):
        with pytest.raises(InvalidInput):
            store.discard(Leftover("m/1.0.0/x", "", 0, 0.0))


class Denying(Proxy):
    """Answers every request as a bucket does that forbids it."""

    def pass_on(self, method, path, headers, body):
        text = b"" if method == "HEAD" else b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        return 403, [("Content-Type", "application/xml")], text


def fork() -> int:
    with warnings.catch_warnings():  # Python warns of forking beside threads, which is what is tried here
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
