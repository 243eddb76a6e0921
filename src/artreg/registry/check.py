"""Checking one version: every byte against its manifest, the manifest against the records that pin it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from artreg.core import keys
from artreg.core.manifest import MANIFEST, RUN, Manifest
from artreg.core.names import ModelName
from artreg.core.run_record import RunRecord, parse_run
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.versions import read_manifest
from artreg.store.interface import Entry, Kind, Progress


class Problem(Frozen):
    """One thing that is not as it should be.

    Attributes:
        file: The file, relative to what was checked.
        problem: What is wrong with it.
    """

    file: str
    problem: str


class Checked(Frozen):
    """What the check of one version, or of one alias's history, found.

    Attributes:
        ref: What was checked.
        files: How many files were looked at.
        bytes: How many bytes were hashed; with `quick`, how many there are.
        problems: What is wrong.
    """

    ref: str
    files: int
    bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verified_manifest(
    registry: Registry, model: ModelName, version: Version, *, reporter: Reporter = SILENT
) -> tuple[Manifest, Checked]:
    """Return the manifest of a version that is whole.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; `details["problems"]` says how.
    """
    manifest = read_manifest(registry, model, version)
    checked = check_version(registry, model, version, reporter=reporter)
    if not checked.ok:
        raise IntegrityError(
            f"{checked.ref} is damaged: {'; '.join(f'{p.file}: {p.problem}' for p in checked.problems[:5])}",
            hint="restore it from a copy, or use another version; nothing was changed",
            problems=[{"file": p.file, "problem": p.problem} for p in checked.problems],
        )
    return manifest, checked


def check_version(
    registry: Registry,
    model: ModelName,
    version: Version,
    *,
    pins: Mapping[str, str] | None = None,
    quick: bool = False,
    reporter: Reporter = SILENT,
) -> Checked:
    """Check one version that exists.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        pins: Digests that records say the version has, each with the record that says so.
        quick: Look only at the presence and size of files.
        reporter: Told of the bytes that were hashed.
    """
    ref = f"{model}@{version}"
    try:
        manifest = read_manifest(registry, model, version)
    except IntegrityError as error:
        return Checked(ref, 0, 0, (Problem(MANIFEST, error.message),))
    except NotFound:
        return Checked(ref, 0, 0, (Problem(MANIFEST, "missing: nothing says what belongs to this version"),))
    entries = {entry.name: entry for entry in registry.store.walk(keys.version_prefix(model, version))}
    problems = [*_unpinned(manifest, pins or {}), *misplaced_files(manifest, entries)]
    sound = [name for name in manifest.files if name in entries and entries[name].kind is Kind.FILE]
    size = sum(entries[name].size for name in sound)
    hashed = [RUN] if quick and RUN in sound else [] if quick else sound
    progress = reporter.step(f"verify {ref}", sum(entries[name].size for name in hashed))
    for name in hashed:
        problems += _wrong_bytes(
            registry, keys.version_file(model, version, name), name, manifest.files[name], progress
        )
    if not any(problem.file == RUN for problem in problems):
        problems += _wrong_run(registry, model, version, manifest, entries)
    return Checked(ref, len(sound), size, tuple(sorted(problems, key=lambda problem: problem.file)))


def _unpinned(manifest: Manifest, pins: Mapping[str, str]) -> Iterator[Problem]:
    for digest, record in pins.items():
        if digest != manifest.digest:
            yield Problem(MANIFEST, f"was changed: {record} pins another digest")


def misplaced_files(manifest: Manifest, entries: Mapping[str, Entry]) -> Iterator[Problem]:
    """Yield what is missing, extra or no plain file among what lies in a version's folder, by name."""
    for name in manifest.files:
        if name not in entries:
            yield Problem(name, "missing")
    for name, entry in entries.items():
        if entry.kind is not Kind.FILE:
            yield Problem(name, "is a link" if entry.kind is Kind.LINK else "is not a plain file")
        elif name not in manifest.files and name != MANIFEST:
            yield Problem(name, "extra: it is not in the manifest")


def _wrong_bytes(registry: Registry, key: str, name: str, sha256: str, progress: Progress) -> Iterator[Problem]:
    actual = hashlib.sha256()
    try:
        for chunk in registry.store.chunks(key):
            actual.update(chunk)
            progress.advance(len(chunk))
    except (NotFound, IntegrityError) as error:
        yield Problem(name, error.message)
        return
    if actual.hexdigest() != sha256:
        yield Problem(name, "does not match its checksum")


def _wrong_run(
    registry: Registry, model: ModelName, version: Version, manifest: Manifest, entries: Mapping[str, Entry]
) -> Iterator[Problem]:
    """A version whose every checksum matches may still lie in the wrong place: its run record says where it belongs."""
    try:
        run = parse_run(registry.store.read(keys.version_file(model, version, RUN)), model, version)
    except (IntegrityError, NotFound) as error:
        yield Problem(RUN, error.message)
        return
    if run.content != manifest.content:
        yield Problem(RUN, "names another content than the manifest")
    yield from _wrong_sizes(run, entries)


def _wrong_sizes(run: RunRecord, entries: Mapping[str, Entry]) -> Iterator[Problem]:
    for name, size in run.sizes.items():
        entry = entries.get(name)
        if entry is not None and entry.kind is Kind.FILE and entry.size != size:
            yield Problem(name, f"has {entry.size} bytes instead of {size}")
