"""Gathering what gates judge by: everything is read before any of them is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from artreg.core import canonical, keys
from artreg.core.gates.evidence import Approval, Evidence, Needs, Subject, WayBack
from artreg.core.gates.interface import Gate
from artreg.core.manifest import CARD, DATA_MANIFEST, DOCUMENTS, METRICS, RUN, Manifest
from artreg.core.names import Alias, ModelName
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.check import Verified, check_version
from artreg.registry.handle import Registry
from artreg.registry.history import Head, find_head, moment, records_from
from artreg.registry.signing import known_signers
from artreg.registry.version_log import VersionLog, read_log
from artreg.registry.versions import read_file, read_manifest


class Case(Frozen):
    """What an instrument may look at to measure something for a gate.

    Attributes:
        registry: The registry.
        model: The model.
        evidence: What was gathered so far.
    """

    registry: Registry
    model: ModelName
    evidence: Evidence


Instrument = Callable[[Any, Case], object]
"""Measures something for a gate; returns the figure, or a text that says why there is none."""


class Candidate(Frozen):
    """A version that was verified, and is to be judged.

    Attributes:
        model: The model.
        version: The version.
        whole: What its verification found and read.
        log: What was said of it since it was published.
        approvals: Who approved it for the alias.
        signers: Public keys by the names of those whose signatures they verify.
    """

    model: ModelName
    version: Version
    whole: Verified
    log: VersionLog
    approvals: tuple[Approval, ...]
    signers: Mapping[str, str]


def gather(
    registry: Registry,
    candidate: Candidate,
    alias: Alias,
    head: Head | None,
    *,
    gates: Sequence[Gate],
    instruments: Mapping[str, Instrument],
) -> Evidence:
    """Return the evidence for a move of `alias` to a candidate.

    Args:
        registry: The registry.
        candidate: The candidate.
        alias: The alias that is to move.
        head: Its newest record.
        gates: What will be asked.
        instruments: What measures for gates, by their kinds.

    Raises:
        IntegrityError: A document or a history that is needed is damaged.
    """
    model, whole = candidate.model, candidate.whole
    needs = [gate.needs(alias) for gate in gates]
    heads = {name: find_head(registry, model, name) for name in _all(needs, "heads") | _all(needs, "since")}
    heads[alias] = head
    evidence = Evidence(
        model=model,
        alias=alias,
        candidate=_subject(model, candidate.version, whole.manifest.digest, whole.sizes, whole.documents),
        files=whole.checked.files,
        bytes=whole.checked.bytes,
        now=registry.now(),
        heads={name: found.record if found else None for name, found in heads.items()},
        held_since={name: _held_since(registry, heads[name]) for name in _all(needs, "since")},
        incumbents={name: _incumbent(registry, model, name, heads.get(name)) for name in _all(needs, "incumbents")},
        approvals=candidate.approvals,
        signers=_signers(registry, candidate) if any(need.signers for need in needs) else (),
        proofs=tuple(event.document() for event in candidate.log.proofs if event.payload.get("same_bytes", True)),
        way_back=_way_back(registry, head) if any(need.way_back for need in needs) else WayBack(None, "not looked for"),
    )
    case = Case(registry, model, evidence)
    measured = {
        place: _measure(gate, case, instruments)
        for place, (gate, need) in enumerate(zip(gates, needs, strict=True))
        if need.measured
    }
    return replace(evidence, measured=measured)


def read_subject(registry: Registry, model: ModelName, version: Version, manifest: Manifest) -> Subject:
    """Return a version as gates see it; its documents are checked against the manifest.

    Raises:
        IntegrityError: One of them is damaged.
    """
    entries = registry.store.walk(keys.version_prefix(model, version))
    sizes = {entry.name: entry.size for entry in entries if entry.name in manifest.files}
    documents = {
        name: read_file(registry, model, version, manifest, name) for name in DOCUMENTS if name in manifest.files
    }
    return _subject(model, version, manifest.digest, sizes, documents)


def _subject(
    model: ModelName, version: Version, digest: str, sizes: Mapping[str, int], documents: Mapping[str, bytes]
) -> Subject:
    def document(name: str) -> dict[str, Any] | None:
        """Return a document; one that is none, as publishers may bring along, is as good as missing."""
        try:
            return canonical.loads(documents[name], f"{name} of {model}@{version}")
        except (KeyError, IntegrityError):
            return None

    card = documents.get(CARD)
    return Subject(
        version=version,
        digest=digest,
        sizes=sizes,
        metrics=document(METRICS),
        run=document(RUN) or {},
        data=document(DATA_MANIFEST),
        card=None if card is None else card.decode("utf-8", "replace"),
    )


def _signers(registry: Registry, candidate: Candidate) -> tuple[str, ...]:
    from artreg.registry.signatures import signers  # noqa: PLC0415  # only where the policy asks for them

    digest, known = candidate.whole.manifest.digest, known_signers(candidate.signers)
    return tuple(signer.who for signer in signers(registry, candidate.model, candidate.version, digest, known))


def _all(needs: Sequence[Needs], what: str) -> set[Alias]:
    return set().union(*(getattr(need, what) for need in needs))


def _incumbent(registry: Registry, model: ModelName, alias: Alias, head: Head | None) -> Subject | None:
    head = head or find_head(registry, model, alias)
    if head is None or head.record.version is None:
        return None
    version = head.record.version
    manifest = read_manifest(registry, model, version)
    if manifest.digest != head.record.digest:
        raise IntegrityError(
            f"{model}@{version} is not what {alias} was pointed at: its checksum.txt was changed since"
        )
    return read_subject(registry, model, version, manifest)


def _held_since(registry: Registry, head: Head | None) -> datetime | None:
    """Return when the alias came to hold what it holds: later records of the same version do not count."""
    if head is None or head.record.version is None:
        return None
    since = head.record
    for earlier in records_from(registry, head):
        if (earlier.record.version, earlier.record.digest) != (since.version, since.digest):
            break
        since = earlier.record
    return moment(since.time)


def _way_back(registry: Registry, head: Head | None) -> WayBack:
    """Return what a rollback of the alias would return to once it has moved: what it holds now."""
    if head is None or head.record.version is None:
        return WayBack(None, "")
    return WayBack(head.record.version, _way_back_problem(registry, head.record, head.record.version))


def _way_back_problem(registry: Registry, record: PromotionRecord, version: Version) -> str:
    try:
        log = read_log(registry, record.model, version)
        manifest = read_manifest(registry, record.model, version)
    except (NotFound, IntegrityError) as error:
        return error.message
    if log.yank is not None:
        return f"it is yanked: {log.yank.why}"
    if manifest.digest != record.digest:
        return "its checksum.txt was changed since"
    checked = check_version(registry, record.model, version)
    return "" if checked.ok else "; ".join(f"{problem.file}: {problem.problem}" for problem in checked.problems[:3])


def _measure(gate: Gate, case: Case, instruments: Mapping[str, Instrument]) -> object:
    instrument = instruments.get(str(gate.gate))
    return None if instrument is None else instrument(gate, case)
