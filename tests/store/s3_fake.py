"""An S3 service in a dictionary: as quick as a loop, and what lies in it can be set and looked at without requests."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from store.proxy import Answer, Proxy

BUCKET = "bucket"
_TIME = "2020-01-01T00:00:00.000Z"  # long enough ago for whatever nobody finished


@dataclass(frozen=True)
class Lying:
    """What lies in the service: objects, and the parts of uploads that never ended."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, tuple[str, dict[int, bytes]]] = field(default_factory=dict)


class FakeS3(Proxy):
    """Answers by itself what a proxy would pass on."""

    def __init__(self) -> None:
        super().__init__("http://nowhere.invalid")
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self._composite: dict[tuple[str, str], str] = {}
        self._effect = threading.RLock()
        self._tokens = itertools.count(1)

    def restore(self, lying: Lying) -> None:
        """Start over from what lay there."""
        with self._effect:
            self.objects = dict(lying.objects)
            self.uploads = {token: (key, dict(parts)) for token, (key, parts) in lying.uploads.items()}

    def lying(self) -> Lying:
        """What lies there now."""
        with self._effect:
            return Lying(dict(self.objects), {token: (key, dict(it)) for token, (key, it) in self.uploads.items()})

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        known = {name.lower(): value for name, value in headers.items()}
        with self._effect:
            if bucket != BUCKET:
                return said(404, "NoSuchBucket")
            if not key:
                return self._of_bucket(query)
            action = getattr(
                self, f"_{method.lower()}_{'upload' if {'uploads', 'uploadId'} & set(query) else 'object'}"
            )
            return action(key, query, known, body)

    def _of_bucket(self, query: dict[str, str]) -> Answer:
        if "versioning" in query:
            return xml("<VersioningConfiguration/>")
        if "uploads" in query:
            found = [(key, token) for token, (key, _) in self.uploads.items() if key.startswith(query["prefix"])]
            items = "".join(
                f"<Upload><Key>{escape(key)}</Key><UploadId>{token}</UploadId><Initiated>{_TIME}</Initiated></Upload>"
                for key, token in sorted(found)
            )
            return xml(
                f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{items}</ListMultipartUploadsResult>"
            )
        return listing(self.objects, query, self._tag)

    def _get_object(self, key: str, _query: dict[str, str], headers: dict[str, str], _body: bytes) -> Answer:
        if key not in self.objects:
            return said(404, "NoSuchKey")
        data = self.objects[key]
        if headers.get("if-match", f'"{self._tag(key)}"') != f'"{self._tag(key)}"':
            return said(412, "PreconditionFailed")
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(data):
            return said(416, "InvalidRange")
        last = min(last, len(data) - 1)
        span = f"bytes {first}-{last}/{len(data)}"
        return 206, [("ETag", f'"{self._tag(key)}"'), ("Content-Range", span)], data[first : last + 1]

    def _put_object(self, key: str, _query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        if "if-none-match" in headers and key in self.objects:
            return said(412, "PreconditionFailed", "<Condition>If-None-Match</Condition>")
        self._keep(key, body, hashlib.md5(body).hexdigest())
        return 200, [("ETag", f'"{self._tag(key)}"')], b""

    def _delete_object(self, key: str, *_rest: object) -> Answer:
        self.objects.pop(key, None)
        return 204, [], b""

    def _post_upload(self, key: str, query: dict[str, str], headers: dict[str, str], _body: bytes) -> Answer:
        if "uploads" in query:
            token = f"upload-{next(self._tokens)}"
            self.uploads[token] = (key, {})
            return xml(f"<InitiateMultipartUploadResult><UploadId>{token}</UploadId></InitiateMultipartUploadResult>")
        if query["uploadId"] not in self.uploads:
            return said(404, "NoSuchUpload")
        if "if-none-match" in headers and key in self.objects:
            return said(412, "PreconditionFailed", "<Condition>If-None-Match</Condition>")
        _, parts = self.uploads.pop(query["uploadId"])
        digests = b"".join(hashlib.md5(parts[number]).digest() for number in sorted(parts))
        data = b"".join(parts[number] for number in sorted(parts))
        self._keep(key, data, f"{hashlib.md5(digests).hexdigest()}-{len(parts)}")
        return xml(f'<CompleteMultipartUploadResult><ETag>"{self._tag(key)}"</ETag></CompleteMultipartUploadResult>')

    def _put_upload(self, _key: str, query: dict[str, str], _headers: dict[str, str], body: bytes) -> Answer:
        if query["uploadId"] not in self.uploads:
            return said(404, "NoSuchUpload")
        self.uploads[query["uploadId"]][1][int(query["partNumber"])] = body
        return 200, [("ETag", f'"{hashlib.md5(body).hexdigest()}"')], b""

    def _delete_upload(self, _key: str, query: dict[str, str], *_rest: object) -> Answer:
        return (204, [], b"") if self.uploads.pop(query["uploadId"], None) else said(404, "NoSuchUpload")

    def _get_upload(self, _key: str, query: dict[str, str], *_rest: object) -> Answer:
        if query["uploadId"] not in self.uploads:
            return said(404, "NoSuchUpload")
        items = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{len(data)}</Size></Part>"
            for number, data in self.uploads[query["uploadId"]][1].items()
        )
        return xml(f"<ListPartsResult><IsTruncated>false</IsTruncated>{items}</ListPartsResult>")

    def _keep(self, key: str, data: bytes, tag: str) -> None:
        self.objects[key] = data
        self._composite[key, hashlib.md5(data).hexdigest()] = tag

    def _tag(self, key: str) -> str:
        digest = hashlib.md5(self.objects[key]).hexdigest()
        return self._composite.get((key, digest), digest)


def said(status: int, code: str, more: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An error, as S3 says it."""
    text = f"<Error><Code>{code}</Code><Message>so it is</Message>{more}</Error>"
    return status, [("Content-Type", "application/xml"), *headers], text.encode()


def xml(text: str) -> Answer:
    return 200, [("Content-Type", "application/xml")], f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def listing(objects: dict[str, bytes], query: dict[str, str], tag_of: Callable[[str], str]) -> Answer:
    """The page of a listing (version 2) that a query asks for."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = max(query.get("start-after", ""), query.get("continuation-token", ""))
    limit = int(query.get("max-keys", "1000"))
    items: list[str] = []
    last = ""
    more = False
    for key in sorted(key for key in objects if key.startswith(prefix) and key > after):
        folder, slash, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        shown = f"{prefix}{folder}/" if slash else key
        if shown == last or (slash and after.startswith(shown)):
            continue
        if len(items) == limit:
            more = True
            break
        last = shown
        name = quote(shown, safe="/")
        tag = tag_of(key)
        items.append(
            f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
            if slash
            else f"<Contents><Key>{name}</Key><LastModified>{_TIME}</LastModified><ETag>&quot;{tag}&quot;</ETag>"
            f"<Size>{len(objects[key])}</Size></Contents>"
        )
    head = f"<Name>{BUCKET}</Name><Prefix>{quote(prefix)}</Prefix><EncodingType>url</EncodingType>"
    token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
    status, headers, data = xml(
        f"<ListBucketResult>{head}<KeyCount>{len(items)}</KeyCount>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(items)}</ListBucketResult>"
    )
    return status, [*headers, ("Date", formatdate(usegmt=True))], data
