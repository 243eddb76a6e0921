"""A version as one document in a format of others."""

from __future__ import annotations

from typing import Any

from artreg.card import LICENSES, license_of
from artreg.core import keys
from artreg.core.lineage import croissant, cyclonedx_bom
from artreg.core.manifest import DATA_MANIFEST
from artreg.core.snapshot import Snapshot, SnapshotRef
from artreg.errors import InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.origin import read_origin
from artreg.registry.resolve import Resolved
from artreg.registry.snapshots import find


class Document(Frozen):
    """A version in a format of others.

    Attributes:
        name: The version's full name.
        content: The document, which can be written as JSON.
    """

    name: str
    content: dict[str, Any]


def export_cyclonedx(registry: Registry, found: Resolved) -> Document:
    """Return a version as a CycloneDX 1.6 ML-BOM.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document of it is damaged.
    """
    origin = read_origin(registry, found)
    name = license_of(origin)
    spdx = LICENSES.get((name or "").lower())
    return Document(origin.name, cyclonedx_bom(origin, {"id": spdx} if spdx else {"name": name} if name else None))


def export_croissant(registry: Registry, found: Resolved) -> Document:
    """Return the data of a version as Croissant 1.0.

    Raises:
        NotFound: There is no such version, or it does not say what data it was made from.
        IntegrityError: A document of it, or of its data snapshot, is damaged.
    """
    origin = read_origin(registry, found)
    if origin.data is None:
        raise NotFound(
            f"{origin.name} does not say what data it was made from: it has no {DATA_MANIFEST}",
            hint="what artreg train makes has one",
        )
    snapshot = _snapshot(registry, origin.data.get("snapshot"))
    place = None
    if snapshot is not None and snapshot.copied:
        prefix = keys.snapshot_prefix(snapshot.name, snapshot.table.sha256, copied=True)
        place = f"{registry.store.url}/{prefix}/{snapshot.data_file}"
    return Document(origin.name, croissant(origin, snapshot, place))


def _snapshot(registry: Registry, name: object) -> Snapshot | None:
    try:
        return find(registry, SnapshotRef.parse(str(name)))
    except (InvalidInput, NotFound):
        return None
