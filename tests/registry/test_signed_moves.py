"""Signed moves: what the policy demands is refused before anything moves, and shows where it was got round."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.core import canonical
from artreg.core import keys as places
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.policy import Policy, parse_policy
from artreg.core.record import Action, PromotionRecord, parse_record
from artreg.core.version import Version
from artreg.errors import Conflict, GateRejected, InvalidInput
from artreg.frozen import replace
from artreg.registry.check_history import check_policies, history_faults
from artreg.registry.freeze import freeze, unfreeze
from artreg.registry.handle import Registry
from artreg.registry.history import find_head, records
from artreg.registry.move import Moved
from artreg.registry.promote import promote
from artreg.registry.release import Step, release
from artreg.registry.rollback import rollback
from artreg.registry.signed_moves import is_signed_move
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import Report, verify
from artreg.registry.yank import yank
from artreg.store.interface import Pointer
from keys import make_key, needs_openssh, public
from registry.bench import CHURN, FREE, PROD, Bench
from store.places import MemoryPlace

V1, V2, V3 = Version(1, 0, 0), Version(1, 1, 0), Version(1, 2, 0)
BOTH = ["promote", "rollback"]

pytestmark = needs_openssh


@pytest.fixture(scope="module")
def carol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("carol"), "id")


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("eve"), "id")


@pytest.fixture
def place() -> MemoryPlace:
    return MemoryPlace()


@pytest.fixture
def bench(place: MemoryPlace, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    bench = Bench(place.store(), tmp_path / "made")
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        bench.publish(version)
    return bench


def rules(moves: list[str], **keys: Path) -> Policy:
    signers = {name: public(key) for name, key in keys.items()}
    return parse_policy({"aliases": {"free": {"signed_moves": moves}, "prod": {}}, "signers": signers})


def acting(bench: Bench, who: str, key: Path | None = None) -> Registry:
    return replace(bench.registry, actor=who, signing_key=None if key is None else str(key))


def head(bench: Bench) -> PromotionRecord:
    found = find_head(bench.registry, CHURN, FREE)
    assert found is not None
    return found.record


def by_carol(carol: Path) -> SignedBy:
    return SignedBy(AllowedSigners((f"carol {public(carol)}",)), ("carol",))


def faults(bench: Bench, moved_by: SignedBy | None = None) -> list[str]:
    in_force, policies = check_policies(bench.registry)
    assert policies == ()
    return history_faults(bench.registry, CHURN, list(records(bench.registry, CHURN, FREE)), in_force, moved_by)


def problems(report: Report) -> list[str]:
    return [problem.problem for checked in report.checked for problem in checked.problems]


def test_what_the_policy_demands_is_refused_before_anything_moves(bench: Bench, carol: Path, eve: Path) -> None:
    policy = rules(BOTH, carol=carol)
    for registry, said in (
        (acting(bench, "carol"), "demands that every promote of this alias is signed"),
        (acting(bench, "carol", eve), "is not the key that the policy names for carol"),
        (acting(bench, "eve", eve), "the policy names no key for eve"),
    ):
        with pytest.raises(InvalidInput, match=said) as raised:
            promote(registry, CHURN, V1, FREE, policy)
        assert "nothing was moved" in raised.value.message
        assert raised.value.hint
        with pytest.raises(InvalidInput, match=said):
            release(registry, [Step(CHURN, V1, FREE)], policy, reason="")
    assert find_head(bench.registry, CHURN, FREE) is None
    assert promote(acting(bench, "carol", carol), CHURN, V1, FREE, policy, dry_run=True).record.signature is None
    for version in (V1, V2):
        promote(acting(bench, "carol", carol), CHURN, version, FREE, policy)
    assert head(bench).signature is not None
    with pytest.raises(InvalidInput, match="demands that every rollback of this alias is signed"):
        rollback(acting(bench, "carol"), CHURN, FREE, policy, dry_run=True)
    assert rollback(acting(bench, "carol", carol), CHURN, FREE, policy).changed
    assert head(bench).version == V1
    assert faults(bench, by_carol(carol)) == []
    assert verify(bench.registry).ok


def test_the_policy_may_let_rollbacks_go_without(bench: Bench, carol: Path) -> None:
    policy = rules(["promote"], carol=carol)
    push_policy(bench.registry, policy, reason="")
    for version in (V1, V2):
        promote(acting(bench, "carol", carol), CHURN, version, FREE, policy)
    assert rollback(acting(bench, "on-call"), CHURN, FREE, policy).changed
    assert verify(bench.registry).ok
    assert faults(bench) == []
    assert faults(bench, by_carol(carol)) == ["record 3 of free, by on-call, is not signed by carol"]


def test_other_aliases_need_no_key_and_a_key_signs_all_the_same(bench: Bench, carol: Path) -> None:
    policy = rules(BOTH, carol=carol)
    assert promote(acting(bench, "dan"), CHURN, V1, PROD, policy).record.signature is None
    assert promote(acting(bench, "dan", carol), CHURN, V2, PROD, policy).record.signature
    assert verify(bench.registry).ok


def test_a_known_key_is_not_yet_the_one_that_is_wanted(bench: Bench, carol: Path, eve: Path) -> None:
    policy = rules(BOTH, carol=carol, eve=eve)
    promote(acting(bench, "eve", eve), CHURN, V1, FREE, policy)
    both = AllowedSigners((f"carol {public(carol)}", f"eve {public(eve)}"))
    for names, said in (
        (("carol",), ["record 1 of free, by eve, is not signed by carol"]),
        (("carol", "eve"), []),
        ((), []),
    ):
        assert faults(bench, SignedBy(both, names)) == said


def test_what_moves_nothing_needs_no_key(bench: Bench, carol: Path) -> None:
    policy = rules(BOTH, carol=carol)
    push_policy(bench.registry, policy, reason="")
    promote(acting(bench, "carol", carol), CHURN, V1, FREE, policy)
    freeze(acting(bench, "dan"), CHURN, FREE, bench.registry.now().replace(year=2030), "sales")
    unfreeze(acting(bench, "dan"), CHURN, FREE, "over")
    yank(acting(bench, "dan"), CHURN, V1, "leaks")
    assert verify(bench.registry).ok
    assert faults(bench, by_carol(carol)) == []


def test_a_release_that_fails_is_put_back_by_signed_records(bench: Bench, carol: Path) -> None:
    policy = rules(BOTH, carol=carol)
    push_policy(bench.registry, policy, reason="")
    registry = acting(bench, "carol", carol)
    promote(registry, CHURN, V1, FREE, policy)
    asked = iter([policy.digest, "another"])
    with pytest.raises(Conflict) as raised:
        release(
            registry, [Step(CHURN, V2, FREE), Step(CHURN, V2, PROD)], policy, reason="", policy_now=lambda: next(asked)
        )
    assert "put back: demo/churn@free" in raised.value.message
    assert (head(bench).action, head(bench).version) == (Action.ROLLBACK, V1)
    assert faults(bench, by_carol(carol)) == []


def forge(place: MemoryPlace, bench: Bench, record: PromotionRecord, who: str = "carol", **changes: object) -> None:
    """Append a record as whoever may write to storage can, sealed and chained as it must be, and set the pointer."""
    before = find_head(bench.registry, CHURN, FREE)
    assert before is not None
    forged = replace(
        record,
        generation=before.record.generation + 1,
        previous_version=before.record.version,
        previous_record=before.sha256,
        who=who,
        **changes,
    )
    place.put(places.record_key(CHURN, FREE, forged.generation), forged.encode())
    bench.store.point(places.pointer_key(CHURN, FREE), Pointer(str(forged.version), forged.generation))


@pytest.fixture
def signed(bench: Bench, carol: Path) -> Bench:
    """An alias that went from 1.0.0 to 1.1.0 under a pushed policy that demands signatures."""
    policy = rules(BOTH, carol=carol)
    push_policy(bench.registry, policy, reason="")
    for version in (V1, V2):
        promote(acting(bench, "carol", carol), CHURN, version, FREE, policy)
    assert verify(bench.registry).ok
    return bench


def test_a_move_that_nobody_signed_shows(signed: Bench, place: MemoryPlace, carol: Path) -> None:
    unsigned = promote(acting(signed, "carol", carol), CHURN, V1, FREE, rules(BOTH, carol=carol), dry_run=True).record
    forge(place, signed, unsigned)
    said = "record 3 of free is not signed, which the policy demands"
    assert problems(verify(signed.registry)) == [said]
    assert faults(signed) == [said]
    assert faults(signed, by_carol(carol)) == [said, "record 3 of free, by carol, is not signed by carol"]


def test_a_signature_of_another_move_shows(signed: Bench, place: MemoryPlace, carol: Path) -> None:
    forge(place, signed, head(signed), version=V1, digest=records_of(signed)[1].digest)
    assert problems(verify(signed.registry)) == ["record 3 of free has a signature that does not match it"]
    assert "is not signed by carol" in faults(signed, by_carol(carol))[-1]


def records_of(bench: Bench) -> list[PromotionRecord]:
    return [found.record for found in records(bench.registry, CHURN, FREE)]


@pytest.mark.parametrize("policy", ["that was never pushed", None])
def test_no_record_gets_round_by_naming_another_policy(
    signed: Bench, place: MemoryPlace, carol: Path, policy: str | None
) -> None:
    forge(
        place,
        signed,
        replace(head(signed), signature=None),
        policy=policy,
        version=V1,
        digest=records_of(signed)[1].digest,
    )
    assert problems(verify(signed.registry)) == ["record 3 of free is not signed, which the policy demands"]


def test_no_record_gets_round_by_naming_an_older_policy(bench: Bench, place: MemoryPlace, carol: Path) -> None:
    weak, strict = rules([], carol=carol), rules(BOTH, carol=carol)
    push_policy(bench.registry, weak, reason="")
    promote(acting(bench, "dan"), CHURN, V1, FREE, weak)
    push_policy(bench.registry, strict, reason="")
    promote(acting(bench, "carol", carol), CHURN, V2, FREE, strict)
    assert verify(bench.registry).ok
    forge(place, bench, records_of(bench)[1], policy=weak.digest)
    assert problems(verify(bench.registry)) == ["record 3 of free is not signed, which the policy demands"]


def test_a_later_policy_may_demand_less(signed: Bench, carol: Path) -> None:
    policy = rules([], carol=carol)
    push_policy(signed.registry, policy, reason="")
    promote(acting(signed, "dan"), CHURN, V1, FREE, policy)
    assert verify(signed.registry).ok


def test_signed_by_somebody_whom_the_policy_does_not_name(
    signed: Bench, place: MemoryPlace, eve: Path, carol: Path
) -> None:
    policy = rules([], carol=carol)
    made = promote(acting(signed, "eve", eve), CHURN, V1, PROD, policy).record
    assert made.signature is not None
    assert verify(signed.registry).ok  # a signature beyond need, by a key that nobody knows
    forge(place, signed, made, who="eve", alias=FREE)
    assert problems(verify(signed.registry)) == [
        "record 3 of free is signed by eve, whose key the policy does not name"
    ]


def test_a_policy_that_was_rewritten_shows(signed: Bench, place: MemoryPlace, carol: Path) -> None:
    push_policy(signed.registry, rules(["promote"], carol=carol), reason="")
    first = places.policy_key(1)
    document = canonical.loads(place.get(first), "it")
    body = {key: value for key, value in document.items() if key != "policy_digest"} | {"why": "another"}
    place.put(first, canonical.dumps({**body, "policy_digest": canonical.digest(canonical.dumps(body))}))
    assert "2 does not follow from the one before it" in problems(verify(signed.registry))[0]


def test_a_record_that_moves_nothing_cannot_move(signed: Bench, place: MemoryPlace) -> None:
    at_first = records_of(signed)[1]
    stay = replace(head(signed), action=Action.FREEZE, signature=None)
    forge(place, signed, stay, version=V1, digest=at_first.digest)
    assert "record 3 does not follow from record 2" in problems(verify(signed.registry))[0]


def test_what_was_pinned_must_still_be_that(signed: Bench, place: MemoryPlace, carol: Path) -> None:
    assert faults(signed, by_carol(carol)) == []
    manifest = places.manifest_key(CHURN, V1)
    kept = place.get(manifest)
    place.put(manifest, kept.replace(b"  model.bin", b"  model.txt"))
    assert "demo/churn@1.0.0 is not what record 1 of free pins" in faults(signed)[0]
    signed.store.delete([manifest])
    assert faults(signed) == ["demo/churn@1.0.0 is not what record 1 of free pins: it is gone"]


def test_every_part_of_a_signed_record_is_signed(signed: Bench, carol: Path) -> None:
    record = head(signed)
    wanted = by_carol(carol)
    allowed = wanted.allowed
    assert is_signed_move(record, allowed)
    for name in PromotionRecord.__match_args__:
        value = getattr(record, name)
        other = {Version: V3, int: 9, str: "other", bool: True, tuple: (), type(None): "other"}.get(type(value))
        if name in {"model", "alias", "action", "signature", "frozen", "gates"}:
            continue
        assert not is_signed_move(replace(record, **{name: other}), allowed), name
    for change in (
        {"alias": PROD},
        {"action": Action.ROLLBACK},
        {"gates": ()},
        {"signature": None},
        {"signature": "no"},
    ):
        assert not is_signed_move(replace(record, **change), allowed), change
    assert parse_record(record.encode(), CHURN, FREE, record.generation) == record


def test_gates_come_before_the_signature(bench: Bench, carol: Path) -> None:
    document = {
        "aliases": {"free": {"signed_moves": BOTH, "gates": [{"gate": "metric", "key": "roc_auc", "min": 0.99}]}},
        "signers": {"carol": public(carol)},
    }
    with pytest.raises(GateRejected):
        promote(acting(bench, "carol", carol.with_name("nowhere")), CHURN, V1, FREE, parse_policy(document))


def test_a_policy_without_it_keeps_its_digest(carol: Path) -> None:
    assert "signed_moves" not in str(rules([], carol=carol).document())
    one, other = rules(["rollback", "promote"], carol=carol), rules(BOTH, carol=carol)
    assert one.digest == other.digest != rules(["promote"], carol=carol).digest
    for moves, keys in ((["freeze"], {"carol": carol}), (BOTH, {})):
        with pytest.raises(InvalidInput):
            rules(moves, **keys)


def test_moved_is_what_was_written(signed: Bench, carol: Path) -> None:
    moved = promote(acting(signed, "carol", carol), CHURN, V3, FREE, rules(BOTH, carol=carol))
    assert isinstance(moved, Moved)
    assert moved.record == head(signed)
