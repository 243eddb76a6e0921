"""What pins wrote of a version of a pin: its `data.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from xxhash import xxh64

from artreg.core.redact import redact_url
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen
from artreg.importing.landing import checked_name, representable
from artreg.yamldoc import parse_texts, parse_yaml

DATA = "data.txt"
LIMIT = 2**20
"""Bytes of a `data.txt`: what vetiver keeps in one of a model's packages takes some hundred thousand."""

_KNOWN = 1  # the only api_version there has been since pins 1.0
_XXH64 = "[0-9a-f]{16}"
_TEXTS = ("title", "description", "type", "created")


class Pin(Frozen):
    """What `data.txt` says.

    Attributes:
        files: The names of the files.
        sizes: Bytes of each, None where that is not said.
        total: Bytes of them all, None where that is not said.
        pin_hash: pins' hash of the files.
        said: What else it says, as a run record can hold it.
    """

    files: tuple[str, ...]
    sizes: tuple[int | None, ...]
    total: int | None
    pin_hash: str
    said: Mapping[str, Any]


def parse_meta(data: bytes) -> Pin:
    """Read a `data.txt`.

    Args:
        data: Its bytes.

    Raises:
        InvalidInput: It is none, of an unknown format, or names files that no version can have.
    """
    document = parse_yaml(data, DATA)
    if not isinstance(document, dict):
        raise InvalidInput(f"{DATA} is empty or cut short", hint="write the pin anew, or delete this version of it")
    version = document.get("api_version", 0)
    if version != _KNOWN or isinstance(version, bool):
        raise InvalidInput(
            f"{DATA} has the api_version {str(version)[:20]!r}, and only {_KNOWN} is known",
            hint="write the pin anew with a current pins",
        )
    files = document.get("file")
    files = [files] if isinstance(files, str) else files
    if not isinstance(files, list) or not files or not all(isinstance(file, str) for file in files):
        raise InvalidInput(f"{DATA} names no files", hint="write the pin anew, or delete this version of it")
    texts = parse_texts(data, DATA)  # a hash of digits with one e among them would pass for a number
    sizes, total = _sizes(document.get("file_size"), len(files))
    return Pin(tuple(checked_name(file, DATA) for file in files), sizes, total, _hash(texts), _said(document, texts))


def require_hash(pin: Pin, hashes: Sequence[str]) -> None:
    """Return if the files of a pin are those that pins wrote, as far as its hash tells.

    It is the xxh64 of the only file, or that of the digits of each one's. What R says of several files depends on how
    R keeps texts, and is longer: nobody else can check it.

    Args:
        pin: What `data.txt` says.
        hashes: The xxh64 of each file, in its order.

    Raises:
        IntegrityError: They are not.
    """
    if not re.fullmatch(_XXH64, pin.pin_hash):
        return
    found = hashes[0] if len(hashes) == 1 else xxh64("".join(hashes).encode()).hexdigest()
    if found != pin.pin_hash:
        what = pin.files[0] if len(hashes) == 1 else "one of its files"
        raise IntegrityError(
            f"{what} is damaged on the board: the pin_hash is {found}, but {DATA} says {pin.pin_hash}",
            hint="restore it there from a copy and import again, or write the pin anew",
        )


def _sizes(told: object, count: int) -> tuple[tuple[int | None, ...], int | None]:
    """Return the bytes of each file, and of all; R writes `.na.integer` for what its integers cannot hold."""
    if isinstance(told, list) and len(told) == count:
        sizes = tuple(_size(size) for size in told)
        return sizes, None
    if count == 1:
        return (_size(told),), None
    return (None,) * count, _size(told)


def _size(told: object) -> int | None:
    if isinstance(told, float) and told.is_integer() and abs(told) < 2**53:
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _hash(texts: object) -> str:
    found = texts.get("pin_hash") if isinstance(texts, dict) else None
    return found[:200] if isinstance(found, str) else ""


def _said(document: Mapping[str, Any], texts: object) -> Mapping[str, Any]:
    said: dict[str, Any] = {}
    for key in _TEXTS:
        value = texts.get(key) if isinstance(texts, dict) and document.get(key) is not None else None
        if isinstance(value, str) and value:
            said[key] = value
    tags = document.get("tags")
    if isinstance(tags, list) and tags:
        said["tags"] = [str(tag) for tag in tags]
    urls = document.get("urls")
    if urls and isinstance(urls, list | str):
        said["urls"] = [redact_url(str(url)) for url in ([urls] if isinstance(urls, str) else urls)]
    if isinstance(document.get("user"), dict) and document["user"]:
        said["user"] = representable(document["user"])
    return said
