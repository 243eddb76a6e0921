"""The manifest `checksum.txt`: which files a version has, and their sha256, as `sha256sum -c` reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from artreg.core.canonical import digest
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen

MANIFEST = "checksum.txt"
RUN = "run.json"
METRICS = "metrics.json"
DATA_MANIFEST = "data_manifest.json"
CARD = "README.md"

DOCUMENTS = (RUN, METRICS, DATA_MANIFEST, CARD)
"""What gates and people read of a version, besides its manifest."""

TOMBSTONE = b"artreg tombstone: this number is spent\n"
"""What stands in the place of a manifest when an unfinished version was given up; shorter than any manifest."""

_LINE = r"([0-9a-f]{64})  (.+)\n"
_PATH_LIMIT = 400
_PLAIN = r"(?!checksum\.txt[/\n])[A-Za-z0-9_][A-Za-z0-9_.-]{0,198}(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,198})?\n"
_PLAIN_NAMES = f"(?:{_PLAIN})*+"
"""Most names, one a line; one match of this takes a hundredth of the time of looking at each segment of each."""
_SEGMENT_LIMIT = 255


class Manifest(Frozen):
    """Files of a version by name, each with its sha256; `checksum.txt` itself is not among them."""

    files: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Manifest:
        """Return the manifest of `files` (name to sha256), sorted by the bytes of the names.

        Raises:
            InvalidInput: A name cannot stand in a version.
        """
        lines = "\n".join([*files, ""])
        if lines.count("\n") != len(files) or not re.fullmatch(_PLAIN_NAMES, lines):
            for name in files:
                check_file_name(name)
        return cls(MappingProxyType(dict(sorted(files.items()))))  # UTF-8 keeps the order of the characters

    @classmethod
    def parse(cls, data: bytes, what: str) -> Manifest:
        """Read a manifest strictly: exactly the bytes that `encode` gives.

        Args:
            data: The bytes of `checksum.txt`.
            what: Whose they are, for the error.

        Raises:
            IntegrityError: They are no manifest.
        """
        try:
            text = data.decode("utf-8")
            lines = re.findall(_LINE, text)
            manifest = cls.of({name: sha256 for sha256, name in lines})
        except (UnicodeDecodeError, InvalidInput) as error:
            raise IntegrityError(f"{MANIFEST} of {what} is damaged: {error}") from error
        if not lines or manifest.encode() != data:
            raise IntegrityError(f"{MANIFEST} of {what} is damaged: it is not as artreg wrote it")
        return manifest

    def encode(self) -> bytes:
        """Return the bytes of `checksum.txt`: GNU format, one line a file, sorted."""
        return "".join([f"{sha256}  {name}\n" for name, sha256 in self.files.items()]).encode()

    @property
    def digest(self) -> str:
        """The version's digest: the sha256 of its `checksum.txt`."""
        return digest(self.encode())

    @property
    def content(self) -> str:
        """The digest of everything but `run.json`: equal for two runs that gave the same bytes."""
        return Manifest({name: sha256 for name, sha256 in self.files.items() if name != RUN}).digest


def check_file_name(name: str) -> str:
    """Return `name` if it can name a file of a version: a relative path that every tool and system can read.

    Raises:
        InvalidInput: It is absolute, climbs, is too long, is reserved, or holds a character that is not printable.
    """
    segments = name.split("/")
    if (
        not name.isprintable()
        or "\\" in name
        or len(name.encode()) > _PATH_LIMIT
        or any(segment in {"", ".", ".."} or len(segment.encode()) > _SEGMENT_LIMIT for segment in segments)
        or any(segment.startswith(".artreg-") or segment != segment.strip() for segment in segments)
        or segments[0] == MANIFEST
    ):
        raise InvalidInput(
            f"{name[:_PATH_LIMIT]!r} cannot be the name of a file in a version",
            hint="use a relative path of printable characters, without backslashes, '.' or '..', up to 400 bytes long",
        )
    return name


def is_model_file(name: str) -> bool:
    """Return whether `name` belongs to the model itself: `model.<ext>`, or a file in `model/`."""
    first, slash, _ = name.partition("/")
    return first == "model" if slash else first.startswith("model.") and first != "model."
