"""Which versions a verification takes: every version sooner or later, and none for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core.names import ModelName
from artreg.core.selection import EVERYTHING, Selection, newest, parse_share, parse_subset
from artreg.core.verification import Seen, Verifications, parse_verifications
from artreg.errors import IntegrityError, InvalidInput

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHURN = ModelName("demo", "churn")
refs = st.text("abc/@.0123456789", min_size=1, max_size=12)


def seen(age: timedelta, *, ok: bool = True) -> Seen:
    return Seen("d" * 64, (NOW - age).isoformat(timespec="milliseconds"), "ada", ok)


@given(refs, st.integers(1, 30))
def test_each_version_is_in_exactly_one_share(ref: str, count: int) -> None:
    shares = [Selection(subset=(part, count)).takes(ref, None, NOW) for part in range(1, count + 1)]
    assert shares.count(True) == 1


@given(refs, st.floats(0, 1), st.floats(0, 1), st.text(max_size=5))
def test_a_larger_sample_holds_the_smaller(ref: str, one: float, other: float, salt: str) -> None:
    small, large = (Selection(sample=share, salt=salt) for share in sorted((one, other)))
    assert large.takes(ref, None, NOW) or not small.takes(ref, None, NOW)


def test_a_sample_is_as_large_as_asked_for_and_drawn_anew() -> None:
    names = [f"demo/churn@1.{number}.0" for number in range(2000)]
    drawn = [
        {name for name in names if Selection(sample=0.05, salt=salt).takes(name, None, NOW)} for salt in ("a", "b")
    ]
    assert all(60 < len(one) < 140 for one in drawn)
    assert drawn[0] != drawn[1]
    assert not any(Selection(sample=0.0).takes(name, None, NOW) for name in names)
    assert all(Selection(sample=1.0).takes(name, None, NOW) for name in names)


@pytest.mark.parametrize(
    ("last", "taken"),
    [
        (None, True),
        (seen(timedelta(days=8)), True),
        (seen(timedelta(days=7)), True),
        (seen(timedelta(days=6)), False),
        (seen(timedelta(days=1), ok=False), True),
    ],
)
def test_what_was_verified_lately_is_left_out(last: Seen | None, taken: bool) -> None:
    assert Selection(since=timedelta(days=7)).takes("demo/churn@1.0.0", last, NOW) is taken
    assert EVERYTHING.takes("demo/churn@1.0.0", last, NOW)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1.0), ("0", 0.0), ("1", 1.0)])
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "5 %%", "-1%", "101%", "1.5", "nan", "inf%", "x"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a share"):
        parse_share(text)


@pytest.mark.parametrize("text", ["", "3", "0/7", "8/7", "3/", "/7", "-1/7", "3/7/9", "a/b", "٣/7", "1/99999999999999"])
def test_what_is_no_subset_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not one of several shares"):
        parse_subset(text)
    assert parse_subset("3/7") == (3, 7)


def test_the_later_verification_counts() -> None:
    early, late = seen(timedelta(days=2)), seen(timedelta(days=1), ok=False)
    assert newest({"1.0.0": early}, {"1.0.0": late}) == newest({"1.0.0": late}, {"1.0.0": early}) == {"1.0.0": late}
    assert newest({"1.0.0": early}, {"1.1.0": late}) == {"1.0.0": early, "1.1.0": late}


DOCUMENT = Verifications(CHURN, {"1.0.0": seen(timedelta(0)), "1.1.0": seen(timedelta(1), ok=False)}, "a" * 32)


def test_what_is_written_reads_back() -> None:
    assert parse_verifications(DOCUMENT.encode(), CHURN, "a.json") == DOCUMENT


@given(st.integers(0, 8 * len(DOCUMENT.encode()) - 1))
def test_any_altered_bit_shows(place: int) -> None:
    data = bytearray(DOCUMENT.encode())
    data[place // 8] ^= 1 << place % 8
    with pytest.raises(IntegrityError):
        parse_verifications(bytes(data), CHURN, "a.json")


@pytest.mark.parametrize(
    "document",
    [
        Verifications(CHURN, {"v1": seen(timedelta(0))}, "a"),
        Verifications(CHURN, {"1.0.0": Seen("d", "yesterday", "ada", True)}, "a"),
        Verifications(ModelName("demo", "other"), {}, "a"),
    ],
)
def test_what_makes_no_sense_is_damage(document: Verifications) -> None:
    with pytest.raises(IntegrityError):
        parse_verifications(document.encode(), CHURN, "a.json")
