"""Large files in parts: sent several at a time, completed at once, and found again where somebody left them."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any

from artreg.errors import AlreadyExists, ArtregError, NotFound, StorageError
from artreg.store.interface import Chunk, Leftover, Progress, TreeFile
from artreg.store.options import StorageOptions
from artreg.store.retry import DENIED, Retry
from artreg.store.s3_wire import Part, check_pages, composite_tag, md5, need, parts_to_send

_PARTS = 10_000  # that an upload may have at most
_MEBIBYTE = 2**20
_ABORTS = 5
_NOT_KNOWN = 501


class Multipart:
    """Uploads in parts below a prefix of a bucket.

    Args:
        call: Makes one request, by the name of its operation.
        retry: Sends it again.
        lead: What all keys begin with.
        options: How large parts are, and how many are in flight.
        tag_of: Returns the tag of what lies under a key, '' where nobody can say.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        retry: Retry,
        lead: str,
        options: StorageOptions,
        tag_of: Callable[[str], str],
    ) -> None:
        self._call = call
        self._retry = retry
        self._lead = lead
        self._options = options
        self._tag_of = tag_of

    def part_size(self, size: int) -> int:
        """Return how large the parts of a file of a size are."""
        least = -(-size // _PARTS)
        return max(self._options.part_size, -(-least // _MEBIBYTE) * _MEBIBYTE)

    def send(self, key: str, file: TreeFile, progress: Progress, condition: dict[str, str]) -> str:
        """Put a file in parts, of which several are in flight, and return its tag.

        Raises:
            AlreadyExists: The condition did not hold.
        """
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

    def leftovers(self) -> Iterator[Leftover]:
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
            place = _further(place, KeyMarker=answer["NextKeyMarker"], UploadIdMarker=answer["NextUploadIdMarker"])

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

    def _send_parts(self, key: str, token: str, file: TreeFile, progress: Progress) -> list[bytes]:
        """Send all parts, never more in memory than may be in flight, and return their digests in order."""
        buffers: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(self._options.parallel):
            buffers.put(bytearray(self.part_size(file.size)))
        sent: list[Future[bytes]] = []
        flying: set[Future[bytes]] = set()
        with ThreadPoolExecutor(self._options.parallel, thread_name_prefix="artreg-part") as workers:
            try:
                for part in parts_to_send(file, self.part_size(file.size)):
                    sent.append(workers.submit(self._send_part, key, token, part, buffers, progress))
                    flying.add(sent[-1])
                    if len(flying) >= self._options.parallel:
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
            if self._tag_of(key) == tag:
                return
            if not condition or error.details.get("status") != _NOT_KNOWN:
                raise
            self._complete(key, token, digests, tag, {})

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
                place = _further(place, PartNumberMarker=answer["NextPartNumberMarker"])
        except NotFound:
            return parts
        except StorageError as error:  # as for an object: Ceph forbids to list the parts of an upload that is no more
            if error.details.get("storage_code") == DENIED and not self._is_begun(key, token):
                return parts
            raise

    def _is_begun(self, key: str, token: str) -> bool:
        answer = self._uploads_once({}, key)
        return any(item["UploadId"] == token for item in answer.get("Uploads", ()))

    def _parts_once(self, key: str, token: str, place: dict[str, int]) -> Any:
        return self._retry.call(
            lambda: check_pages(
                self._call("list_parts", Key=self._lead + key, UploadId=token, **place),
                "Parts",
                ("Size",),
                ("NextPartNumberMarker",),
            ),
            key,
        )

    def _uploads_once(self, place: dict[str, str], key: str = "") -> Any:
        return self._retry.call(
            lambda: check_pages(
                self._call("list_multipart_uploads", Prefix=self._lead + key, **place),
                "Uploads",
                ("Key", "UploadId", "Initiated"),
                ("NextKeyMarker", "NextUploadIdMarker"),
            ),
            self._lead or key,
            "listed",
        )


def _further(place: dict[str, Any], **markers: Any) -> dict[str, Any]:
    if place == markers:
        raise StorageError("the storage lists the same uploads again and again", hint="run the command again")
    return markers
