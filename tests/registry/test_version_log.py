"""What is said of a version after it was published: yanks, approvals, proofs; who heeds it, and what it costs."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core import canonical, keys
from artreg.core.manifest import TOMBSTONE
from artreg.core.names import Alias, Computed, Reference
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.core.version_event import EventKind
from artreg.errors import Conflict, GateRejected, IntegrityError, InvalidInput, NotFound
from artreg.frozen import replace
from artreg.registry.approvals import (
    approve,
    count_approvals,
    is_signed,
    list_approvals,
    revoke,
    standing_approvals,
)
from artreg.registry.catalog import alias_targets, catalog
from artreg.registry.freeze import freeze
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.history import find_head
from artreg.registry.proofs import list_proofs, record_proof
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.signing import allowed_signer
from artreg.registry.verify import verify
from artreg.registry.version_log import (
    Draft,
    append,
    append_next,
    digest_of,
    events,
    find_yank,
    list_logs,
    newest_event,
    read_log,
)
from artreg.registry.yank import unyank, yank
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from keys import needs_openssh
from registry.bench import CHURN, FREE, POLICY, PROD, STAGING, Bench
from store.faults import Counting, LostAnswers

V1, V2, V3 = (Version(1, minor, 0) for minor in range(3))


def released(bench: Bench, *versions: str) -> Bench:
    for version in versions:
        bench.publish(version)
        bench.promote(version)
    return bench


def acting(bench: Bench, who: str) -> Registry:
    return replace(bench.registry, actor=who)


def problems(registry: Registry) -> list[tuple[str, str]]:
    return [(problem.file, problem.problem) for checked in verify(registry).checked for problem in checked.problems]


def test_a_yank_says_who_when_and_why(bench: Bench) -> None:
    released(bench, "1.0.0")
    result = yank(bench.registry, CHURN, V1, " leaks the label ")
    assert (result.changed, [str(alias) for alias in result.held_by], result.fenced) == (True, ["free"], ())
    found = find_yank(bench.registry, CHURN, V1)
    assert found == result.yank
    assert found is not None
    assert (found.who, found.why, found.kind) == ("ada", "leaks the label", EventKind.YANK)
    assert not yank(acting(bench, "bob"), CHURN, V1, "again").changed
    assert unyank(bench.registry, CHURN, V1, "it was not").changed
    assert not unyank(bench.registry, CHURN, V1, "it was not").changed
    assert find_yank(bench.registry, CHURN, V1) is None
    assert verify(bench.registry).ok


@pytest.mark.parametrize("act", [yank, unyank])
def test_yanks_need_a_reason_and_a_version(bench: Bench, act) -> None:
    released(bench, "1.0.0")
    with pytest.raises(InvalidInput, match="needs a reason"):
        act(bench.registry, CHURN, V1, "  ")
    with pytest.raises(NotFound, match=r"no version 9\.0\.0"):
        act(bench.registry, CHURN, Version(9, 0, 0), "why")
    assert not list_logs(bench.store, CHURN) or list_logs(bench.store, CHURN) == [V1]


def test_a_dry_run_says_nothing(bench: Bench) -> None:
    released(bench, "1.0.0")
    number = read_log(bench.registry, CHURN, V1).number
    assert yank(bench.registry, CHURN, V1, "bad", dry_run=True).changed
    assert not unyank(bench.registry, CHURN, V1, "good", dry_run=True).changed
    assert approve(bench.registry, CHURN, V1, PROD, dry_run=True).changed
    assert not revoke(bench.registry, CHURN, V1, PROD, dry_run=True).changed
    assert read_log(bench.registry, CHURN, V1).number == number


def test_a_damaged_version_can_be_yanked(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.store.delete(["demo/churn/1.0.0/checksum.txt"])
    bench.store.create("demo/churn/1.0.0/checksum.txt", b"nonsense")
    assert yank(bench.registry, CHURN, V1, "damaged").changed


def test_a_number_that_is_spent_cannot_be_yanked(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.store.create("demo/churn/1.1.0/checksum.txt", TOMBSTONE)
    with pytest.raises(NotFound, match=r"no version 1\.1\.0"):
        yank(bench.registry, CHURN, V2, "bad")


def test_no_alias_takes_a_yanked_version(bench: Bench) -> None:
    released(bench, "1.0.0").publish("1.1.0")
    yank(bench.registry, CHURN, V2, "bad")
    with pytest.raises(GateRejected, match=r"was yanked by ada at .*: bad") as caught:
        bench.promote("1.1.0")
    assert [gate["gate"] for gate in caught.value.details["gates"] if not gate["passed"]] == ["yanked"]
    assert not bench.promote("1.0.0").changed
    unyank(bench.registry, CHURN, V2, "good")
    assert bench.promote("1.1.0").changed


def test_rollback_passes_yanked_versions_by(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0", "1.2.0")
    yank(bench.registry, CHURN, V2, "bad")
    with pytest.raises(GateRejected, match=r"1\.1\.0 was yanked by ada"):
        rollback(bench.registry, CHURN, FREE, POLICY, to=V2)
    assert str(rollback(bench.registry, CHURN, FREE, POLICY).record.version) == "1.0.0"
    assert verify(bench.registry).ok


def test_rollback_says_what_it_could_not_go_back_to(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0", "1.0.0")
    yank(bench.registry, CHURN, V2, "bad")
    with pytest.raises(NotFound, match=r"nothing before 1\.0\.0 .* but 1\.1\.0, which was yanked since"):
        rollback(bench.registry, CHURN, FREE, POLICY)


def test_latest_passes_it_by_and_whoever_names_it_is_warned(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0")
    assert resolve(bench.registry, Reference(CHURN, V2)).warning == ""
    yank(bench.registry, CHURN, V2, "bad")
    assert resolve(bench.registry, Reference(CHURN, Computed.LATEST)).version == V1
    for target in (V2, FREE):
        found = resolve(bench.registry, Reference(CHURN, target))
        assert (found.version, found.warning.partition(" at ")[0]) == (V2, "demo/churn@1.1.0 was yanked by ada")
    into = MemoryStore(uuid.uuid4().hex)
    into.make_root()
    assert pull(bench.registry, Reference(CHURN, V2), into, "out").source.warning
    yank(bench.registry, CHURN, V1, "bad too")
    with pytest.raises(NotFound, match="no released version that is not yanked"):
        resolve(bench.registry, Reference(CHURN, Computed.LATEST))


def test_an_approval_is_given_once_and_taken_back(bench: Bench) -> None:
    published = bench.publish("1.0.0")
    bob = acting(bench, "bob")
    given = approve(bob, CHURN, V1, PROD, "reviewed")
    assert given.changed
    assert given.approval is not None
    assert (given.approval.who, given.approval.digest) == ("bob", published.digest)
    assert not approve(bob, CHURN, V1, PROD, "again").changed
    assert approve(acting(bench, "eve"), CHURN, V1, PROD).changed
    assert approve(bob, CHURN, V1, STAGING).changed
    log = read_log(bench.registry, CHURN, V1)
    assert count_approvals(log, PROD, digest=published.digest) == ("bob", "eve")
    assert count_approvals(log, PROD, digest=published.digest, names=["bob", "cid"]) == ("bob",)
    assert count_approvals(log, PROD, digest=published.digest, not_by="bob") == ("eve",)
    assert count_approvals(log, PROD, digest="another") == ()
    assert count_approvals(log, PROD, digest=published.digest, accept=lambda event: event.why != "") == ("bob",)
    assert standing_approvals(log, PROD, published.digest, {}) == (("bob", False), ("eve", False))
    assert revoke(bob, CHURN, V1, PROD, "I was wrong").changed
    assert not revoke(bob, CHURN, V1, PROD).changed
    assert [event.who for event in read_log(bench.registry, CHURN, V1).approvals] == ["eve", "bob"]
    assert verify(bench.registry).ok


def test_the_publishers_own_approval_does_not_count(bench: Bench) -> None:
    bench.publish("1.0.0")
    for who in ("ada", "bob"):
        approve(acting(bench, who), CHURN, V1, PROD)
    found = list_approvals(bench.registry, CHURN, V1)
    assert [(one.event.who, one.signed, one.counted) for one in found] == [("ada", False, False), ("bob", False, True)]


def key_pair(folder: Path, name: str) -> tuple[Path, str]:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path, path.with_suffix(".pub").read_text()


@needs_openssh
def test_a_signature_is_of_one_person_for_one_version_and_alias(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    bob_key, bob_public = key_pair(tmp_path, "bob")
    _, eve_public = key_pair(tmp_path, "eve")
    bob = acting(bench, "bob")
    approve(bob, CHURN, V1, PROD, "unsigned")
    event = approve(bob, CHURN, V1, PROD, "signed", sign_key=bob_key).approval
    assert event is not None
    assert not approve(bob, CHURN, V1, PROD, "again", sign_key=bob_key).changed
    assert [one.why for one in read_log(bench.registry, CHURN, V1).approvals] == ["signed"]
    assert is_signed(event, {"bob": bob_public})
    for signers in ({}, {"bob": eve_public}, {"eve": bob_public}):
        assert not is_signed(event, signers)
    for change in (
        {"alias": STAGING},
        {"version": V2},
        {"digest": "other"},
        {"why": "other"},
        {"time": "other"},
        {"payload": {}},
        {"payload": {"signature": "nonsense"}},
        {"payload": {"signature": 7}},
    ):
        assert not is_signed(replace(event, **change), {"bob": bob_public})
    [listed] = list_approvals(bench.registry, CHURN, V1, signers={"bob": bob_public})
    assert listed.signed
    with pytest.raises(InvalidInput, match="cannot sign with"):
        approve(acting(bench, "cid"), CHURN, V1, PROD, sign_key=tmp_path / "nowhere")


def test_without_ssh_keygen_the_error_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (tmp_path / "key").write_text("a key")
    with pytest.raises(InvalidInput, match="there is no ssh-keygen"):
        approve(bench.registry, CHURN, V1, PROD, sign_key=tmp_path / "key")
    assert read_log(bench.registry, CHURN, V1).number == 0


@pytest.mark.parametrize(
    ("who", "key"),
    [
        ("*", "ssh-ed25519 AAAA"),
        ("a,b", "t k"),
        ('a"b', "t k"),
        ("", "t k"),
        ("a\nb", "t k"),
        ("a", "k"),
        ("a", "t k\n* t k"),
    ],
)
def test_no_name_and_no_key_can_let_others_sign(who: str, key: str) -> None:
    with pytest.raises(InvalidInput):
        allowed_signer(who, key)


def test_a_proof_is_recorded_once(bench: Bench) -> None:
    bench.publish("1.0.0")
    payload = {"digests": {"model.bin": "abc"}, "machine": "arm64", "tolerance": None}
    proof, changed = record_proof(bench.registry, CHURN, V1, payload)
    assert changed
    assert (proof.kind, proof.who, proof.payload) == (EventKind.REPRODUCED, "ada", payload)
    assert record_proof(bench.registry, CHURN, V1, payload) == (proof, False)
    assert record_proof(acting(bench, "bob"), CHURN, V1, payload)[1]
    assert [event.who for event in list_proofs(bench.registry, CHURN, V1)] == ["ada", "bob"]
    with pytest.raises(InvalidInput, match="larger than"):
        record_proof(bench.registry, CHURN, V1, {"digests": "x" * 70_000})
    with pytest.raises(InvalidInput, match="no JSON"):
        record_proof(bench.registry, CHURN, V1, {"tolerance": float("nan")})


def test_what_was_said_of_other_bytes_holds_no_longer(bench: Bench) -> None:
    bench.publish("1.0.0")
    approve(bench.registry, CHURN, V1, FREE)
    other = bench.store.read("demo/churn/1.0.0/checksum.txt").replace(b"  model.bin", b"  model.bix")
    bench.store.delete(["demo/churn/1.0.0/checksum.txt"])
    bench.store.create("demo/churn/1.0.0/checksum.txt", other)
    for act in (
        lambda: approve(acting(bench, "bob"), CHURN, V1, FREE),
        lambda: record_proof(bench.registry, CHURN, V1, {}),
        lambda: bench.promote("1.0.0"),
    ):
        with pytest.raises(IntegrityError):
            act()
    assert ("checksum.txt", "was changed: its log pins another digest") in problems(bench.registry)


def test_whoever_read_an_older_log_gets_a_conflict(bench: Bench) -> None:
    digest = bench.publish("1.0.0").digest
    log = read_log(bench.registry, CHURN, V1)
    approve(bench.registry, CHURN, V1, PROD)
    with pytest.raises(Conflict, match="somebody else said something"):
        append(bench.registry, log, Draft(EventKind.YANK, digest))


def test_a_lost_answer_is_no_lost_race(bench: Bench) -> None:
    bench.publish("1.0.0")
    registry = replace(bench.registry, store=LostAnswers(bench.store))
    assert yank(registry, CHURN, V1, "bad").changed
    assert read_log(bench.registry, CHURN, V1).number == 1


def test_a_log_is_no_alias_and_nothing_to_collect(bench: Bench) -> None:
    released(bench, "1.0.0")
    yank(bench.registry, CHURN, V1, "bad")
    assert alias_targets(bench.registry, CHURN) == {"free": V1}
    assert [version.version for version in catalog(bench.registry)[0].versions] == [V1]
    assert collect(bench.registry, older_than=timedelta(0)).removed == ()
    assert list_logs(bench.store, CHURN) == [V1]
    assert [event.kind for event in events(bench.registry, CHURN, V1)] == [EventKind.INTENT, EventKind.YANK]


def said(bench: Bench) -> Bench:
    released(bench, "1.0.0", "1.1.0")
    for who in ("ada", "bob", "eve"):
        approve(acting(bench, who), CHURN, V1, PROD)
    assert verify(bench.registry).ok
    return bench


def test_a_version_whose_log_is_left_alone_is_missed(bench: Bench) -> None:
    bench.publish("1.0.0")
    approve(bench.registry, CHURN, V1, PROD)
    bench.store.delete([f"demo/churn/1.0.0/{entry.name}" for entry in list(bench.store.walk("demo/churn/1.0.0"))])
    assert problems(bench.registry) == [("checksum.txt", "missing: nothing says what belongs to this version")]


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_gap_in_a_log_stops_everybody(bench: Bench, missing: int) -> None:
    said(bench).store.delete([keys.event_key(CHURN, V1, missing)])
    for act in (
        lambda: resolve(bench.registry, Reference(CHURN, V1)),
        lambda: yank(bench.registry, CHURN, V1, "bad"),
        lambda: rollback(bench.registry, CHURN, FREE, POLICY),
    ):
        with pytest.raises(IntegrityError, match=f"has a gap: event {missing} is missing"):
            act()
    assert [file for file, _ in problems(bench.registry)] == ["history/1.0.0"]


@pytest.mark.parametrize(
    "change",
    [
        {"why": "other"},
        {"previous": None},
        {"digest": "other"},
        {"standing": {"yanked": None, "approvals": [], "proofs": [], "intents": {}}},
    ],
)
def test_a_rewritten_past_shows(bench: Bench, change: dict[str, object]) -> None:
    key = keys.event_key(CHURN, V1, 2)
    document = canonical.loads(said(bench).store.read(key), key)
    body = {name: value for name, value in document.items() if name != "event_digest"} | change
    bench.store.delete([key])
    bench.store.create(key, canonical.dumps({**body, "event_digest": canonical.digest(canonical.dumps(body))}))
    assert any("was rewritten" in problem for _, problem in problems(bench.registry))


def test_lost_records_show_where_somebody_saw_them(bench: Bench) -> None:
    said(bench).publish("1.2.0")
    bench.promote("1.2.0")
    for generation in (2, 3):
        bench.store.delete([keys.record_key(CHURN, FREE, generation)])
    assert any(
        "records are missing: there are 1, but somebody saw record 2" in text for _, text in problems(bench.registry)
    )
    lost = "it ends at 1, but somebody who saw 2 meant to move it to 1.2.0"
    with pytest.raises(IntegrityError, match=f"^the history of free of demo/churn has lost records: {lost}$") as caught:
        yank(bench.registry, CHURN, V3, "bad")
    assert caught.value.hint == "restore the files from a copy"


def requests(bench: Bench, act) -> list[tuple[str, str]]:
    counting = Counting(bench.store)
    act(replace(bench.registry, store=counting))
    calls = [(call, key.removeprefix("demo/churn/")) for call, key in counting.calls]
    return [(call, key) for call, key in calls if key.startswith("history/1.")]


def test_what_a_log_costs_does_not_grow_with_it(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0")
    for _ in range(5):
        bench.promote("1.0.0")
        bench.promote("1.1.0")
    assert requests(bench, lambda registry: resolve(registry, Reference(CHURN, FREE))) == []
    moved = dataclasses.replace(bench, folder=bench.folder)
    assert requests(bench, lambda registry: rollback(registry, CHURN, FREE, moved.policy)) == [
        ("last_number", "history/1.0.0"),
        ("page", "history/1.0.0"),
        ("read", "history/1.0.0/00000006.json"),
        ("create", "history/1.0.0/00000007.json"),
    ]
    assert find_head(bench.registry, CHURN, Alias("free")).record.version == V1


def test_an_alias_tells_that_its_version_was_yanked(bench: Bench) -> None:
    """Its own newest record says where to look, so that resolving one that holds a sound version costs nothing more."""
    released(bench, "1.0.0", "1.1.0")
    bench.promote("1.1.0")
    before = find_head(bench.registry, CHURN, FREE).record
    assert yank(bench.registry, CHURN, V2, "leaks").held_by == (FREE,)
    marked = find_head(bench.registry, CHURN, FREE).record
    assert (marked.action, marked.version, marked.generation) == (Action.YANK, V2, before.generation + 1)
    assert marked.yanked
    assert "leaks" in resolve(bench.registry, Reference(CHURN, FREE)).warning
    assert not yank(bench.registry, CHURN, V2, "again").changed
    assert find_head(bench.registry, CHURN, FREE).record == marked
    until = bench.registry.now() + timedelta(days=1)
    assert freeze(bench.registry, CHURN, FREE, until, "holidays").record.yanked
    assert "leaks" in resolve(bench.registry, Reference(CHURN, FREE)).warning
    unyank(bench.registry, CHURN, V2, "it did not")
    assert resolve(bench.registry, Reference(CHURN, FREE)).warning == ""
    assert verify(bench.registry).ok


def test_a_move_takes_the_mark_off_and_rollback_passes_by(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0")
    bench.promote("1.0.0")
    bench.promote("1.1.0")
    yank(bench.registry, CHURN, V2, "leaks")
    moved = rollback(bench.registry, CHURN, FREE, bench.policy)
    assert (moved.record.version, moved.record.yanked) == (V1, False)
    with pytest.raises(GateRejected):
        bench.promote("1.1.0")


def test_gc_marks_what_an_older_artreg_or_a_dead_yank_left_unmarked(bench: Bench) -> None:
    released(bench, "1.0.0", "1.1.0")
    bench.promote("1.1.0")
    append_next(
        bench.registry, CHURN, V2, lambda log: Draft(EventKind.YANK, digest_of(bench.registry, log), why="leaks")
    )
    assert resolve(bench.registry, Reference(CHURN, FREE)).warning == ""
    assert collect(bench.registry, older_than=timedelta(), dry_run=True).healed == (
        "demo/churn@free",
        "demo/churn@1.1.0",
    )
    assert not any(version.yanked for version in catalog(bench.registry, CHURN)[0].versions)
    assert collect(bench.registry, older_than=timedelta()).healed == ("demo/churn@free", "demo/churn@1.1.0")
    assert catalog(bench.registry, CHURN)[0].versions[0].yanked == "leaks"
    assert "leaks" in resolve(bench.registry, Reference(CHURN, FREE)).warning
    assert collect(bench.registry, older_than=timedelta()).healed == ()


def test_a_long_log_is_not_listed_on_a_disk(tmp_path: Path) -> None:
    bench = Bench(LocalStore(tmp_path / "registry"), tmp_path)
    bench.registry.store.make_root()
    bench.publish("1.0.0")
    digest = digest_of(bench.registry, read_log(bench.registry, CHURN, V1))
    log = read_log(bench.registry, CHURN, V1)
    for number in range(1, 601):
        log = append(bench.registry, log, Draft(EventKind.INTENT, digest, FREE, number))
    counting = Counting(bench.store)
    newest = newest_event(replace(bench.registry, store=counting), CHURN, V1)
    assert newest is not None
    assert newest[0].number == 600
    assert [call for call, _ in counting.calls] == ["last_number", "read"]
