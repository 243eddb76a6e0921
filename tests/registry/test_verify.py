"""What `verify` says of one version, one alias, one history: to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.core import canonical, keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Computed, Reference
from artreg.core.record import Action, PromotionRecord
from artreg.core.selection import Selection
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import replace
from artreg.registry.approvals import approve
from artreg.registry.check_history import check_history
from artreg.registry.handle import Registry
from artreg.registry.history import at, find_head, moment, records, require_head
from artreg.registry.intent import intend
from artreg.registry.move import Destination, draft, fallback_on, heal, stay
from artreg.registry.signed_moves import InForce
from artreg.registry.verify import verify
from artreg.registry.version_log import read_log
from artreg.registry.yank import yank
from artreg.store.interface import Pointer, Progress, Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from registry.bench import CHURN, FREE, PROD, STAGING, Bench
from store.faults import Wrapper

V1, V2 = Version(1, 0, 0), Version(1, 1, 0)
MODEL_FILE = "demo/churn/1.0.0/model.bin"


def overwrite(store: Store, key: str, data: bytes) -> None:
    """Put other bytes under a key, as no store allows."""
    if isinstance(store, LocalStore):
        path = Path(store.url, key)
        path.unlink()
        path.write_bytes(data)
    else:
        assert isinstance(store, MemoryStore)
        store.delete([key])
        store.create(key, data)


def reported(bench: Bench, target: Version | Computed, *, quick: bool = False) -> list[tuple[str, str, str]]:
    """Return what is wrong with a reference: what was checked, the file, the problem."""
    report = verify(bench.registry, Reference(CHURN, target), quick=quick)
    return [(it.ref, problem.file, problem.problem) for it in report.checked for problem in it.problems]


class Heard:
    """A reporter that adds up what it is told."""

    def __init__(self) -> None:
        self.bytes = 0

    def step(self, _what: str, _total: int, unit: str = "bytes") -> Progress:
        assert unit == "bytes"
        heard = self

        class Counting:
            def advance(self, amount: int) -> None:
                heard.bytes += amount

        return Counting()


def test_latest_is_the_version_that_is_checked(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    report = verify(bench.registry, Reference(CHURN, Computed.LATEST))
    assert [it.ref for it in report.checked] == ["demo/churn@1.1.0"]


@pytest.mark.parametrize(
    ("file", "data", "hint"),
    [
        (None, b"", "the newest are 1.0.0"),
        ("run.json", b"{}", "it was begun but never finished; publish it again, or end it with artreg gc"),
        ("checksum.txt", TOMBSTONE, "the number is spent, publish under another"),
    ],
)
def test_a_version_that_is_not_there_is_not_found(bench: Bench, file: str | None, data: bytes, hint: str) -> None:
    bench.publish("1.0.0")
    if file is not None:
        bench.store.create(f"demo/churn/1.1.0/{file}", data)
    with pytest.raises(NotFound, match=r"^there is no version 1\.1\.0 of demo/churn$") as caught:
        verify(bench.registry, Reference(CHURN, V2))
    assert caught.value.hint.endswith(hint)


def test_a_damaged_manifest_is_reported_rather_than_raised(bench: Bench) -> None:
    bench.publish("1.0.0")
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", b"nonsense\n")
    ((ref, file, _),) = reported(bench, V1)
    assert (ref, file) == ("demo/churn@1.0.0", "checksum.txt")


def test_a_log_pins_the_bytes_of_its_version(bench: Bench) -> None:
    """Nothing but its log says what a version's digest is before any alias holds it."""
    bench.publish("1.0.0")
    approve(bench.registry, CHURN, V1, PROD, "fine")
    changed = b"other bytes"
    manifest = bench.store.read("demo/churn/1.0.0/checksum.txt").decode()
    lines = [
        f"{canonical.digest(changed)}{line[64:]}" if line.endswith("model.bin") else line
        for line in manifest.splitlines()
    ]
    overwrite(bench.store, MODEL_FILE, changed)
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", ("\n".join(lines) + "\n").encode())
    assert ("demo/churn@1.0.0", "checksum.txt", "was changed: its log pins another digest") in reported(bench, V1)


def test_a_damaged_log_is_reported_beside_its_version_and_still_pins_it(bench: Bench) -> None:
    bench.publish("1.0.0")
    approve(bench.registry, CHURN, V1, PROD, "fine")
    yank(bench.registry, CHURN, V1, "not fine")
    overwrite(bench.store, "demo/churn/history/1.0.0/00000001.json", b"{}")
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", b"nonsense\n")
    found = reported(bench, V1)
    assert {file for _, file, _ in found} == {"checksum.txt", "history/1.0.0"}
    assert all(problem for _, _, problem in found)
    # The newest event was read before the damaged one, and it names the digest.
    everything = verify(bench.registry).checked
    assert {p.file for it in everything for p in it.problems} == {"checksum.txt", "history/1.0.0"}


def test_a_quick_check_reads_no_content(bench: Bench) -> None:
    bench.publish("1.0.0", "model")
    overwrite(bench.store, MODEL_FILE, b"ledom")
    assert [file for _, file, _ in reported(bench, V1)] == ["model.bin"]
    assert reported(bench, V1, quick=True) == []
    overwrite(bench.store, MODEL_FILE, b"longer")
    assert reported(bench, V1, quick=True) == [("demo/churn@1.0.0", "model.bin", "has 6 bytes instead of 5")]


def test_whoever_waits_is_told_of_every_byte(bench: Bench) -> None:
    bench.publish("1.0.0")
    heard = Heard()
    report = verify(bench.registry, Reference(CHURN, V1), reporter=heard)
    assert heard.bytes == report.checked[0].bytes > 0


def test_a_history_counts_its_records_and_their_bytes(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    first, _ = verify(bench.registry, Reference(CHURN, FREE)).checked
    sizes = [len(bench.store.read(keys.record_key(CHURN, FREE, generation))) for generation in (1, 2)]
    assert (first.ref, first.files, first.bytes) == ("demo/churn@free", 2, sum(sizes))


def test_what_is_wrong_with_a_history_is_said(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    overwrite(bench.store, keys.record_key(CHURN, FREE, 1), b"{}")
    report = verify(bench.registry, Reference(CHURN, FREE))
    (problem,) = report.checked[0].problems
    assert problem.file == "history/free"
    assert "record 1 of free" in problem.problem


def test_a_pointer_without_a_history_is_named_whatever_the_logs_say(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.store.point("demo/churn/lonely", Pointer("1.0.0", 1))
    for _ in range(2):
        (lonely,) = [it for it in verify(bench.registry, CHURN).checked if it.ref == "demo/churn@lonely"]
        assert [(p.file, p.problem) for p in lonely.problems] == [("lonely", "the pointer has no history")]
        approve(bench.registry, CHURN, V1, PROD, "a log that says nothing of that alias")


def test_a_mover_that_died_after_its_intent_leaves_nothing_wrong(bench: Bench) -> None:
    """It saw record 1 and meant to create record 2: one record is as many as there must be."""
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    bench.promote("1.0.0")
    head = find_head(bench.registry, CHURN, FREE)
    published = verify(bench.registry, Reference(CHURN, V2)).checked[0]
    record = draft(
        bench.registry,
        head,
        Destination(CHURN, FREE, V2, published.digest),
        action=head.record.action,
        fallback=fallback_on(head),
        reason="",
        policy=None,
        gates=(),
    )
    intend(bench.registry, read_log(bench.registry, CHURN, V2), record)
    assert verify(bench.registry).ok
    bench.store.delete([keys.record_key(CHURN, FREE, 1)])
    found = [p.problem for it in verify(bench.registry).checked for p in it.problems]
    assert "records are missing: there are 0, but somebody saw record 1" in found


class _Pointing(Wrapper):
    """Answers with these pointers, one after the other, the last one for ever."""

    def __init__(self, store: Store, *answers: Pointer) -> None:
        super().__init__(store)
        self.answers = list(answers)
        self.asked = 0

    def pointer(self, key: str) -> Pointer | None:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def pointer_problems(bench: Bench, store: Wrapper) -> list[str]:
    registry = Registry(store, "ada", bench.registry.now)
    return [p.problem for p in verify(registry, Reference(CHURN, FREE)).checked[0].problems]


def test_a_pointer_is_looked_at_twice_before_it_is_called_wrong(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    right, wrong = Pointer("1.0.0", 1), Pointer("0.9.0", 0)
    late = _Pointing(bench.store, wrong, right)
    assert pointer_problems(bench, late) == []
    assert late.asked == 2
    stays = _Pointing(bench.store, wrong)
    assert pointer_problems(bench, stays) == ["the pointer says 0.9.0, the history says 1.0.0"]
    assert stays.asked == 2
    sound = _Pointing(bench.store, right)
    assert pointer_problems(bench, sound) == []
    assert sound.asked == 1


def test_a_history_that_vanishes_meanwhile_is_named(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")

    class Vanishing(_Pointing):
        def pointer(self, key: str) -> Pointer | None:
            self.inner.delete([keys.record_key(CHURN, FREE, 1)])
            return super().pointer(key)

    assert pointer_problems(bench, Vanishing(bench.store, Pointer("0.9.0", 0))) == ["the history is gone"]


def test_an_alias_whose_first_move_was_fenced_off_points_nowhere(bench: Bench) -> None:
    fenced(bench)
    head = find_head(bench.registry, CHURN, FREE)
    with pytest.raises(NotFound, match=r"^free of demo/churn points nowhere$") as caught:
        head.held()
    assert caught.value.hint == "see artreg promote"
    with pytest.raises(NotFound, match=r"^free of demo/churn points nowhere$") as caught:
        require_head(bench.registry, CHURN, FREE)
    assert caught.value.hint == "nothing of it was promoted yet: see artreg promote"
    assert at(bench.registry, CHURN, FREE, moment("2999-01-01T00:00:00Z")) is None
    assert not heal(bench.registry, CHURN, FREE)
    assert verify(bench.registry, CHURN).ok


def fenced(bench: Bench) -> PromotionRecord:
    """Let a mover die after its intent for the first record of an alias, and a yank take its place."""
    bench.publish("1.0.0")
    digest = verify(bench.registry, Reference(CHURN, V1)).checked[0].digest
    record = draft(
        bench.registry,
        None,
        Destination(CHURN, FREE, V1, digest),
        action=Action.PROMOTE,
        fallback=None,
        reason="",
        policy=None,
        gates=(),
    )
    intend(bench.registry, read_log(bench.registry, CHURN, V1), record)
    yank(bench.registry, CHURN, V1, "bad")
    return record


def test_the_other_aliases_are_named_where_one_points_nowhere(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    bench.promote("1.0.0", STAGING)
    with pytest.raises(NotFound) as caught:
        require_head(bench.registry, CHURN, PROD)
    assert caught.value.hint == "its aliases are free, staging"


def test_healing_says_whether_there_was_anything_to_heal(bench: Bench) -> None:
    assert not heal(bench.registry, CHURN, FREE)
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    assert not heal(bench.registry, CHURN, FREE)
    bench.store.point(keys.pointer_key(CHURN, FREE), Pointer("0.9.0", 0))
    assert heal(bench.registry, CHURN, FREE)
    assert bench.store.pointer(keys.pointer_key(CHURN, FREE)).target == "1.0.0"


def test_times_of_records_are_read_as_they_were_meant() -> None:
    assert moment("2026-01-02T03:04:05").isoformat() == "2026-01-02T03:04:05+00:00"
    assert moment("2026-01-02T03:04:05+02:00").isoformat() == "2026-01-02T03:04:05+02:00"
    with pytest.raises(IntegrityError, match=r"^a record holds 'yesterday' where a time should be$"):
        moment("yesterday")


def test_the_first_record_may_name_none_before_it(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    key = keys.record_key(CHURN, FREE, 1)
    record = find_head(bench.registry, CHURN, FREE).record
    overwrite(bench.store, key, replace(record, previous_record="0" * 64).encode())
    with pytest.raises(IntegrityError, match=r"^record 1 of free of demo/churn names one before it$"):
        list(records(bench.registry, CHURN, FREE))


class _Piecemeal(Wrapper):
    """A store in which a version appears file by file, as in a bucket."""

    whole_trees = False


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_no_version_yet_and_what_is_none_any_more(bench: Bench, whole: bool) -> None:
    for version in ("1.0.0", "1.3.0"):
        bench.publish(version)
    bench.store.create("demo/churn/1.1.0/checksum.txt", TOMBSTONE)
    bench.store.create("demo/churn/1.2.0/run.json", b"{}")
    registry = replace(bench.registry, store=bench.store if whole else _Piecemeal(bench.store))
    report = verify(registry, CHURN)
    damaged = [it.ref for it in report.checked if not it.ok]
    assert damaged == (["demo/churn@1.2.0"] if whole else [])
    assert report.unfinished == (() if whole else ("demo/churn@1.2.0",))
    assert [it.ref for it in report.checked if it.ok] == ["demo/churn@1.0.0", "demo/churn@1.3.0"]


def test_a_version_that_a_record_names_must_be_there_however_it_is_missing(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", TOMBSTONE)
    bench.store.delete(["demo/churn/1.1.0/checksum.txt"])
    report = verify(replace(bench.registry, store=_Piecemeal(bench.store)), CHURN)
    assert [it.ref for it in report.checked if not it.ok] == ["demo/churn@1.0.0", "demo/churn@1.1.0"]
    assert report.unfinished == ()


def test_of_a_model_too_a_quick_check_reads_no_content_and_every_byte_is_told(bench: Bench) -> None:
    bench.publish("1.0.0", "model")
    heard = Heard()
    assert verify(bench.registry, CHURN, reporter=heard).checked[0].bytes == heard.bytes > 0
    overwrite(bench.store, MODEL_FILE, b"ledom")
    assert not verify(bench.registry, CHURN).ok
    assert verify(bench.registry, CHURN, quick=True).ok


def test_which_record_pins_other_bytes_is_said(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    bench.promote("1.0.0", STAGING)
    (log,) = [entry.name for entry in bench.store.page("demo/churn/history/1.0.0").entries][:1]
    bench.store.delete([f"demo/churn/history/1.0.0/{log}", "demo/churn/history/1.0.0/00000002.json"])
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", bench.store.read("demo/churn/1.0.0/checksum.txt") + b" ")
    problems = [p.problem for it in verify(bench.registry, CHURN).checked for p in it.problems]
    assert problems  # nothing is pinned by a manifest that cannot be read
    other = bench.store.read("demo/churn/1.0.0/checksum.txt").removesuffix(b" ").replace(b"model.bin", b"model.txt")
    overwrite(bench.store, "demo/churn/1.0.0/checksum.txt", other)
    problems = [p.problem for it in verify(bench.registry, CHURN).checked for p in it.problems]
    assert "was changed: record 1 of free pins another digest" in problems


def test_a_damaged_note_of_what_was_verified_is_reported_and_costs_nothing_else(bench: Bench) -> None:
    bench.publish("1.0.0")
    verify(bench.registry, record=True)
    (entry,) = bench.store.page(keys.verifications_prefix(CHURN)).entries
    overwrite(bench.store, f"{keys.verifications_prefix(CHURN)}/{entry.name}", b"{}")
    noted, version = verify(bench.registry, CHURN, record=True).checked
    assert (noted.ref, noted.files, noted.bytes) == ("demo/churn, its verifications", 0, 0)
    (problem,) = noted.problems
    assert problem.file == keys.verifications_prefix(CHURN)
    assert problem.problem
    assert version.ok


def test_every_version_that_is_not_due_is_counted(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
    assert verify(bench.registry, CHURN, only=Selection(sample=0.0)).left_out == 3


def test_as_many_records_as_somebody_saw_must_be_there(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")

    def said(**least: int) -> list[str]:
        checked, _ = check_history(bench.registry, CHURN, PROD, InForce(), **least)
        return [problem.problem for problem in checked.problems]

    assert said() == ["the pointer has no history"]
    assert said(least=1) == ["records are missing: there are 0, but somebody saw record 1"]
    assert check_history(bench.registry, CHURN, FREE, InForce(), least=1)[0].ok


def test_staying_heals_the_pointer_and_says_that_nothing_moved(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    head = require_head(bench.registry, CHURN, FREE)
    bench.store.point(keys.pointer_key(CHURN, FREE), Pointer("0.9.0", 0))
    dry = stay(bench.registry, head, dry_run=True)
    assert (dry.record, dry.changed, dry.dry_run) == (head.record, False, True)
    assert bench.store.pointer(keys.pointer_key(CHURN, FREE)).target == "0.9.0"
    stayed = stay(bench.registry, head, dry_run=False)
    assert (stayed.record, stayed.changed, stayed.dry_run) == (head.record, False, False)
    assert bench.store.pointer(keys.pointer_key(CHURN, FREE)).target == "1.0.0"
