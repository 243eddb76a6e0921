"""Moving in: what a source holds is published here, version by version, and its aliases are set.

Everything is done so that it can be done again: a version that came before is known by what its run record says of
where it came from, and is not fetched again. What cannot come is named, and keeps nothing else from coming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artreg.core import canonical, keys
from artreg.core.manifest import METRICS
from artreg.core.names import Alias, ModelName
from artreg.core.run_record import IMPORTED, RunRecord
from artreg.core.version import Version
from artreg.errors import AlreadyExists, ArtregError, IntegrityError, InvalidInput, StorageError
from artreg.frozen import Frozen
from artreg.importing.aliases import AliasSet, Terms, chosen, set_alias
from artreg.importing.naming import Naming
from artreg.importing.room import room, tidy
from artreg.importing.source import Incoming, Source, Survey, Trouble
from artreg.importing.tree import unreadable
from artreg.importing.yanks import YankSet, dispensable, settle
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.publish import Taking, publish
from artreg.registry.versions import find_manifest, read_run

_LARGEST = 4 * 2**20  # bytes of what a source knows of one version


class Arrival(Frozen):
    """A version of a source that is here now, or would be.

    Attributes:
        item: How the source calls it.
        model: The model here.
        version: The version here.
        digest: Its digest; None as long as it is only to come.
        size: Bytes to fetch, None where that is not known.
        to_compare: Whether a dry run found something under its number of which only the bytes can tell whether it is
            the same.
    """

    item: str
    model: ModelName
    version: Version
    digest: str | None
    size: int | None
    to_compare: bool = False


class Brought(Frozen):
    """What came of an import.

    Attributes:
        kind: What the source is.
        location: Where it lies.
        imported: Versions that came, or would come.
        present: Versions that were here already.
        yanks: Versions that are yanked now, or no more, or would be.
        aliases: Aliases that are set now, or would be.
        troubles: What did not come, and why.
        stopped: What ended it early: the registry failed; None if everything was tried.
        dry_run: Whether nothing was done on purpose.
    """

    kind: str
    location: str
    imported: tuple[Arrival, ...]
    present: tuple[Arrival, ...]
    yanks: tuple[YankSet, ...]
    aliases: tuple[AliasSet, ...]
    troubles: tuple[Trouble, ...]
    stopped: ArtregError | None
    dry_run: bool


def bring(
    registry: Registry,
    source: Source,
    naming: Naming,
    aliases: Mapping[str, Alias | None] | None,
    terms: Terms,
    *,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Brought:
    """Bring what a source holds into a registry.

    Args:
        registry: Where to.
        source: Where from; nothing is written there.
        naming: What the source was made with.
        aliases: What its aliases become, where that is not obvious; None if none are to come.
        terms: By what aliases are moved.
        dry_run: Say what would come, but fetch and write nothing.
        reporter: Told of the versions that are done.

    Raises:
        NotFound: There is no such source, or no such registry.
        InvalidInput: It is no source of this kind.
        StorageError: It cannot be reached.
    """
    registry.store.require_root()
    survey = source.survey()
    if not dry_run:
        tidy()
    bringing = _Bringing(registry, source, naming, dry_run=dry_run)
    stopped = None
    try:
        bringing.versions(survey, reporter)
        if aliases is not None:
            bringing.set_aliases(survey, aliases, terms)
    except StorageError as error:
        stopped = error
    return Brought(
        source.kind,
        source.location,
        tuple(bringing.imported),
        tuple(bringing.present),
        tuple(bringing.yanks),
        tuple(bringing.aliases),
        tuple(bringing.troubles),
        stopped,
        dry_run,
    )


class _Bringing:
    """One import under way."""

    def __init__(self, registry: Registry, source: Source, naming: Naming, *, dry_run: bool) -> None:
        self._registry, self._source, self._naming, self._dry_run = registry, source, naming, dry_run
        self.imported: list[Arrival] = []
        self.present: list[Arrival] = []
        self.yanks: list[YankSet] = []
        self.aliases: list[AliasSet] = []
        self.troubles: list[Trouble] = []

    def versions(self, survey: Survey, reporter: Reporter) -> None:
        clashing = list(_clashes(survey.versions, self._naming))
        self.troubles += [*survey.troubles, *self._naming.unknown(), *clashing]
        unfit = {trouble.item for trouble in clashing}
        fit = [incoming for incoming in survey.versions if incoming.item not in unfit]
        progress = reporter.step(f"import from {self._source.kind}", len(fit), unit="versions")
        for incoming in fit:
            with self._naming_trouble(incoming.item):
                self._bring(incoming)
            progress.advance(1)

    def set_aliases(self, survey: Survey, names: Mapping[str, Alias | None], terms: Terms) -> None:
        why = {trouble.item: trouble.error for trouble in self.troubles}
        failed = {(one.model, one.version): why[one.item] for one in survey.versions if one.item in why}
        here = {one.item for one in (*self.imported, *self.present)}
        came = {(one.model, one.version): one for one in survey.versions if one.item in here}
        known, troubles = chosen(survey.aliases, names, came, failed, terms.policy)
        self.troubles += troubles
        for wanted in known:
            with self._naming_trouble(wanted.incoming.item):
                done = set_alias(self._registry, self._source.kind, wanted, terms, dry_run=self._dry_run)
                self.aliases.append(done)

    @contextmanager
    def _naming_trouble(self, item: str) -> Iterator[None]:
        """Keep what goes wrong with one thing from the others, unless it is the registry that fails."""
        try:
            yield
        except StorageError as error:
            self.troubles.append(Trouble(item, error))
            raise
        except ArtregError as error:
            self.troubles.append(Trouble(item, error))

    def _bring(self, incoming: Incoming) -> None:
        model, version = incoming.model, incoming.version
        manifest = find_manifest(self._registry, model, version)
        run = None if manifest is None else read_run(self._registry, model, version, manifest)
        if manifest is not None and run is not None and self._came_before(incoming, run):
            if not self._dry_run:  # whoever brought it may have died before it was durable
                self._registry.store.persist([keys.version_prefix(model, version)])
            self.present.append(_arrival(incoming, manifest.digest))
        elif not self._come(incoming, run):
            return
        if (done := settle(self._registry, self._source.kind, incoming, dry_run=self._dry_run)) is not None:
            self.yanks.append(done)

    def _come(self, incoming: Incoming, there: RunRecord | None) -> bool:
        """Fetch and publish a version; return False where it cannot be fetched, and name it.

        Args:
            incoming: The version.
            there: The run record of what lies under its number.
        """
        known = _checked({IMPORTED: {**incoming.run, **self._origin(incoming)}}, incoming.item)
        metrics = _checked(incoming.metrics, incoming.item)
        if self._dry_run:
            self.imported.append(_arrival(incoming, None, to_compare=there is not None))
            return True
        with room() as folder:
            fetched = self._fetched(incoming, metrics, folder)
            if fetched:
                self._publish(incoming, folder, known, there)
        return fetched

    def _came_before(self, incoming: Incoming, run: RunRecord) -> bool:
        said = {**run.imported, "location": self._source.location} if self._source.movable else run.imported
        return all(said.get(key) == value for key, value in self._origin(incoming).items())

    def _origin(self, incoming: Incoming) -> dict[str, Any]:
        return {
            "from": self._source.kind,
            "location": self._source.location,
            "item": incoming.item,
            "fingerprint": incoming.fingerprint,
        }

    def _fetched(self, incoming: Incoming, metrics: Mapping[str, Any], folder: Path) -> bool:
        """Fetch a version; return False where that failed, and name it: the source's troubles end nothing."""
        try:
            self._source.fetch(incoming, folder)
            if metrics:
                (folder / METRICS).write_bytes(canonical.dumps(metrics))
        except OSError as error:
            self._lack(incoming, unreadable(error, incoming.item))
        except ArtregError as error:
            self._lack(incoming, error)
        else:
            return True
        return False

    def _lack(self, incoming: Incoming, error: ArtregError) -> None:
        self.troubles.append(Trouble(incoming.item, dispensable(error, incoming.withdrawn)))

    def _publish(self, incoming: Incoming, folder: Path, known: Mapping[str, Any], there: RunRecord | None) -> None:
        model, version = incoming.model, incoming.version
        try:
            published = publish(self._registry, model, folder, version, run=known, taking=Taking.MOVE)
        except AlreadyExists as error:
            message = error.message if there is None else f"{error.message}: {_came_from(there)}"
            hint = f"a version never changes; {self._naming.elsewhere(model)} brings this one too"
            raise AlreadyExists(message, hint=hint, **error.details) from error
        came = _arrival(incoming, published.digest)
        (self.imported if published.created else self.present).append(came)


def _clashes(versions: Sequence[Incoming], naming: Naming) -> Iterator[Trouble]:
    """Yield the versions that would come under a name or a number that another one would take too."""
    names = naming.clashes()
    numbers: dict[tuple[ModelName, Version], list[str]] = {}
    for incoming in versions:
        numbers.setdefault((incoming.model, incoming.version), []).append(incoming.item)
    for incoming in versions:
        same = numbers[incoming.model, incoming.version]
        if incoming.model in names:
            yield Trouble(incoming.item, names[incoming.model])
        elif len(same) > 1:
            error = InvalidInput(
                f"{' and '.join(same)} would all become {incoming.model}@{incoming.version}",
                hint="import one of them under a name of its own: see --only and --map",
            )
            yield Trouble(incoming.item, error)


def _checked(document: Mapping[str, Any], item: str) -> dict[str, Any]:
    """Return what a source knows, as it will read back from JSON.

    Raises:
        InvalidInput: JSON has no words for it, or nobody could read it back.
    """
    try:
        data = canonical.dumps(document)
        if len(data) <= _LARGEST:
            return canonical.loads(data, f"what is known of {item}")
    except (ValueError, TypeError, RecursionError, IntegrityError) as error:
        raise InvalidInput(f"what the source knows of {item} cannot be recorded: {error}") from error
    raise InvalidInput(f"what the source knows of {item} cannot be recorded: it is {len(data):,} bytes long")


def _came_from(run: RunRecord) -> str:
    return f"it came from {run.came_from}" if run.came_from else f"{run.published_by} published it"


def _arrival(incoming: Incoming, digest: str | None, *, to_compare: bool = False) -> Arrival:
    return Arrival(incoming.item, incoming.model, incoming.version, digest, incoming.size, to_compare)
