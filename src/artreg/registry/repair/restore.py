"""Restoring from another registry what is damaged here: only bytes that are pinned here, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from functools import partial

from artreg.core import canonical, keys
from artreg.core.manifest import MANIFEST, Manifest
from artreg.core.names import ModelName
from artreg.core.snapshot import SnapshotRef
from artreg.core.version import Version
from artreg.errors import AlreadyExists, ArtregError, IntegrityError, NotFound
from artreg.registry.chain import Chain, Link, last_number
from artreg.registry.crosscheck import chain_links
from artreg.registry.handle import Registry
from artreg.registry.mirror.ledger import Job
from artreg.registry.mirror.trees import State, copy_version
from artreg.registry.parcel import small_file
from artreg.registry.signatures import attach, read_signatures
from artreg.registry.snapshots import look
from artreg.registry.transfer import source_of
from artreg.registry.versions import find_manifest, list_entries, read_manifest
from artreg.store.commit import commit
from artreg.store.interface import Kind, TreeFile

_DAMAGED = ".artreg/damaged"
_LABEL = "damage.json"
_STRANGE = "{} is a link, or something else that does not belong there: move it away by hand, then run this again"


def restore_version(
    registry: Registry, spare: Registry, model: ModelName, version: Version, pins: Set[str], *, dry_run: bool
) -> None:
    """Put back the files of a version that are missing or not what they were; what was in their place is kept aside.

    Args:
        registry: Where it is damaged.
        spare: Where it is whole.
        model: The model.
        version: The version.
        pins: The digests that records and events here say it has.
        dry_run: See whether that can be done, but write nothing.

    Raises:
        NotFound: The other registry does not have it.
        IntegrityError: Nothing here says which bytes are the right ones, or the other registry has others.
        StorageError: Storage failed; the same call goes on.
    """
    theirs = read_manifest(spare, model, version)
    _require_pinned(registry, model, version, theirs, pins)
    prefix = keys.version_prefix(model, version)
    _require_folder(registry, prefix)
    if next(registry.store.walk(prefix), None) is not None:
        _restore_tree(registry, spare, prefix, theirs, dry_run)
        return
    job = Job(spare, registry, dry_run=dry_run)
    if copy_version(job, model, version, theirs.digest).state is not State.THERE:
        raise IntegrityError("; ".join(f"{one.ref}: {one.problem}" for one in [*job.damaged, *job.diverged]))


def _require_pinned(registry: Registry, model: ModelName, version: Version, theirs: Manifest, pins: Set[str]) -> None:
    pinned = set(pins)
    if not pinned:
        try:
            ours = find_manifest(registry, model, version)
        except IntegrityError:
            ours = None
        pinned = {ours.digest} if ours is not None else set()
    if not pinned:
        raise IntegrityError(f"nothing here says which bytes {model}@{version} had: its manifest is damaged, too")
    if pinned != {theirs.digest}:
        raise IntegrityError(f"the other registry has another {model}@{version}")


def _restore_tree(registry: Registry, spare: Registry, prefix: str, manifest: Manifest, dry_run: bool) -> None:
    """Restore the files of a tree that differ, the manifest last; files that do not belong there are moved aside."""
    wanted = {**manifest.files, MANIFEST: canonical.digest(manifest.encode())}
    entries = list(registry.store.walk(prefix))
    strange = [it.name for it in entries if it.kind is not Kind.FILE and it.name not in wanted]
    if strange:
        raise IntegrityError(_STRANGE.format(f"{prefix}/{strange[0]}"))
    there = [(it.name, it.size) for it in entries if it.kind is Kind.FILE]
    found = {it.name: it.sha256 for it in registry.store.digests(prefix, there)}
    wrong = sorted(name for name, sha256 in manifest.files.items() if found.get(name) != sha256)
    sizes = {entry.name: entry.size for entry in spare.store.walk(prefix)}
    missing = [name for name in wrong if name not in sizes]
    if missing:
        raise NotFound(f"{prefix}/{missing[0]} is not in {spare.store.url} either")
    if dry_run:
        return
    extra = sorted(found.keys() - wanted.keys())
    set_aside(registry, prefix, sorted(name for name, sha256 in found.items() if wanted.get(name) != sha256))
    for name in wrong:
        source = source_of(spare.store, f"{prefix}/{name}")
        registry.store.restore(f"{prefix}/{name}", TreeFile(name, source, sizes[name], manifest.files[name]))
    registry.store.delete([f"{prefix}/{name}" for name in extra])
    if found.get(MANIFEST) != wanted[MANIFEST]:
        registry.store.restore(f"{prefix}/{MANIFEST}", small_file(MANIFEST, manifest.encode()))


def _require_folder(registry: Registry, prefix: str) -> None:
    """Return if no link stands where a folder belongs: nothing is ever written through one."""
    segments = prefix.split("/")
    for depth in range(1, len(segments)):
        above, name = "/".join(segments[:depth]), segments[depth]
        if any(it.name == name and it.kind is not Kind.FOLDER for it in list_entries(registry.store, above)):
            raise IntegrityError(_STRANGE.format(f"{above}/{name}"))


def move_extra_aside(registry: Registry, model: ModelName, version: Version) -> None:
    """Move files aside that do not belong to a version.

    Raises:
        IntegrityError: The manifest, which says what does, is damaged.
        StorageError: Storage failed; the same call goes on.
    """
    prefix, manifest = keys.version_prefix(model, version), read_manifest(registry, model, version)
    entries = [entry for entry in registry.store.walk(prefix) if entry.kind is Kind.FILE]
    extra = [entry.name for entry in entries if entry.name not in manifest.files and entry.name != MANIFEST]
    set_aside(registry, prefix, extra)
    registry.store.delete([f"{prefix}/{name}" for name in extra])


def restore_signatures(
    registry: Registry, spare: Registry, model: ModelName, version: Version, *, dry_run: bool
) -> None:
    """Put back signatures whose files are damaged, or of which one is missing; their names say what their bytes were.

    Raises:
        NotFound: The other registry does not have one of them.
        StorageError: Storage failed; the same call goes on.
    """
    _, problems = read_signatures(registry, model, version)
    prefix = keys.signatures_prefix(model, version)
    stems = {problem.file.removeprefix(f"{keys.SIGNATURES}/").partition(".")[0] for problem in problems}
    theirs = {signature.id: signature for signature in read_signatures(spare, model, version)[0]}
    missing = sorted(stems - theirs.keys())
    if missing:
        raise NotFound(f"{keys.SIGNATURES}/{missing[0]} is not in {spare.store.url} either")
    if dry_run or not stems:
        return
    there = {entry.name for entry in list_entries(registry.store, prefix) if entry.kind is Kind.FILE}
    damaged = sorted(name for name in there if name.partition(".")[0] in stems)
    set_aside(registry, prefix, damaged)
    registry.store.delete([f"{prefix}/{name}" for name in damaged])
    for stem in sorted(stems):
        attach(registry, model, version, theirs[stem])


def set_aside(registry: Registry, prefix: str, names: Iterable[str]) -> str | None:
    """Keep a copy of files as they are, before others take their place; return where, or None if there are none."""
    files: dict[str, TreeFile] = {}
    for name in names:
        key, size = f"{prefix}/{name}", 0
        sha256 = canonical.digest(b"")
        for digest in registry.store.digests(prefix, [(name, 0)]):
            sha256, size = digest.sha256, digest.size
        if sha256:
            files[f"files/{name}"] = TreeFile(f"files/{name}", partial(registry.store.chunks, key), size, sha256)
    if not files:
        return None
    write_id = registry.new_id()
    label = {"place": prefix, "time": registry.timestamp(), "who": registry.actor, "write_id": write_id}
    claim = small_file(_LABEL, canonical.dumps(label))
    listed = Manifest.of({_LABEL: claim.sha256, **{name: file.sha256 for name, file in files.items()}})
    place = f"{_DAMAGED}/{prefix.replace('/', '-').removeprefix('.artreg-')}-{write_id[:8]}"
    seal = small_file(MANIFEST, listed.encode())
    registry.store.put_tree(place, [claim, *files.values(), seal], claim=_LABEL, seal=MANIFEST)
    return place


def restore_chain(registry: Registry, spare: Registry, chain: Chain, *, dry_run: bool) -> None:
    """Put back documents of a chain that are missing or damaged.

    What is sound here decides: the newest document that both have pins every one before it. After it only such are
    taken over in whose place here nothing lies, or nothing that can be read.

    Raises:
        IntegrityError: The other registry has another chain, or its own is damaged.
        StorageError: Storage failed; the same call goes on.
    """
    _require_folder(registry, chain.prefix)
    theirs = {link.number: link for link in chain_links(spare, chain)}
    if len(theirs) < last_number(spare.store, chain) or not theirs:
        raise IntegrityError(f"{chain.name} is damaged, or not there, in the other registry too")
    ours = {number: _ours(registry, chain, number) for number in range(1, len(theirs) + 1)}
    if last_number(registry.store, chain) > len(theirs):
        raise IntegrityError(f"{chain.name} has less in the other registry than here")
    common = max((number for number, link in theirs.items() if ours[number] == link.data), default=0)
    _require_unreadable(chain, {number: data for number, data in ours.items() if number > common})
    if dry_run:
        return
    damaged = [number for number, data in ours.items() if data is not None and data != theirs[number].data]
    set_aside(registry, chain.prefix, [keys.record_name(number) for number in damaged])
    for number, link in theirs.items():
        _put(registry, chain, link, ours[number])


def _ours(registry: Registry, chain: Chain, number: int) -> bytes | None:
    """Return what lies in the place of a document, None if nothing does, b'' if it is no plain file."""
    try:
        return registry.store.read(chain.key(number))
    except NotFound:
        return None
    except IntegrityError:
        return b""


def _require_unreadable(chain: Chain, after: Mapping[int, bytes | None]) -> None:
    for number, data in after.items():
        if data is None:
            continue
        try:
            chain.parse(data, number)
        except ArtregError:
            continue
        raise IntegrityError(f"{chain.name} is another one in the other registry from {number} on")


def _put(registry: Registry, chain: Chain, link: Link, ours: bytes | None) -> None:
    if ours == link.data:
        return
    if ours is not None:
        registry.store.restore(chain.key(link.number), small_file(keys.record_name(link.number), link.data))
        return
    try:
        commit(registry.store, chain.key(link.number), link.data)
    except AlreadyExists as error:
        raise IntegrityError(f"somebody else wrote {chain.key(link.number)} meanwhile") from error


def restore_snapshot(registry: Registry, spare: Registry, ref: SnapshotRef, *, copied: bool, dry_run: bool) -> None:
    """Put back the files of a data snapshot that are not what they were; its address says which bytes it must hold.

    Raises:
        NotFound: The other registry does not have it.
        IntegrityError: The other registry's is damaged too.
        StorageError: Storage failed; the same call goes on.
    """
    prefix = keys.snapshot_prefix(ref.name, ref.sha256, copied=copied)
    if look(spare, ref, copied=copied) is None:
        raise NotFound(f"{ref.short} is not in {spare.store.url}")
    theirs = Manifest.parse(spare.store.read(f"{prefix}/{MANIFEST}"), ref.short)
    _restore_tree(registry, spare, prefix, theirs, dry_run)
