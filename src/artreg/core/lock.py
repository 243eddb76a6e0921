"""The lock: which version and which bytes a consuming project uses, in a file that is committed and reviewed.

It is TOML, as people know lock files, one line a file of a model, sorted, so that a diff shows what changed and nothing
else. The files of a pin give its manifest, and the sha256 of that is the digest: a pin proves itself, and whoever has
it and the bytes needs nothing more.
"""

from __future__ import annotations

import json
import re

from artreg.core.manifest import RUN, Manifest
from artreg.core.names import Alias, Reference
from artreg.core.strict import counted, typed
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

FORMAT = "artreg/lock/1"
LOCK_FILE = "artreg.lock"
LARGEST = 16 * 2**20
"""Bytes that a lock file may have."""

_HEAD = "# Written by artreg lock, read by artreg sync. Commit it; to change it, run artreg lock.\n"
_LONGEST_LINE = 4096  # tomllib takes a time that grows with the square of what stands in one key, or nests in one line
_KEYS = {"format", "registry", "pin"}
_PIN_KEYS = {"reference", "version", "generation", "digest", "files"}
_FILE_KEYS = {"name", "size", "sha256"}


class PinnedFile(Frozen):
    """What is known of a file before a byte of it is there."""

    size: int
    sha256: str


class Pin(Frozen):
    """What a reference meant when it was locked.

    Attributes:
        reference: What was asked for.
        version: The version that it meant.
        generation: The number of the alias's newest move then; None where no alias was named.
        digest: The version's digest.
        files: Its files by name, but for the manifest, which they give.
    """

    reference: Reference
    version: Version
    generation: int | None
    digest: str
    files: Mapping[str, PinnedFile]

    @property
    def manifest(self) -> Manifest:
        """The version's manifest."""
        return Manifest.of({name: file.sha256 for name, file in self.files.items()})

    def __str__(self) -> str:
        return f"{self.reference.model}@{self.version}"


class Lock(Frozen):
    """What a project pins.

    Attributes:
        registry: The registry's root, as it was written.
        pins: One for each reference, sorted by that.
    """

    registry: str
    pins: tuple[Pin, ...] = ()

    def find(self, reference: Reference) -> Pin:
        """Return the pin of a reference.

        Raises:
            NotFound: It is not pinned.
        """
        for pin in self.pins:
            if pin.reference == reference:
                return pin
        known = ", ".join(str(pin.reference) for pin in self.pins[:10]) or "nothing"
        raise NotFound(
            f"the lock does not pin {reference}", hint=f"it pins {known}; to add it: artreg lock {reference}"
        )

    def having(self, pins: Iterable[Pin]) -> Lock:
        """Return the lock with some pins added, or put in the place of those of the same references."""
        every = {str(pin.reference): pin for pin in (*self.pins, *pins)}
        return replace(self, pins=tuple(every[name] for name in sorted(every)))

    def without(self, references: Collection[Reference]) -> Lock:
        """Return the lock without some pins.

        Raises:
            NotFound: One is not pinned.
        """
        gone = [self.find(reference) for reference in references]
        return replace(self, pins=tuple(pin for pin in self.pins if pin not in gone))

    def encode(self) -> bytes:
        """Return the bytes of the file.

        Raises:
            InvalidInput: The registry's root is no text that a file can hold.
        """
        head = f"{_HEAD}format = {_quoted(FORMAT)}\nregistry = {_quoted(self.registry)}\n"
        try:
            return "\n".join([head, *map(_pin_text, self.pins)]).encode()
        except UnicodeEncodeError:
            raise InvalidInput(f"{self.registry!r} is not UTF-8, and cannot stand in a lock file") from None


def parse_lock(data: bytes, what: str) -> Lock:
    """Read a lock file: strictly in what it says, freely in how it is laid out, for people merge it by hand.

    Args:
        data: Its bytes.
        what: Its name, for errors.

    Raises:
        InvalidInput: It is no lock, of another format, or says what none can.
        IntegrityError: The files of a pin do not give its digest.
    """
    document = _toml(data, what)
    if document.get("format") != FORMAT:
        raise InvalidInput(
            f"{what} has the format {str(document.get('format'))[:80]!r}, which this artreg does not know",
            hint="a newer artreg may have written it: upgrade",
        )
    try:
        _require_keys(document, _KEYS, optional={"pin"})
        pins = [_pin(pin) for pin in typed(document, "pin", list)] if "pin" in document else []
        registry = typed(document, "registry", str)
    except IntegrityError as error:
        raise IntegrityError(f"{what}: {error.message}", hint=error.hint) from error
    except (KeyError, TypeError, ValueError, AttributeError, ArtregError) as error:
        said = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInput(
            f"{what} is no lock: {said}", hint="artreg lock writes it; take it from git again"
        ) from error
    names = [str(pin.reference) for pin in pins]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InvalidInput(f"{what} pins {twice[0]} twice", hint="leave one of the two, or run artreg lock anew")
    return Lock(registry).having(pins)


def _toml(data: bytes, what: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  # few commands read a lock

    try:
        if re.search(rb"[^\n]{%d}" % _LONGEST_LINE, data):
            raise ValueError(f"a line is longer than {_LONGEST_LINE:,} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        conflict = re.search(rb"^(<<<<<<<|>>>>>>>)", data, re.MULTILINE)
        hint = "it holds a conflict of a merge: take one side, then run artreg lock" if conflict else ""
        raise InvalidInput(f"{what} is no lock: {error}", hint=hint or "artreg lock writes it anew") from error


def _pin(document: Mapping[str, Any]) -> Pin:
    _require_keys(document, _PIN_KEYS, optional={"generation"})
    name = typed(document, "reference", str)
    reference, version = Reference.parse(name, "-"), typed(document, "version", str)
    pin = Pin(
        reference,
        Version.parse(version),
        counted(document, "generation") if "generation" in document else None,
        typed(document, "digest", str),
        dict(sorted(map(_file, typed(document, "files", list)), key=lambda file: file[0])),
    )
    if str(reference) != name or str(pin.version) != version:
        raise ValueError(f"{name!r} is not written in full")
    if isinstance(reference.target, Alias) != bool(pin.generation):
        raise ValueError(f"{name} has no generation, or one too many")
    if isinstance(reference.target, Version) and reference.target != pin.version:
        raise ValueError(f"{name} cannot be {version}")
    if len(pin.files) != len(document["files"]) or RUN not in pin.files:
        raise ValueError(f"{name} names a file twice, or has no {RUN}")
    if pin.manifest.digest != pin.digest:
        raise IntegrityError(
            f"the files of {name} do not give its digest",
            hint=f"the file was altered, or merged by halves: artreg lock {name} pins it anew",
        )
    return pin


def _file(document: Mapping[str, Any]) -> tuple[str, PinnedFile]:
    _require_keys(document, _FILE_KEYS)
    name, sha256 = typed(document, "name", str), typed(document, "sha256", str)
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"{sha256[:80]!r} is no sha256")
    return name, PinnedFile(counted(document, "size"), sha256)


def _require_keys(document: Mapping[str, Any], known: set[str], optional: Collection[str] = ()) -> None:
    for key in document.keys() - known:
        raise ValueError(f"{key[:80]!r} is an unknown key")
    for key in known - document.keys() - set(optional):
        raise ValueError(f"{key} is missing")


def _pin_text(pin: Pin) -> str:
    lines = [
        "[[pin]]",
        f"reference = {_quoted(str(pin.reference))}",
        f"version = {_quoted(str(pin.version))}",
        *([] if pin.generation is None else [f"generation = {pin.generation}"]),
        f"digest = {_quoted(pin.digest)}",
        "files = [",
        *(
            f"    {{ name = {_quoted(name)}, size = {file.size}, sha256 = {_quoted(file.sha256)} }},"
            for name, file in pin.files.items()
        ),
        "]\n",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes are those of JSON and one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
