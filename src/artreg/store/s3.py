"""A bucket of any S3 service, with requests of our own making."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from artreg.errors import AlreadyExists, ArtregError, IntegrityError, NotFound, StorageError
from artreg.store.bucket import Found, Piece
from artreg.store.interface import Chunk, Entry, Finding, Kind, Leftover, Page, Progress, TreeFile
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.outcome import Outcome, classify
from artreg.store.retry import DENIED, Retry
from artreg.store.s3_client import connect
from artreg.store.s3_multipart import Multipart
from artreg.store.s3_wire import (
    check_listing,
    composite_tag,
    entries_by_name,
    entry_of,
    last_key,
    md5,
    parts_of,
    parts_to_send,
)

_PAGE = 1000
_STEP = 256 * 2**10
_SKEW = 60.0
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
        self._multipart = Multipart(self._call, self._retry, self._lead, options, self._tag)
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
            if error.details.get("storage_code") == DENIED and self._is_absent(key):
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
        size = self._multipart.part_size(file.size)
        condition = {"IfNoneMatch": "*"} if absent else {}
        if file.size > size:
            return self._multipart.send(key, file, progress, condition)
        (part,) = parts_to_send(file, size)
        digest = self._put(key, part.read(bytearray()), **condition)
        progress.advance(file.size)
        return digest.hex()

    def fingerprint(self, file: TreeFile) -> str:
        """Return the ETag of a file that was put as `upload` does it."""
        size = self._multipart.part_size(file.size)
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
        return self._multipart.leftovers()

    def abort(self, leftover: Leftover) -> None:
        """Abort an upload until none of its parts is left."""
        self._multipart.abort(leftover)

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

    def _tag(self, key: str) -> str:
        try:
            return self.get(key, 0, 1).tag
        except ArtregError:
            return ""

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
