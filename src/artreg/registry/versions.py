"""Reading versions: which there are, and what their manifests and documents say."""

from __future__ import annotations

from collections.abc import Iterator

from artreg.core import canonical, keys
from artreg.core.manifest import METRICS, RUN, TOMBSTONE, Manifest
from artreg.core.names import ModelName, is_alias, is_name
from artreg.core.run_record import RunRecord, parse_run
from artreg.core.version import Version, is_version
from artreg.errors import IntegrityError, NotFound
from artreg.registry.handle import Registry
from artreg.store.interface import READ_LIMIT, Entry, Kind, Store


def read_manifest(registry: Registry, model: ModelName, version: Version) -> Manifest:
    """Return a version's manifest: the proof that the version exists.

    Raises:
        NotFound: There is no such version; the error names those that there are.
        IntegrityError: The manifest is damaged.
    """
    manifest = find_manifest(registry, model, version)
    if manifest is None:
        from artreg.registry.absent import no_version  # noqa: PLC0415  # only errors need it

        raise no_version(registry, model, version)
    return manifest


def find_manifest(registry: Registry, model: ModelName, version: Version) -> Manifest | None:
    """Return a version's manifest, or None if the version does not exist.

    Raises:
        IntegrityError: The manifest is damaged.
    """
    data = read_seal(registry, model, version)
    return None if data in {None, TOMBSTONE} else Manifest.parse(data or b"", f"{model}@{version}")


def read_seal(registry: Registry, model: ModelName, version: Version) -> bytes | None:
    """Return what lies in the place of the manifest: a manifest, a tombstone, or nothing."""
    try:
        return registry.store.read(keys.manifest_key(model, version))
    except NotFound:
        return None


def read_run(registry: Registry, model: ModelName, version: Version, manifest: Manifest) -> RunRecord:
    """Return a version's run record, checked against its manifest.

    Raises:
        IntegrityError: It is missing or damaged.
    """
    return parse_run(read_file(registry, model, version, manifest, RUN), model, version)


def read_metrics(
    registry: Registry, model: ModelName, version: Version, manifest: Manifest
) -> dict[str, object] | None:
    """Return a version's metrics, checked against its manifest, or None if it has none.

    Raises:
        IntegrityError: They are missing or damaged.
    """
    if METRICS not in manifest.files:
        return None
    data = read_file(registry, model, version, manifest, METRICS)
    return canonical.loads(data, f"{METRICS} of {model}@{version}")


def read_file(
    registry: Registry, model: ModelName, version: Version, manifest: Manifest, name: str, *, limit: int = READ_LIMIT
) -> bytes:
    """Return the bytes of a small file of a version, checked against its manifest.

    Raises:
        IntegrityError: They are missing or damaged.
    """
    what = f"{name} of {model}@{version}"
    if name not in manifest.files:
        raise IntegrityError(f"{what} is not in the manifest")
    try:
        data = registry.store.read(keys.version_file(model, version, name), limit)
    except NotFound as error:
        raise IntegrityError(f"{what} is missing") from error
    if canonical.digest(data) != manifest.files[name]:
        raise IntegrityError(f"{what} does not match its checksum")
    return data


def list_projects(store: Store) -> list[str]:
    """Return the projects of a registry."""
    return [name for name in _folders(store, "") if is_name(name)]


def list_models(store: Store, project: str | None = None) -> list[ModelName]:
    """Return the models of a registry, or of one project."""
    projects = list_projects(store) if project is None else [project]
    return [ModelName(owner, name) for owner in projects for name in _folders(store, owner) if is_name(name)]


def list_aliases(store: Store, model: ModelName) -> list[str]:
    """Return the aliases that have a history."""
    return [name for name in _folders(store, keys.histories_prefix(model)) if is_alias(name)]


def list_numbers(store: Store, model: ModelName) -> list[Version]:
    """Return every version number that is taken, in order: by a version, an unfinished one, or a spent one."""
    return sorted(Version.parse(name) for name in _folders(store, keys.model_prefix(model)) if is_version(name))


def require_model(registry: Registry, model: ModelName) -> None:
    """Return if the model has anything in the registry.

    Raises:
        NotFound: It has not; the error names near ones.
    """
    if not registry.store.page(keys.model_prefix(model)).entries:
        from artreg.registry.absent import no_model  # noqa: PLC0415  # only errors need it

        raise no_model(registry, model)


def list_entries(store: Store, prefix: str) -> Iterator[Entry]:
    """Yield what lies directly under a prefix, over as many pages as it takes."""
    after, more = "", True
    while more:
        page = store.page(prefix, after)
        yield from page.entries
        more = page.more
        after = page.entries[-1].name if page.entries else ""


def _folders(store: Store, prefix: str) -> Iterator[str]:
    return (entry.name for entry in list_entries(store, prefix) if entry.kind is Kind.FOLDER)
