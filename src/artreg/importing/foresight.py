"""What gates would say of a version that a source has, before its files are here: asked by what the source tells."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.core import canonical, keys
from artreg.core.gates.from_alias import FromGate
from artreg.core.manifest import DOCUMENTS, METRICS, RUN, Manifest
from artreg.core.names import Alias
from artreg.core.policy import Policy
from artreg.core.record import Action
from artreg.core.run_record import IMPORTED, RunRecord
from artreg.frozen import replace
from artreg.importing.source import Incoming
from artreg.registry.assess import judge
from artreg.registry.check import Checked, Verified
from artreg.registry.handle import Registry
from artreg.registry.history import trusted_head
from artreg.registry.promote import require_all, require_permission
from artreg.registry.signed_moves import Signers, require_key
from artreg.registry.version_log import read_log
from artreg.registry.versions import find_manifest, read_file


def foresee(registry: Registry, incoming: Incoming, alias: Alias, policy: Policy) -> tuple[str, ...]:
    """Ask the gates of an alias that can be asked now; return the kinds of those that cannot.

    Gates that want another alias to hold the version are left out: an import leads it through there. What runs or
    inspects a model is never asked, and what looks at its files or its card not while these are still elsewhere.

    Raises:
        GateRejected: A gate would say no.
        InvalidInput: The policy does not let the actor move the alias.
        IntegrityError: The version, which is here already, or a history that matters is damaged.
        StorageError: The registry failed.
    """
    model, version = incoming.model, incoming.version
    rules = policy.of(model, alias)
    require_permission(rules, registry.actor, alias)
    require_key(registry, Signers(rules, policy.signers), Action.PROMOTE)
    manifest = find_manifest(registry, model, version)
    whole = _told(registry, incoming) if manifest is None else _here(registry, incoming, manifest)
    asked, unasked = [], []
    for gate in rules.gates:
        needs = gate.needs(alias)
        if needs.measured or (needs.files and manifest is None):
            unasked.append(gate.gate)
        elif not isinstance(gate, FromGate):
            asked.append(gate)
    head, log = trusted_head(registry, model, alias), read_log(registry, model, version)
    found = judge(registry, model, version, alias, policy, head=head, log=log, whole=whole, gates=asked, instruments={})
    verdicts = tuple(verdict for verdict in found.verdicts if verdict.gate != "integrity")  # no byte was looked at
    require_all(replace(found, verdicts=verdicts))
    return tuple(dict.fromkeys(unasked))


def _here(registry: Registry, incoming: Incoming, manifest: Manifest) -> Verified:
    """Return a version that is here already, by its documents; its other files are not read."""
    model, version = incoming.model, incoming.version
    entries = registry.store.walk(keys.version_prefix(model, version))
    sizes = {entry.name: entry.size for entry in entries if entry.name in manifest.files}
    names = [name for name in DOCUMENTS if name in manifest.files]
    return _unread(
        incoming, manifest, {name: read_file(registry, model, version, manifest, name) for name in names}, sizes
    )


def _told(registry: Registry, incoming: Incoming) -> Verified:
    """Return a version that is still to come, as it would be published."""
    record = RunRecord(
        model=incoming.model,
        version=incoming.version,
        write_id="",
        content="",
        sizes={},
        published_at=registry.timestamp(),
        published_by=registry.actor,
        run={IMPORTED: incoming.run},
    )
    metrics = {METRICS: canonical.dumps(incoming.metrics)} if incoming.metrics else {}
    return _unread(incoming, Manifest.of({}), {RUN: record.encode(), **metrics}, {})


def _unread(
    incoming: Incoming, manifest: Manifest, documents: Mapping[str, bytes], sizes: Mapping[str, int]
) -> Verified:
    return Verified(manifest, Checked(f"{incoming.model}@{incoming.version}", 0, 0, ()), documents, sizes)
