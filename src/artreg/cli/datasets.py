"""What commands do with data snapshots: fetch them for a training, and keep what was trained on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from artreg.cli.session import Session
from artreg.core.snapshot import Snapshot, SnapshotRef
from artreg.registry.snapshot_data import pieces, verified
from artreg.registry.snapshot_taking import take
from artreg.registry.snapshots import find

if TYPE_CHECKING:
    from artreg.core.config import DataConfig
    from artreg.registry.snapshot_taking import Taken
    from artreg.store.interface import Chunk
    from artreg.training.source import Source

_BUFFER = 2**20


def snapshot_data(session: Session, config: DataConfig) -> Source:
    """Return the bytes of the snapshot that a config names, verified.

    Raises:
        NotFound: There is no such snapshot.
        IntegrityError: Its bytes are not what they were; the message names it.
        StorageError: They cannot be read.
    """
    from artreg.training.data import snapshot_source

    snapshot = find(session.registry, SnapshotRef.parse(config.snapshot or ""))
    with snapshot_pieces(session, snapshot) as data:
        return snapshot_source(config, b"".join(bytes(piece) for piece in verified(snapshot, data)))


@contextmanager
def snapshot_file(session: Session, config: DataConfig) -> Iterator[Path | None]:
    """Provide the snapshot that a config names as a file; None where it names none."""
    if config.snapshot is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="artreg-data-") as folder:
        file = Path(folder, "table")
        file.write_bytes(snapshot_data(session, config).data)
        yield file


@contextmanager
def snapshot_pieces(session: Session, snapshot: Snapshot) -> Iterator[Iterator[Chunk]]:
    """Provide the bytes of a snapshot, from the registry or from where they lie; nobody has verified them yet."""
    if snapshot.copied:
        yield pieces(session.registry, snapshot)
        return
    from artreg.training.source import table_file

    with table_file(snapshot.source, Path()) as table, table.path.open("rb") as file:
        yield iter(lambda: file.read(_BUFFER), b"")


def keep_data(
    session: Session, config: DataConfig, source: Source, snapshot: SnapshotRef, *, dry_run: bool
) -> Taken | None:
    """Keep the data of a training in the registry, or their manifest and where they lie.

    It comes before the version is published, so that no version names a snapshot that is not there.
    """
    from artreg.training.data import keeps_copy
    from artreg.training.describe import describe

    if config.path is None or dry_run:
        return None
    copied = keeps_copy(config, len(source.data))
    with tempfile.TemporaryDirectory(prefix="artreg-data-") as folder:
        file = Path(folder, "table")
        file.write_bytes(source.data)
        return take(
            session.registry,
            snapshot.name,
            describe(file, source.uri, id_column=config.id_column),
            source.uri if copied else _lies_at(config.path, source.uri),
            file if copied else None,
            reporter=session.output.reporter,
        )


def _lies_at(path: str, uri: str) -> str:
    """Return where data can be found again, from whichever folder."""
    return uri if ":" in path else os.path.abspath(path)
