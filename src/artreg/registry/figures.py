"""The metrics of many versions: a few round trips, whatever their number."""

from __future__ import annotations

from artreg.core import canonical, keys
from artreg.core.manifest import METRICS, TOMBSTONE, Manifest
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.registry.handle import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def read_figures(
    registry: Registry, model: ModelName, versions: Iterable[Version]
) -> dict[Version, Mapping[str, object] | None]:
    """Return what the metrics.json of each version says, in the order of the versions.

    None stands for one that has none, is no version, or does not match its checksums: what is wrong `verify` says.

    Raises:
        StorageError: Storage cannot be reached, or refuses.
    """
    wanted = list(versions)
    seals = _each(registry, [keys.manifest_key(model, version) for version in wanted])
    sums = {
        version: sum_
        for version, seal in zip(wanted, seals, strict=True)
        if (sum_ := _sum(seal, f"{model}@{version}")) is not None
    }
    files = _each(registry, [keys.version_file(model, version, METRICS) for version in sums])
    read = {version: _metrics(data, expected) for (version, expected), data in zip(sums.items(), files, strict=True)}
    return {version: read.get(version) for version in wanted}


def _each(registry: Registry, wanted: Sequence[str]) -> list[bytes | None]:
    try:
        return list(registry.store.read_each(wanted))
    except (NotFound, IntegrityError):
        return [_one(registry, key) for key in wanted]


def _one(registry: Registry, key: str) -> bytes | None:
    try:
        return registry.store.read(key)
    except (NotFound, IntegrityError):
        return None


def _sum(seal: bytes | None, what: str) -> str | None:
    if seal is None or seal == TOMBSTONE:
        return None
    try:
        return Manifest.parse(seal, what).files.get(METRICS)
    except IntegrityError:
        return None


def _metrics(data: bytes | None, expected: str) -> dict[str, object] | None:
    if data is None or canonical.digest(data) != expected:
        return None
    try:
        return canonical.loads(data, METRICS)
    except IntegrityError:
        return None
