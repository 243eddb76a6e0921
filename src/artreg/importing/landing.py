"""Files of a source on their way into a folder from which a version is published: named, bounded, checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from artreg.core.manifest import check_file_name
from artreg.core.redact import redact_url, secret_line
from artreg.core.strict import LARGEST_COUNT
from artreg.errors import IntegrityError, InvalidInput, StorageError
from artreg.frozen import Frozen
from artreg.store.interface import Chunk, check_key

_SUFFIX = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_PACKED = {".gz", ".bz2", ".xz", ".zst", ".lz4", ".z"}
_DEEPEST = 32
_LONGEST_TEXT = 64 * 2**10


class Expected(Frozen):
    """What a source says of a file.

    Attributes:
        size: Its bytes, None where that is not said.
        algorithm: How `digest` was made: `md5`, `sha1`, `sha256`; '' where there is none.
        digest: Lower-case hexadecimal.
        line_ends: Whether the digest may be that of the text with Unix line ends, as old DVC made it.
        lead: What was hashed before the bytes, as git does it.
    """

    size: int | None = None
    algorithm: str = ""
    digest: str = ""
    line_ends: bool = False
    lead: bytes = b""


NOTHING = Expected()
"""A source that says nothing."""


def model_file(name: str) -> str:
    """Return what the one file of a model is called in a version: `model` with the suffix that it has."""
    suffixes = PurePosixPath(name).suffixes
    kept = suffixes[-2:] if len(suffixes) > 1 and suffixes[-1].lower() in _PACKED else suffixes[-1:]
    return f"model{''.join(kept)}" if kept and all(map(_SUFFIX.fullmatch, kept)) else "model.bin"


def checked_name(name: str, what: str) -> str:
    """Return a name of a file that stays in its folder.

    Raises:
        InvalidInput: It leads out of it, or cannot be the name of a file everywhere.
    """
    try:
        check_file_name(f"model/{check_key(name)}")
        return name
    except (InvalidInput, UnicodeEncodeError):
        raise InvalidInput(
            f"{what} names the file {name[:200]!r}, which could lie outside of its folder or on no disk",
            hint="rename it in the source; a version's files have plain names",
        ) from None


def lay(folder: Path, name: str, chunks: Iterable[Chunk], what: str, expected: Expected = NOTHING) -> None:
    """Write a file of a version, and check it on the way.

    Args:
        folder: The version's folder.
        name: Its name there, which was checked.
        chunks: Its bytes.
        what: How the source calls it, for errors.
        expected: What the source says of it.

    Raises:
        IntegrityError: It is not what the source says.
        InvalidInput: Another file has its name.
        StorageError: It cannot be written.
    """
    path = folder / name
    hashed = hashlib.new(expected.algorithm or "md5", expected.lead, usedforsecurity=False)
    unix = _UnixLines(expected.algorithm or "md5") if expected.line_ends else None
    size = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if expected.size is not None and size > expected.size:
                    break
                file.write(chunk)
                if expected.digest:
                    hashed.update(chunk)
                if unix:
                    unix.update(bytes(chunk))
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise InvalidInput(f"{what}: two of its files have the name {name}", hint="rename one in the source") from None
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written to {folder}: {error.strerror}", hint="make room, or set TMPDIR"
        ) from error
    if expected.size not in (None, size):
        less = "more" if size > (expected.size or 0) else f"{size:,}"
        raise IntegrityError(
            f"{what} has {less} bytes, but its source says that it has {expected.size:,}",
            hint="it is cut short or was changed: restore it there, and import again",
        )
    if expected.digest and expected.digest not in {hashed.hexdigest(), unix.hexdigest() if unix else ""}:
        raise IntegrityError(
            f"{what} is damaged: its {expected.algorithm} is {hashed.hexdigest()}, not {expected.digest}",
            hint="restore it in the source, and import again",
        )


class _UnixLines:
    """Hashes text as if its lines ended as they do on Unix."""

    def __init__(self, algorithm: str) -> None:
        self._hashed = hashlib.new(algorithm, usedforsecurity=False)
        self._held = b""

    def update(self, data: bytes) -> None:
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""  # the line feed may come with the next piece
        self._hashed.update(data[: len(data) - len(self._held)].replace(b"\r\n", b"\n"))

    def hexdigest(self) -> str:
        whole = self._hashed.copy()
        whole.update(self._held)
        return whole.hexdigest()


def representable(value: Any, depth: int = 0) -> Any:
    """Return a value as a run record can hold it: JSON without NaN, bounded, no credentials in URLs."""
    if isinstance(value, dict) and depth < _DEEPEST:
        return {str(key): representable(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return [representable(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= LARGEST_COUNT):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    text = str(value)[:_LONGEST_TEXT]
    return redact_url(text) if secret_line(text) is not None else text
