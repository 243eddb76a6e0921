"""Signatures of versions on their way: files that prove themselves, so that they need nothing but their version."""

from __future__ import annotations

from artreg.core.names import ModelName
from artreg.core.version import Version, is_version
from artreg.registry.mirror.ledger import Copied, Job
from artreg.registry.mirror.survey import Survey
from artreg.registry.signatures import attach, read_signatures
from artreg.registry.versions import find_manifest


def copy_signatures(job: Job, model: ModelName, ours: Survey, theirs: Survey) -> None:
    """Copy the signatures that the target does not have of the versions that it has by now.

    Args:
        job: The run.
        model: The model.
        ours: What the source holds.
        theirs: What the target held before.
    """
    for name in sorted(ours.signatures):
        if is_version(name) and ours.signatures[name] - theirs.signatures.get(name, set()):
            _copy(job, model, Version.parse(name), theirs.signatures.get(name, set()))


def _copy(job: Job, model: ModelName, version: Version, there: set[str]) -> None:
    what = f"the signatures of {model}@{version}"
    if not job.dry_run and find_manifest(job.target, model, version) is None:
        return  # the ledger says why the version is not there
    signatures, problems = read_signatures(job.source, model, version)
    for problem in problems:
        job.damage(what, f"{problem.file}: {problem.problem}")
    missing = [signature for signature in signatures if not signature.files().keys() <= there]
    if not job.dry_run:
        for signature in missing:
            attach(job.target, model, version, signature)
    files = [data for signature in missing for data in signature.files().values()]
    if files:
        job.copied.append(Copied(what, len(files), sum(map(len, files))))
