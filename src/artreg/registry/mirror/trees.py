"""Copying what is immutable and sealed: versions, and data snapshots."""

from __future__ import annotations

from enum import Enum
from functools import partial

from artreg.core import canonical, keys
from artreg.core.manifest import DATA_MANIFEST, MANIFEST, RUN, TOMBSTONE, Manifest
from artreg.core.names import ModelName
from artreg.core.snapshot import SnapshotRef
from artreg.core.version import Version
from artreg.errors import AlreadyExists, Conflict, IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen
from artreg.registry.check import check_version
from artreg.registry.mirror.ledger import Copied, Job
from artreg.registry.snapshot_taking import keep
from artreg.registry.snapshots import look
from artreg.registry.transfer import version_files
from artreg.registry.versions import read_file, read_seal
from artreg.store.commit import commit
from artreg.store.interface import TreeFile


class State(Enum):
    """How a version stands at the target."""

    THERE = "it is there"
    ABSENT = "it is not there, since it is damaged or unfinished at the source"
    OTHER = "another one is there"


class Standing(Frozen):
    """How a version stands at the target.

    Attributes:
        state: Whether it is there.
        digest: Its digest; '' where it is not there, or was not looked at.
    """

    state: State
    digest: str = ""


_ABSENT = Standing(State.ABSENT)
_OTHER = Standing(State.OTHER)


def compare_version(job: Job, model: ModelName, version: Version) -> Standing | None:
    """Return how a version stands that seems to be there on both sides; None if it is not there after all."""
    try:
        theirs = read_seal(job.target, model, version)
    except IntegrityError as error:
        job.divergence(f"{model}@{version}", f"is damaged at the target: {error.message}")
        return _OTHER
    if theirs is None:
        return None
    try:
        ours = read_seal(job.source, model, version)
    except IntegrityError as error:
        job.damage(f"{model}@{version}", error.message)
        return Standing(State.THERE, canonical.digest(theirs))
    if ours == theirs:
        return Standing(State.THERE, canonical.digest(theirs))
    if ours is not None and _is_damaged(ours, model, version):
        job.damage(f"{model}@{version}", f"{MANIFEST} is not as artreg wrote it")
        return Standing(State.THERE, canonical.digest(theirs))
    job.divergence(f"{model}@{version}", "the target has another version under this number")
    return _OTHER


def _is_damaged(seal: bytes, model: ModelName, version: Version) -> bool:
    try:
        return seal != TOMBSTONE and not Manifest.parse(seal, f"{model}@{version}").files
    except IntegrityError:
        return True


def copy_version(job: Job, model: ModelName, version: Version, pin: str | None) -> Standing:
    """Copy a version that is not at the target yet; it appears there whole and verified, or not at all.

    Args:
        job: The run.
        model: The model.
        version: The version.
        pin: What its digest must be, if a record or an event says so.
    """
    ref = f"{model}@{version}"
    try:
        seal = read_seal(job.source, model, version)
        if seal is None:
            return _unsealed(job, ref, pin)
        if seal == TOMBSTONE:
            return _bury(job, model, version)
        manifest = Manifest.parse(seal, ref)
        if pin not in {None, manifest.digest}:
            raise IntegrityError(f"{MANIFEST} was changed: what was said of the version pins another digest")
        if not (job.dry_run or job.target.store.whole_trees):
            # Where a claim is seen before the seal, nothing is begun that could never be finished.
            _require_whole(job, model, version)
        files = version_files(job.source, model, version, manifest)
        _bring_snapshot(job, model, version, manifest)
        return _put(job, model, version, manifest, files)
    except IntegrityError as error:
        job.damage(ref, error.message.removeprefix(f"{ref} is damaged: "))
        return _ABSENT


def _unsealed(job: Job, ref: str, pin: str | None) -> Standing:
    if pin is not None or job.source.store.whole_trees:
        job.damage(ref, f"{MANIFEST}: missing")
    else:
        job.unfinished.append(ref)
    return _ABSENT


def _bury(job: Job, model: ModelName, version: Version) -> Standing:
    """Spend at the target a number that is spent at the source."""
    try:
        if not job.dry_run:
            commit(job.target.store, keys.manifest_key(model, version), TOMBSTONE)
    except AlreadyExists:
        job.divergence(f"{model}@{version}", "the number is spent at the source, but not at the target")
        return _OTHER
    job.copied.append(Copied(f"{model}@{version} (a spent number)", 1, len(TOMBSTONE)))
    return Standing(State.THERE, canonical.digest(TOMBSTONE))


def _require_whole(job: Job, model: ModelName, version: Version) -> None:
    checked = check_version(job.source, model, version, reporter=job.reporter)
    if not checked.ok:
        raise IntegrityError("; ".join(f"{problem.file}: {problem.problem}" for problem in checked.problems))


def _put(job: Job, model: ModelName, version: Version, manifest: Manifest, files: list[TreeFile]) -> Standing:
    ref, total = f"{model}@{version}", sum(file.size for file in files)
    prefix = keys.version_prefix(model, version)
    if not job.dry_run:
        try:
            progress = job.reporter.step(f"copy {ref}", total)
            job.target.store.put_tree(prefix, files, claim=RUN, seal=MANIFEST, progress=progress)
        except AlreadyExists:
            job.divergence(ref, "the target has another version under this number, or somebody is publishing it there")
            return _OTHER
        except IntegrityError:
            _require_whole(job, model, version)  # says more exactly what is wrong
            raise
    job.copied.append(Copied(ref, len(files), total))
    return Standing(State.THERE, manifest.digest)


def _bring_snapshot(job: Job, model: ModelName, version: Version, manifest: Manifest) -> None:
    """Copy the data snapshot that a version names, where the source keeps it, before the version itself."""
    if DATA_MANIFEST not in manifest.files:
        return
    data = read_file(job.source, model, version, manifest, DATA_MANIFEST)
    named = canonical.loads(data, DATA_MANIFEST).get("snapshot")
    try:
        ref = SnapshotRef.parse(named) if isinstance(named, str) else None
    except InvalidInput:
        return  # whoever published the version wrote something else there
    for copied in (True, False):
        if ref is not None and copy_snapshot(job, ref, copied=copied):
            return


def copy_snapshot(job: Job, ref: SnapshotRef, *, copied: bool) -> bool:
    """Copy a snapshot unless the target has it; return whether the source has it."""
    name = f"data {ref.short}"
    if (ref, copied) in job.data:
        return True
    try:
        snapshot = look(job.source, ref, copied=copied)
    except IntegrityError as error:
        job.damage(name, error.message)
        return True
    if snapshot is None:
        return False
    job.data.add((ref, copied))
    key = f"{keys.snapshot_prefix(ref.name, ref.sha256, copied=copied)}/{snapshot.data_file}"
    data = partial(job.source.store.chunks, key) if copied else None
    try:
        if look(job.target, ref, copied=copied) is not None:
            return True
        if not job.dry_run:
            keep(job.target, snapshot, data, job.reporter)
    except (IntegrityError, NotFound) as error:
        job.damage(name, error.message)
    except (AlreadyExists, Conflict) as error:
        job.divergence(name, error.message)
    else:
        job.copied.append(Copied(name, 3 if copied else 2, snapshot.table.size if copied else 0))
    return True
