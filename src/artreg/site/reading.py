"""Reads what the pages show. Whatever is damaged or foreign becomes a problem of its page, and spoils nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from artreg.core import canonical, keys
from artreg.core.comparison.facts import leaves
from artreg.core.manifest import CARD, DATA_MANIFEST, MANIFEST, METRICS, RUN, TOMBSTONE, Manifest
from artreg.core.names import Alias, ModelName, is_alias, is_name
from artreg.core.run_record import parse_run
from artreg.core.version import Version, stored_version
from artreg.core.version_event import VersionEvent
from artreg.errors import ArtregError, StorageError
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.signatures import claims, signature_problems
from artreg.registry.verifications import remembered
from artreg.registry.version_log import events
from artreg.registry.versions import find_manifest, read_file
from artreg.site.snapshot import Snapshot
from artreg.site.values import AliasPart, ModelPart, Problem, VersionPart, model_part
from artreg.store.interface import Entry, Kind

if TYPE_CHECKING:
    from artreg.core.verification import Seen
    from artreg.registry.signatures import Claim

CONFIG = "config.yaml"
CARDS = (CARD, "card.md", "MODEL_CARD.md")
DOCUMENTS = (RUN, METRICS, DATA_MANIFEST, CONFIG, *CARDS)
"""What is read of a version besides its manifest."""

_FIRST = ("prod", "production", "staging", "canary")
_PROBLEMS = 100  # of one version or model; whoever has more needs `artreg verify`

_T = TypeVar("_T")


class Reader:
    """Reads the models of a registry as they are now.

    What lies unchanged since it was last read is not read again: versions never change, so that their sizes and times
    tell.

    Args:
        registry: The registry.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[ModelName, Version], tuple[object, VersionPart]] = {}
        self._bytes: dict[bytes, bytes] = {}

    def models(self, scopes: Sequence[ModelName | str]) -> list[ModelPart]:
        """Return the models of a registry, or those of some projects or by some names, in order.

        Raises:
            NotFound: The registry is not there.
            StorageError: Storage cannot be reached, or refuses.
        """
        prefixes = [keys.model_prefix(one) if isinstance(one, ModelName) else one for one in scopes] or [""]
        snapshot = Snapshot(self._registry.store, prefixes)
        names: dict[ModelName, None] = {}
        for key in snapshot.entries:
            project, _, rest = key.partition("/")
            name, inner, _ = rest.partition("/")
            if inner and is_name(project) and is_name(name):
                names[ModelName(project, name)] = None
        found = [_Model(replace(self._registry, store=snapshot.as_store), snapshot, name) for name in sorted(names)]
        snapshot.fetch([key for model in found for key in model.small_files(self._known)])
        return [self._model(model) for model in found]

    def _model(self, model: _Model) -> ModelPart:
        problems = _Problems()
        none: Mapping[str, Seen] = {}
        verified = problems.attempt("verifications", lambda: remembered(self._registry, model.name).seen, none)
        versions = []
        for version, files in model.versions.items():
            mark = model.mark(version)
            known = self._known.get((model.name, version))
            if known is None or known[0] != mark:
                part = self._slim(model.version(version, files))
                self._known[model.name, version] = (mark, part)
            else:
                part = known[1]
            versions.append(_verified(part, verified.get(str(version))))
        aliases = [model.alias(name) for name in sorted(model.aliases, key=_rank)]
        for foreign in model.foreign():
            problems.add(foreign.where, foreign.what)
        versions = [_held_against(part, aliases) for part in versions]
        return model_part(model.name, versions, aliases, problems.found())

    def _slim(self, part: VersionPart) -> VersionPart:
        """Keep the bytes of documents once, where versions share them."""
        kept = {name: self._bytes.setdefault(data, data) for name, data in part.documents.items()}
        return replace(part, documents=kept)


class _Problems:
    """Collects what is wrong, while what is right is read."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, where: str, what: str) -> None:
        self._found.append(Problem(where, what))

    def attempt(self, where: str, action: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return action()
        except StorageError:
            raise
        except ArtregError as error:
            self.add(where, error.message)
            return otherwise

    def found(self) -> tuple[Problem, ...]:
        unique = tuple(dict.fromkeys(self._found))
        if len(unique) <= _PROBLEMS:
            return unique
        return (*unique[:_PROBLEMS], Problem("and more", f"{len(unique) - _PROBLEMS} more; see artreg verify"))


class _Model:
    """What the listing tells of one model, and the reading of its parts."""

    def __init__(self, registry: Registry, snapshot: Snapshot, name: ModelName) -> None:
        self.registry, self.snapshot, self.name = registry, snapshot, name
        self.versions: dict[Version, dict[str, Entry]] = {}
        self.aliases: list[str] = []
        self.logs: dict[str, list[str]] = {}
        self._foreign: list[Problem] = []
        folders: dict[str, dict[str, Entry]] = {}
        for path, entry in snapshot.below(keys.model_prefix(name)):
            folder, inner, rest = path.partition("/")
            if inner:
                folders.setdefault(folder, {})[rest] = entry
            elif not is_alias(folder):
                self._foreign.append(Problem(folder, "does not belong here: no pointer is named so"))
        self._histories(folders.pop(keys.HISTORY, {}))
        for folder, files in folders.items():
            self._folder(folder, files)
        self.versions = dict(sorted(self.versions.items(), key=lambda pair: pair[0].precedence(), reverse=True))

    def small_files(self, known: Mapping[tuple[ModelName, Version], tuple[object, VersionPart]]) -> Iterator[str]:
        """Yield the keys of what will be read, as far as it is not known already."""
        prefix = keys.model_prefix(self.name)
        for version, files in self.versions.items():
            if known.get((self.name, version), (None,))[0] == self.mark(version):
                continue
            yield from (f"{prefix}/{version}/{name}" for name in (MANIFEST, *DOCUMENTS) if name in files)
            yield from (f"{prefix}/{keys.HISTORY}/{version}/{rest}" for rest in self.logs.get(str(version), ()))
        for alias in self.aliases:
            yield from (f"{prefix}/{keys.HISTORY}/{alias}/{rest}" for rest in self.logs[alias])

    def mark(self, version: Version) -> object:
        """Return what differs as soon as anything of a version is another file."""
        log = f"{keys.histories_prefix(self.name)}/{version}"
        entries = {**self.versions[version], **{f"/{name}": entry for name, entry in self.snapshot.below(log)}}
        return tuple((name, entry.kind, entry.size, entry.modified) for name, entry in entries.items())

    def foreign(self) -> list[Problem]:
        """Return what does not belong there."""
        return self._foreign

    def _histories(self, files: Mapping[str, Entry]) -> None:
        for path in files:
            of, inner, rest = path.partition("/")
            if not inner or not (is_alias(of) or stored_version(of)):
                self._foreign.append(Problem(f"{keys.HISTORY}/{path}", "does not belong here"))
                continue
            self.logs.setdefault(of, []).append(rest)
            signature = rest.startswith(f"{keys.SIGNATURES}/") and not is_alias(of)
            if keys.parse_record_name(rest) is None and not signature and (rest != keys.YANKED or is_alias(of)):
                self._foreign.append(Problem(f"{keys.HISTORY}/{path}", "does not belong here: no record is named so"))
        self.aliases = [of for of in self.logs if is_alias(of)]

    def _folder(self, folder: str, files: dict[str, Entry]) -> None:
        version = stored_version(folder)
        if version is None:
            self._foreign.append(Problem(f"{folder}/", "does not belong here: it is no version"))
        elif MANIFEST not in files:
            self._foreign.append(Problem(folder, f"has no {MANIFEST}: it is being published, or was never finished"))
        elif files[MANIFEST].size != len(TOMBSTONE):
            self.versions[version] = files

    def alias(self, name: str) -> AliasPart:
        """Read an alias with its history, as far back as it can be read."""
        found = []
        try:
            for head in records(self.registry, self.name, Alias(name)):
                found.append(head.record)  # noqa: PERF401  # it may end with an error
        except StorageError:
            raise
        except ArtregError as error:
            return AliasPart(name, tuple(found), error.message)
        return AliasPart(name, tuple(found))

    def version(self, version: Version, entries: Mapping[str, Entry]) -> VersionPart:
        """Read a version."""
        problems = _Problems()
        manifest = problems.attempt(MANIFEST, lambda: find_manifest(self.registry, self.name, version), None)
        files = {} if manifest is None else manifest.files
        _compare_listing(files, entries, problems)
        documents = {} if manifest is None else dict(self._documents(version, manifest, problems))
        run, metrics = self._run(version, documents, problems), None
        for name, size in run.get("sizes", {}).items():
            if name in entries and entries[name].size != size:
                problems.add(name, f"has {entries[name].size:,} bytes, and not {size:,} as when it was published")
        if METRICS in documents:
            what = f"{METRICS} of {self.name}@{version}"
            metrics = problems.attempt(METRICS, lambda: canonical.loads(documents[METRICS], what), None)
        log = self._events(version, problems)
        digest = "" if manifest is None else manifest.digest
        if log and digest and log[-1].digest != digest:
            problems.add(MANIFEST, "was changed since: the log of the version speaks of another digest")
        yanked = log[-1].standing.yanked if log else None
        return VersionPart(
            model=self.name,
            version=version,
            digest=digest,
            files=files,
            sizes={name: entry.size for name, entry in entries.items()},
            documents=documents,
            run=run,
            published_at=str(run.get("published_at", "")),
            published_by=str(run.get("published_by", "")),
            metrics=metrics,
            figures=_figures(metrics or {}),
            events=log,
            yank=next((event for event in log if event.number == yanked), None),
            signatures=self._signatures(version, digest, problems),
            verified=None,
            problems=problems.found(),
        )

    def _documents(self, version: Version, manifest: Manifest, problems: _Problems) -> Iterator[tuple[str, bytes]]:
        for name in DOCUMENTS:
            if name in manifest.files:
                read = partial(read_file, self.registry, self.name, version, manifest, name)
                data = problems.attempt(name, read, None)
                if data is not None:
                    yield name, data

    def _run(self, version: Version, documents: Mapping[str, bytes], problems: _Problems) -> Mapping[str, Any]:
        if RUN not in documents:
            return {}
        read = problems.attempt(RUN, lambda: parse_run(documents[RUN], self.name, version), None)
        return {} if read is None else read.document()

    def _events(self, version: Version, problems: _Problems) -> tuple[VersionEvent, ...]:
        found: list[VersionEvent] = []
        if str(version) in self.logs:
            problems.attempt("log", lambda: found.extend(events(self.registry, self.name, version)), None)
        return tuple(found)

    def _signatures(self, version: Version, digest: str, problems: _Problems) -> tuple[Claim, ...]:
        if not any(rest.startswith(f"{keys.SIGNATURES}/") for rest in self.logs.get(str(version), ())):
            return ()
        for found in signature_problems(self.registry, self.name, version):
            problems.add(found.file, found.problem)
        none: tuple[Claim, ...] = ()
        return problems.attempt("signatures", partial(claims, self.registry, self.name, version, digest, None), none)


def _compare_listing(files: Mapping[str, str], entries: Mapping[str, Entry], problems: _Problems) -> None:
    """Hold what lies there against the manifest; contents are left to `artreg verify`."""
    for name in files:
        if name not in entries:
            problems.add(name, "is missing")
    for name, entry in entries.items():
        if entry.kind is not Kind.FILE:
            problems.add(name, "is no plain file")
        elif files and name not in files and name != MANIFEST:
            problems.add(name, "does not belong here: the manifest does not list it")


def _held_against(part: VersionPart, aliases: Sequence[AliasPart]) -> VersionPart:
    """Add to a version's problems where an alias pins other bytes than lie there."""
    wrong = [
        Problem(MANIFEST, f"is not what {alias.name} was pointed at: it was changed since")
        for alias in aliases
        if alias.version == part.version and part.digest and alias.records[0].digest != part.digest
    ]
    return replace(part, problems=(*part.problems, *wrong)) if wrong else part


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: value
        for key, value in leaves(metrics)
        if isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    }


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # JSON has whole numbers that no float can hold
        return False


def _verified(part: VersionPart, seen: Seen | None) -> VersionPart:
    """Add what the last verification that was recorded saw, if it was of these very bytes."""
    if seen is None or seen.digest != part.digest:
        return part
    damage = () if seen.ok else (Problem("verification", f"found it damaged at {seen.time}, by {seen.who}"),)
    return replace(part, verified=seen, problems=(*part.problems, *damage))


def _rank(alias: str) -> tuple[int, str]:
    return _FIRST.index(alias) if alias in _FIRST else len(_FIRST), alias
