"""The public Python API: a registry, opened, with its operations as methods that take text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from artreg.core.manifest import check_file_name
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.version import Version
from artreg.errors import InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.handle import Registry as Handle
from artreg.store.factory import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from artreg.consuming.handle import Consumer
    from artreg.core.allowed_signers import SignedBy
    from artreg.core.lock import Lock
    from artreg.core.record import PromotionRecord
    from artreg.loading.load import Loaded
    from artreg.loading.trust import Trust
    from artreg.registry.demands import Demands
    from artreg.registry.pull import Pulled
    from artreg.registry.resolve import Resolved
    from artreg.registry.verify import Report

DEFAULT_PROJECT = "demo"


class Registry(Frozen):
    """A registry, opened for reading; `artreg.open` makes one.

    Attributes:
        handle: What the functions of `artreg.registry` take.
        project: Where a model without a project lies.
        cache: The folder of files that were fetched, `auto` or `off`.
        cache_size: How many bytes it is to hold at most.
        offline: Whether to go by the cache alone.
    """

    handle: Handle
    project: str = DEFAULT_PROJECT
    cache: str = "auto"
    cache_size: int | None = None
    offline: bool = False

    @property
    def url(self) -> str:
        """Where it lies."""
        return self.handle.store.url

    def resolve(self, reference: str) -> Resolved:
        """Return the version that a reference, such as `churn@prod` or `churn@1.2.1`, means now.

        Raises:
            NotFound: No such model, alias or version.
            IntegrityError: What says so is damaged.
        """
        from artreg.registry.resolve import resolve  # noqa: PLC0415

        return resolve(self.handle, self._reference(reference))

    def pull(self, reference: str, folder: str | PathLike[str]) -> Pulled:
        """Copy a version into a folder; it appears there whole and verified, or not at all.

        What the cache has is not fetched.

        Raises:
            NotFound: There is no such version.
            IntegrityError: It is damaged; nothing was left behind.
            AlreadyExists: The folder is there and holds something else.
        """
        from artreg.consuming.pull import pull  # noqa: PLC0415
        from artreg.consuming.remembering import resolve  # noqa: PLC0415

        target = Path(fspath(folder)).absolute()
        if not target.name:
            raise InvalidInput(f"{folder} cannot be the folder to make", hint="name a folder that is not there yet")
        into = open_store(str(target.parent))
        into.make_root()
        consumer = self.consumer()
        return pull(consumer, resolve(consumer, self._reference(reference)).found, into, target.name)

    def path(self, reference: str, file: str | None = None) -> Path:
        """Return where a version, or a file of it, lies on this machine, in the cache, whole and verified just now.

        It is to be read, not written to, and stays there at least as long as this process lives.

        Args:
            reference: The version, such as `churn@prod`.
            file: One of its files, such as `model.skops`; by default the folder is returned.

        Raises:
            NotFound: There is no such version or file; or, offline, the cache has not all of it.
            IntegrityError: It is damaged.
            InvalidInput: There is no cache.
            StorageError: It cannot be read, or the cache cannot be written.
        """
        from artreg.consuming.reading import version_folder  # noqa: PLC0415
        from artreg.consuming.remembering import resolve  # noqa: PLC0415

        consumer = self.consumer(local=True)
        folder = version_folder(consumer, resolve(consumer, self._reference(reference)).found)
        if file is not None and not (folder / check_file_name(file)).is_file():
            raise NotFound(f"{reference} has no file {file!r}", hint="artreg show lists its files")
        return folder / (file or "")

    def consumer(self, *, local: bool = False) -> Consumer:
        """Return what the functions of `artreg.consuming` take.

        Args:
            local: Whether there is to be a cache also for a registry on a disk of this machine.
        """
        from artreg.consuming.cache import DEFAULT_SIZE, find_cache  # noqa: PLC0415
        from artreg.consuming.handle import Consumer  # noqa: PLC0415
        from artreg.registry.seen import place_of  # noqa: PLC0415

        on_disk = self.handle.store.local_path("x") is not None
        limit = DEFAULT_SIZE if self.cache_size is None else self.cache_size
        cache = find_cache(self.cache, limit, local=on_disk and not local)
        return Consumer(self.handle, cache, place_of(self.url), self.offline)

    def load(self, reference: str, *, trust: Trust | None = None, types: Sequence[str] = ()) -> Loaded:
        """Load the model that a reference, such as `churn@prod`, means now, from the very bytes that were verified.

        What the cache has is not fetched.

        Args:
            reference: What to load.
            trust: Needed for joblib, pickle and torch, which may run code: `"sha256:…"`, a `Digest`, a `Signer`, or
                `THIS_REGISTRY`. Where it is given it is checked, whatever the format.
            types: Full names of types that skops may make besides those that it and artreg trust.

        Returns:
            The model (`predict`, `model`) and which version it is (`source`).

        Raises:
            NotFound: There is no such version.
            IntegrityError: It is damaged, beyond a limit, or is not what is trusted; nothing of it was run.
            InvalidInput: It cannot be loaded, or not without `trust` or `types`.
        """
        from artreg.consuming.keeping import tidy  # noqa: PLC0415
        from artreg.consuming.reading import find_contents  # noqa: PLC0415
        from artreg.loading.load import load  # noqa: PLC0415

        consumer = self.consumer()
        try:
            return load(
                self.handle,
                self._reference(reference),
                trust=trust,
                types=types,
                find=lambda _, wanted: find_contents(consumer, wanted),
            )
        finally:
            if consumer.cache is not None:
                tidy(consumer.cache)

    def verify(
        self,
        what: str | None = None,
        *,
        quick: bool = False,
        signed_by: Sequence[str] = (),
        allowed_signers: str | PathLike[str] | None = None,
    ) -> Report:
        """Check every byte of a reference (`churn@prod`), a model (`churn`), or, by default, everything.

        Args:
            what: The reference or the model.
            quick: Look only at the presence and size of files.
            signed_by: One of these must have signed each version; empty: anybody in `allowed_signers`.
            allowed_signers: The OpenSSH allowed signers file that says by which keys they are known; without it no
                signature is asked for.

        Returns:
            What was found; `ok` says whether nothing is wrong.

        Raises:
            NotFound: There is no such thing.
            InvalidInput: Nothing says whose keys count.
        """
        from artreg.registry.verify import verify  # noqa: PLC0415

        wanted = _signed_by(signed_by, allowed_signers)
        if what is None:
            return verify(self.handle, quick=quick, signed_by=wanted)
        named = self._reference(what) if "@" in what or ":/" in what else ModelName.parse(what, self.project)
        return verify(self.handle, named, quick=quick, signed_by=wanted)

    def history(self, reference: str) -> Iterator[PromotionRecord]:
        """Yield the promotion records of an alias (`churn@prod`), newest first, each checked against the next.

        Raises:
            NotFound: The alias was never set.
            IntegrityError: A record is missing or damaged, or the chain is broken.
        """
        from artreg.registry.history import records, require_head  # noqa: PLC0415

        parsed = self._reference(reference)
        if not isinstance(parsed.target, Alias):
            raise InvalidInput(f"{reference!r} names no alias", hint="only aliases have a history: write churn@prod")
        require_head(self.handle, parsed.model, parsed.target)
        return (head.record for head in records(self.handle, parsed.model, parsed.target))

    def versions(self, model: str) -> list[Version]:
        """Return the versions of a model, highest first.

        Raises:
            NotFound: There is no such model.
        """
        from artreg.registry.catalog import catalog  # noqa: PLC0415

        summary = catalog(self.handle, ModelName.parse(model, self.project))[0]
        return [version.version for version in summary.versions]

    def _reference(self, text: str) -> Reference:
        return Reference.parse(text, self.project)


def open_registry(
    root: str | PathLike[str] | None = None,
    *,
    project: str = DEFAULT_PROJECT,
    actor: str = "unknown",
    seen: str | PathLike[str] | None = None,
    moved_by: Sequence[str] = (),
    allowed_signers: str | PathLike[str] | None = None,
    max_age: timedelta | None = None,
    lock: str | PathLike[str] | None = None,
    cache: str | PathLike[str] | None = None,
    cache_size: int | None = None,
    offline: bool = False,
) -> Registry:
    """Open a registry.

    Args:
        root: A path, `s3://bucket/prefix`, or `memory://name`; by default the one that the lock names, or `registry`.
        project: Where a model without a project lies.
        actor: Who acts.
        seen: A folder in which to remember the newest record of each alias that was seen, so that none can go back to
            an older one; `auto` for the user's own.
        moved_by: Who must have signed the move of an alias for it to be believed; empty: anybody in `allowed_signers`.
        allowed_signers: The OpenSSH allowed signers file that says by which keys they are known.
        max_age: How long ago an alias may have been moved or confirmed at most for it to be believed.
        lock: The lock file that says what references mean, whatever was moved since: what it does not pin is not found,
            and what is not as it was pinned is refused.
        cache: The folder in which files that were fetched are kept; `auto` for the user's own, `off` for none; by
            default `ARTREG_CACHE` says, or it is `auto`.
        cache_size: How many bytes it is to hold at most; by default 20 GiB.
        offline: Go by the cache alone: nothing is fetched, and an alias means what it meant when it was last pulled.

    Raises:
        InvalidInput: The root is no path or URL that can hold a registry, the file is no lock, or nothing says whose
            keys count.
        NotFound: There is no registry, or no such file.
        StorageError: It cannot be reached.
    """
    pins = None if lock is None else _lock(lock)
    handle = Handle(open_store(root or (pins.registry if pins else "registry")), actor, lock=pins)
    if seen or moved_by or allowed_signers or max_age:
        handle = replace(handle, demands=_demands(handle.store.url, seen, moved_by, allowed_signers, max_age))
    if not offline:
        handle.store.require_root()
    named = fspath(cache) if cache is not None else os.environ.get("ARTREG_CACHE") or "auto"
    return Registry(handle, project, named, cache_size, offline)


def _lock(path: str | PathLike[str]) -> Lock:
    from artreg.consuming.lock_file import read_lock  # noqa: PLC0415

    return read_lock(path)


def _demands(
    root: str,
    seen: str | PathLike[str] | None,
    moved_by: Sequence[str],
    allowed_signers: str | PathLike[str] | None,
    max_age: timedelta | None,
) -> Demands:
    from artreg.registry.demands import Demands  # noqa: PLC0415
    from artreg.registry.seen import memory  # noqa: PLC0415

    known = memory(fspath(seen), root) if seen else None
    return Demands(known, _signed_by(moved_by, allowed_signers), max_age)


def _signed_by(names: Sequence[str], allowed_signers: str | PathLike[str] | None) -> SignedBy | None:
    if not names and not allowed_signers:
        return None
    from artreg.registry.signing import read_signed_by  # noqa: PLC0415

    return read_signed_by(names, allowed_signers)
