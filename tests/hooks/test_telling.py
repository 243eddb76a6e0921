"""What is due to a hook, in order, whoever tells it and whatever became of the history."""

from __future__ import annotations

import json
import random
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from artreg.core import keys
from artreg.core.names import Alias
from artreg.core.policy import parse_policy
from artreg.core.record import Action
from artreg.core.told import Failure, Told, furthest, parse_told
from artreg.errors import IntegrityError, StorageError
from artreg.frozen import replace
from artreg.hooks import telling
from artreg.hooks.event import Event
from artreg.hooks.flush import Delivered, Patience, flush
from artreg.hooks.refusal import Refused
from artreg.hooks.survey import survey
from artreg.hooks.telling import Lane, Standing, keep, pending, records_after, skip, standing
from artreg.registry.freeze import freeze
from artreg.registry.history import find_record, require_head
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.store.names import temporary_name
from hooks.bench import SECRETS, hook
from hooks.conftest import moving
from registry.bench import CHURN, FREE, Bench
from store.faults import Counting

OTHER = Alias("other")
AT_ONCE = Patience(0.0, 0.0)
LANE = Lane(hook(), CHURN, FREE)


def move(bench: Bench, times: int, alias: Alias = FREE) -> None:
    for _ in range(times):
        here = find_record(bench.registry, CHURN, alias, 1) and standing_version(bench, alias)
        bench.promote("1.1.0" if here == "1.0.0" else "1.0.0", alias)


def standing_version(bench: Bench, alias: Alias) -> str:
    return str(require_head(bench.registry, CHURN, alias).record.version)


class Ear:
    """Hears events, and refuses those that it is told to refuse."""

    def __init__(self, refuse: Callable[[dict[str, Any]], Refused | None] = lambda _: None) -> None:
        self.heard: list[tuple[str, int]] = []
        self.asked: list[tuple[str, int]] = []
        self.ids: list[str] = []
        self._refuse = refuse

    def __call__(self, event: Event) -> str:
        told = json.loads(event.body)["data"]["customData"]
        self.asked.append((told["alias"], told["generation"]))
        refused = self._refuse(told)
        if refused is not None:
            raise refused
        self.heard.append((told["alias"], told["generation"]))
        self.ids.append(event.id)
        return "ok"


def run(bench: Bench, ear: Ear, **said: Any) -> dict[str, Delivered]:
    done = flush(bench.registry, hook(**said), "urn:here", ear, AT_ONCE)
    return {str(one.lane.alias): one for one in done}


@pytest.fixture
def policy_bench(bench: Bench) -> Bench:
    bench.policy = parse_policy({"aliases": {"free": {}, "other": {}}})
    return bench


def test_every_move_is_told_once_in_order(bench: Bench) -> None:
    move(bench, 3)
    ear = Ear()
    assert run(bench, ear)["free"].events == 3
    move(bench, 2)
    assert run(bench, ear)["free"].generation == 5
    assert run(bench, ear) == {}
    assert ear.heard == [("free", number) for number in (1, 2, 3, 4, 5)]
    assert len(set(ear.ids)) == 5


def test_one_document_says_how_far_it_was_told(bench: Bench) -> None:
    move(bench, 3)
    run(bench, Ear())
    (key,) = standing(bench.registry, LANE).documents
    assert key.startswith(".artreg/hooks/deploy/demo/churn/free/")


def test_what_another_flush_is_writing_is_no_document(tmp_path: Path) -> None:
    """Nor is what a flush left behind that died in the middle of it."""
    root = tmp_path / "registry"
    root.mkdir()
    bench = moving(Bench(LocalStore(root), tmp_path))
    move(bench, 1)
    run(bench, Ear())
    (root / LANE.prefix / temporary_name()).touch()
    move(bench, 1)
    assert [one.problem for one in survey(bench.registry, hook(), SECRETS).lanes] == [""]
    assert run(bench, Ear())["free"] == Delivered(LANE, 1, 2)


def test_a_new_hook_is_not_told_of_years_gone_by(bench: Bench) -> None:
    move(bench, 4)
    third = find_record(bench.registry, CHURN, FREE, 3)
    assert third is not None
    ear = Ear()
    run(bench, ear, since=datetime.fromisoformat(third.record.time))
    assert [number for _, number in ear.heard] == [3, 4]


def test_a_later_time_passes_over_what_was_due(bench: Bench) -> None:
    move(bench, 2)
    ear = Ear(lambda told: Refused("no") if told["generation"] == 2 else None)
    run(bench, ear)
    assert run(bench, Ear(), since=datetime(2027, 1, 1, tzinfo=UTC)) == {}
    move(bench, 1)  # by the bench's clock still in 2026
    assert pending(bench.registry, Lane(hook(since=datetime(2027, 1, 1, tzinfo=UTC)), CHURN, FREE), None) == []


def test_only_what_a_hook_asks_for_is_told(policy_bench: Bench) -> None:
    bench = policy_bench
    move(bench, 1)
    move(bench, 1, OTHER)
    freeze(bench.registry, CHURN, FREE, until=datetime(2026, 6, 1, tzinfo=UTC), reason="holidays")
    ear = Ear()
    run(bench, ear, aliases=frozenset({FREE}), actions=frozenset({Action.FREEZE}))
    assert ear.heard == [("free", 2)]
    plain = Ear()
    run(bench, plain, name="other")
    assert sorted(plain.heard) == [("free", 1), ("other", 1)]
    told = standing(bench.registry, Lane(hook("other"), CHURN, FREE)).told
    assert told is not None
    assert told.generation == 2  # the freeze need not be read again


def test_what_an_event_waits_for_holds_up_its_own_alias_alone(policy_bench: Bench) -> None:
    bench = policy_bench
    move(bench, 3)
    move(bench, 3, OTHER)
    ear = Ear(lambda told: Refused("not that one") if (told["alias"], told["generation"]) == ("free", 2) else None)
    done = run(bench, ear)
    assert [number for alias, number in ear.heard if alias == "free"] == [1]
    assert [number for alias, number in ear.heard if alias == "other"] == [1, 2, 3]
    assert done["free"].problem == "not that one"
    assert not done["other"].problem
    assert [number for alias, number in ear.asked if alias == "free"] == [1, 2]


def test_what_fails_for_a_while_is_tried_again(bench: Bench) -> None:
    move(bench, 2)
    left = [3]

    def refuse(_told: dict[str, Any]) -> Refused | None:
        left[0] -= 1
        return Refused("busy") if left[0] >= 0 else None

    ear = Ear(refuse)
    assert not run(bench, ear, retry_for=60.0)["free"].problem
    assert [number for _, number in ear.asked] == [1, 1, 1, 1, 2]


def test_what_is_hopeless_is_tried_once(bench: Bench) -> None:
    move(bench, 2)
    ear = Ear(lambda _: Refused("gone", again=False))
    assert run(bench, ear, retry_for=60.0)["free"].problem == "gone"
    assert len(ear.asked) == 1


def test_who_asks_to_be_left_alone_for_longer_than_there_is_hope_is(bench: Bench) -> None:
    move(bench, 1)
    ear = Ear(lambda _: Refused("later", after=3600.0))
    assert run(bench, ear, retry_for=60.0)["free"].problem == "later"
    assert len(ear.asked) == 1


def test_who_asks_to_be_left_alone_is_so_by_every_alias(policy_bench: Bench) -> None:
    bench = policy_bench
    move(bench, 2)
    move(bench, 1, OTHER)
    ear = Ear(lambda _: Refused("later", after=3600.0))
    done = run(bench, ear, retry_for=60.0)
    assert [done[name].problem for name in ("free", "other")] == [
        "later",
        "not tried: http://127.0.0.1:9 asks to be left alone",
    ]
    assert ear.asked == [("free", 1)]


def test_what_failed_is_kept_with_how_often_and_since_when(bench: Bench) -> None:
    move(bench, 2)
    for number in (1, 2, 3):
        run(bench, Ear(lambda _: Refused("out of order")))
        (waiting,) = survey(bench.registry, hook(), SECRETS).lanes
        assert waiting.failure is not None
        assert (waiting.failure.generation, waiting.failure.attempts) == (1, number)
        assert (waiting.failure.since < waiting.failure.time) == (number > 1)
        assert waiting.failure.message == "out of order"
        assert (waiting.pending, waiting.generation) == (2, 0)
    run(bench, Ear())
    (waiting,) = survey(bench.registry, hook(), SECRETS).lanes
    assert (waiting.pending, waiting.failure, waiting.oldest) == (0, None, None)


def test_an_event_that_will_never_be_taken_can_be_passed_over(bench: Bench) -> None:
    move(bench, 4)
    ear = Ear(lambda told: Refused("never") if told["generation"] == 2 else None)
    run(bench, ear)
    assert [it.record.generation for it in skip(bench.registry, LANE, every=False, dry_run=True)] == [2]
    assert [it.record.generation for it in skip(bench.registry, LANE, every=False, dry_run=False)] == [2]
    run(bench, ear)
    assert [number for _, number in ear.heard] == [1, 3, 4]
    assert skip(bench.registry, LANE, every=True, dry_run=False) == []


def test_all_that_is_due_can_be_passed_over(bench: Bench) -> None:
    move(bench, 3)
    assert len(skip(bench.registry, LANE, every=True, dry_run=False)) == 3
    move(bench, 1)
    ear = Ear()
    run(bench, ear)
    assert ear.heard == [("free", 4)]


def test_who_passed_over_what_and_why_stays(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    move(bench, 5)
    skip(bench.registry, LANE, " the receiver is gone ", every=False, dry_run=False)
    run(bench, Ear(lambda told: Refused("no") if told["generation"] == 3 else None))
    skip(bench.registry, LANE, "x" * 1000, every=True, dry_run=False)
    (waiting,) = survey(bench.registry, hook(), SECRETS).lanes
    first, second = waiting.skipped
    assert (first.first, first.last, first.who, first.why) == (1, 1, bench.registry.actor, "the receiver is gone")
    assert (second.first, second.last, len(second.why)) == (3, 5, 400)
    assert first.time < second.time
    assert skip(bench.registry, LANE, every=True, dry_run=False) == []
    assert len(standing(bench.registry, LANE).skipped) == 2
    monkeypatch.setattr(telling, "_SKIPPED", 2)
    move(bench, 1)
    skip(bench.registry, LANE, every=False, dry_run=False)
    assert [it.last for it in standing(bench.registry, LANE).skipped] == [5, 6]


def test_what_is_passed_over_during_a_flush_is_not_forgotten(bench: Bench) -> None:
    move(bench, 3)

    def meanwhile(told: dict[str, Any]) -> None:
        if told["generation"] == 1:
            skip(bench.registry, LANE, "meanwhile", every=False, dry_run=False)

    run(bench, Ear(meanwhile))
    move(bench, 1)
    run(bench, Ear())
    (skipped,) = standing(bench.registry, LANE).skipped
    assert (skipped.first, skipped.why) == (1, "meanwhile")


def test_what_older_versions_kept_can_be_read() -> None:
    lines = [
        '  "alias": "free",',
        '  "failure": null,',
        '  "format": "artreg/hook/1",',
        '  "generation": 2,',
        '  "hook": "deploy",',
        '  "hook_digest": "0c46290a6ededbeb0461847f393c99806fc88fc23d41d3a6f912fed4ec404c8d",',
        '  "model": "churn",',
        '  "project": "demo",',
        f'  "record": "{"a" * 64}",',
        '  "time": "2026-03-01T12:00:00.000Z",',
        '  "write_id": "0123"',
    ]
    data = "\n".join(["{", *lines, "}", ""]).encode()
    told = parse_told(data, "deploy", CHURN, FREE)
    assert (told.generation, told.skipped) == (2, ())


def test_a_document_that_goes_while_it_is_read_is_looked_for_again(bench: Bench) -> None:
    move(bench, 3)
    run(bench, Ear(lambda told: Refused("no") if told["generation"] == 3 else None))

    class Late:
        """Reads what was told only when another flush has put its own in the place of it."""

        def __getattr__(self, name: str) -> object:
            return getattr(bench.store, name)

        def read(self, key: str, *limit: int) -> bytes:
            if key.startswith(".artreg/hooks/"):
                run(bench, Ear())
            return bench.store.read(key, *limit)

    late: Any = Late()
    ear = Ear()
    assert flush(Bench(late, bench.folder).registry, hook(), "urn:here", ear, AT_ONCE) == []
    assert ear.heard == []


def test_a_clock_that_goes_back_hides_no_event(bench: Bench) -> None:
    move(bench, 1)
    ear = Ear()
    run(bench, ear)
    began = require_head(bench.registry, CHURN, FREE).record.time
    bench.registry = replace(bench.registry, now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    since = datetime.fromisoformat(began)
    for _ in range(2):
        move(bench, 1)
        run(bench, ear, since=since)
    assert [number for _, number in ear.heard] == [1, 2, 3]
    move(bench, 1)
    assert run(bench, Ear(), since=datetime(2027, 1, 1, tzinfo=UTC)) == {}


def test_two_flushes_at_once_tell_some_twice_but_each_in_order(bench: Bench) -> None:
    move(bench, 6)
    inner = Ear()

    def meanwhile(told: dict[str, Any]) -> None:
        if told["generation"] == 3:
            run(bench, inner)

    outer = Ear(meanwhile)
    run(bench, outer)
    assert [number for _, number in inner.heard] == [3, 4, 5, 6]
    assert [number for _, number in outer.heard] == [1, 2, 3, 4, 5, 6]
    assert set(inner.ids) < set(outer.ids)
    assert run(bench, Ear()) == {}


def test_of_several_documents_the_furthest_counts(bench: Bench) -> None:
    def told(generation: int, time: str) -> Told:
        return Told("deploy", CHURN, FREE, generation, "a" * 64 if generation else None, time, None, "1")

    assert furthest([]) is None
    assert furthest([told(3, "2026-01-01T00:00:00Z"), told(2, "2026-02-01T00:00:00Z")]) == told(
        3, "2026-01-01T00:00:00Z"
    )
    later = told(3, "2026-01-02T00:00:00Z")
    assert furthest([later, told(3, "2026-01-01T00:00:00Z")]) == later


def test_a_slow_flush_does_not_set_back_what_a_faster_one_kept(bench: Bench) -> None:
    move(bench, 3)
    run(bench, Ear())
    first = find_record(bench.registry, CHURN, FREE, 1)
    assert first is not None
    failure = Failure(2, 1, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "slow")
    keep(bench.registry, LANE, Standing(None, ()), (1, first.sha256), failure)
    assert run(bench, Ear()) == {}


def test_a_history_that_was_rewritten_is_told_nobody(bench: Bench) -> None:
    move(bench, 2)
    run(bench, Ear())
    key = keys.record_key(CHURN, FREE, 2)
    bench.store.delete([key])
    move(bench, 2)
    ear = Ear()
    assert "was rewritten" in run(bench, ear)["free"].problem
    assert ear.heard == []
    assert "was rewritten" in survey(bench.registry, hook(), SECRETS).lanes[0].problem
    with pytest.raises(IntegrityError, match="was rewritten"):
        skip(bench.registry, LANE, every=False, dry_run=False)
    skip(bench.registry, LANE, every=True, dry_run=False)
    move(bench, 1)
    run(bench, ear)
    assert ear.heard == [("free", 4)]


def test_a_history_that_was_set_back_shows_and_can_be_gone_on_with(bench: Bench) -> None:
    move(bench, 4)
    run(bench, Ear())
    bench.store.delete([keys.record_key(CHURN, FREE, number) for number in (3, 4)])
    assert "was rewritten" in survey(bench.registry, hook(), SECRETS).lanes[0].problem
    (done,) = flush(bench.registry, hook(), "urn:here", Ear(), AT_ONCE, thorough=True)
    assert "was rewritten" in done.problem  # else the next records 3 and 4 were taken for those that it was told of
    skip(bench.registry, LANE, every=True, dry_run=False)
    move(bench, 1)
    ear = Ear()
    run(bench, ear)
    assert ear.heard == [("free", 3)]


def test_what_was_told_is_read_strictly(bench: Bench) -> None:
    move(bench, 1)
    run(bench, Ear())
    (key,) = standing(bench.registry, LANE).documents
    data = bench.store.read(key)
    for damaged in (data.replace(b'"generation": 1', b'"generation": 9'), data[:-2], b"{}", b""):
        with pytest.raises(IntegrityError, match="what hook deploy was told"):
            parse_told(damaged, "deploy", CHURN, FREE)
    with pytest.raises(IntegrityError, match="belongs elsewhere"):
        parse_told(data, "other", CHURN, FREE)


def test_a_damaged_document_is_named_and_holds_up_its_alias_alone(policy_bench: Bench) -> None:
    bench = policy_bench
    move(bench, 1)
    move(bench, 1, OTHER)
    bench.store.create(".artreg/hooks/deploy/demo/churn/free/x.json", b"nonsense")
    ear = Ear()
    assert "was told of free" in run(bench, ear)["free"].problem
    assert ear.heard == [("other", 1)]


def test_a_damaged_record_is_told_nobody(bench: Bench) -> None:
    move(bench, 2)
    key = keys.record_key(CHURN, FREE, 2)
    data = bench.store.read(key)
    bench.store.delete([key])
    bench.store.create(key, data.replace(b'"who": "ada"', b'"who": "eve"'))
    assert "free" in run(bench, Ear())["free"].problem


def test_where_it_cannot_be_kept_the_event_comes_again_with_the_same_id(bench: Bench) -> None:
    move(bench, 2)

    first, again = Ear(), Ear()
    full = Bench(refusing_writes(bench.store), bench.folder)
    done = {str(one.lane.alias): one for one in flush(full.registry, hook(), "urn:here", first, AT_ONCE)}
    assert done["free"].problem == "what it was told could not be kept, and comes again: the disk is full"
    assert first.heard == [("free", 1), ("free", 2)]  # who is never told of the second would stand at the first
    run(bench, again)
    assert again.heard == [("free", 1), ("free", 2)]
    assert again.ids == first.ids


def test_records_are_read_one_by_one(bench: Bench) -> None:
    move(bench, 3)
    assert [it.record.generation for it in records_after(bench.registry, LANE, None)] == [1, 2, 3]


@hypothesis.given(
    st.lists(st.sampled_from(["move", "other", "flush", "fail", "lose", "two at once", "rest"]), max_size=25),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_no_event_is_lost_or_out_of_order(does: list[str], chance: random.Random) -> None:
    store = MemoryStore(uuid.uuid4().hex)
    store.make_root()
    with tempfile.TemporaryDirectory() as folder:
        bench = moving(Bench(store, Path(folder)))
    bench.policy = parse_policy({"aliases": {"free": {}, "other": {}}})
    ear, moves = Ear(), {"free": 0, "other": 0}
    unsure = Ear(lambda _: Refused("perhaps") if chance.random() < 0.5 else None)
    unsure.heard, unsure.ids = ear.heard, ear.ids

    def meanwhile(_told: dict[str, Any]) -> None:
        run(bench, ear)

    lossy = Bench(refusing_writes(store), bench.folder)
    for what in does:
        if what in {"move", "other"}:
            alias = FREE if what == "move" else OTHER
            move(bench, 1, alias)
            moves[str(alias)] += 1
        elif what == "lose":
            flush(lossy.registry, hook(), "urn:here", ear, AT_ONCE)
        elif what == "two at once":
            run(bench, Ear(meanwhile))
        else:
            run(bench, ear if what == "flush" else unsure)
    run(bench, ear)
    for alias, count in moves.items():
        first = list(dict.fromkeys(number for name, number in ear.heard if name == alias))
        assert first == list(range(1, count + 1))
    assert len(set(ear.ids)) == sum(moves.values())
    assert run(bench, Ear()) == {}


def refusing_writes(store: Store) -> Store:
    """A store in which nothing can be created."""

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def create(self, _key: str, _data: bytes) -> None:
            raise StorageError("the disk is full")

    found: Any = Full()
    return found


def test_a_flush_of_nothing_lists_once_for_all_aliases_and_reads_twice_for_each(policy_bench: Bench) -> None:
    bench = policy_bench
    move(bench, 2)
    move(bench, 1, OTHER)
    run(bench, Ear())
    counting = Counting(bench.store)
    assert flush(Bench(counting, bench.folder).registry, hook(), "urn:here", Ear(), AT_ONCE) == []
    assert Counter(call for call, _ in counting.calls) == {"walk": 1, "page": 3, "read": 4}
