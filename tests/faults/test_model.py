"""The registry against a model of it that is a few plain dictionaries, in whatever order commands come.

Commands die on the way, too: what a publisher leaves behind is taken up or collected, and a command that was cut off is
run again where that settles it. Both kinds of storage lie in memory: one whose trees appear whole, as on a disk, and a
bucket, in which a writer dies between any two requests.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from artreg.core import keys
from artreg.core.names import Alias, Computed, Reference
from artreg.core.policy import parse_policy
from artreg.core.record import PromotionRecord
from artreg.core.version import Version
from artreg.errors import ArtregError
from artreg.registry.catalog import catalog
from artreg.registry.doctor import diagnose
from artreg.registry.freeze import freeze, unfreeze
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.move import Moved
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.registry.yank import Yanked, unyank, yank
from artreg.store.interface import Pointer, Store
from artreg.store.memory import MemoryStore
from artreg.store.object import ObjectStore
from faults.build import MODEL, POLICY, PROD, STAGING, collect_everything, make_source
from faults.plain import POOR, Plain
from sizes import FULL, size
from store.dict_bucket import DictBucket
from store.faults import Crash, CrashAt

CONTENTS = ("a", "b", POOR)
ALIASES = (PROD, STAGING)
VERSIONS = tuple(map(Version.parse, ("1.0.0", "1.0.1", "1.1.0", "1.2.0", "2.0.0-rc.1")))
GATED = parse_policy(
    {"aliases": {str(a): {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.8}]} for a in ALIASES}}
)

versions = st.sampled_from(VERSIONS)
contents = st.sampled_from(CONTENTS)
aliases = st.sampled_from(ALIASES)
moments = st.sampled_from([None] * 12 + list(range(24)))
"""When a command dies, in requests to the storage; None is never."""

DIED = "died"


class RegistryMachine(RuleBasedStateMachine):
    """Every rule does a command to the registry and to the dictionaries, and compares what they are told."""

    in_bucket = False

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        for text in CONTENTS:
            source = make_source(Path(self.folder.name) / text, text)
            (source / "metrics.json").write_text(json.dumps({"roc_auc": 0.5 if text == POOR else 0.9}))
        self.bucket = DictBucket() if self.in_bucket else None
        self.memory = MemoryStore(f"model {id(self)} {os.getpid()}")
        self.pulled = MemoryStore(f"pulled {id(self)} {os.getpid()}")
        for store in (self.memory, self.pulled):
            store.delete([entry.name for entry in store.walk("")])
            store.make_root()
        self.now = datetime(2100, 1, 1, tzinfo=UTC)
        self.store: Store = ObjectStore(self.bucket) if self.bucket else self.memory
        self.store.prepare_writing()
        self.registry = self._registry(self.store)
        self.plain = Plain(ALIASES)
        for version, text in zip(VERSIONS, CONTENTS, strict=False):
            self.publish(version, text, None)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.look_at_everything(thorough=False)
            self._verify()
            self.folder.cleanup()

    @rule(version=versions, text=contents, dies=moments)
    def publish(self, version: Version, text: str, dies: int | None) -> None:
        told = self._told(lambda registry: publish(registry, MODEL, self._source(text), version).created, dies)
        if told != DIED:
            assert told == outcome(lambda: self.plain.publish(version, text))
        elif self._is_there(keys.manifest_key(MODEL, version)):
            if version not in {*self.plain.versions, *self.plain.spent}:
                self.plain.publish(version, text)
        elif self._is_there(keys.version_file(MODEL, version, "run.json")):
            self.plain.unfinished.setdefault(version, text)

    @rule(how=st.sampled_from(["promote"] * 4 + ["back"] * 2 + ["back to"]), gated=st.booleans(),
          version=versions, alias=aliases, dies=moments)  # fmt: skip
    def move(self, how: str, gated: bool, version: Version, alias: Alias, dies: int | None) -> None:
        real, plain = {
            "promote": (
                lambda registry: promote(registry, MODEL, version, alias, GATED if gated else POLICY),
                lambda: self.plain.promote(version, alias, self.now, gated=gated),
            ),
            "back": (
                lambda registry: rollback(registry, MODEL, alias, POLICY, reason="r"),
                lambda: self.plain.rollback(alias, self.now),
            ),
            "back to": (
                lambda registry: rollback(registry, MODEL, alias, POLICY, to=version, reason="r"),
                lambda: self.plain.rollback_to(alias, version, self.now),
            ),
        }[how]
        target = (None, *self.plain.back(alias))[-1] if how == "back" else version
        self._move(alias, target, real, plain, dies)

    @rule(how=st.sampled_from(["yank", "unyank"]), version=versions, dies=moments)
    def judge(self, how: str, version: Version, dies: int | None) -> None:
        real, plain = {
            "yank": (
                lambda registry: _yanked(yank(registry, MODEL, version, "bad")),
                lambda: self.plain.yank(version, self.now),
            ),
            "unyank": (
                lambda registry: _yanked(unyank(registry, MODEL, version, "good")),
                lambda: self.plain.unyank(version),
            ),
        }[how]
        self._repeat(real, plain, dies)

    @rule(how=st.sampled_from(["freeze", "unfreeze", "wait"]), alias=aliases, seconds=st.integers(1, 30), dies=moments)
    def hold(self, how: str, alias: Alias, seconds: int, dies: int | None) -> None:
        until = self.now + timedelta(seconds=seconds)
        if how == "wait":
            self.now = until
            return
        real, plain = {
            "freeze": (
                lambda registry: _moved(freeze(registry, MODEL, alias, until, "stop")),
                lambda: self.plain.freeze(alias, until, "stop", self.now),
            ),
            "unfreeze": (
                lambda registry: _moved(unfreeze(registry, MODEL, alias, "go")),
                lambda: self.plain.unfreeze(alias, self.now),
            ),
        }[how]
        self._repeat(real, plain, dies)

    @rule(dies=moments)
    def collect(self, dies: int | None) -> None:
        self._repeat(_collected, self.plain.collect, dies)

    @rule(how=st.sampled_from(["alias", "version", "latest", "pull", "list"]), version=versions, alias=aliases)
    def read(self, how: str, version: Version, alias: Alias) -> None:
        real, plain = {
            "alias": (lambda: self._resolved(alias), lambda: self.plain.resolve_alias(alias)),
            "version": (lambda: self._resolved(version)[2], lambda: self.plain.resolve_version(version)),
            "latest": (lambda: self._resolved(Computed.LATEST)[0], self.plain.latest),
            "pull": (lambda: self._pulled(version), lambda: self.plain.pull(version)),
            "list": (self._listing, self.plain.listing),
        }[how]
        assert outcome(real) == outcome(plain)

    @rule(thorough=st.sampled_from([False] * 7 + [True]))
    def look_at_everything(self, thorough: bool) -> None:
        assert outcome(self._listing) == outcome(self.plain.listing)
        for alias in ALIASES:
            heads = list(records(self.registry, MODEL, alias))
            assert [_action(head.record) for head in heads] == self.plain.history(alias)
            assert [head.record.generation for head in heads] == list(range(len(heads), 0, -1))
            assert alias in self.plain.stale or not self._is_stale(alias)
        if thorough:
            self._verify()
            findings = {finding.check for finding in diagnose(self.registry) if not finding.ok}
            unfinished = {"leftovers"} if self.plain.unfinished else set()
            assert findings == unfinished | ({"pointers"} if self.plain.stale else set())

    def _verify(self) -> None:
        report = verify(self.registry)
        wrong = {(checked.ref, problem.file) for checked in report.checked for problem in checked.problems}
        assert wrong == {(f"{MODEL}@{alias}", str(alias)) for alias in self.plain.stale}
        assert sorted(report.unfinished) == sorted(f"{MODEL}@{version}" for version in self.plain.unfinished)

    def _move(
        self,
        alias: Alias,
        target: Version | None,
        real: Callable[[Registry], Moved],
        plain: Callable[[], object],
        dies: int | None,
    ) -> None:
        """Move an alias; if that died on the way, the alias's own records say whether it was moved."""
        told = self._told(lambda registry: _moved(real(registry)), dies)
        if told != DIED:
            assert told == outcome(plain)
            return
        line = self.plain.lines[alias]
        generation = len(line.held) + 1
        if self._is_there(keys.record_key(MODEL, alias, generation)):
            plain()
        elif target is not None and self._count(keys.log_prefix(MODEL, target)) > self.events.get(target, 0):
            self.plain.intents.setdefault(target, {})[alias] = generation
        self._see_stale()

    def _repeat(self, real: Callable[[Registry], object], plain: Callable[[], object], dies: int | None) -> None:
        """Do what can simply be run again if it dies on the way."""
        told = self._told(real, dies)
        if told != DIED:
            assert told == outcome(plain)
        else:
            outcome(lambda: real(self.registry))
            outcome(plain)

    def _told(self, real: Callable[[Registry], object], dies: int | None) -> object:
        self.registry = self._registry(self.store)
        if dies is None:
            return outcome(lambda: real(self.registry))
        self.events = {version: self._count(keys.log_prefix(MODEL, version)) for version in VERSIONS}
        dying = ObjectStore(DictBucket(self.bucket, dies)) if self.bucket else CrashAt(self.store, dies)
        try:
            return outcome(lambda: real(self._registry(dying)))
        except Crash:
            return DIED

    def _registry(self, store: Store) -> Registry:
        return Registry(store, "somebody", now=lambda: self.now)

    def _source(self, text: str) -> Path:
        return Path(self.folder.name) / text

    def _resolved(self, target: Alias | Version | Computed) -> tuple[str, int | None, bool]:
        found = resolve(self.registry, Reference(MODEL, target))
        return str(found.version), found.generation, bool(found.warning)

    def _pulled(self, version: Version) -> str:
        pull(self.registry, Reference(MODEL, version), self.pulled, "it")
        words = self.pulled.read("it/model/words.txt").decode()
        self.pulled.delete([f"it/{entry.name}" for entry in list(self.pulled.walk("it"))])
        return words.removeprefix("words of ").strip()

    def _listing(self) -> object:
        [summary] = catalog(self.registry, MODEL)
        return {str(one.version): (bool(one.yanked), sorted(one.aliases)) for one in summary.versions}

    def _see_stale(self) -> None:
        self.plain.stale = {alias for alias in ALIASES if self._is_stale(alias)}

    def _is_stale(self, alias: Alias) -> bool:
        line = self.plain.lines[alias]
        expected = None if line.here is None else Pointer(str(line.here), len(line.held))
        return self.store.pointer(keys.pointer_key(MODEL, alias)) != expected

    def _is_there(self, key: str) -> bool:
        return key in (self.bucket.objects if self.bucket else {entry.name for entry in self.memory.walk("")})

    def _count(self, prefix: str) -> int:
        return sum(keys.parse_record_name(entry.name) is not None for entry in self.store.page(prefix).entries)


def outcome(act: Callable[[], object]) -> object:
    """What an operation returns, or the name of its error."""
    try:
        return act()
    except ArtregError as error:
        return type(error).__name__


def _moved(moved: Moved) -> object:
    return moved.changed, str(moved.record.version), moved.record.generation


def _action(record: PromotionRecord) -> tuple[str, str | None]:
    return record.action.value, None if record.version is None else str(record.version)


def _collected(registry: Registry) -> object:
    done = collect_everything(registry.store)
    lead = f"unfinished version {MODEL}@"
    removed = sorted(one.what.removeprefix(lead) for one in done.removed)
    return removed, sorted(name.partition("@")[2] for name in done.healed)


def _yanked(result: Yanked) -> object:
    return result.changed, sorted(map(str, result.held_by)), sorted(map(str, result.fenced))


class BucketMachine(RegistryMachine):
    """The same in a bucket, where a publisher that dies leaves something behind."""

    in_bucket = True


TestOnADisk, TestInABucket = RegistryMachine.TestCase, BucketMachine.TestCase
TestOnADisk.settings = TestInABucket.settings = settings(
    max_examples=size(15, 100, 500),
    stateful_step_count=size(30, 75, 500),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck) if FULL else [HealthCheck.too_slow],
)
