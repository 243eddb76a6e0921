"""Copying chains: each document after whatever it speaks of, so that at every moment the target makes sense.

A record names a version, and whoever created it had said so in the version's log before; an event that says so names
the record after the newest one. So histories and logs go on by turns, each as far as what it needs is there. What
somebody adds to the source meanwhile is taken along if something else needs it, and is left for the next run otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TypeGuard

from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.record import MOVES, Action, PromotionRecord
from artreg.core.version import Version, is_version
from artreg.core.version_event import EventKind, VersionEvent
from artreg.errors import AlreadyExists, IntegrityError, NotFound
from artreg.registry.chain import Chain, Document, Link, history_of, last_number, log_of, read_link
from artreg.registry.mirror.ledger import Copied, Job
from artreg.registry.mirror.survey import Survey
from artreg.registry.mirror.trees import Standing, State
from artreg.registry.move import converge, heal, pointer_problem
from artreg.registry.yank import mark_version
from artreg.store.commit import commit


class CopiedChain:
    """One chain on its way.

    Args:
        job: The run.
        chain: The chain.
        end: The highest number that the source has.
        there: The highest number that the target has.
        listed: When the source was listed for it.
    """

    def __init__(self, job: Job, chain: Chain, end: int, there: int, listed: int = 0) -> None:
        self.job, self.chain, self.end, self.there, self.listed = job, chain, end, there, listed
        self.last: Link | None = None
        self.stopped = False  # the source is damaged there, or the target is something else
        self.diverged = False
        self.patient = True  # whether it waits for what its next document needs
        self.copied, self.bytes = 0, 0
        self._read: deque[tuple[int, bytes]] = deque()
        self._flaw = ""
        self._next: Link | None = None
        if there:
            self._compare()

    @property
    def done(self) -> bool:
        """Whether there is nothing more to copy as far as is known."""
        return self.stopped or self.there >= self.end

    def peek(self) -> Link | None:
        """Return the next document; None where the chain ends, or is damaged."""
        if self.done:
            return None
        if self._next is None:
            if not self._read and not self._flaw:
                self._read_on()
            if self._read:
                number, data = self._read.popleft()
                self._next = Link(number, data, self.chain.parse(data, number))
            else:
                self.stop(self._flaw)
        return self._next

    def copy(self) -> None:
        """Copy what is left of it, where nothing else must come first."""
        while self.peek() is not None:
            self.take()

    def take(self) -> None:
        """Copy the next document."""
        link = self._next
        assert link is not None
        self._next, self.patient = None, True
        try:
            if not self.job.dry_run:
                commit(self.job.target.store, self.chain.key(link.number), link.data)
        except AlreadyExists:
            self.diverge(f"document {link.number} is another one at the target")
            return
        self.last, self.there = link, link.number
        self.copied, self.bytes = self.copied + 1, self.bytes + len(link.data)

    def stop(self, problem: str) -> None:
        """Go no further, since the source is damaged."""
        self.job.damage(self.chain.name, problem)
        self.stopped = True

    def diverge(self, problem: str) -> None:
        """Go no further, since the target is something else."""
        self.job.divergence(self.chain.name, problem)
        self.stopped = self.diverged = True

    def head(self) -> Link | None:
        """Return the newest document that both sides have, None if there is none."""
        if self.last is None and self.there and not self.stopped:
            try:
                self.last = read_link(self.job.target.store, self.chain, min(self.there, self.end) or self.there)
            except IntegrityError as error:
                self.diverge(f"is damaged at the target: {error.message}")
        return self.last

    def refresh(self, listed: int) -> bool:
        """Look again how far the source goes; return whether that is further than before."""
        before, self.listed = self.end, listed
        self.end = max(self.end, last_number(self.job.source.store, self.chain))
        return self.end > before and not self.stopped

    def report(self) -> None:
        """Say in the ledger what was copied."""
        if self.copied:
            numbers = f"{self.there - self.copied + 1} to {self.there}" if self.copied > 1 else f"{self.there}"
            self.job.copied.append(Copied(f"{self.chain.name}, {numbers}", self.copied, self.bytes))
        elif self.there and not self.stopped:
            self.job.present += 1

    def _read_on(self) -> None:
        """Read what is left, and see that each document follows from the one before it; only then is any copied.

        Where one does not follow, nobody can say which of the two was altered.
        """
        numbers = range(self.there + 1, self.end + 1)
        before = self.last.sha256 if self.last else None
        try:
            found = self.job.source.store.read_each([self.chain.key(number) for number in numbers])
            for number, data in zip(numbers, found, strict=True):
                link = Link(number, data, self.chain.parse(data, number))
                if link.previous != before:
                    if self._read:
                        self._read.pop()
                    raise IntegrityError(f"{self.chain.key(number)} does not follow from the one before it")
                self._read.append((number, data))
                before = link.sha256
        except (IntegrityError, NotFound) as error:
            self._flaw = error.message

    def _compare(self) -> None:
        """See that the target holds the beginning of the source's chain: the last document in common says so."""
        number = min(self.there, self.end)
        if self.there > self.end:
            self.job.ahead.append(self.chain.name)
        if not number or (self.job.quick and self.there == self.end):
            return
        try:
            theirs = read_link(self.job.target.store, self.chain, number)
        except IntegrityError as error:
            self.diverge(f"is damaged at the target: {error.message}")
            return
        try:
            ours = read_link(self.job.source.store, self.chain, number)
        except IntegrityError as error:
            self.stop(error.message)
            return
        if ours.data != theirs.data:
            self.diverge(f"document {number} is another one at the target")
        self.last = theirs


class ModelChains:
    """The histories and logs of one model on their way.

    Args:
        job: The run.
        model: The model.
        ours: What the source holds.
        theirs: What the target holds.
        bring: Sees to it that a version is at the target, given what its digest must be.
    """

    def __init__(
        self,
        job: Job,
        model: ModelName,
        ours: Survey,
        theirs: Survey,
        bring: Callable[[Version, str | None], Standing],
    ) -> None:
        self._job, self._model, self._ours, self._theirs, self._bring = job, model, ours, theirs, bring
        self._moments = count(1)
        self.histories: dict[Alias, CopiedChain] = {}
        self.logs: dict[Version, CopiedChain] = {}
        self._yanked: dict[Version, bool] = {}

    def copy(self) -> None:
        """Copy all of them as far as they go, then set the pointers."""
        for name in self._ours.newest:
            if is_version(name):
                self.log(Version.parse(name))
            elif is_alias(name):
                self.history(Alias(name))
        while True:
            if any(self._advance(chain) for chain in self._all()):
                continue
            stuck = [(chain, blocker) for chain in self._all() if (blocker := self._blocker(chain)) is not None]
            if not stuck:
                break
            blockers = {id(blocker): blocker for _, blocker in stuck}.values()
            if any(blocker.refresh(next(self._moments)) for blocker in blockers):
                continue
            # What is waited for does not come: the source is damaged, or from before logs were kept.
            for chain, blocker in [pair for pair in stuck if pair[1].done] or stuck:
                self._wait_no_longer(chain, blocker)
        for chain in self._all():
            chain.report()
        self._set_marks()

    def set_pointers(self) -> None:
        """Set the pointer of each alias that has moved, or of which it was not set when a mirror died."""
        target = self._job.target
        for alias, chain in self.histories.items():
            head = chain.head()
            if self._job.dry_run or head is None:
                continue
            assert isinstance(head.document, PromotionRecord)
            if chain.there > chain.end:
                heal(target, self._model, alias)
            elif head.document.version is not None and pointer_problem(target, head.document):
                converge(target, head.document)

    def history(self, alias: Alias) -> CopiedChain:
        """Return the history of an alias."""
        if alias not in self.histories:
            self.histories[alias] = self._chain(history_of(self._model, alias), str(alias))
        return self.histories[alias]

    def log(self, version: Version) -> CopiedChain:
        """Return the log of a version."""
        if version not in self.logs:
            self.logs[version] = self._chain(log_of(self._model, version), str(version))
        return self.logs[version]

    def _chain(self, chain: Chain, name: str) -> CopiedChain:
        return CopiedChain(self._job, chain, self._ours.newest.get(name, 0), self._theirs.newest.get(name, 0))

    def _all(self) -> list[CopiedChain]:
        return [*self.histories.values(), *self.logs.values()]

    def _advance(self, chain: CopiedChain, *, alone: bool = False) -> bool:
        """Copy a chain as far as it goes, and of others what stands in its way unless it is to go alone."""
        moved = False
        while (link := chain.peek()) is not None:
            blocker = self._blocker(chain)
            if blocker is not None:
                if alone or not self._advance(blocker, alone=True):
                    break
            elif self._bring_version(chain, link.document):
                chain.take()
                if _is_event(link.document) and link.document.kind is EventKind.YANK:
                    self._yanked[link.document.version] = True
                    self._set_mark(link.document.version)
            moved = True
        return moved

    def _bring_version(self, chain: CopiedChain, document: object) -> bool:
        """See to the version of which a document speaks; stop where the target has another one."""
        assert isinstance(document, PromotionRecord | VersionEvent)
        if document.version is None:
            return True
        standing = self._bring(document.version, document.digest)
        if standing.state is State.OTHER:
            chain.diverge(f"it speaks of {document.version}, which is another version at the target")
        elif standing.state is State.THERE and standing.digest not in {"", document.digest}:
            chain.stop(f"it pins another digest of {document.version} than that of its checksum.txt")
        return not chain.stopped

    def _blocker(self, chain: CopiedChain) -> CopiedChain | None:
        """Return the chain that must go on before this one can, if there is one."""
        link = chain.peek()
        if link is None or not chain.patient:
            return None
        document = link.document
        if _is_event(document) and document.kind is EventKind.INTENT:
            assert document.alias is not None
            assert document.generation is not None
            history = self.history(document.alias)
            return None if history.there >= document.generation - 1 else history
        if isinstance(document, PromotionRecord) and document.version is not None:
            return self._log_in_front(chain, document)
        return None

    def _log_in_front(self, chain: CopiedChain, record: PromotionRecord) -> CopiedChain | None:
        """Return the log of a record's version, if what led to the record is not at the target yet."""
        assert record.version is not None
        log = self.log(record.version)
        if log.there >= log.end and log.listed > chain.listed:
            return None  # whatever was said of the version before this record is there
        if record.action is Action.YANK:
            return None if self._was_yanked(record.version) else log
        if record.action not in MOVES:
            return None
        head = log.head()
        intended = head.document.standing.intended(record.alias) if head and _is_event(head.document) else 0
        return None if intended >= record.generation else log

    def _was_yanked(self, version: Version) -> bool:
        """Return whether a yank is among the events of a version that the target has."""
        if version not in self._yanked:
            log, store = self.log(version), self._job.source.store
            told = (read_link(store, log.chain, number).document for number in range(1, log.there + 1))
            self._yanked[version] = any(_is_event(event) and event.kind is EventKind.YANK for event in told)
        return self._yanked[version]

    def _wait_no_longer(self, chain: CopiedChain, blocker: CopiedChain) -> None:
        chain.patient = False
        link = chain.peek()
        assert link is not None
        if blocker.diverged:
            chain.diverge(f"document {link.number} needs {blocker.chain.name}, which is another one at the target")
        elif _is_event(link.document) and not blocker.stopped:
            seen = (link.document.generation or 1) - 1
            self._job.damage(
                blocker.chain.name, f"records are missing: there are {blocker.there}, but somebody saw record {seen}"
            )

    def _set_marks(self) -> None:
        """Mark the versions that are marked at the source; where a mirror died the event may be there without it."""
        for name in sorted(self._ours.marked - self._theirs.marked):
            log = self.logs.get(Version.parse(name)) if is_version(name) else None
            if log is not None and log.there and not log.stopped:
                self._set_mark(Version.parse(name))

    def _set_mark(self, version: Version) -> None:
        if not self._job.dry_run:
            mark_version(self._job.target, self._model, version)


def _is_event(document: Document) -> TypeGuard[VersionEvent]:
    return isinstance(document, VersionEvent)
