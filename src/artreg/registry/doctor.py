"""Making a root ready, and telling whether it can be relied on."""

from __future__ import annotations

from collections.abc import Iterator

from artreg.core.names import Alias
from artreg.errors import ArtregError, StorageError
from artreg.registry.gc import unfinished_versions
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.move import pointer_problem
from artreg.registry.versions import list_aliases, list_models
from artreg.store.interface import Finding
from artreg.store.probe import probe


def initialise(registry: Registry) -> None:
    """Make a root ready: a folder is made where it is missing; a bucket must be there and must honour conditions.

    Raises:
        NotFound: There is no such bucket.
        InvalidInput: The root is a file.
        StorageError: It cannot be written, or it ignores conditions on writes.
    """
    registry.store.make_root()
    for finding in probe(registry.store):
        if not finding.ok:
            raise StorageError(
                f"{registry.store.url} cannot hold a registry: {finding.message}",
                hint=finding.hint,
                check=finding.check,
            )
    registry.store.prepare_writing()


def diagnose(registry: Registry) -> Iterator[Finding]:
    """Yield what there is to say about a root, whether artreg can rely on it or not.

    Raises:
        NotFound: There is no such root.
        StorageError: It cannot be reached.
    """
    registry.store.require_root()
    yield Finding("reachable", True, f"{registry.store.url} is there")
    yield from probe(registry.store)
    yield from _as_far_as_it_goes("storage", registry.store.diagnose())
    yield from _as_far_as_it_goes("leftovers", _leftovers(registry))
    yield from _as_far_as_it_goes("pointers", _pointers(registry))


def _as_far_as_it_goes(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; an error that ends them is one more, for a diagnosis must not die of what it is to find."""
    try:
        yield from findings
    except ArtregError as error:
        yield Finding(check, False, error.message, error.hint)


def _leftovers(registry: Registry) -> Iterator[Finding]:
    stale = [leftover.key for leftover in registry.store.leftovers()]
    for model in list_models(registry.store):
        for version, seal, entries in unfinished_versions(registry, model):
            if seal is None or len(entries) > 1:
                stale.append(f"{model}@{version}")
    if stale:
        yield Finding(
            "leftovers",
            False,
            f"{len(stale)} unfinished: {', '.join(stale[:5])}",
            hint="somebody may be publishing just now; what dead publishers left, artreg gc removes",
        )
    else:
        yield Finding("leftovers", True, "nothing unfinished lies about")


def _pointers(registry: Registry) -> Iterator[Finding]:
    stale = []
    for model in list_models(registry.store):
        for name in list_aliases(registry.store, model):
            head = find_head(registry, model, Alias(name))
            if head is not None and (problem := pointer_problem(registry, head.record)):
                stale.append(f"{model}@{name}: {problem}")
    if stale:
        yield Finding("pointers", False, "; ".join(stale[:5]), hint="artreg gc sets them by the history")
    else:
        yield Finding("pointers", True, "every pointer agrees with its history")
