"""The run record `run.json`: which run made a version, and which attempt to publish it won."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core import canonical
from artreg.core.manifest import RUN
from artreg.core.names import ModelName
from artreg.core.strict import LARGEST_COUNT
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/run/1"
IMPORTED = "imported"
"""Where it stands what a version was elsewhere."""

_OWN_KEYS = {
    "format",
    "project",
    "model",
    "version",
    "write_id",
    "content",
    "sizes",
    "published_at",
    "published_by",
}


class RunRecord(Frozen):
    """A run record.

    Attributes:
        model: The model that the run made.
        version: The version under which it was published.
        write_id: Random; names the attempt to publish, so that a publisher knows its own.
        content: The digest of everything but this record (`Manifest.content`).
        sizes: Bytes of each file but this record and the manifest.
        published_at: When, RFC 3339 in UTC.
        published_by: Who.
        run: What made it: axes, seeds, command, time; whatever was known.
    """

    model: ModelName
    version: Version
    write_id: str
    content: str
    sizes: Mapping[str, int]
    published_at: str
    published_by: str
    run: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored."""
        return {
            **self.run,
            "format": FORMAT,
            "project": self.model.project,
            "model": self.model.model,
            "version": str(self.version),
            "write_id": self.write_id,
            "content": self.content,
            "sizes": dict(self.sizes),
            "published_at": self.published_at,
            "published_by": self.published_by,
        }

    def encode(self) -> bytes:
        """Return the bytes of `run.json`."""
        return canonical.dumps(self.document())

    @property
    def axes(self) -> object:
        """What the run was a function of, or None where that is not known."""
        return self.run.get("axes")

    @property
    def imported(self) -> Mapping[str, Any]:
        """What the version was elsewhere, if it was imported: `from`, `location`, `item`, and what is known of it."""
        said = self.run.get(IMPORTED)
        return said if isinstance(said, dict) else {}

    @property
    def came_from(self) -> str:
        """Where it was imported from, in a few words, or ''."""
        return came_from(self.run)


def came_from(run: Mapping[str, Any]) -> str:
    """Say where a version was imported from, of what is known of its run; '' if it was not."""
    said = run.get(IMPORTED)
    return f"{said.get('from')} {said.get('location')}, as {said.get('item')}" if isinstance(said, dict) else ""


def parse_run(data: bytes, model: ModelName, version: Version) -> RunRecord:
    """Read a run record.

    Args:
        data: Its bytes.
        model: The model in whose folder it lies.
        version: The version in whose folder it lies.

    Raises:
        IntegrityError: It is damaged, or belongs to another version.
    """
    what = f"{RUN} of {model}@{version}"
    document = canonical.loads_canonical(data, what)
    if document.get("format") != FORMAT:
        raise IntegrityError(f"{what} has an unknown format: {document.get('format')!r}")
    place = (document.get("project"), document.get("model"), document.get("version"))
    if place != (model.project, model.model, str(version)):
        raise IntegrityError(f"{what} belongs elsewhere: it names {place[0]}/{place[1]}@{place[2]}")
    texts: dict[str, Any] = {key: document.get(key) for key in ("write_id", "content", "published_at", "published_by")}
    sizes = document.get("sizes")
    if not all(isinstance(text, str) for text in texts.values()) or not _are_sizes(sizes):
        raise IntegrityError(f"{what} is damaged: a key is missing or has the wrong type")
    return RunRecord(model=model, version=version, sizes=sizes or {}, run=_run_of(document), **texts)


def supplied_run(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to keep of a `run.json` that lay in a folder given to publish.

    One that artreg wrote keeps what it says of the run, without the place where it was published before; of one that
    somebody else wrote everything is kept, under `supplied`.
    """
    if document.get("format") == FORMAT:
        return _run_of(document)
    return {"supplied": dict(document)}


def _run_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _OWN_KEYS}


def _are_sizes(sizes: object) -> bool:
    return isinstance(sizes, dict) and all(type(size) is int and 0 <= size <= LARGEST_COUNT for size in sizes.values())
