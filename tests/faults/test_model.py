"""The registry against a model of it that is a few plain dictionaries, in whatever order commands come."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from artreg.core.names import Computed, Reference
from artreg.core.version import Version
from artreg.errors import AlreadyExists, NotFound
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.store.memory import MemoryStore
from faults.build import MODEL, POLICY, PROD, STAGING, assert_pointers, assert_sound, collect_everything, make_source

CONTENTS = ("a", "b", "c")
versions = st.sampled_from([Version(1, 0, 0), Version(1, 0, 1), Version(1, 1, 0), Version(2, 0, 0, ("rc", "1"))])
contents = st.sampled_from(CONTENTS)
aliases = st.sampled_from([STAGING, PROD])


class RegistryMachine(RuleBasedStateMachine):
    """Versions are a dictionary from number to content; an alias is the list of its moves and the stack below it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        for text in CONTENTS:
            make_source(Path(self.folder.name) / text, text)
        self.store = MemoryStore(uuid.uuid4().hex)
        self.store.make_root()
        self.registry = Registry(self.store)
        self.versions: dict[Version, str] = {}
        self.moves: dict[object, list[Version]] = {STAGING: [], PROD: []}
        self.held: dict[object, list[Version]] = {STAGING: [], PROD: []}
        self.fallbacks: dict[object, list[list[Version]]] = {STAGING: [], PROD: []}

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(version=versions, text=contents)
    def publish(self, version: Version, text: str) -> None:
        if self.versions.get(version, text) != text:
            with pytest.raises(AlreadyExists):
                self._publish(version, text)
            return
        assert self._publish(version, text).created == (version not in self.versions)
        self.versions[version] = text

    @rule(version=versions, alias=aliases)
    def promote(self, version: Version, alias) -> None:
        if version not in self.versions:
            with pytest.raises(NotFound):
                promote(self.registry, MODEL, version, alias, POLICY)
            return
        changed = self.held[alias][-1:] != [version]
        moved = promote(self.registry, MODEL, version, alias, POLICY)
        assert moved.changed == changed
        if changed:
            self._moved(alias, [*self.held[alias], version])

    @rule(alias=aliases)
    def roll_back(self, alias) -> None:
        if len(self.held[alias]) < 2:
            with pytest.raises(NotFound):
                rollback(self.registry, MODEL, alias, POLICY, reason="r")
            return
        assert rollback(self.registry, MODEL, alias, POLICY, reason="r").changed
        self._moved(alias, self.held[alias][:-1])

    @precondition(lambda self: self.moves[PROD] or self.moves[STAGING])
    @rule(alias=aliases, version=versions)
    def roll_back_to(self, alias, version: Version) -> None:
        if version not in self.moves[alias]:
            with pytest.raises(NotFound):
                rollback(self.registry, MODEL, alias, POLICY, to=version, reason="r")
            return
        changed = self.held[alias][-1] != version
        # What lay below the version when the alias came to it last.
        index = max(index for index, move in enumerate(self.moves[alias]) if move == version)
        moved = rollback(self.registry, MODEL, alias, POLICY, to=version, reason="r")
        assert moved.changed == changed
        if changed:
            self._moved(alias, self.fallbacks[alias][index])

    @rule()
    def collect(self) -> None:
        assert collect_everything(self.store).removed == ()

    @invariant()
    def readers_see_the_model(self) -> None:
        for version in self.versions:
            assert resolve(self.registry, Reference(MODEL, version)).version == version
        for alias, moves in self.moves.items():
            heads = list(records(self.registry, MODEL, alias))
            assert [head.record.version for head in reversed(heads)] == moves
            assert [head.record.generation for head in reversed(heads)] == list(range(1, len(moves) + 1))
            if moves:
                found = resolve(self.registry, Reference(MODEL, alias))
                assert (found.version, found.generation) == (moves[-1], len(moves))
                assert moves[-1] == self.held[alias][-1]
        released = [version for version in self.versions if not version.prerelease]
        if released:
            assert resolve(self.registry, Reference(MODEL, Computed.LATEST)).version == max(released)
        assert_sound(self.registry)
        assert_pointers(self.store)

    def _publish(self, version: Version, text: str):
        return publish(self.registry, MODEL, Path(self.folder.name) / text, version)

    def _moved(self, alias, held: list[Version]) -> None:
        self.held[alias] = held
        self.moves[alias].append(held[-1])
        self.fallbacks[alias].append(held)


TestRegistryAgainstModel = RegistryMachine.TestCase
TestRegistryAgainstModel.settings = settings(
    max_examples=100,
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
