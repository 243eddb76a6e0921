"""What the tables of gates are made of: versions, histories and data, each with a plain default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from artreg.core.drift.distribution import categories_in, numbers_in
from artreg.core.drift.profile import distribution_document
from artreg.core.gates.evidence import Approval, Evidence, Subject, WayBack
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, PromotionRecord
from artreg.core.version import Version

MODEL = ModelName("demo", "churn")
STAGING, PROD = Alias("staging"), Alias("prod")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CANDIDATE, INCUMBENT = "c" * 64, "1" * 64
NAN, INFINITE = float("nan"), float("inf")
HUGE = 10**400  # a whole number that JSON can hold and no float can
ODD_VALUES: Mapping[str, Any] = {
    "null": None,
    "text": "0.9",
    "a Boolean": True,
    "a list": [0.9],
    "an object": {"value": 0.9},
    "not a number": NAN,
    "infinite": INFINITE,
    "beyond all floats": HUGE,
}
"""What may stand where a number is looked for, and is none."""

RUN: Mapping[str, Any] = {
    "axes": {
        "code": {"commit": "0123456789abcdef", "dirty": False, "branch": "main", "remote": None},
        "environment": {"uv_lock_sha256": "a" * 64},
        "config": {"sha256": "b" * 64},
        "data": {"content_hash": "c" * 64},
    },
    "seeds": {"seed": 42},
    "published_by": "ada",
    "published_at": "2026-03-09T12:00:00.000Z",
}


@dataclass(frozen=True)
class Case:
    """One row of a table.

    Attributes:
        gate: The gate's settings, without its kind.
        passed: Whether it lets the candidate through.
        says: Part of its message.
        given: What differs from the plain evidence.
        measured: What the instrument gave.
        off_by: How far off it was, where it says so.
        figures: Some of the verdict's figures.
    """

    gate: Mapping[str, Any]
    passed: bool
    says: str
    given: Mapping[str, Any] = field(default_factory=dict)
    measured: object = None
    off_by: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def subject(version: str = "1.1.0", digest: str = CANDIDATE, **changes: Any) -> Subject:
    plain: dict[str, Any] = {
        "sizes": {"model.json": 1000, "metrics.json": 20},
        "metrics": {"auc": 0.9},
        "run": RUN,
        "data": table(age=[1, 2, 3]),
        "card": "# A model\n\nIt predicts.",
    }
    return Subject(Version.parse(version), digest, **{**plain, **changes})


def candidate(**changes: Any) -> dict[str, Any]:
    """Return the evidence of another candidate."""
    return {"candidate": subject(**changes)}


def against(incumbent: Subject | None, alias: Alias = PROD, **changes: Any) -> dict[str, Any]:
    """Return the evidence of a candidate against an incumbent; None if the alias holds nothing."""
    return {"candidate": subject(**changes), "incumbents": {alias: incumbent}}


def old(**changes: Any) -> Subject:
    return subject("1.0.0", INCUMBENT, **changes)


def run(**changes: Any) -> dict[str, Any]:
    """Return the evidence of a candidate whose run record differs; `...` takes a key away."""
    return candidate(run={key: value for key, value in {**RUN, **changes}.items() if value is not ...})


def axis(name: str, value: object) -> dict[str, Any]:
    return run(axes={**RUN["axes"], name: value})


def head(version: str | None, digest: str = CANDIDATE) -> PromotionRecord:
    return PromotionRecord(
        model=MODEL,
        alias=STAGING,
        generation=3,
        action=Action.PROMOTE,
        version=None if version is None else Version.parse(version),
        digest=None if version is None else digest,
        previous_version=None,
        previous_record=None,
        fallback=None,
        write_id="w",
        time="2026-03-01T00:00:00.000Z",
        who="ada",
        why="",
        policy=None,
        gates=(),
    )


def stands(version: str | None, held: timedelta | None = None, digest: str = CANDIDATE) -> dict[str, Any]:
    """Return the evidence that staging has held a version for so long."""
    return {
        "heads": {STAGING: head(version, digest)},
        "held_since": {STAGING: None if held is None else NOW - held},
    }


def evidence(**given: Any) -> Evidence:
    plain: dict[str, Any] = {
        "model": MODEL,
        "alias": PROD,
        "candidate": subject(),
        "files": 3,
        "bytes": 300,
        "now": NOW,
        "heads": {STAGING: None, PROD: None},
        "held_since": {STAGING: None},
        "incumbents": {STAGING: None, PROD: None},
        "way_back": WayBack(None, ""),
    }
    merged = {key: {**plain[key], **given[key]} for key in ("heads", "held_since", "incumbents") if key in given}
    return Evidence(**{**plain, **given, **merged})


def approvals(*names: str, signed: Sequence[str] = ()) -> tuple[Approval, ...]:
    return tuple(Approval(name, name in signed) for name in names)


def table(**columns: Sequence[Any]) -> dict[str, Any]:
    """Return the data manifest of a table; None is a missing value."""
    rows = len(next(iter(columns.values())))
    return {
        "record_count": rows,
        "id_column": "id",
        "target": {"column": "churned", "positive": "1"},
        "profile": {name: column(values) for name, values in columns.items()},
    }


def column(values: Sequence[Any]) -> dict[str, Any]:
    present = [value for value in values if value is not None]
    text = any(isinstance(value, str) for value in present)
    known = categories_in(present) if text else numbers_in(map(float, present))
    counts = {"type": "text" if text else "integer", "count": len(present), "missing": len(values) - len(present)}
    return {**counts, **distribution_document(known)}
