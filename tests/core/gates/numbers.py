"""Tables of gates about numbers: `metric`, `no_regression`, `size`, `latency`."""

from __future__ import annotations

import math

from artreg.core.gates.limits import Latency
from core.gates.build import (
    HUGE,
    INFINITE,
    NAN,
    ODD_VALUES,
    STAGING,
    Case,
    against,
    candidate,
    old,
    subject,
)


def metrics(value: object) -> dict[str, object]:
    return candidate(metrics={"auc": value})


def pair(value: object, before: object) -> dict[str, object]:
    return against(old(metrics={"auc": before}), metrics={"auc": value})


LEAST, MOST = {"key": "auc", "min": 0.8}, {"key": "auc", "max": 0.5}
DEEP = {"key": "test.rows", "min": 1}

METRIC = {
    "above the minimum": Case(LEAST, True, "auc is 0.81, ≥ 0.8", metrics(0.81)),
    "equal to the minimum": Case(LEAST, True, "auc is 0.8, ≥ 0.8", metrics(0.8)),
    "the next float below the minimum": Case(
        LEAST, False, "is not ≥ 0.8", metrics(math.nextafter(0.8, 0)), off_by=1.11e-16
    ),
    "below the minimum": Case(LEAST, False, "auc is 0.7, which is not ≥ 0.8", metrics(0.7), off_by=0.1),
    "equal to the maximum": Case(MOST, True, "auc is 0.5, ≤ 0.5", metrics(0.5)),
    "above the maximum": Case(MOST, False, "auc is 0.6, which is not ≤ 0.5", metrics(0.6), off_by=0.1),
    "within both": Case({"key": "auc", "min": 0.1, "max": 0.5}, True, "≥ 0.1 and ≤ 0.5", metrics(0.3)),
    "below both": Case(
        {"key": "auc", "min": 0.1, "max": 0.5}, False, "is not ≥ 0.1 and ≤ 0.5", metrics(0.0), off_by=0.1
    ),
    "equal to both": Case({"key": "auc", "min": 0.5, "max": 0.5}, True, "auc is 0.5", metrics(0.5)),
    "missing": Case(LEAST, False, "its metrics.json has no such number", candidate(metrics={"other": 1})),
    "no metrics at all": Case(LEAST, False, "it has no metrics.json", candidate(metrics=None)),
    "an integer": Case({"key": "auc", "min": 1}, True, "auc is 1, ≥ 1", metrics(1)),
    "zero": Case({"key": "auc", "max": 0}, True, "auc is 0, ≤ 0", metrics(0.0)),
    "off by more than any float": Case(
        {"key": "auc", "min": 1e308}, False, "which is not", metrics(-1e308), figures={"off_by": None}
    ),
    "a nested key": Case(DEEP, True, "test.rows is 10", candidate(metrics={"test": {"rows": 10}})),
    "a key with a dot in it": Case(DEEP, True, "test.rows is 10", candidate(metrics={"test.rows": 10})),
    "a key with a dot in a nested object": Case(
        {"key": "a.b.c", "min": 1}, True, "a.b.c is 10", candidate(metrics={"a": {"b.c": 10}})
    ),
    "another nested key": Case(DEEP, False, "no such number", candidate(metrics={"test": {"columns": 10}})),
    "a key that stops short": Case(
        {"key": "test", "min": 1}, False, "no such number", candidate(metrics={"test": {"rows": 10}})
    ),
    "a key into a list": Case(DEEP, False, "no such number", candidate(metrics={"test": [10]})),
    **{
        name: Case(LEAST, False, "no such number", metrics(value), figures={"value": None})
        for name, value in ODD_VALUES.items()
    },
}

ANY, CENT = {"key": "auc"}, {"key": "auc", "absolute": 0.01}
SHARE, LOWER = {"key": "auc", "relative": 0.01}, {"key": "auc", "better": "lower", "absolute": 0.01}

NO_REGRESSION = {
    "better": Case(ANY, True, "auc is 0.91, 1.0.0 in prod has 0.9", pair(0.91, 0.9)),
    "equal": Case(ANY, True, "auc is 0.9", pair(0.9, 0.9)),
    "the next float below, and no margin": Case(
        ANY, False, "worse by", pair(math.nextafter(0.9, 0), 0.9), off_by=1e-16
    ),
    "worse by the absolute margin": Case(CENT, True, "auc is 0.89", pair(0.89, 0.9)),
    "worse by a little more than the absolute margin": Case(
        CENT, False, "worse by 0.0101; at most 0.01 worse is allowed", pair(0.8899, 0.9), off_by=0.0001
    ),
    "worse by the relative margin": Case(SHARE, True, "auc is 0.792", pair(0.792, 0.8), figures={"margin": 0.008}),
    "worse by a little more than the relative margin": Case(
        SHARE, False, "worse by 0.009", pair(0.791, 0.8), off_by=0.001
    ),
    "a relative margin of a negative figure": Case(SHARE, True, "auc is -1.01", pair(-1.01, -1.0)),
    "a relative margin of zero is none": Case(SHARE, False, "worse by 0.001", pair(-0.001, 0.0), off_by=0.001),
    "lower is better, and it is lower": Case(LOWER, True, "auc is 0.3", pair(0.3, 0.4)),
    "lower is better, and it is higher by the margin": Case(LOWER, True, "auc is 0.41", pair(0.41, 0.4)),
    "lower is better, and it is higher by more": Case(LOWER, False, "worse by 0.02", pair(0.42, 0.4), off_by=0.01),
    "a margin of zero, spelt out": Case(
        {"key": "auc", "absolute": 0.0}, False, "worse by 0.1", pair(0.8, 0.9), off_by=0.1
    ),
    "further apart than any float": Case(ANY, False, "worse by inf", pair(-1e308, 1e308), figures={"worse_by": None}),
    "the same version": Case(ANY, True, "auc is 0.9", against(subject())),
    "the first promotion": Case(
        ANY, True, "prod holds nothing to compare with", against(None), figures={"incumbent": None}
    ),
    "the first promotion, where that is refused": Case(
        {**ANY, "first": False}, False, "prod holds nothing", against(None)
    ),
    "against another alias": Case(
        {**ANY, "against": "staging"},
        False,
        "1.0.0 in staging has 0.95",
        against(old(metrics={"auc": 0.95}), STAGING),
        off_by=0.05,
    ),
    "against another alias that holds nothing": Case(
        {**ANY, "against": "staging"}, True, "staging holds nothing", against(None)
    ),
    "the candidate lacks it": Case(ANY, False, "the candidate has no number auc", against(old(), metrics={})),
    "the incumbent lacks it": Case(ANY, False, "the incumbent 1.0.0 has no number auc", against(old(metrics={}))),
    "the candidate has no metrics": Case(ANY, False, "the candidate has no number", against(old(), metrics=None)),
    "the incumbent has no metrics": Case(ANY, False, "the incumbent 1.0.0 has no number", against(old(metrics=None))),
    **{
        f"{name} in the candidate": Case(ANY, False, "the candidate has no number", pair(value, 0.9))
        for name, value in ODD_VALUES.items()
    },
    **{
        f"{name} in the incumbent": Case(ANY, False, "the incumbent 1.0.0 has no", pair(0.9, value))
        for name, value in ODD_VALUES.items()
    },
}

KILO = {"max_bytes": 1000}

SIZE = {
    "equal to the limit": Case(KILO, True, "the model has 1,000 bytes", candidate(sizes={"model.json": 1000})),
    "a byte more": Case(KILO, False, "at most 1,000 are allowed", candidate(sizes={"model.json": 1001}), off_by=1),
    "several files of a model": Case(
        KILO, False, "has 1,200 bytes", candidate(sizes={"model/a": 600, "model/b": 600}), off_by=200
    ),
    "other files do not count": Case(
        KILO, True, "has 10 bytes", candidate(sizes={"model.bin": 10, "metrics.json": 5000})
    ),
    "an empty model": Case(KILO, True, "has 0 bytes", candidate(sizes={"model.bin": 0})),
    "no file of a model is named": Case(KILO, False, "does not say how large", candidate(sizes={"metrics.json": 20})),
    "no sizes": Case(KILO, False, "does not say how large", candidate(sizes={})),
    **{
        f"a size that is {name}": Case(KILO, False, "does not say how large", candidate(sizes={"model.bin": value}))
        for name, value in ODD_VALUES.items()
        if value != HUGE
    },
    "a size beyond all floats": Case(
        KILO, False, "at most 1,000", candidate(sizes={"model.bin": 2**60}), off_by=2**60 - 1000
    ),
}

FAST = {"max_ms": 10, "rows": 1, "calls": 50}

LATENCY = {
    "equal to the limit": Case(FAST, True, "p95 of 50 calls is 10 ms", measured=Latency(2.0, 10.0, 50, 1)),
    "the next float above": Case(
        FAST, False, "at most 10 ms", measured=Latency(2.0, math.nextafter(10, 11), 50, 1), off_by=1.8e-15
    ),
    "the median counts": Case(
        {**FAST, "percentile": "median"}, True, "median of 50 calls is 2 ms", measured=Latency(2.0, 99.0, 50, 1)
    ),
    "the median is too slow": Case(
        {**FAST, "percentile": "median"}, False, "12 ms", measured=Latency(12.0, 99.0, 50, 1), off_by=2
    ),
    "not measured": Case(FAST, False, "latency was not measured: nothing can do it here"),
    "could not be measured": Case(FAST, False, "not measured: no answer within 60 s", measured="no answer within 60 s"),
    "not a number": Case(FAST, False, "no number came back", measured=Latency(2.0, NAN, 50, 1)),
    "infinite": Case(FAST, False, "no number came back", measured=Latency(2.0, INFINITE, 50, 1)),
    "something else altogether": Case(FAST, False, "latency was not measured", measured={"p95_ms": 1.0}),
}
