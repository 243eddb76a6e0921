"""The documents that machines write: they round-trip, and no altered byte is taken for the original."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artreg.core import canonical, keys
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, PromotionRecord, Verdict, parse_record
from artreg.core.run_record import RunRecord, parse_run, supplied_run
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import replace

CHURN, PROD = ModelName("demo", "churn"), Alias("prod")

texts = st.text(max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
verdicts = st.builds(Verdict, texts, st.booleans(), texts, st.dictionaries(texts, json_values, max_size=3))
records = st.builds(
    PromotionRecord,
    model=st.just(CHURN),
    alias=st.just(PROD),
    generation=st.integers(1, 10**7),
    action=st.sampled_from(Action),
    version=st.builds(Version, *[st.integers(0, 99)] * 3),
    digest=texts,
    previous_version=st.none() | st.builds(Version, *[st.integers(0, 99)] * 3),
    previous_record=st.none() | texts,
    fallback=st.none() | st.integers(1, 99),
    write_id=texts,
    time=texts,
    who=texts,
    why=texts,
    policy=st.none() | texts,
    gates=st.lists(verdicts, max_size=2).map(tuple),
)


@given(records)
def test_a_record_survives_being_written(record: PromotionRecord) -> None:
    assert parse_record(record.encode(), CHURN, PROD, record.generation) == record


@given(records, st.data())
def test_no_altered_byte_of_a_record_goes_unseen(record: PromotionRecord, data: st.DataObject) -> None:
    encoded = bytearray(record.encode())
    position = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[position // 8] ^= 1 << position % 8
    with pytest.raises(IntegrityError):
        parse_record(bytes(encoded), CHURN, PROD, record.generation)


RECORD = PromotionRecord(
    CHURN, PROD, 2, Action.PROMOTE, Version(1, 0, 0), "d", None, "p", 1, "w", "t", "ada", "why", None, ()
)  # fmt: skip


def resealed(**changes: object) -> bytes:
    """A record that somebody altered who knows how records are sealed."""
    body = {key: value for key, value in RECORD.document().items() if key != "record_digest"} | changes
    return canonical.dumps({**body, "record_digest": canonical.digest(canonical.dumps(body))})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (b"[]\n", "not a JSON object"),
        (b"{}\n", "unknown|does not know"),
        (RECORD.encode()[:-1], "bytes were changed"),
        (RECORD.encode() + b"\n", "bytes were changed"),
        (json.dumps(RECORD.document()).encode(), "bytes were changed"),
        (RECORD.encode().replace(b"why", b"who"), "own digest|stands twice"),
        (resealed(format="artreg/record/2"), "does not know"),
        (resealed(generation=3), "belongs elsewhere"),
        (resealed(alias="staging"), "belongs elsewhere"),
        (resealed(project="other"), "belongs elsewhere"),
        (resealed(generation="2"), "wrong type"),
        (resealed(generation=True), "wrong type"),
        (resealed(version="1.0"), "is not a version"),
        (resealed(version="v1.0.0"), "own digest"),
        (resealed(action="steal"), "is damaged"),
        (resealed(extra=1), "own digest"),
        (resealed(gates=[{"gate": "x"}]), "is damaged"),
        (resealed(previous_version=7), "is damaged"),
        (b'{"a": NaN}\n', "NaN is not allowed"),
        (b'{"a": 1, "a": 1}\n', "stands twice"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
    ],
)
def test_refuses_what_artreg_did_not_write_there(data: bytes, said: str) -> None:
    with pytest.raises(IntegrityError, match=said):
        parse_record(data, CHURN, PROD, 2)


RUN = RunRecord(CHURN, Version(1, 0, 0), "w", "c", {"model.bin": 3}, "t", "ada", {"axes": {"code": "x"}})


def test_a_run_record_survives_being_written() -> None:
    assert parse_run(RUN.encode(), CHURN, Version(1, 0, 0)) == RUN


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (replace(RUN, version=Version(2, 0, 0)).encode(), "belongs elsewhere"),
        (replace(RUN, model=ModelName("demo", "other")).encode(), "belongs elsewhere"),
        (canonical.dumps({**RUN.document(), "format": "x"}), "unknown format"),
        (canonical.dumps({**RUN.document(), "sizes": {"a": -1}}), "wrong type"),
        (canonical.dumps({**RUN.document(), "write_id": 7}), "wrong type"),
    ],
)
def test_refuses_a_run_record_of_another_place(data: bytes, said: str) -> None:
    with pytest.raises(IntegrityError, match=said):
        parse_run(data, CHURN, Version(1, 0, 0))


def test_a_run_cannot_pretend_to_be_published_elsewhere() -> None:
    run = replace(RUN, run={"version": "9.9.9", "write_id": "x"})
    assert run.document()["version"] == "1.0.0"
    assert supplied_run(RUN.document()) == {"axes": {"code": "x"}}


@pytest.mark.parametrize(
    ("name", "generation"),
    [
        ("00000001.json", 1),
        ("99999999.json", 99999999),
        ("00000000.json", None),
        ("1.json", None),
        ("00000001.json\n", None),
    ],
)
def test_record_names(name: str, generation: int | None) -> None:
    assert keys.parse_record_name(name) == generation


@given(json_values)
def test_canonical_json_is_one_sequence_of_bytes(value: object) -> None:
    document = {"value": value}
    data = canonical.dumps(document)
    assert canonical.loads_canonical(data, "it") == document
    assert canonical.dumps(canonical.loads(data, "it")) == data
