"""What a source of versions is: another tool's store, which is surveyed, and read, and never written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


BEGINS = "imported from "
"""How the reason of what an import did begins: only that does an import undo."""

_LONGEST = 300  # characters of a reason


def reason(kind: str, why: str) -> str:
    """Return the reason that stands in a record for what an import did, from a source of a kind."""
    return f"{BEGINS}{kind}: {why}"[:_LONGEST].encode("utf-8", "replace").decode()


class Incoming(Frozen):
    """A version of a source.

    Attributes:
        item: How the source itself calls it, such as `churn/3` or `churn@v1.2.1`; unique within the source.
        model: The model that it becomes a version of.
        version: The version that it becomes.
        fingerprint: Changes whenever what `fetch` brings may change: a run id with times, a commit with a digest. So a
            version that is there with the same one is not fetched again. Representable in JSON.
        run: What the source knows of how it was made and who registered it when; goes to `run.json`, below `imported`.
            Representable in JSON, without NaN and infinities, and without secrets.
        metrics: What goes to `metrics.json`; empty if nothing is known. The same conditions.
        size: Bytes to fetch, None where that is not known.
        withdrawn: Why the source took it back, '' if it holds there; None where a source knows no such thing.
    """

    item: str
    model: ModelName
    version: Version
    fingerprint: str
    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    size: int | None = None
    withdrawn: str | None = None


class IncomingAlias(Frozen):
    """An alias, a stage or whatever else of a source points at one of its versions.

    Attributes:
        item: How the source calls it, such as `churn@champion` or `churn#prod#2`.
        name: Its name there, which need not be an alias's name here.
        alias: What it becomes here unless the user says otherwise; None where nothing is obvious.
        model: The model.
        version: The version that it points at.
        why: What the source knows of when and by whom it was set, in a few words, or ''.
    """

    item: str
    name: str
    alias: Alias | None
    model: ModelName
    version: Version
    why: str = ""


class Trouble(Frozen):
    """What of a source cannot be imported.

    Attributes:
        item: How the source calls it.
        error: Why, and what to do about it.
    """

    item: str
    error: ArtregError


class Survey(Frozen):
    """What a source holds.

    Attributes:
        versions: Its versions, in the order in which they are to come: by model, oldest first.
        aliases: Its aliases; if two become one here, the later one holds.
        troubles: What cannot come.
    """

    versions: tuple[Incoming, ...]
    aliases: tuple[IncomingAlias, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Names(Protocol):
    """Says what names of a source become here; given to a source when it is made."""

    def model(self, name: str) -> ModelName:
        """Return the model that a name of the source becomes.

        Raises:
            InvalidInput: It cannot be one, and the user has not said what it is to become.
        """

    def wanted(self, name: str) -> bool:
        """Return whether the user wants the model that the source calls by this name."""


class Source(Protocol):
    """Another tool's store. Whoever implements it writes nothing there, and runs nothing that lies there.

    Attributes:
        kind: What it is: `mlflow`, `gto`, `pins`, `huggingface`, `dir`.
        location: Where it lies, without credentials; recorded in each version.
        movable: Whether a fingerprint tells the same bytes wherever the source lies, so that of a fresh clone, or of a
            server with a new name, nothing is fetched again.
    """

    kind: str
    location: str
    movable: bool

    def survey(self) -> Survey:
        """Look through the source, reading no more than documents.

        What is damaged, half there or of an unknown format is a trouble of its item, and keeps nothing else from
        coming.

        Raises:
            NotFound: There is no such source.
            InvalidInput: It is not a source of this kind, or of a format that is not known.
            StorageError: It cannot be reached.
        """

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        """Bring a version's files into an empty folder, so that it is fit to be published.

        The model is one `model.<ext>`, or a folder `model/`; further files lie beside it. metrics.json and run.json are
        written by whoever calls, of `incoming`. What the source says of checksums and sizes is checked on the way.

        Raises:
            IntegrityError: The files are not what the source says.
            NotFound: They are not there.
            InvalidInput: They cannot be a version.
            StorageError: They cannot be read.
        """
