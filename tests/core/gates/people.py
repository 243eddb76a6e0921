"""Tables of gates about people, time and places: who approved, where it stands, since when, and the way back."""

from __future__ import annotations

from datetime import timedelta

from artreg.core.gates.evidence import WayBack
from artreg.core.version import Version
from core.gates.build import ODD_VALUES, STAGING, Case, approvals, head, run, stands

HERE = {"alias": "staging"}

FROM = {
    "the same version": Case(HERE, True, "staging holds 1.1.0", {"heads": {STAGING: head("1.1.0")}}),
    "another version": Case(
        HERE, False, "staging holds 1.0.0; 1.1.0 must stand there first", {"heads": {STAGING: head("1.0.0")}}
    ),
    "never set": Case(HERE, False, "staging holds nothing; 1.1.0 must stand there first"),
    "a fence in front of an alias that was never set": Case(
        HERE, False, "staging holds nothing", {"heads": {STAGING: head(None)}}
    ),
    "the same number with other bytes": Case(
        HERE, False, "with other bytes", {"heads": {STAGING: head("1.1.0", "e" * 64)}}
    ),
}

DAY = {"alias": "staging", "at_least": "24h"}

SOAK = {
    "longer": Case(DAY, True, "staging has held it for 2 d", stands("1.1.0", timedelta(days=2))),
    "for exactly so long": Case(DAY, True, "staging has held it for 24 h", stands("1.1.0", timedelta(hours=24))),
    "a microsecond less": Case(
        DAY, False, "it must be 24h", stands("1.1.0", timedelta(hours=24, microseconds=-1)), off_by=1e-6
    ),
    "an hour less": Case(
        DAY, False, "held it for 23 h; it must be 24h", stands("1.1.0", timedelta(hours=23)), off_by=3600
    ),
    "for no time at all": Case({**DAY, "at_least": "0s"}, True, "for 0 s", stands("1.1.0", timedelta())),
    "since a time that is yet to come": Case(
        DAY, False, "it must be 24h", stands("1.1.0", timedelta(hours=-1)), off_by=90000
    ),
    "never set": Case(DAY, False, "staging does not hold it", figures={"held_seconds": None}),
    "another version": Case(DAY, False, "staging does not hold it", stands("1.0.0", timedelta(days=9))),
    "the same number with other bytes": Case(
        DAY, False, "staging does not hold it", stands("1.1.0", timedelta(days=9), "e" * 64)
    ),
    "nobody knows since when": Case(DAY, False, "staging does not hold it", stands("1.1.0")),
    "a fence in front of an alias that was never set": Case(DAY, False, "staging does not hold it", stands(None)),
}

WEEK = {"at_most": "7d"}

FRESH = {
    "younger": Case(WEEK, True, "published 24 h ago"),
    "of exactly that age": Case(WEEK, True, "published 7 d ago", run(published_at="2026-03-03T12:00:00.000Z")),
    "a millisecond older": Case(
        WEEK, False, "at most 7d is allowed", run(published_at="2026-03-03T11:59:59.999Z"), off_by=0.001
    ),
    "a day older": Case(WEEK, False, "published 8 d ago", run(published_at="2026-03-02T12:00:00.000Z"), off_by=86400),
    "of this very moment": Case(WEEK, True, "published 0 s ago", run(published_at="2026-03-10T12:00:00.000Z")),
    "by a clock that is a little ahead": Case(
        WEEK, True, "published 0 s ago", run(published_at="2026-03-10T12:05:00.000Z")
    ),
    "from the future": Case(WEEK, False, "yet to come", run(published_at="2026-03-10T12:05:00.001Z")),
    "in another time zone": Case(
        {"at_most": "60m"}, True, "published 60 m ago", run(published_at="2026-03-10T13:00:00+02:00")
    ),
    "without a time zone": Case(WEEK, False, "does not say when", run(published_at="2026-03-09T12:00:00")),
    "not said": Case(WEEK, False, "run.json does not say when it was published", run(published_at=...)),
    "empty": Case(WEEK, False, "does not say when", run(published_at="")),
    "the last moment there is": Case(WEEK, False, "yet to come", run(published_at="9999-12-31T23:59:59-23:59")),
    "the first moment there is": Case(
        WEEK, False, "at most 7d", run(published_at="0001-01-01T00:00:00+23:59"), off_by=63_907_531_140
    ),
    **{name: Case(WEEK, False, "does not say when", run(published_at=value)) for name, value in ODD_VALUES.items()},
}

ONE, TWO = {"count": 1}, {"count": 2}
NAMED, SIGNED = {"count": 2, "of": ["bob", "cid", "dan"]}, {"count": 1, "signed": True}


def approved(*names: str, signed: tuple[str, ...] = ()) -> dict[str, object]:
    return {"approvals": approvals(*names, signed=signed)}


APPROVALS = {
    "one of one": Case(ONE, True, "approved by bob", approved("bob")),
    "none": Case(ONE, False, "approved by nobody; 1 approvals are needed", off_by=1),
    "one of two": Case(TWO, False, "approved by bob; 2 approvals are needed", approved("bob"), off_by=1),
    "exactly two": Case(TWO, True, "approved by bob, cid", approved("cid", "bob")),
    "more than enough": Case(TWO, True, "approved by bob, cid, dan", approved("dan", "cid", "bob")),
    "the same person twice": Case(TWO, False, "approved by bob;", approved("bob", "bob"), off_by=1),
    "the publisher does not count": Case(ONE, False, "the publisher's does not count", approved("ada"), off_by=1),
    "the publisher and another": Case(TWO, False, "approved by bob;", approved("ada", "bob"), off_by=1),
    "two of those named": Case(NAMED, True, "approved by bob, dan", approved("dan", "bob")),
    "others do not count": Case(NAMED, False, "of bob, cid, dan are needed", approved("bob", "eve"), off_by=1),
    "names are compared to the letter": Case(NAMED, False, "approved by nobody", approved("Bob", "bob "), off_by=2),
    "an unsigned one does not count": Case(SIGNED, False, "1 signed approvals", approved("bob"), off_by=1),
    "a signed one": Case(SIGNED, True, "approved by bob", approved("bob", signed=("bob",))),
    "a signed one where none need be": Case(ONE, True, "approved by bob", approved("bob", signed=("bob",))),
    "the publisher's signed one": Case(SIGNED, False, "approved by nobody", approved("ada", signed=("ada",)), off_by=1),
    "nobody is known to have published it": Case(
        ONE, False, "does not say who published it", {**approved("bob"), **run(published_by=...)}
    ),
    "the publisher is no name": Case(
        ONE, False, "does not say who published it", {**approved("bob"), **run(published_by=["bob"])}
    ),
}


def back(version: str | None, problem: str = "") -> dict[str, object]:
    return {"way_back": WayBack(None if version is None else Version.parse(version), problem)}


ROLLBACK_PLAN = {
    "whole": Case({}, True, "a rollback would return to 1.0.0, which is whole", back("1.0.0")),
    "the same version": Case({}, True, "would return to 1.1.0", back("1.1.0")),
    "yanked": Case(
        {}, False, "could not return to 1.0.0: it is yanked: bad data", back("1.0.0", "it is yanked: bad data")
    ),
    "damaged": Case(
        {}, False, "model.bin: is missing", back("1.0.0", "model.bin: is missing"), figures={"back_to": "1.0.0"}
    ),
    "the first promotion": Case({}, True, "prod holds nothing to go back to", back(None), figures={"back_to": None}),
    "the first promotion, where that is refused": Case({"first": False}, False, "prod holds nothing", back(None)),
}

BY = {"of": ["bob", "cid"]}


def signed(*names: str) -> dict[str, object]:
    return {"signers": names}


SIGNED = {
    "by one of those": Case(BY, True, "signed by bob", signed("bob"), figures={"signed_by": ["bob"]}),
    "by another": Case(BY, False, "signed by nobody whose key counts; 1 of bob, cid must", signed("eve"), off_by=1),
    "by nobody": Case({}, False, "signed by nobody whose key counts; 1 must", off_by=1),
    "by anybody whose key is known": Case({}, True, "signed by eve", signed("eve")),
    "by too few": Case({**BY, "count": 2}, False, "signed by bob; 2 of bob, cid must", signed("bob"), off_by=1),
    "twice by one": Case({**BY, "count": 2}, False, "signed by bob; 2", signed("bob", "bob"), off_by=1),
    "by enough": Case({**BY, "count": 2}, True, "signed by bob, cid", signed("cid", "eve", "bob")),
}
