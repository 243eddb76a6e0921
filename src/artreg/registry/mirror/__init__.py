"""Mirroring: a registry, or a part of it, becomes the same elsewhere, whole or on the way to it at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from artreg.core import keys
from artreg.core.manifest import MANIFEST
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.registry.chain import last_number, policies
from artreg.registry.handle import Registry
from artreg.registry.mirror.chains import CopiedChain, ModelChains
from artreg.registry.mirror.ledger import Copied, Job, Trouble
from artreg.registry.mirror.signatures import copy_signatures
from artreg.registry.mirror.survey import Survey, survey
from artreg.registry.mirror.trees import Standing, State, compare_version, copy_snapshot, copy_version
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.snapshots import places
from artreg.registry.versions import list_models, require_model

_AT_A_TIME = 16  # small reads, which wait for their answers


class Mirrored(Frozen):
    """What a mirror did, or with a dry run would do.

    Attributes:
        copied: What lies at the target now and did not before.
        present: How many versions, snapshots and chains were there already.
        damaged: What is damaged at the source, and was not copied.
        diverged: What is something else at the target, and was left as it is there.
        ahead: Histories and logs of which the target has more than the source.
        unfinished: Versions that somebody may be publishing just now at the source.
        dry_run: Whether nothing was written on purpose.
    """

    copied: tuple[Copied, ...]
    present: int
    damaged: tuple[Trouble, ...]
    diverged: tuple[Trouble, ...]
    ahead: tuple[str, ...]
    unfinished: tuple[str, ...]
    dry_run: bool


def mirror(
    source: Registry,
    target: Registry,
    scope: Sequence[ModelName | str] = (),
    *,
    quick: bool = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> Mirrored:
    """Copy what the target lacks: versions, histories, logs, data snapshots and policies, to the byte.

    Everything appears at the target as it does where it is made: versions whole, documents only where there is none,
    in the order of what they need. So a mirror that died is gone on with by the same call, two at once do no harm, and
    nothing that the target has is ever overwritten. Every file is verified on the way.

    Args:
        source: Where from.
        target: Where to; a folder is made where it is missing.
        scope: Models, and names of projects; everything if it is empty. Policies belong to the whole, and are copied
            only with it; of the data snapshots a part takes those that its versions name.
        quick: Take what both sides list alike to be the same; otherwise manifests and newest documents are compared.
        dry_run: Say what would be copied, but write nothing.
        reporter: Told of the bytes that were copied.

    Returns:
        What was done; what is damaged or has diverged is in there, and raises nothing.

    Raises:
        InvalidInput: Source and target are the same.
        NotFound: There is no such registry, model or project.
        StorageError: Storage failed; the same call goes on from there.
    """
    if source.store.url.rstrip("/") == target.store.url.rstrip("/"):
        raise InvalidInput(f"{source.store.url} cannot be mirrored to itself", hint="name another root to copy to")
    source.store.require_root()
    models = _models(source, scope)
    if not dry_run:
        target.store.make_root()
        target.store.prepare_writing()
    job = Job(source, target, dry_run=dry_run, quick=quick, reporter=reporter)
    policy = _policies(job) if not scope else None
    if policy is not None:
        policy.copy()
        _copy_snapshots(job)
    for model in models:
        _copy_model(job, model)
    if policy is not None:
        policy.refresh(1)  # a record may have been judged by one that was pushed meanwhile
        policy.copy()
        policy.report()
    return Mirrored(
        tuple(job.copied),
        job.present,
        tuple(job.damaged),
        tuple(job.diverged),
        tuple(job.ahead),
        tuple(job.unfinished),
        dry_run,
    )


def _models(source: Registry, scope: Sequence[ModelName | str]) -> list[ModelName]:
    if not scope:
        return list_models(source.store)
    models: set[ModelName] = set()
    for one in scope:
        if isinstance(one, ModelName):
            require_model(source, one)
            models.add(one)
            continue
        found = list_models(source.store, one)
        if not found:
            from artreg.registry.absent import no_project  # noqa: PLC0415  # only errors need it

            raise no_project(source, one)
        models.update(found)
    return sorted(models)


def _policies(job: Job) -> CopiedChain:
    chain = policies()
    return CopiedChain(job, chain, last_number(job.source.store, chain), last_number(job.target.store, chain))


def _copy_snapshots(job: Job) -> None:
    there = {
        entry.name.removesuffix(f"/{MANIFEST}")
        for entry in job.target.store.walk(keys.snapshots_prefix(), sized=False)
        if entry.name.endswith(f"/{MANIFEST}")
    }
    for ref, copied in places(job.source):
        place = keys.snapshot_prefix(ref.name, ref.sha256, copied=copied).removeprefix(f"{keys.snapshots_prefix()}/")
        if place in there:
            job.present += 1
        else:
            copy_snapshot(job, ref, copied=copied)


def _copy_model(job: Job, model: ModelName) -> None:
    theirs = survey(job.target, model)
    ours = survey(job.source, model)
    for name in ours.strange:
        job.damage(str(model), f"{name} is a link, or something else that is no file")
    numbers = sorted(map(Version.parse, ours.versions))
    known = _compare_versions(job, model, ours, theirs)

    def bring(version: Version, pin: str | None) -> Standing:
        if version not in known:
            known[version] = copy_version(job, model, version, pin)
        return known[version]

    chains = ModelChains(job, model, ours, theirs, bring)
    chains.copy()
    for version in numbers:
        bring(version, None)  # those of which nothing was ever said
    copy_signatures(job, model, ours, theirs)
    chains.set_pointers()


def _compare_versions(job: Job, model: ModelName, ours: Survey, theirs: Survey) -> dict[Version, Standing]:
    """Return how the versions stand that are finished on both sides, several being compared at a time."""
    both = [name for name, tally in ours.versions.items() if tally.sealed and theirs.versions[name].sealed]
    alike = [name for name in both if job.quick and ours.versions[name] == theirs.versions[name]]
    rest = [Version.parse(name) for name in both if name not in set(alike)]
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="artreg-compare") as workers:
        compared = dict(zip(rest, workers.map(partial(compare_version, job, model), rest), strict=True))
    known = {version: standing for version, standing in compared.items() if standing is not None}
    known |= {Version.parse(name): Standing(State.THERE) for name in alike}
    job.present += sum(standing.state is State.THERE for standing in known.values())
    return known
