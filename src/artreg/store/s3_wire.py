"""What goes to S3 and what comes back, as values: parts of an upload with their digests, entries of a listing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

from artreg.errors import ArtregError
from artreg.store.disk import hashed_pieces
from artreg.store.interface import NO_PROGRESS, Entry, Kind, Progress, TreeFile, check_key


def md5(data: bytes) -> bytes:
    """Return the digest that every S3 service checks and names objects by; nothing rests on it against malice."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def composite_tag(digests: list[bytes]) -> str:
    """Return the ETag of an object that was put in parts with these digests."""
    return f"{md5(b''.join(digests)).hex()}-{len(digests)}"


def parts_of(file: TreeFile, size: int) -> Iterator[bytes]:
    """Cut a file into parts of equal size, but for the last; an empty file is one empty part."""
    rest = bytearray()
    sent = False
    for piece in hashed_pieces(file, NO_PROGRESS):
        rest += piece
        while len(rest) > size:
            yield bytes(rest[:size])
            sent = True
            del rest[:size]
    if rest or not sent:
        yield bytes(rest)


def count_sent(done: Iterable[Future[bytes]], lengths: dict[Future[bytes], int], progress: Progress) -> None:
    """Tell of the parts that were sent; one that failed raises."""
    for future in done:
        future.result()
        progress.advance(lengths[future])


def entries_by_name(answer: Any, lead: str) -> dict[str, Entry]:
    """Return what one answer lists, under its names; of a folder and a file of one name the folder counts."""
    found = {}
    for item in answer.get("Contents", ()):
        name = item["Key"][len(lead) :]
        if name:
            found[name] = entry_of(name, item)
    for item in answer.get("CommonPrefixes", ()):
        name = item["Prefix"][len(lead) : -1]
        if name:
            found[name] = Entry(name, Kind.FOLDER, 0, 0.0)
    return found


def entry_of(name: str, item: Any) -> Entry:
    """Return a listed object under its name; one whose key no disk could hold is no file."""
    try:
        check_key(name)
    except ArtregError:
        return Entry(name, Kind.OTHER, 0, item["LastModified"].timestamp())
    return Entry(name, Kind.FILE, item["Size"], item["LastModified"].timestamp())


def last_key(answer: Any) -> str:
    """Return the last key or prefix of one answer: where the next page goes on."""
    keys = [item["Key"] for item in answer.get("Contents", ())[-1:]]
    keys += [item["Prefix"] for item in answer.get("CommonPrefixes", ())[-1:]]
    return max(keys, default="")
