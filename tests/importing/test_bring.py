"""The engine: what it does with what any source yields, and that it goes on after it was killed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from artreg.core import keys
from artreg.core.names import Alias, Computed, ModelName, Reference
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, OutcomeUnknown, StorageError
from artreg.frozen import replace
from artreg.importing.aliases import Terms
from artreg.importing.bring import Brought, bring
from artreg.importing.naming import Naming
from artreg.importing.room import room, tidy
from artreg.importing.source import Incoming, IncomingAlias, Survey, Trouble
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.resolve import resolve
from artreg.registry.verify import verify
from artreg.registry.version_log import find_yank
from artreg.registry.yank import unyank, yank
from artreg.store.local import LocalStore
from faults import processes
from importing.children import brings_and_dies, moved
from importing.contract import OPEN, bring_all, new_registry, unwritten
from importing.test_folder import TestFolder as Folders
from sizes import size

CHURN = ModelName("demo", "churn")
STRIDE = size(41, 4, 1)
ONE, TWO, THREE = (Version(number, 0, 0) for number in (1, 2, 3))


class Given:
    """A source that holds what it is told."""

    kind = "given"
    location = "here"
    movable = False

    def __init__(self, *versions: Incoming, aliases: tuple[IncomingAlias, ...] = ()) -> None:
        self.versions, self.aliases = list(versions), aliases
        self.fetched: list[str] = []
        self.failing: dict[str, Exception] = {}

    def survey(self) -> Survey:
        return Survey(tuple(self.versions), self.aliases, ())

    def fetch(self, incoming: Incoming, folder: Path) -> None:
        self.fetched.append(incoming.item)
        (folder / "model.txt").write_text(f"{incoming.item} {incoming.run.get('bytes', '')}")
        if incoming.item in self.failing:
            raise self.failing[incoming.item]


def incoming(number: int, model: ModelName = CHURN, **run: Any) -> Incoming:
    return Incoming(f"{model.model}/{number}", model, Version(number, 0, 0), f"print {number}", run, {"roc_auc": 0.9})


def alias(name: str, version: Version, here: str | None = None) -> IncomingAlias:
    return IncomingAlias(f"churn@{name}", name, Alias(here) if here else None, CHURN, version, "in 2024")


def codes(result: Brought) -> dict[str, str]:
    return {it.item: it.error.code for it in result.troubles}


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("not what it was"),
        StorageError("cannot be read"),
        PermissionError(13, "Permission denied", "x"),
        OSError(5, "Input/output error"),
        OutcomeUnknown("who knows"),
    ],
)
def test_what_cannot_be_fetched_keeps_nothing_else_from_coming(error: Exception) -> None:
    source = Given(incoming(1), incoming(2), incoming(3), aliases=(alias("a", TWO, "prod"), alias("b", ONE, "staging")))
    source.failing = {"churn/2": error}
    registry = new_registry()
    result = bring_all(registry, source, Naming("demo", {}))
    assert [it.version for it in result.imported] == [ONE, THREE]
    code = error.code if isinstance(error, ArtregError) else "storage"
    assert codes(result) == {"churn/2": code, "churn@a": code}
    assert [str(it.alias) for it in result.aliases] == ["staging"]
    source.failing = {}
    again = bring_all(registry, source, Naming("demo", {}))
    assert [it.version for it in again.imported] == [TWO]
    assert source.fetched == ["churn/1", "churn/2", "churn/3", "churn/2"]
    assert again.troubles == ()


def test_a_registry_that_fails_ends_it_and_what_was_done_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, source = new_registry(), Given(incoming(1), incoming(2), incoming(3), aliases=(alias("a", ONE, "prod"),))
    put = type(registry.store).put_tree

    def full(store: Any, prefix: str, *rest: Any, **more: Any) -> None:
        if "2.0.0" in prefix:
            raise StorageError("the disk is full")
        put(store, prefix, *rest, **more)

    monkeypatch.setattr(type(registry.store), "put_tree", full)
    result = bring_all(registry, source, Naming("demo", {}))
    assert result.stopped is not None
    assert ([it.version for it in result.imported], codes(result)) == ([ONE], {"churn/2": "storage"})
    assert source.fetched == ["churn/1", "churn/2"]
    assert result.aliases == ()


def test_two_that_would_become_one_are_both_left_out() -> None:
    one, other = incoming(1), Incoming("churn/v1", CHURN, ONE, "x", {}, {})
    result = bring_all(new_registry(), Given(one, other, incoming(2)), Naming("demo", {}))
    assert codes(result) == {"churn/1": "invalid_input", "churn/v1": "invalid_input"}
    assert [it.version for it in result.imported] == [TWO]
    naming = Naming("demo", {})
    naming.model("Churn")
    naming.model("churn")
    assert codes(bring_all(new_registry(), Given(one), naming)) == {"churn/1": "invalid_input"}


def deep(levels: int) -> list[Any]:
    return [deep(levels - 1)] if levels else []


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), {1, 2}, "x" * 5_000_000, deep(70), Path("/")])
def test_what_cannot_be_recorded_is_refused_before_anything_is_fetched(odd: object) -> None:
    source = Given(incoming(1, odd=odd), incoming(2))
    result = bring_all(new_registry(), source, Naming("demo", {}))
    assert codes(result) == {"churn/1": "invalid_input"}
    assert source.fetched == ["churn/2"]
    source = Given(Incoming("churn/1", CHURN, ONE, "x", {}, {"roc_auc": odd}))
    assert codes(bring_all(new_registry(), source, Naming("demo", {}))) == {"churn/1": "invalid_input"}


def test_half_a_surrogate_pair_is_recorded_as_it_is() -> None:
    registry = new_registry()
    source = Given(incoming(1, name="\udcff\x1b"))
    assert bring_all(registry, source, Naming("demo", {})).troubles == ()
    assert len(bring_all(registry, source, Naming("demo", {})).present) == 1
    assert verify(registry).ok


def test_a_version_that_changed_elsewhere_is_compared() -> None:
    registry = new_registry()
    bring_all(registry, Given(incoming(1)), Naming("demo", {}))
    touched = Incoming("churn/1", CHURN, ONE, "other print", {}, {"roc_auc": 0.9})
    same = bring_all(registry, Given(touched), Naming("demo", {}))
    assert ([it.version for it in same.present], same.troubles) == ([ONE], ())
    better = Incoming("churn/1", CHURN, ONE, "third print", {}, {"roc_auc": 0.95})
    source = Given(better)
    told = bring_all(registry, source, Naming("demo", {}), dry_run=True)
    assert [it.to_compare for it in told.imported] == [True]
    assert source.fetched == []
    other = bring_all(registry, source, Naming("demo", {}))
    assert codes(other) == {"churn/1": "already_exists"}
    assert other.troubles[0].error.details["differing"] == ["metrics.json"]
    assert "it came from given here, as churn/1" in other.troubles[0].error.message


@pytest.mark.parametrize("movable", [False, True])
def test_of_a_source_that_moved_nothing_is_fetched_again_if_its_fingerprints_hold_anywhere(movable: bool) -> None:
    registry, source = new_registry(), Given(incoming(1))
    source.movable = movable
    bring_all(registry, source, Naming("demo", {}))
    source.location = "elsewhere"
    assert [it.version for it in bring_all(registry, source, Naming("demo", {})).present] == [ONE]
    assert len(source.fetched) == (1 if movable else 2)
    source.versions = [replace(incoming(1), fingerprint="another")]
    bring_all(registry, source, Naming("demo", {}))
    assert len(source.fetched) == (2 if movable else 3)


CHAIN = parse_policy(
    {
        "aliases": {
            "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.8}]},
            "prod": {"gates": [{"gate": "from", "alias": "staging"}]},
        }
    }
)


def held(registry: Registry, name: str) -> str:
    return str(resolve(registry, Reference(CHURN, Alias(name))).version)


def test_a_version_is_led_through_the_aliases_that_gates_ask_for() -> None:
    registry = new_registry()
    source = Given(incoming(1), incoming(2), aliases=(alias("staging", TWO, "staging"), alias("champion", ONE, "prod")))
    result = bring_all(registry, source, Naming("demo", {}), policy=CHAIN)
    assert result.troubles == ()
    assert (held(registry, "staging"), held(registry, "prod")) == ("2.0.0", "1.0.0")
    again = bring_all(registry, source, Naming("demo", {}), policy=CHAIN)
    assert [it.changed for it in again.aliases] == [False, False]


def test_a_gate_that_says_no_is_named_with_its_verdicts() -> None:
    poor = Incoming("churn/1", CHURN, ONE, "x", {}, {"roc_auc": 0.7})
    result = bring_all(
        new_registry(), Given(poor, aliases=(alias("a", ONE, "prod"),)), Naming("demo", {}), policy=CHAIN
    )
    assert codes(result) == {"churn@a": "gate_rejected"}
    gates = result.troubles[0].error.details["gates"]
    assert [it["passed"] for it in gates if it["gate"] == "metric"] == [False]
    assert result.troubles[0].error.message.endswith("roc_auc is 0.7, which is not ≥ 0.8, on its way to prod")
    assert "--alias 'a=' leaves it out" in result.troubles[0].error.hint


GATED = parse_policy(
    {
        "aliases": {
            "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.8}, {"gate": "no_pickle"}]},
            "prod": {
                "gates": [
                    {"gate": "from", "alias": "staging"},
                    {"gate": "no_regression", "key": "roc_auc"},
                    {"gate": "size", "max_bytes": 5},
                    {"gate": "inspected"},
                ]
            },
            "approved": {"gates": [{"gate": "approvals"}]},
        }
    }
)


def test_a_dry_run_says_what_gates_would_say_and_which_cannot_be_asked_yet() -> None:
    poor = replace(incoming(2), metrics={"roc_auc": 0.7})
    source = Given(incoming(1), poor, aliases=(alias("a", ONE, "prod"), alias("b", ONE, "approved")))
    registry, naming = new_registry(), Naming("demo", {})
    told = bring_all(registry, source, naming, policy=GATED, dry_run=True)
    assert [(it.item, it.unasked) for it in told.aliases] == [("churn@a", ("no_pickle", "size", "inspected"))]
    assert codes(told) == {"churn@b": "gate_rejected"}
    source.aliases = (alias("a", TWO, "prod"),)
    refused = bring_all(registry, source, naming, policy=GATED, dry_run=True)
    assert codes(refused) == {"churn@a": "gate_rejected"}
    assert "may not become staging: roc_auc is 0.7" in refused.troubles[0].error.message
    assert [it["gate"] for it in refused.troubles[0].error.details["gates"]] == ["metric"]  # and no word of integrity
    assert registry.store.page("").entries == ()


def test_of_what_is_here_already_a_dry_run_asks_all_that_reads_no_model() -> None:
    source = Given(incoming(1), replace(incoming(2), metrics={"roc_auc": 0.85}))
    registry, naming = new_registry(), Naming("demo", {})
    bring_all(registry, source, naming)
    source.aliases = (alias("a", ONE, "prod"),)
    told = bring_all(registry, source, naming, policy=GATED, dry_run=True)
    assert "prod: the model has 8 bytes" in told.troubles[0].error.message
    bring_all(registry, source, naming)  # by a policy without gates
    source.aliases = (alias("a", TWO, "prod"),)
    worse = bring_all(registry, source, naming, policy=GATED, dry_run=True)
    assert "0.85, 1.0.0 in prod has 0.9: worse by 0.05" in worse.troubles[0].error.message


def test_a_dry_run_says_who_may_not_move_an_alias() -> None:
    policy = parse_policy({"aliases": {"prod": {"who": ["grace"]}}})
    source = Given(incoming(1), aliases=(alias("a", ONE, "prod"),))
    for dry_run in (True, False):
        result = bring_all(new_registry(), source, Naming("demo", {}), policy=policy, dry_run=dry_run)
        assert codes(result) == {"churn@a": "invalid_input"}


def test_what_somebody_set_here_stays() -> None:
    registry = new_registry()
    source = Given(incoming(1), incoming(2), aliases=(alias("a", ONE, "prod"),))
    bring_all(registry, source, Naming("demo", {}))
    promote(registry, CHURN, TWO, Alias("prod"), OPEN, reason="better")
    for dry_run in (True, False):
        result = bring_all(registry, source, Naming("demo", {}), dry_run=dry_run)
        assert codes(result) == {"churn@a": "conflict"}
    assert held(registry, "prod") == "2.0.0"
    source.aliases = (alias("a", TWO, "prod"),)
    assert bring_all(registry, source, Naming("demo", {})).troubles == ()


def test_nothing_is_led_through_what_somebody_set_here() -> None:
    registry = new_registry()
    source = Given(incoming(1), incoming(2))
    bring_all(registry, source, Naming("demo", {}))
    promote(registry, CHURN, TWO, Alias("staging"), CHAIN, reason="ours")
    source.aliases = (alias("a", ONE, "prod"),)
    result = bring_all(registry, source, Naming("demo", {}), policy=CHAIN)
    assert codes(result) == {"churn@a": "conflict"}
    assert held(registry, "staging") == "2.0.0"


def test_what_an_import_set_an_import_moves() -> None:
    registry = new_registry()
    source = Given(incoming(1), incoming(2), aliases=(alias("a", ONE, "prod"),))
    bring_all(registry, source, Naming("demo", {}))
    source.aliases = (alias("a", TWO, "prod"),)
    assert [it.changed for it in bring_all(registry, source, Naming("demo", {})).aliases] == [True]
    assert held(registry, "prod") == "2.0.0"


def test_what_the_source_took_back_comes_yanked_and_is_given_back_when_it_does() -> None:
    registry, naming = new_registry(), Naming("demo", {})
    gone = replace(incoming(2), withdrawn="deregistered by Ada: worse")
    source = Given(replace(incoming(1), withdrawn=""), gone)
    told = bring_all(registry, source, naming, dry_run=True)
    assert [(it.item, it.yanked) for it in told.yanks] == [("churn/2", True)]
    assert bring_all(registry, source, naming).yanks == told.yanks
    found = find_yank(registry, CHURN, TWO)
    assert found is not None
    assert found.why == "imported from given: deregistered by Ada: worse"
    assert resolve(registry, Reference(CHURN, Computed.LATEST)).version == ONE
    assert bring_all(registry, source, naming).yanks == ()
    source.versions[1] = replace(gone, withdrawn="")
    assert [it.yanked for it in bring_all(registry, source, naming, dry_run=True).yanks] == [False]
    assert find_yank(registry, CHURN, TWO) is not None
    assert [(it.item, it.yanked) for it in bring_all(registry, source, naming).yanks] == [("churn/2", False)]
    assert find_yank(registry, CHURN, TWO) is None
    source.versions[1] = gone
    assert [it.yanked for it in bring_all(registry, source, naming).yanks] == [True]


def test_a_version_that_was_taken_back_after_it_came_is_yanked_then() -> None:
    registry, naming, source = new_registry(), Naming("demo", {}), Given(incoming(1))
    bring_all(registry, source, naming)
    source.versions = [replace(incoming(1), withdrawn="deprecated")]
    result = bring_all(registry, source, naming)
    assert [(it.item, it.yanked) for it in result.yanks] == [("churn/1", True)]
    assert source.fetched == ["churn/1"]


def test_what_somebody_said_of_a_version_here_holds() -> None:
    registry, naming = new_registry(), Naming("demo", {})
    source = Given(replace(incoming(1), withdrawn="worse"), replace(incoming(2), withdrawn=""))
    bring_all(registry, source, naming)
    unyank(registry, CHURN, ONE, "good enough for us")
    promote(registry, CHURN, ONE, Alias("prod"), OPEN, reason="ours")  # more is said of it since
    yank(registry, CHURN, TWO, "we know better")
    result = bring_all(registry, source, naming)
    assert (result.yanks, result.troubles) == ((), ())
    assert find_yank(registry, CHURN, ONE) is None
    assert find_yank(registry, CHURN, TWO) is not None


def test_a_yank_that_was_cut_off_is_finished() -> None:
    registry, naming, source = new_registry(), Naming("demo", {}), Given(replace(incoming(1), withdrawn="worse"))
    bring_all(registry, source, naming)
    registry.store.delete([keys.yank_mark_key(CHURN, ONE)])
    bring_all(registry, source, naming)
    assert registry.store.read(keys.yank_mark_key(CHURN, ONE)) == b""


def test_what_was_taken_back_and_cannot_be_had_says_that_nobody_need_miss_it() -> None:
    source = Given(replace(incoming(1), withdrawn="deregistered by Ada"), incoming(2))
    source.versions.append(replace(incoming(3), withdrawn="deprecated"))
    source.failing = {name: NotFound("it is gone", hint="fetch it") for name in ("churn/1", "churn/2")}
    source.failing["churn/3"] = NotFound("it is gone")
    result = bring_all(new_registry(), source, Naming("demo", {}))
    assert [(it.item, it.error.hint) for it in result.troubles] == [
        ("churn/1", "fetch it; or do without it: it was deregistered by Ada"),
        ("churn/2", "fetch it"),
        ("churn/3", "do without it: it was deprecated"),
    ]


def test_aliases_without_a_name_here_are_named_unless_they_are_left_out() -> None:
    source = Given(incoming(1), aliases=(alias("champion", ONE, "blessed"), alias("b", ONE), alias("c", THREE, "prod")))
    registry, naming = new_registry(), Naming("demo", {})
    assert codes(bring_all(registry, source, naming)) == {
        "churn@champion": "invalid_input",
        "churn@b": "invalid_input",
        "churn@c": "not_found",
    }
    names = {"champion": Alias("staging"), "b": None, "c": None}
    result = bring(registry, source, naming, names, Terms(OPEN, {}, lambda: OPEN.digest))
    assert result.troubles == ()
    assert held(registry, "staging") == "1.0.0"
    none = bring(registry, source, naming, None, Terms(OPEN, {}, lambda: OPEN.digest))
    assert (none.aliases, none.troubles) == ((), ())


def test_a_version_that_comes_with_a_trouble_of_its_own_can_be_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Given(incoming(1), aliases=(alias("a", ONE, "prod"),))
    survey = source.survey()
    odd = Survey(survey.versions, survey.aliases, (Trouble("churn/1", InvalidInput("a metric is no number")),))
    monkeypatch.setattr(source, "survey", lambda: odd)
    registry = new_registry()
    assert codes(bring_all(registry, source, Naming("demo", {}))) == {"churn/1": "invalid_input"}
    assert held(registry, "prod") == "1.0.0"


def test_of_two_that_become_one_the_later_one_holds() -> None:
    registry = new_registry()
    same = alias("a", ONE, "prod"), alias("b", TWO, "prod"), alias("c", TWO, "prod")
    source = Given(incoming(1), incoming(2), aliases=same)
    for _ in range(2):
        result = bring_all(registry, source, Naming("demo", {}))
        assert [(it.item, it.generation, it.over) for it in result.aliases] == [("churn@c", 1, ("churn@a",))]


def test_rooms_of_the_dead_are_removed_and_those_of_the_living_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, young = tmp_path / "artreg-import-dead", tmp_path / "artreg-import-young"
    for left in (dead, young):
        left.mkdir()
    (dead / "lock").touch()
    (dead / "version").mkdir()
    (tmp_path / "artreg-import-link").symlink_to(dead)
    with room() as folder:
        (folder / "model.txt").touch()
        tidy()
        assert (folder / "model.txt").exists()
    assert sorted(it.name for it in tmp_path.iterdir()) == ["artreg-import-link", "artreg-import-young"]


def whole(root: Path) -> dict[str, str]:
    """Return what is in a registry: the digest of each version's content, where prod points, and what is yanked."""
    registry = Registry(LocalStore(root))
    found = {}
    for path in sorted(root.glob("demo/*/[!.]*/run.json")):
        found[path.parent.relative_to(root).as_posix()] = path.read_text().partition('"content": "')[2][:64]
    found["prod"] = held(registry, "prod")
    found["yanked"] = " ".join(str(it.parent.name) for it in sorted(root.glob(f"demo/*/**/{keys.YANKED}")))
    return found


def test_an_import_that_was_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.event()  # starts what they are forked from, whose socket wants a short name
    monkeypatch.setenv("TMPDIR", str(tmp_path / "rooms"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "rooms"))
    place = tmp_path / "elsewhere"
    for folder in (place, tmp_path / "rooms", tmp_path / "clean"):
        folder.mkdir()
    Folders().fill(place)
    assert moved(str(place), str(tmp_path / "clean")).troubles == ()
    wanted = whole(tmp_path / "clean")
    assert wanted["yanked"] == "3.0.0"
    at, killed, left = 1, 0, 0
    with unwritten(place):
        while True:
            root = tmp_path / str(at)
            root.mkdir()
            code = processes.finish(processes.start(brings_and_dies, str(place), str(root), at))
            if code == 0:
                break
            killed += 1
            assert code == -signal.SIGKILL
            left += bool(list((tmp_path / "rooms").iterdir()))
            result = moved(str(place), str(root))
            assert (result.troubles, result.stopped) == ((), None)
            assert len(result.imported) + len(result.present) == 4
            assert whole(root) == wanted
            assert verify(Registry(LocalStore(root)), deep=True).ok
            at += STRIDE
    assert killed >= 120 // STRIDE
    assert left >= killed // 10  # some died in the middle of a fetch
    dead = [it.name for it in (tmp_path / "rooms").iterdir() if (it / "lock").exists()]
    assert dead == []
