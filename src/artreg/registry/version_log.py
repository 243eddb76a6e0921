"""The log of a version: what was said of it after it was published, read at constant cost and appended to by creation.

An event is created if absent under the number after the newest, exactly as an alias's records are, so that of several
who append at once one succeeds and the others see what they missed. The newest event carries what holds, so that a
reader takes one listing and one read, and one more for each yank, approval or proof that holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from artreg.core import canonical, keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Alias, ModelName
from artreg.core.record import Verdict
from artreg.core.version import Version, is_version
from artreg.core.version_event import EventKind, Standing, VersionEvent, parse_event
from artreg.errors import AlreadyExists, Conflict, GateRejected, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.numbers import Missing, follow, settled
from artreg.registry.versions import list_entries, read_manifest, read_seal
from artreg.store.commit import commit
from artreg.store.interface import Kind, Store

_ROUNDS = 100  # whoever is overtaken so often meets something that never stops appending
_PAYLOAD_LIMIT = 64 * 2**10
_NOTHING: Mapping[int, VersionEvent] = {}
_EMPTY: Mapping[str, object] = {}


class VersionLog(Frozen):
    """What was said of a version, as it was when it was read.

    Attributes:
        model: The model.
        version: The version.
        digest: The digest that the log binds what it says to; None while it is empty.
        number: The number of the newest event, 0 while it is empty.
        sha256: Of the newest event's bytes: what the next event will name as its predecessor.
        standing: What holds.
        events: The events that hold, by number: the yank, the approvals and the proofs.
    """

    model: ModelName
    version: Version
    digest: str | None = None
    number: int = 0
    sha256: str | None = None
    standing: Standing = Standing()
    events: Mapping[int, VersionEvent] = _NOTHING

    @property
    def yank(self) -> VersionEvent | None:
        """The yank that holds, or None."""
        return None if self.standing.yanked is None else self.events[self.standing.yanked]

    @property
    def approvals(self) -> tuple[VersionEvent, ...]:
        """The approvals that hold: one for each alias and person, in the order in which they were given."""
        return tuple(self.events[one.number] for one in self.standing.approvals)

    @property
    def proofs(self) -> tuple[VersionEvent, ...]:
        """The proofs that the version was reproduced, oldest first."""
        return tuple(self.events[number] for number in self.standing.proofs)


class Draft(Frozen):
    """An event that is to be appended.

    Attributes:
        kind: What it says.
        digest: The version's digest.
        alias: The alias that it is about, where it is about one.
        generation: Of an intent: which record is meant.
        why: The reason.
        payload: What belongs to it.
        time: When; by default now.
        write_id: By default a new one.
        who: Who says it; by default whoever acts on the registry.
    """

    kind: EventKind
    digest: str
    alias: Alias | None = None
    generation: int | None = None
    why: str = ""
    payload: Mapping[str, object] = _EMPTY
    time: str | None = None
    write_id: str | None = None
    who: str | None = None


def read_log(registry: Registry, model: ModelName, version: Version) -> VersionLog:
    """Return what was said of a version; whether the version exists is not asked.

    Raises:
        IntegrityError: The log has a gap, or an event that holds is damaged.
    """
    newest = newest_event(registry, model, version)
    if newest is None:
        return VersionLog(model, version)
    event, sha256 = newest
    standing = event.standing
    wanted = {*standing.proofs, *(one.number for one in standing.approvals)}
    wanted |= set() if standing.yanked is None else {standing.yanked}
    events = {number: event if number == event.number else _held(registry, event, number) for number in sorted(wanted)}
    return VersionLog(model, version, event.digest, event.number, sha256, standing, events)


def find_yank(registry: Registry, model: ModelName, version: Version) -> VersionEvent | None:
    """Return the yank that holds of a version, or None: at most one listing and two reads.

    Raises:
        IntegrityError: The log is damaged, so that nobody can say.
    """
    newest = newest_event(registry, model, version)
    if newest is None or newest[0].standing.yanked is None:
        return None
    event = newest[0]
    assert event.standing.yanked is not None
    return event if event.standing.yanked == event.number else _held(registry, event, event.standing.yanked)


def newest_event(registry: Registry, model: ModelName, version: Version) -> tuple[VersionEvent, str] | None:
    """Return the newest event of a version with the sha256 of its bytes, or None if nothing was ever said of it.

    Raises:
        IntegrityError: The event is damaged, or the log has a gap.
    """
    prefix = keys.log_prefix(model, version)
    try:
        told = registry.store.last_number(prefix, keys.record_name)
        newest = settled(lambda: follow(list_entries(registry.store, prefix))) if told is None else told
    except Missing as error:
        raise IntegrityError(
            f"the log of {model}@{version} has a gap: event {error.number} is missing",
            hint="restore the file from a copy; until then nobody can say whether the version was yanked",
        ) from error
    return read_event(registry, model, version, newest) if newest else None


def read_event(registry: Registry, model: ModelName, version: Version, number: int) -> tuple[VersionEvent, str]:
    """Return one event of a version with the sha256 of its bytes.

    Raises:
        IntegrityError: It is missing or damaged.
    """
    found = find_event(registry, model, version, number)
    if found is None:
        raise IntegrityError(f"event {number} of {model}@{version} is missing")
    return found


def find_event(registry: Registry, model: ModelName, version: Version, number: int) -> tuple[VersionEvent, str] | None:
    """Return one event of a version with the sha256 of its bytes, or None if it is not there.

    Raises:
        IntegrityError: It is damaged.
    """
    try:
        data = registry.store.read(keys.event_key(model, version, number))
    except NotFound:
        return None
    return parse_event(data, model, version, number), canonical.digest(data)


def events(registry: Registry, model: ModelName, version: Version) -> Iterator[VersionEvent]:
    """Yield every event of a version, oldest first, checking that each follows from the one before it.

    Raises:
        IntegrityError: One is missing or damaged, or the chain is broken.
    """
    newest = newest_event(registry, model, version)
    last, standing, before, digest = newest[0].number if newest else 0, Standing(), None, None
    for number in range(1, last + 1):
        event, sha256 = read_event(registry, model, version, number)
        if event.previous != before or event.digest != (digest or event.digest) or not event.follows(standing):
            raise IntegrityError(
                f"the log of {model}@{version} was rewritten: event {number} does not follow from the one before it"
            )
        yield event
        standing, before, digest = event.standing, sha256, event.digest


def append(registry: Registry, log: VersionLog, draft: Draft) -> VersionLog:
    """Append an event to a log that nobody has appended to since it was read; return the log as it is then.

    Raises:
        Conflict: Somebody else appended to it meanwhile; nothing was changed.
        IntegrityError: The log speaks of other bytes than the draft.
        InvalidInput: The payload is too large, or no JSON.
        OutcomeUnknown: The event may or may not have been written; the same command run again settles it.
        StorageError: It was not written.
    """
    event = _event(registry, log, draft)
    data = event.encode()
    registry.store.prepare_writing()
    try:
        commit(registry.store, keys.event_key(log.model, log.version, event.number), data)
    except AlreadyExists as error:
        raise Conflict(
            f"somebody else said something of {log.model}@{log.version} meanwhile; nothing was changed",
            hint="run the command again if it is still wanted",
        ) from error
    held = {**log.events, event.number: event}
    return VersionLog(log.model, log.version, event.digest, event.number, canonical.digest(data), event.standing, held)


def append_next(
    registry: Registry, model: ModelName, version: Version, decide: Callable[[VersionLog], Draft | None]
) -> tuple[VersionLog, bool]:
    """Append what `decide` makes of the log; where somebody else was faster, let it decide again.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        decide: Returns what is to be appended to this log, or None if there is nothing to say any more.

    Returns:
        The log as it is then, and whether this call appended to it.

    Raises:
        Conflict: Others were faster, again and again; nothing was changed.
        IntegrityError: The log is damaged.
        StorageError: Storage failed.
    """
    for _ in range(_ROUNDS):
        log = read_log(registry, model, version)
        draft = decide(log)
        if draft is None:
            if log.number:  # whoever said so may have died before it was durable
                registry.store.persist([keys.event_key(model, version, log.number)])
            return log, False
        try:
            return append(registry, log, draft), True
        except Conflict as error:
            overtaken = error
    raise overtaken


@contextmanager
def said(log: VersionLog, what: str) -> Iterator[None]:
    """Tell of whatever fails after an event was appended that the event stands.

    Raises:
        StorageError: Storage failed; the message says what is done, and what is not.
    """
    try:
        yield
    except StorageError as error:
        done = f"{log.model}@{log.version} {what}"
        raise StorageError(
            f"{done}, but what follows from it could not be done, or not seen: {error.message}",
            hint="run the command again: it goes on from there",
            **{**error.details, "done": done},
        ) from error


def digest_of(registry: Registry, log: VersionLog) -> str:
    """Return the digest of a version that is as it was when anything was first said of it.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest is damaged, or was changed since.
    """
    digest = read_manifest(registry, log.model, log.version).digest
    require_digest(log, digest)
    return digest


def digest_as_it_is(registry: Registry, log: VersionLog) -> str:
    """Return the digest by which to speak of a version, be it damaged or not.

    Raises:
        NotFound: There is no such version.
    """
    if log.digest is not None:
        return log.digest
    seal = read_seal(registry, log.model, log.version)
    if seal is None or seal == TOMBSTONE:
        return read_manifest(registry, log.model, log.version).digest  # says which versions there are
    return canonical.digest(seal)


def require_digest(log: VersionLog, digest: str) -> None:
    """Return if a log speaks of the version with this digest.

    Raises:
        IntegrityError: It speaks of other bytes.
    """
    if log.digest not in {None, digest}:
        raise IntegrityError(
            f"{log.model}@{log.version} is not what its log speaks of: its checksum.txt was changed since",
            hint="restore it from a copy, or use another version; nothing was changed",
        )


def require_not_yanked(log: VersionLog) -> None:
    """Return if a version is not yanked.

    Raises:
        GateRejected: It is; `details["gates"]` holds the verdict.
    """
    verdict = yank_verdict(log)
    if not verdict.passed:
        raise GateRejected(
            f"{log.model}@{log.version} {verdict.message}",
            hint="use another version, or take the yank back: artreg unyank; nothing was changed",
            gates=[verdict.document()],
        )


def yank_verdict(log: VersionLog) -> Verdict:
    """Return whether a version may be used at all, as a gate's verdict."""
    yank = log.yank
    if yank is None:
        return Verdict("yanked", True, "is not yanked", {})
    figures = {"who": yank.who, "why": yank.why, "time": yank.time}
    return Verdict("yanked", False, f"was yanked by {yank.who} at {yank.time}: {yank.why}", figures)


def list_logs(store: Store, model: ModelName) -> list[Version]:
    """Return the versions of which anything was ever said, in order."""
    entries = list_entries(store, keys.histories_prefix(model))
    return sorted(
        Version.parse(entry.name) for entry in entries if entry.kind is Kind.FOLDER and is_version(entry.name)
    )


def _held(registry: Registry, newest: VersionEvent, number: int) -> VersionEvent:
    """Read an event that the newest one names; where it stands and what it is about are in the event itself."""
    if not 0 < number < newest.number:
        raise IntegrityError(f"event {newest.number} of {newest.model}@{newest.version} names event {number}")
    return read_event(registry, newest.model, newest.version, number)[0]


def _event(registry: Registry, log: VersionLog, draft: Draft) -> VersionEvent:
    require_digest(log, draft.digest)
    number, who = log.number + 1, registry.actor if draft.who is None else draft.who
    try:
        size = len(canonical.dumps(dict(draft.payload)))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"what belongs to the {draft.kind.value} is no JSON: {error}") from error
    if size > _PAYLOAD_LIMIT:
        raise InvalidInput(f"what belongs to the {draft.kind.value} is larger than {_PAYLOAD_LIMIT} bytes")
    return VersionEvent(
        model=log.model,
        version=log.version,
        digest=draft.digest,
        number=number,
        kind=draft.kind,
        alias=draft.alias,
        generation=draft.generation,
        who=who,
        why=draft.why,
        time=registry.timestamp() if draft.time is None else draft.time,
        write_id=registry.new_id() if draft.write_id is None else draft.write_id,
        payload=draft.payload,
        previous=log.sha256,
        standing=log.standing.after(draft.kind, number, who, draft.alias, draft.generation),
    )
