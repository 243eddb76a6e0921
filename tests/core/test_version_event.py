"""The events of a version: they round-trip, no altered byte goes unseen, and each says what holds from then on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core import canonical
from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.core.version_event import OF_AN_ALIAS, Approved, EventKind, Standing, VersionEvent, parse_event
from artreg.errors import IntegrityError
from artreg.frozen import replace

CHURN, PROD, STAGING, V1 = ModelName("demo", "churn"), Alias("prod"), Alias("staging"), Version(1, 0, 0)
texts = st.text(max_size=20)


@st.composite
def events(draw: st.DrawFn) -> VersionEvent:
    kind = draw(st.sampled_from(EventKind))
    return VersionEvent(
        model=CHURN,
        version=V1,
        digest=draw(texts),
        number=draw(st.integers(1, 10**7)),
        kind=kind,
        alias=draw(st.sampled_from([PROD, STAGING])) if kind in OF_AN_ALIAS else None,
        generation=draw(st.integers(1, 99)) if kind is EventKind.INTENT else None,
        who=draw(texts),
        why=draw(texts),
        time=draw(texts),
        write_id=draw(texts),
        payload=draw(st.dictionaries(texts, texts | st.integers() | st.lists(texts, max_size=2), max_size=3)),
        previous=draw(st.none() | texts),
        standing=Standing(
            draw(st.none() | st.integers(1, 9)),
            tuple(draw(st.lists(st.builds(Approved, st.just(PROD), texts, st.integers(1, 9)), max_size=2))),
            tuple(draw(st.lists(st.integers(1, 9), max_size=2))),
            tuple(sorted(draw(st.dictionaries(st.sampled_from([PROD, STAGING]), st.integers(1, 9))).items())),
        ),
    )


@given(events())
def test_an_event_survives_being_written(event: VersionEvent) -> None:
    assert parse_event(event.encode(), CHURN, V1, event.number) == event


@given(events(), st.data())
def test_no_altered_byte_of_an_event_goes_unseen(event: VersionEvent, data: st.DataObject) -> None:
    encoded = bytearray(event.encode())
    position = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[position // 8] ^= 1 << position % 8
    with pytest.raises(IntegrityError):
        parse_event(bytes(encoded), CHURN, V1, event.number)


EVENT = VersionEvent(
    CHURN, V1, "d", 2, EventKind.APPROVE, PROD, None, "ada", "why", "t", "w", {}, "p",
    Standing(None, (Approved(PROD, "ada", 2),), (), ((PROD, 3),)),
)  # fmt: skip


def resealed(**changes: object) -> bytes:
    """An event that somebody altered who knows how events are sealed."""
    body = {key: value for key, value in EVENT.document().items() if key != "event_digest"} | changes
    return canonical.dumps({**body, "event_digest": canonical.digest(canonical.dumps(body))})


def stands(**changes: object) -> bytes:
    return resealed(standing={**EVENT.standing.document(), **changes})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (EVENT.encode()[:-1], "bytes were changed"),
        (EVENT.encode().replace(b"why", b"who"), "own digest|stands twice"),
        (EVENT.encode().replace(b'"ada"', b'"eve"'), "own digest"),
        (resealed(format="artreg/version-event/2"), "does not know"),
        (resealed(number=3), "belongs elsewhere"),
        (resealed(version="2.0.0"), "belongs elsewhere"),
        (resealed(project="other"), "belongs elsewhere"),
        (resealed(number="2"), "wrong type"),
        (resealed(number=True), "wrong type"),
        (resealed(version="v1.0.0"), "own digest"),
        (resealed(kind="praise"), "is damaged"),
        (resealed(alias=None), "does not go with approve"),
        (resealed(generation=3), "does not go with approve"),
        (resealed(kind="yank"), "does not go with yank"),
        (resealed(alias="history"), "is damaged"),
        (resealed(payload=[]), "wrong type"),
        (resealed(extra=1), "own digest"),
        (resealed(standing=[]), "wrong type"),
        (stands(yanked="1"), "wrong type"),
        (stands(yanked=True), "wrong type"),
        (stands(proofs=[True]), "wrong type"),
        (stands(proofs=["1"]), "wrong type"),
        (stands(approvals=[{"alias": "prod"}]), "is damaged"),
        (stands(approvals=[1]), "is damaged"),
        (stands(intents={"prod": "3"}), "wrong type"),
        (stands(intents={"latest": 3}), "is damaged"),
        (stands(extra=1), "own digest"),
    ],
)
def test_refuses_what_artreg_did_not_write_there(data: bytes, said: str) -> None:
    with pytest.raises(IntegrityError, match=said):
        parse_event(data, CHURN, V1, 2)


def after(*said: tuple[EventKind, str, Alias | None, int | None]) -> Standing:
    standing = Standing()
    for number, (kind, who, alias, generation) in enumerate(said, start=1):
        standing = standing.after(kind, number, who, alias, generation)
    return standing


def test_a_yank_holds_until_it_is_taken_back() -> None:
    yanked = (EventKind.YANK, "ada", None, None)
    assert after(yanked).yanked == 1
    assert after(yanked, (EventKind.REPRODUCED, "ada", None, None)) == Standing(1, (), (2,), ())
    assert after(yanked, (EventKind.UNYANK, "bob", None, None)).yanked is None


def test_approvals_are_one_for_each_alias_and_person() -> None:
    ada, bob = (EventKind.APPROVE, "ada", PROD, None), (EventKind.APPROVE, "bob", PROD, None)
    elsewhere = (EventKind.APPROVE, "ada", STAGING, None)
    assert after(ada, bob, ada, elsewhere).approvals == (
        Approved(PROD, "bob", 2),
        Approved(PROD, "ada", 3),
        Approved(STAGING, "ada", 4),
    )
    assert after(ada, bob, elsewhere, (EventKind.REVOKE, "ada", PROD, None)).approvals == (
        Approved(PROD, "bob", 2),
        Approved(STAGING, "ada", 3),
    )
    assert after((EventKind.REVOKE, "ada", PROD, None)).approvals == ()


def test_of_the_intents_for_an_alias_the_highest_stands_for_all() -> None:
    standing = after(
        (EventKind.INTENT, "ada", PROD, 3), (EventKind.INTENT, "bob", PROD, 2), (EventKind.INTENT, "bob", STAGING, 1)
    )
    assert standing.intents == ((PROD, 3), (STAGING, 1))
    assert [standing.intended(alias) for alias in (PROD, STAGING, Alias("other"))] == [3, 1, 0]


def test_an_event_must_say_what_follows() -> None:
    before = Standing(None, (), (), ((PROD, 3),))
    assert EVENT.follows(before)
    assert not EVENT.follows(Standing())
    assert not replace(EVENT, standing=before).follows(before)
