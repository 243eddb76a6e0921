"""A bucket of any S3 service, with requests of our own making."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from email.utils import parsedate_to_datetime
from queue import SimpleQueue
from typing import Any

from artreg.errors import AlreadyExists, ArtregError, IntegrityError, NotFound, StorageError
from artreg.store.bucket import Found, Piece
from artreg.store.interface import Chunk, Entry, Finding, Kind, Leftover, Page, Progress, TreeFile
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.outcome import Outcome, classify
from artreg.store.retry import Retry
from artreg.store.s3_client import connect
from artreg.store.s3_wire import (
    Part,
    check_listing,
    composite_tag,
    entries_by_name,
    entry_of,
    last_key,
    md5,
    need,
    parts_of,
    parts_to_send,
)

_PAGE = 1000
_PARTS = 10_000  # that an upload may have at most
_MEBIBYTE = 2**20
_STEP = 256 * 2**10
_SKEW = 60.0
_ABORTS = 5
_DENIED = "AccessDenied"
_NOT_KNOWN = 501
_SPAN = r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})"


def open_s3(bucket: str, prefix: str, options: StorageOptions) -> ObjectStore:
    """Return the store for a bucket and a prefix in it; nothing is reached yet."""
    return ObjectStore(S3Bucket(bucket, prefix, options))


class S3Bucket:
    """Objects below a prefix of an S3 bucket.

    Args:
        bucket: Its name.
        prefix: What all keys begin with, without slashes at its ends; may be empty.
        options: How to reach it.
        make: Makes a connection.
    """

    def __init__(
        self, bucket: str, prefix: str, options: StorageOptions, make: Callable[[StorageOptions], Any] = connect
    ) -> None:
        self._bucket = bucket
        self._lead = f"{prefix}/" if prefix else ""
        self._options = options
        self._make = make
        self._retry = Retry(options, f"s3://{bucket}")
        self._lock = threading.Lock()
        self._client: Any = None
        self._process = 0

    def __reduce__(self) -> tuple[object, ...]:
        return S3Bucket, (self._bucket, self._lead.rstrip("/"), self._options, self._make)

    @property
    def url(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self._bucket}/{self._lead}".rstrip("/")

    @property
    def piece_size(self) -> int:
        """The size of a part."""
        return self._options.part_size

    @property
    def parallel(self) -> int:
        """Parts in flight."""
        return self._options.parallel

    def require(self) -> None:
        """Return if the bucket can be listed."""
        self._list_once(self.url, "reached", Prefix=self._lead, MaxKeys=1)

    def get(self, key: str, start: int, length: int, tag: str = "", into: bytearray | None = None) -> Piece:
        """Return a part of an object by one request."""
        condition = {"IfMatch": f'"{tag}"'} if tag else {}
        span = f"bytes={start}-{start + length - 1}"

        def fetch() -> Piece:
            try:
                answer = self._call("get_object", Key=self._lead + key, Range=span, **condition)
            except Exception as error:
                if classify(error).outcome is Outcome.EMPTY and start == 0:
                    return Piece(b"", 0, "")
                raise
            return _piece(answer, start, length, into)

        try:
            return self._retry.call(fetch, key, condition=bool(tag))
        except AlreadyExists as error:  # the condition did not hold
            raise IntegrityError(f"{key} was overwritten while it was being read") from error
        except StorageError as error:
            if error.details.get("storage_code") == _DENIED and self._is_absent(key):
                raise NotFound(f"{key} is not there") from error
            raise

    def put_absent(self, key: str, data: bytes) -> None:
        """Put with `If-None-Match: *`, which is honoured for a single request only."""
        self._put(key, data, IfNoneMatch="*")

    def put(self, key: str, data: bytes) -> None:
        """Put without a condition."""
        self._put(key, data)

    def upload(self, key: str, file: TreeFile, progress: Progress, *, absent: bool = False) -> str:
        """Put a file at once if it is small, otherwise in parts of which several are in flight."""
        size = self._part_size(file.size)
        condition = {"IfNoneMatch": "*"} if absent else {}
        if file.size > size:
            return self._upload_parts(key, file, progress, condition)
        (part,) = parts_to_send(file, size)
        digest = self._put(key, part.read(bytearray()), **condition)
        progress.advance(file.size)
        return digest.hex()

    def fingerprint(self, file: TreeFile) -> str:
        """Return the ETag of a file that was put as `upload` does it."""
        size = self._part_size(file.size)
        digests = [md5(part) for part in parts_of(file, size)]
        return composite_tag(digests) if file.size > size else digests[0].hex()

    def page(self, prefix: str, after: str) -> Page:
        """List by name, which is not quite the order of a bucket: there a folder sorts as if it ended with a slash."""
        lead = self._lead + (f"{prefix}/" if prefix else "")
        place = {"StartAfter": lead + after}
        while True:
            answer = self._list_once(prefix or self.url, Prefix=lead, Delimiter="/", **place)
            more = bool(answer.get("IsTruncated"))
            found = entries_by_name(answer, lead)
            if more:
                found |= self._later_folders(last_key(answer)[len(lead) :].rstrip("/"), lead)
            entries = tuple(found[name] for name in sorted(found) if name > after)
            if entries or not more:
                return Page(entries, more)
            place = {"ContinuationToken": answer["NextContinuationToken"]}

    def walk(self, prefix: str) -> Iterator[Found]:
        """Yield all objects, a thousand a request."""
        lead = self._lead + (f"{prefix}/" if prefix else "")
        place: dict[str, str] = {}
        while True:
            answer = self._list_once(prefix or self.url, Prefix=lead, **place)
            for item in answer.get("Contents", ()):
                name = item["Key"][len(lead) :]
                # Consoles make a folder visible by an empty object with a slash at its end.
                if name and not (name.endswith("/") and not item["Size"]):
                    yield Found(entry_of(name, item), item.get("ETag", "").strip('"'))
            if not answer.get("IsTruncated"):
                return
            place = {"StartAfter": last_key(answer)}

    def remove(self, key: str) -> None:
        """Delete one object."""
        with contextlib.suppress(NotFound):
            self._retry.call(lambda: self._call("delete_object", Key=self._lead + key), key, "removed", writes=True)

    def uploads(self) -> Iterator[Leftover]:
        """Yield multipart uploads that are neither completed nor aborted; their parts cost money and show nowhere."""
        place: dict[str, str] = {}
        while True:
            answer = self._uploads_once(place)
            for item in answer.get("Uploads", ()):
                key = item["Key"][len(self._lead) :]
                size = sum(part["Size"] for part in self._parts_of(key, item["UploadId"]))
                yield Leftover(key, token=item["UploadId"], size=size, modified=item["Initiated"].timestamp())
            if not answer.get("IsTruncated"):
                return
            place = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}

    def abort(self, leftover: Leftover) -> None:
        """Abort an upload until none of its parts is left: one in flight may outlive the first time."""
        for _ in range(_ABORTS):
            try:
                self._retry.call(lambda: self._abort(leftover.key, leftover.token), leftover.key, "aborted")
            except NotFound:
                return
            if not self._parts_of(leftover.key, leftover.token):
                return
        raise StorageError(f"the upload of {leftover.key} cannot be aborted", hint="its writer is still at work")

    def diagnose(self) -> Iterator[Finding]:
        """Yield whether the bucket keeps old contents, and whether the clocks agree."""
        yield self._versioning()
        yield self._clock()

    def _connection(self) -> Any:
        """A connection of this very process: one that came through a fork does not work."""
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client = self._make(self._options)
                self._process = os.getpid()
            return self._client

    def _call(self, method: str, **parameters: object) -> Any:
        return getattr(self._connection(), method)(Bucket=self._bucket, **parameters)

    def _put(self, key: str, data: Chunk, **condition: str) -> bytes:
        digest = md5(data)
        checksum = b64encode(digest).decode()
        self._retry.call(
            lambda: self._call("put_object", Key=self._lead + key, Body=data, ContentMD5=checksum, **condition),
            key,
            "written",
            writes=True,
            condition=bool(condition),
        )
        return digest

    def _part_size(self, size: int) -> int:
        least = -(-size // _PARTS)
        return max(self._options.part_size, -(-least // _MEBIBYTE) * _MEBIBYTE)

    def _upload_parts(self, key: str, file: TreeFile, progress: Progress, condition: dict[str, str]) -> str:
        answer = self._retry.call(
            lambda: need(self._call("create_multipart_upload", Key=self._lead + key), "UploadId"), key, "written"
        )
        token = answer["UploadId"]
        try:
            digests = self._send_parts(key, token, file, progress)
        except BaseException:
            with contextlib.suppress(ArtregError):
                self._retry.call(lambda: self._abort(key, token), key, "aborted")
            raise
        tag = composite_tag(digests)
        self._complete(key, token, digests, tag, condition)
        return tag

    def _send_parts(self, key: str, token: str, file: TreeFile, progress: Progress) -> list[bytes]:
        """Send all parts, never more in memory than may be in flight, and return their digests in order."""
        buffers: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(self.parallel):
            buffers.put(bytearray(self._part_size(file.size)))
        sent: list[Future[bytes]] = []
        flying: set[Future[bytes]] = set()
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="artreg-part") as workers:
            try:
                for part in parts_to_send(file, self._part_size(file.size)):
                    sent.append(workers.submit(self._send_part, key, token, part, buffers, progress))
                    flying.add(sent[-1])
                    if len(flying) >= self.parallel:
                        done, flying = wait(flying, return_when=FIRST_COMPLETED)
                        for future in done:
                            future.result()
                return [future.result() for future in sent]
            except BaseException:
                workers.shutdown(wait=True, cancel_futures=True)
                raise

    def _send_part(
        self, key: str, token: str, part: Part, buffers: SimpleQueue[bytearray], progress: Progress
    ) -> bytes:
        buffer = buffers.get()
        try:
            digest = self._put_part(key, token, part.number, part.read(buffer))
        finally:
            buffers.put(buffer)
        progress.advance(part.length)
        return digest

    def _put_part(self, key: str, token: str, number: int, data: Chunk) -> bytes:
        digest = md5(data)
        self._retry.call(
            lambda: self._call(
                "upload_part",
                Key=self._lead + key,
                UploadId=token,
                PartNumber=number,
                Body=data,
                ContentMD5=b64encode(digest).decode(),
            ),
            key,
            "written",
        )
        return digest

    def _complete(self, key: str, token: str, digests: list[bytes], tag: str, condition: dict[str, str]) -> None:
        parts = [{"PartNumber": number, "ETag": f'"{digest.hex()}"'} for number, digest in enumerate(digests, start=1)]
        try:
            self._retry.call(
                lambda: need(
                    self._call(
                        "complete_multipart_upload",
                        Key=self._lead + key,
                        UploadId=token,
                        MultipartUpload={"Parts": parts},
                        **condition,
                    ),
                    "ETag",
                ),
                key,
                "written",
                writes=True,
                condition=bool(condition),
            )
        except AlreadyExists:
            with contextlib.suppress(ArtregError):  # the refused upload may be there still, and its parts cost money
                self._retry.call(lambda: self._abort(key, token), key, "aborted")
            raise
        except (NotFound, StorageError) as error:
            # A completion whose answer was lost leaves no upload behind, but the object.
            if self._tag(key) == tag:
                return
            if not condition or error.details.get("status") != _NOT_KNOWN:
                raise
            self._complete(key, token, digests, tag, {})

    def _tag(self, key: str) -> str:
        try:
            return self.get(key, 0, 1).tag
        except ArtregError:
            return ""

    def _abort(self, key: str, token: str) -> None:
        self._call("abort_multipart_upload", Key=self._lead + key, UploadId=token)

    def _parts_of(self, key: str, token: str) -> list[Any]:
        parts: list[Any] = []
        place: dict[str, int] = {}
        try:
            while True:
                answer = self._parts_once(key, token, place)
                parts += answer.get("Parts", ())
                if not answer.get("IsTruncated"):
                    return parts
                place = {"PartNumberMarker": answer["NextPartNumberMarker"]}
        except NotFound:
            return parts
        except StorageError as error:  # as for an object: Ceph forbids to list the parts of an upload that is no more
            if error.details.get("storage_code") == _DENIED and not self._is_begun(key, token):
                return parts
            raise

    def _is_begun(self, key: str, token: str) -> bool:
        answer = self._uploads_once({}, key)
        return any(item["UploadId"] == token for item in answer.get("Uploads", ()))

    def _parts_once(self, key: str, token: str, place: dict[str, int]) -> Any:
        return self._retry.call(
            lambda: need(self._call("list_parts", Key=self._lead + key, UploadId=token, **place), "IsTruncated"), key
        )

    def _list_once(self, key: str, doing: str = "listed", **parameters: object) -> Any:
        parameters = {"MaxKeys": _PAGE, **parameters}
        prefix, after = str(parameters["Prefix"]), str(parameters.get("StartAfter", ""))
        return self._retry.call(
            lambda: check_listing(self._call("list_objects_v2", **parameters), prefix, after), key, doing
        )

    def _is_absent(self, key: str) -> bool:
        """Whether a listing shows that there is no such object.

        Whoever may list only below a prefix is told that an object is forbidden where there is none.
        """
        try:
            answer = self._list_once(key, Prefix=self._lead + key, MaxKeys=1)
        except ArtregError:
            return False
        return all(item["Key"] != self._lead + key for item in answer.get("Contents", ()))

    def _later_folders(self, last: str, lead: str) -> dict[str, Entry]:
        """Folders that sort before `last` by name but after it in the bucket, as `1.2` does beside `1.2-rc`."""
        names = [last[:length] for length in range(1, len(last)) if last[length] < "/"]
        return {name: Entry(name, Kind.FOLDER, 0, 0.0) for name in names if self._has(f"{lead}{name}/")}

    def _has(self, lead: str) -> bool:
        return bool(self._list_once(lead, Prefix=lead, MaxKeys=1).get("Contents"))

    def _uploads_once(self, place: dict[str, str], key: str = "") -> Any:
        return self._retry.call(
            lambda: need(self._call("list_multipart_uploads", Prefix=self._lead + key, **place), "IsTruncated"),
            self.url,
            "listed",
        )

    def _versioning(self) -> Finding:
        try:
            answer = self._retry.call(lambda: self._call("get_bucket_versioning"), self.url)
        except (StorageError, NotFound) as error:
            return Finding("versioning", ok=True, message=f"the bucket does not tell: {error.message}")
        if answer.get("Status") == "Enabled":
            return Finding(
                "versioning",
                ok=True,  # services that ignore conditions there are found out by the probe
                message="the bucket is versioned: what is removed goes on taking space",
                hint="let a life-cycle rule of the bucket end what is no longer current",
            )
        return Finding("versioning", ok=True, message="the bucket is not versioned")

    def _clock(self) -> Finding:
        try:
            answer = self._list_once(self.url, Prefix=self._lead, MaxKeys=1)
            date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        except (ArtregError, KeyError, ValueError):
            return Finding("clock", ok=False, message="the storage does not tell its time")
        skew = abs(date.timestamp() - time.time())
        return Finding(
            "clock",
            ok=skew < _SKEW,
            message=f"the storage's clock differs from this machine's by {skew:.0f} s",
            hint="" if skew < _SKEW else "Set this machine's clock; what counts as a leftover depends on it.",
        )


def _piece(answer: Any, start: int, length: int, into: bytearray | None) -> Piece:
    """Return what an answer holds, read in steps that stay in a core's own cache on the way to their place."""
    announced: int = answer["ContentLength"]
    data = memoryview(into if into is not None and len(into) >= announced else bytearray(announced))[:announced]
    come = 0
    with contextlib.closing(answer["Body"]) as body:
        while announced <= length and come < announced and (count := body.readinto(data[come : come + _STEP])):
            come += count
    if announced > length or come < announced:
        raise ConnectionError(f"{come} bytes came where {announced} were announced and {length} asked for")
    if not announced:
        return Piece(b"", 0, "")
    span = answer.get("ContentRange", f"bytes 0-{announced - 1}/{announced}")
    match = re.fullmatch(_SPAN, span)
    if match is None or (int(match[1]), int(match[2])) != (start, start + announced - 1):
        raise ConnectionError(f"{span} came where {announced} bytes from {start} on were announced")
    size = int(match[3])
    if announced != min(length, size - start):
        raise ConnectionError(f"{announced} of {size} bytes came where {length} from {start} on were asked for")
    return Piece(data, size, answer["ETag"].strip('"'))
