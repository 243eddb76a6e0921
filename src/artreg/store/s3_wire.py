"""What goes to S3 and what comes back, as values: parts of an upload with their digests, entries of a listing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from artreg.errors import ArtregError, IntegrityError
from artreg.frozen import Frozen
from artreg.store.disk import hashed_pieces, stamp_of
from artreg.store.interface import NO_PROGRESS, Chunk, Entry, Kind, TreeFile, check_key


def md5(data: Chunk) -> bytes:
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


class Part(Frozen):
    """A part of an upload.

    Attributes:
        number: Its place; the first is 1.
        length: Its bytes.
        read: Returns them, in the buffer that it is given if that is large enough; whoever sends the part calls it.
    """

    number: int
    length: int
    read: Callable[[bytearray], Chunk]


def parts_to_send(file: TreeFile, size: int) -> Iterator[Part]:
    """Yield the parts of a file.

    Of a local file that is as it was when it was hashed each sender reads its own part; anything else is read in order,
    and hashed once more.

    Raises:
        IntegrityError: The file is not what its digest says, or was changed meanwhile.
    """
    if file.stamp and isinstance(file.source, os.PathLike):
        for number, start in enumerate(range(0, file.size or 1, size), start=1):
            length = min(size, file.size - start)
            yield Part(number, length, partial(_read_part, file, file.source, start, length))
    else:
        for number, part in enumerate(parts_of(file, size), start=1):
            yield Part(number, len(part), partial(_at_hand, part))


def _at_hand(part: bytes, _: bytearray) -> bytes:
    return part


def _read_part(file: TreeFile, source: os.PathLike[str], start: int, length: int, buffer: bytearray) -> memoryview:
    data = memoryview(buffer if len(buffer) >= length else bytearray(length))[:length]
    try:
        with open(source, "rb", buffering=0) as opened:
            opened.seek(start)
            come = 0
            while come < length and (count := opened.readinto(data[come:])):
                come += count
            changed = stamp_of(opened.fileno()) != file.stamp
    except OSError as error:
        raise IntegrityError(f"{file.name} cannot be stored: {source} cannot be read any more") from error
    if come != length or changed:
        raise IntegrityError(
            f"{file.name} is not what its checksum says, or changed while it was being read",
            hint="artreg verify says whether it is damaged; if not, run the command again",
        )
    return data


def check_listing(answer: Any, prefix: str, after: str) -> Any:
    """Return an answer that is a listing of `prefix`, and leads further than `after` if there is more.

    Whatever answers in the place of a storage (a proxy's page, a cache that ignores what was asked) must not pass for
    an empty bucket, nor keep anybody reading for ever.

    Raises:
        ConnectionError: It is none.
    """
    try:
        keys = [item["Key"] for item in answer.get("Contents", ()) if item["LastModified"] and item["Size"] >= 0]
        keys += [item["Prefix"] for item in answer.get("CommonPrefixes", ())]
        endless = answer["IsTruncated"] and not max(keys, default="") > after
    except (KeyError, TypeError, AttributeError) as error:
        raise ConnectionError("what came is no listing") from error
    if endless or not all(key.startswith(prefix) for key in keys):
        raise ConnectionError("what came is no listing of what was asked for")
    return answer


def need(answer: Any, *names: str) -> Any:
    """Return an answer that says what it must.

    Raises:
        ConnectionError: It does not.
    """
    missing = [name for name in names if name not in answer]
    if missing:
        raise ConnectionError(f"what came says nothing of {', '.join(missing)}")
    return answer


def check_pages(answer: Any, items: str, each: tuple[str, ...], further: tuple[str, ...]) -> Any:
    """Return an answer whose items say what each must, and which says where it goes on if it does.

    Raises:
        ConnectionError: It does not.
    """
    for item in need(answer, "IsTruncated").get(items, ()):
        need(item, *each)
    return need(answer, *further) if answer["IsTruncated"] else answer


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
