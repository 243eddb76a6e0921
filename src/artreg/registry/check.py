"""Checking one version: every byte against its manifest, the manifest against the records that pin it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from artreg.core import canonical, keys
from artreg.core.manifest import DOCUMENTS, MANIFEST, RUN, Manifest
from artreg.core.names import ModelName
from artreg.core.run_record import RunRecord, parse_run
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.versions import read_manifest
from artreg.store.interface import Digest, Entry, Kind


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
        digest: The digest of the version, as far as it could be read.
    """

    ref: str
    files: int
    bytes: int
    problems: tuple[Problem, ...]
    digest: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def unsigned(self) -> bool:
        """Whether nothing is wrong but that nobody signed it whose word was wanted."""
        return {problem.file for problem in self.problems} == {keys.SIGNATURES}


class Verified(Frozen):
    """A version that was looked at, with what was read of it on the way: whoever needs it reads nothing twice.

    Attributes:
        manifest: Its manifest.
        checked: What was found.
        documents: The bytes of its documents as they were hashed, by name.
        sizes: The bytes of each of its files.
    """

    manifest: Manifest
    checked: Checked
    documents: Mapping[str, bytes]
    sizes: Mapping[str, int]


def verified(registry: Registry, model: ModelName, version: Version, *, reporter: Reporter = SILENT) -> Verified:
    """Return a version that is whole, with its documents.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; `details["problems"]` says how.
    """
    manifest = read_manifest(registry, model, version)
    found = _look(registry, model, version, manifest, pins={}, quick=False, reporter=reporter, keep=DOCUMENTS)
    checked = found.checked
    if not checked.ok:
        raise IntegrityError(
            f"{checked.ref} is damaged: {'; '.join(f'{p.file}: {p.problem}' for p in checked.problems[:5])}",
            hint="restore it from a copy, or use another version; nothing was changed",
            problems=[{"file": p.file, "problem": p.problem} for p in checked.problems],
        )
    return found


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
    found = _look(registry, model, version, manifest, pins=pins or {}, quick=quick, reporter=reporter, keep=(RUN,))
    return found.checked


def _look(
    registry: Registry,
    model: ModelName,
    version: Version,
    manifest: Manifest,
    *,
    pins: Mapping[str, str],
    quick: bool,
    reporter: Reporter,
    keep: Collection[str],
) -> Verified:
    ref, prefix = f"{model}@{version}", keys.version_prefix(model, version)
    digest = manifest.digest
    read = {name: _document(registry, f"{prefix}/{name}") for name in keep if name in manifest.files}
    documents = {name: data for name, data in read.items() if isinstance(data, bytes)}
    refused = {name: error.message for name, error in read.items() if isinstance(error, IntegrityError)}
    run = _run(documents.get(RUN), model, version)
    told = {} if isinstance(run, str) else run.sizes
    rest = [
        (name, told.get(name, 0))
        for name in manifest.files
        if name not in {*documents, *refused} and (not quick or name == RUN)
    ]
    progress = reporter.step(f"verify {ref}", sum(map(len, documents.values())) + sum(size for _, size in rest))
    hashing = registry.store.digests(prefix, rest, progress)
    first = list(islice(hashing, 1))  # from here on they are being hashed, while the folder is listed
    entries = {entry.name: entry for entry in registry.store.walk(prefix, sized=quick)}
    digests = [Digest(name, canonical.digest(data), size=len(data)) for name, data in documents.items()]
    progress.advance(sum(map(len, documents.values())))
    digests += [*first, *hashing, *(Digest(name, "", problem) for name, problem in refused.items())]
    plain = {name for name, entry in entries.items() if entry.kind is Kind.FILE}
    sizes = {name: entries[name].size for name in plain & manifest.files.keys()} if quick else {}
    sizes |= {it.name: it.size for it in digests if it.name in plain and not it.problem}
    problems = [*_unpinned(digest, pins), *misplaced_files(manifest, entries)]
    problems += _wrong_bytes(manifest, (it for it in digests if it.name in plain))
    if not any(problem.file == RUN for problem in problems):
        problems += _wrong_run(run, manifest, sizes)
    found = tuple(sorted(problems, key=lambda problem: problem.file))
    return Verified(manifest, Checked(ref, len(sizes), sum(sizes.values()), found, digest), documents, sizes)


def _document(registry: Registry, key: str) -> bytes | IntegrityError | None:
    """Return a document; the error of one that is too large, or no plain file: it need not be hashed to be refused."""
    try:
        return registry.store.read(key)
    except IntegrityError as error:
        return error
    except NotFound:
        return None  # the listing says so


def _run(data: bytes | None, model: ModelName, version: Version) -> RunRecord | str:
    """Return the run record, or what is wrong with it."""
    if data is None:
        return "missing"
    try:
        return parse_run(data, model, version)
    except IntegrityError as error:
        return error.message


def _unpinned(digest: str, pins: Mapping[str, str]) -> Iterator[Problem]:
    for pinned, record in pins.items():
        if pinned != digest:
            yield Problem(MANIFEST, f"was changed: {record} pins another digest")


def misplaced_files(manifest: Manifest, entries: Mapping[str, Entry]) -> Iterator[Problem]:
    """Yield what is missing, extra or no plain file among what lies in a version's folder, by name."""
    for name in sorted(manifest.files.keys() - entries.keys()):
        yield Problem(name, "missing")
    for name, entry in entries.items():
        if entry.kind is not Kind.FILE:
            yield Problem(name, "is a link" if entry.kind is Kind.LINK else "is not a plain file")
        elif name not in manifest.files and name != MANIFEST:
            yield Problem(name, "extra: it is not in the manifest")


def _wrong_bytes(manifest: Manifest, digests: Iterable[Digest]) -> Iterator[Problem]:
    for digest in digests:
        if digest.problem or digest.sha256 != manifest.files[digest.name]:
            yield Problem(digest.name, digest.problem or "does not match its checksum")


def _wrong_run(run: RunRecord | str, manifest: Manifest, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """A version whose every checksum matches may still lie in the wrong place: its run record says where it belongs."""
    if isinstance(run, str):
        yield Problem(RUN, run)
        return
    if run.content != manifest.content:
        yield Problem(RUN, "names another content than the manifest")
    for name, size in run.sizes.items():
        if sizes.get(name, size) != size:
            yield Problem(name, f"has {sizes[name]} bytes instead of {size}")
