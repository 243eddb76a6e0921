"""What every source must do; a test module of one subclasses `SourceContract` and says how its place is made."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from artreg.core import canonical
from artreg.core.names import ModelName, Reference
from artreg.core.policy import Policy, parse_policy
from artreg.errors import ArtregError
from artreg.importing.aliases import Terms
from artreg.importing.bring import Brought, bring
from artreg.importing.naming import Naming
from artreg.importing.source import Incoming, Source, Survey
from artreg.registry.handle import Registry
from artreg.registry.resolve import resolve
from artreg.registry.verify import verify
from artreg.registry.versions import find_manifest, read_metrics, read_run
from artreg.store.memory import MemoryStore

OPEN = parse_policy({"aliases": {name: {} for name in ("staging", "prod", "champion", "current", "dev")}})
"""A policy that lets everything pass."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.utime", "os.setxattr", "shutil.rmtree"),
}
_watched: list[tuple[str, list[str]]] = []
_hooked: list[bool] = []


@contextlib.contextmanager
def unwritten(place: Path) -> Iterator[None]:
    """Fail if Python writes anything below a folder, or tries to, or anybody else has afterwards."""
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked.append(True)
    before, heard = state(place), (str(place), [])
    _watched.append(heard)
    try:
        yield
    finally:
        _watched.remove(heard)
    assert heard[1] == []
    assert state(place) == before


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched or (event != "open" and event not in _CHANGES):
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITES):
        return
    paths = [os.path.abspath(os.fsdecode(it)) for it in arguments if isinstance(it, str | bytes | os.PathLike)]
    for place, heard in _watched:
        heard += [f"{event} {path}" for path in paths if path == place or path.startswith(f"{place}/")]


def state(place: Path) -> dict[str, object]:
    """Return everything about a folder that somebody could have changed by writing to it."""
    found: dict[str, object] = {}
    for path in sorted([place, *place.rglob("*")]):
        stat = path.lstat()
        what: object = None
        if path.is_symlink():
            what = os.readlink(path)
        elif path.is_file():
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_nlink, stat.st_ino, what)
    return found


def bring_all(
    registry: Registry, source: Source, naming: Naming, *, policy: Policy = OPEN, dry_run: bool = False
) -> Brought:
    """Import by a policy; every alias that has a name here."""
    return bring(registry, source, naming, {}, Terms(policy, {}, lambda: policy.digest), dry_run=dry_run)


def new_registry() -> Registry:
    """Return an empty registry in memory."""
    store = MemoryStore(uuid.uuid4().hex)
    store.make_root()
    return Registry(store, "ada")


class SourceContract:
    """What a source promises to the engine.

    A subclass has `fill` and `made`, and says how many `MODELS` the place has, and whether `ALIASES`. `DAMAGES` says
    what can be wrong with one version, by a name of its own: each spoils a place, and returns how the source calls what
    must be named then.
    """

    MODELS: ClassVar[int] = 2
    ALIASES: ClassVar[bool] = True
    DAMAGES: ClassVar[Mapping[str, Callable[[Path], str]]] = {}

    def fill(self, place: Path) -> None:
        """Fill an empty folder with at least two models of two versions each, and an alias."""
        raise NotImplementedError

    def made(self, place: Path, naming: Naming) -> Source:
        """Return the source at a folder."""
        raise NotImplementedError

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        place = tmp_path / "elsewhere"
        place.mkdir()
        self.fill(place)
        return place

    def survey(self, place: Path, *only: str) -> Survey:
        return self.made(place, Naming("demo", {}, only)).survey()

    def brought(self, place: Path, registry: Registry, *, dry_run: bool = False) -> Brought:
        naming = Naming("demo", {})
        return bring_all(registry, self.made(place, naming), naming, dry_run=dry_run)

    def test_a_survey_says_the_same_twice(self, place: Path) -> None:
        first = self.survey(place)
        assert self.survey(place) == first
        assert first.troubles == ()
        assert len({it.model for it in first.versions}) >= self.MODELS
        assert len(first.versions) >= 2 * self.MODELS
        assert bool(first.aliases) == self.ALIASES

    def test_items_and_versions_are_unique_and_in_order(self, place: Path) -> None:
        versions = self.survey(place).versions
        assert len({it.item for it in versions}) == len({(it.model, it.version) for it in versions}) == len(versions)
        models = list(dict.fromkeys(it.model for it in versions))
        assert sorted(versions, key=lambda it: (models.index(it.model), it.version)) == list(versions)

    def test_what_is_known_can_be_recorded(self, place: Path) -> None:
        for it in self.survey(place).versions:
            for document in (dict(it.run), dict(it.metrics)):
                assert canonical.loads(canonical.dumps(document), it.item) == document
            assert it.fingerprint
            assert it.size is None or it.size > 0

    def test_everything_comes_and_nothing_is_written_to_the_source(self, place: Path) -> None:
        registry = new_registry()
        survey = self.survey(place)
        with unwritten(place):
            result = self.brought(place, registry)
        assert (result.troubles, result.stopped, result.present) == ((), None, ())
        assert [it.item for it in result.imported] == [it.item for it in survey.versions]
        for incoming in survey.versions:
            self.assert_came(registry, incoming)
        assert bool(result.aliases) == self.ALIASES
        for it in result.aliases:
            assert resolve(registry, Reference(it.model, it.alias)).version == it.version
        assert verify(registry, deep=True).ok

    def assert_came(self, registry: Registry, incoming: Incoming) -> None:
        manifest = find_manifest(registry, incoming.model, incoming.version)
        assert manifest is not None
        metrics = read_metrics(registry, incoming.model, incoming.version, manifest)
        assert (metrics or {}) == dict(incoming.metrics)
        said = read_run(registry, incoming.model, incoming.version, manifest).imported
        assert (said["item"], said["fingerprint"]) == (incoming.item, incoming.fingerprint)
        assert {**said, **incoming.run} == said

    def test_a_dry_run_fetches_nothing(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        registry, naming = new_registry(), Naming("demo", {})
        source = self.made(place, naming)
        monkeypatch.setattr(type(source), "fetch", None)
        told = bring_all(registry, source, naming, dry_run=True)
        assert [it.item for it in told.imported] == [it.item for it in self.survey(place).versions]
        assert bool(told.aliases) == self.ALIASES
        assert told.troubles == ()
        assert registry.store.page("").entries == ()

    def test_what_came_is_not_fetched_again(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        registry, naming = new_registry(), Naming("demo", {})
        first = self.brought(place, registry)
        source = self.made(place, naming)
        monkeypatch.setattr(type(source), "fetch", None)
        again = bring_all(registry, source, naming)
        assert (again.imported, again.troubles) == ((), ())
        assert [it.item for it in again.present] == [it.item for it in first.imported]
        assert not any(it.changed for it in again.aliases)

    def test_only_what_is_wanted_comes(self, place: Path) -> None:
        versions = self.survey(place).versions
        model = versions[0].model
        name = self.name_of(model)
        assert {it.model for it in self.survey(place, name).versions} == {model}
        assert self.survey(place, "nobody").versions == ()

    def name_of(self, model: ModelName) -> str:
        """Return how the source calls a model of `fill`."""
        return model.model

    def spoil(self, place: Path, damage: Callable[[Path], str]) -> str:
        """Do one of `DAMAGES` to a place, and return what must be named."""
        return damage(place)

    def test_damage_is_named_and_the_rest_comes(self, tmp_path: Path) -> None:
        whole: set[str] = set()  # what each place holds before it is spoilt
        for number, (damage, spoil) in enumerate(self.DAMAGES.items()):
            place = tmp_path / str(number)
            place.mkdir()
            self.fill(place)
            whole = whole or {it.item for it in self.survey(place).versions}
            item = self.spoil(place, spoil)
            with unwritten(place):
                result = self.brought(place, new_registry())
            named = [it for it in result.troubles if it.item == item]
            assert named, f"{damage}: {item} is not among {[it.item for it in result.troubles]}"
            assert all(isinstance(it.error, ArtregError) and it.error.message for it in named), damage
            came = {it.item for it in result.imported}
            assert came == whole - {item}, damage
