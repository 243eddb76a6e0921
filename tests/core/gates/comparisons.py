"""Tables of gates that compare with an incumbent: `significant`, `drift`."""

from __future__ import annotations

import copy
import math
from typing import Any

from artreg.core.drift.compare import compare
from artreg.core.drift.profile import parse_profile
from artreg.core.significance import Interval
from core.gates.build import INFINITE, NAN, STAGING, Case, against, old, subject, table

HALF = 0.001


def interval(low: float, high: float, metric: str = "roc_auc") -> Interval:
    return Interval(metric, 0.9, 0.88, 0.02, low, high, 0.95, 2000, 42, 400)


RIVAL = against(old())
BETTER, NOT_WORSE = {"claim": "better"}, {"claim": "not_worse", "margin": 0.01}
LOSS, BRIER = {"metric": "log_loss"}, {"metric": "brier", "claim": "not_worse", "margin": 0.01}

SIGNIFICANT = {
    "wholly better": Case(
        BETTER, True, "roc_auc differs by +0.02, 95% within [+0.01, +0.03] over 400 rows", RIVAL, interval(0.01, 0.03)
    ),
    "just above zero": Case(BETTER, True, "differs", RIVAL, interval(math.ulp(0.0), 0.03)),
    "reaching down to zero": Case(
        BETTER, False, "not better beyond chance than 1.0.0", RIVAL, interval(0.0, 0.03), off_by=0
    ),
    "reaching below zero": Case(BETTER, False, "not better beyond chance", RIVAL, interval(-0.01, 0.03), off_by=0.01),
    "wholly worse": Case(BETTER, False, "not better", RIVAL, interval(-0.03, -0.01), off_by=0.03),
    "not worse by more than the margin": Case(NOT_WORSE, True, "differs", RIVAL, interval(-0.01, 0.03)),
    "worse by a little more than the margin": Case(
        NOT_WORSE, False, "it may be worse than 1.0.0", RIVAL, interval(-0.012, 0.03), off_by=0.002
    ),
    "not worse at all": Case({"claim": "not_worse"}, True, "differs", RIVAL, interval(0.0, 0.03)),
    "lower is better, and it is lower": Case(LOSS, True, "differs", RIVAL, interval(-0.03, -0.01, "log_loss")),
    "lower is better, and zero is reached": Case(
        LOSS, False, "not better", RIVAL, interval(-0.03, 0.0, "log_loss"), off_by=0
    ),
    "lower is better, and it is higher": Case(
        LOSS, False, "not better", RIVAL, interval(0.01, 0.03, "log_loss"), off_by=0.03
    ),
    "lower is better, and it is not worse": Case(BRIER, True, "differs", RIVAL, interval(-0.03, 0.01, "brier")),
    "lower is better, and it may be worse": Case(
        BRIER, False, "may be worse", RIVAL, interval(-0.03, 0.02, "brier"), off_by=0.01
    ),
    "the level is shown as it is": Case(
        {**BETTER, "level": 0.975}, True, "97.5% within", RIVAL, Interval("roc_auc", 1, 0, 1, 0.1, 1, 0.975, 200, 1, 50)
    ),
    "the same version is not better": Case(BETTER, False, "prod holds this very version", against(subject())),
    "the same version is not worse": Case(NOT_WORSE, True, "prod holds this very version", against(subject())),
    "the first promotion": Case(
        BETTER, True, "prod holds nothing to compare with", against(None), figures={"incumbent": None}
    ),
    "the first promotion, where that is refused": Case(
        {**BETTER, "first": False}, False, "prod holds nothing", against(None)
    ),
    "against another alias": Case(
        {**BETTER, "against": "staging"},
        True,
        "differs",
        against(old(), STAGING),
        interval(0.01, 0.03),
        figures={"against": "staging"},
    ),
    "nothing measures it": Case(BETTER, False, "cannot be told: nothing can measure it here", RIVAL),
    "predictions are missing": Case(
        BETTER,
        False,
        "cannot be told: predictions.csv.gz",
        RIVAL,
        "predictions.csv.gz of demo/churn@1.0.0 is not in the manifest",
    ),
    "not worse, and nothing measures it": Case(NOT_WORSE, False, "cannot be told", RIVAL),
    "the lower end is no number": Case(NOT_WORSE, False, "cannot be told", RIVAL, interval(NAN, 0.03)),
    "the upper end is no number": Case(BETTER, False, "cannot be told", RIVAL, interval(0.01, NAN)),
    "an infinite end": Case(BETTER, False, "cannot be told", RIVAL, interval(0.01, INFINITE)),
}

AGES = [*range(20, 60)] * 5
CONTRACTS = [*["month"] * 100, *["year"] * 60, *["two"] * 40]
PLAIN = table(age=AGES, contract=CONTRACTS)
SHIFTED = table(age=[age + 4 for age in AGES], contract=CONTRACTS)
MOVED = table(age=AGES, contract=[*["month"] * 60, *["year"] * 60, *["two"] * 80])
BOTH = table(age=[age + 30 for age in AGES], contract=[*["month"] * 10, *["year"] * 10, *["two"] * 180])
NOVEL = table(age=AGES, contract=[*["month"] * 100, *["year"] * 60, *["two"] * 39, "weekly"])
AS_TEXT = table(age=[str(age) for age in AGES], contract=CONTRACTS)
HOLES = table(age=[None if place % 2 else age for place, age in enumerate(AGES)], contract=CONTRACTS)
LESS, MORE = table(age=AGES), table(age=AGES, contract=CONTRACTS, region=CONTRACTS)


def measured(data: dict[str, Any], name: str) -> tuple[float, float]:
    (found,) = (one for one in compare(parse_profile(PLAIN), parse_profile(data)).columns if one.name == name)
    assert found.psi is not None
    assert found.distance is not None
    return found.psi, found.distance


def data(candidate: object, incumbent: object = PLAIN) -> dict[str, Any]:
    return against(old(data=incumbent), data=candidate)


def damaged(*path: str, value: object) -> dict[str, Any]:
    """Return the data manifest with something else in one place; `...` takes it away."""
    document = copy.deepcopy(PLAIN)
    *way, last = path
    place: Any = document
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


PSI, DISTANCE = measured(SHIFTED, "age")
ODD: tuple[Any, ...] = (None, True, "text", 7, -1, 1.5, [], [1], {}, {"a": {}}, NAN, 10**400)
PLACES: tuple[tuple[str, ...], ...] = (
    ("record_count",),
    ("id_column",),
    ("target",),
    ("target", "column"),
    ("profile",),
    ("profile", "age"),
    ("profile", "age", "type"),
    ("profile", "age", "count"),
    ("profile", "age", "missing"),
    ("profile", "age", "cdf"),
    ("profile", "age", "cdf", "knots"),
    ("profile", "age", "cdf", "below"),
    ("profile", "age", "cdf", "upto"),
    ("profile", "contract", "values"),
    ("profile", "contract", "values", "month"),
    ("profile", "contract", "other"),
)
HOSTILE = [damaged(*place, value=value) for place in PLACES for value in (..., *ODD)]
"""Data manifests with one thing wrong, or unusual: each must get a verdict, from either side."""

DRIFT = {
    "the same data": Case({}, True, "2 columns like those of 1.0.0, largest PSI 0", data(PLAIN), figures={"moved": []}),
    "equal to the limit": Case({"max_psi": PSI}, True, "2 columns like", data(SHIFTED)),
    "just above the limit": Case(
        {"max_psi": math.nextafter(PSI, 0)}, False, "age moved (PSI ", data(SHIFTED), figures={"moved": ["age"]}
    ),
    "equal to the limit of the distance": Case(
        {"max_psi": None, "max_distance": DISTANCE}, True, "2 columns", data(SHIFTED)
    ),
    "just above the limit of the distance": Case(
        {"max_psi": None, "max_distance": math.nextafter(DISTANCE, 0)}, False, "age moved", data(SHIFTED)
    ),
    "equal to the limit of the mean": Case(
        {"max_psi": None, "max_mean_psi": PSI / 2}, True, "2 columns", data(SHIFTED)
    ),
    "just above the limit of the mean": Case(
        {"max_psi": None, "max_mean_psi": math.nextafter(PSI / 2, 0)}, False, "the mean PSI is", data(SHIFTED)
    ),
    "a limit of its own, stricter": Case(
        {"max_psi": 9, "columns": {"age": PSI / 2}}, False, "age moved", data(SHIFTED)
    ),
    "a limit of its own, laxer": Case({"max_psi": 0, "columns": {"age": PSI}}, True, "2 columns", data(SHIFTED)),
    "a column that does not count": Case({"max_psi": 0, "ignore": ["age"]}, True, "1 columns like", data(SHIFTED)),
    "categories that moved": Case(
        {"max_psi": 0.1}, False, "contract moved", data(MOVED), figures={"moved": ["contract"]}
    ),
    "two columns that moved": Case({}, False, "age moved", data(BOTH), figures={"moved": ["age", "contract"]}),
    "no limit": Case({"max_psi": None}, True, "2 columns", data(BOTH)),
    "missing values": Case({}, False, "age moved", data(HOLES), figures={"moved": ["age"]}),
    "a new category": Case({}, False, "contract: category 'weekly' is new", data(NOVEL), figures={"moved": []}),
    "a category that is gone": Case({}, False, "contract: category 'weekly' is gone", data(PLAIN, NOVEL)),
    "a new category, only reported": Case(
        {"schema_changes": "report"}, True, "(contract: category 'weekly' is new)", data(NOVEL)
    ),
    "a column that is gone": Case(
        {}, False, "contract: gone", data(LESS), figures={"schema_changes": ["contract: gone"]}
    ),
    "a column that is gone and does not count": Case({"ignore": ["contract"]}, True, "1 columns", data(LESS)),
    "a new column": Case({}, False, "region: new", data(MORE)),
    "another type, only reported": Case(
        {"schema_changes": "report"}, True, "age: type integer", data(AS_TEXT), figures={"uncompared": ["age"]}
    ),
    "another type": Case({}, False, "age: type integer became text", data(AS_TEXT), figures={"uncompared": ["age"]}),
    "nothing but the id": Case({}, True, "0 columns like", data(table(id=[1, 2]), table(id=[1, 2]))),
    "empty tables": Case({}, True, "1 columns like", data(table(age=[]), table(age=[]))),
    "the candidate has no rows": Case({}, False, "age moved", data(table(age=[]), table(age=AGES))),
    "the candidate's values are not known": Case(
        {}, False, "age cannot be compared", data(damaged("profile", "age", "cdf", value=...))
    ),
    "the incumbent's values are not known": Case(
        {}, False, "age cannot be compared", data(PLAIN, damaged("profile", "age", "cdf", value=...))
    ),
    "values are not known, of a column that does not count": Case(
        {"ignore": ["age"]}, True, "1 columns", data(damaged("profile", "age", "cdf", value=...))
    ),
    "nobody knows the values": Case(
        {},
        True,
        "2 columns like",
        data(damaged("profile", "age", "cdf", value=...), damaged("profile", "age", "cdf", value=...)),
        figures={"uncompared": ["age"]},
    ),
    "the candidate has no manifest": Case({}, False, "the candidate has no data_manifest.json", data(None)),
    "the incumbent has no manifest": Case({}, False, "1.0.0 in prod has no data_manifest.json", data(PLAIN, None)),
    "the candidate's is damaged": Case({}, False, "cannot be compared: data_manifest.json", data({"profile": {}})),
    "the incumbent's is damaged": Case({}, False, "cannot be compared: data_manifest.json", data(PLAIN, {})),
    "the same version": Case({}, True, "largest PSI 0", against(subject(data=PLAIN), data=PLAIN)),
    "the first promotion": Case(
        {}, True, "prod holds nothing to compare with", against(None), figures={"incumbent": None}
    ),
    "the first promotion, where that is refused": Case({"first": False}, False, "prod holds nothing", against(None)),
    "against another alias": Case(
        {"against": "staging"},
        False,
        "unlike the data of 1.0.0: age moved",
        against(old(data=PLAIN), STAGING, data=BOTH),
    ),
}
