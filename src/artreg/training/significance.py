"""Whether a model is better than another beyond chance: the paired bootstrap of a metric over the same test rows.

Rows are drawn with replacement, the same ones for both models, and the difference of the metric is taken on each
resample; its interval is that of the percentiles (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
chapter 13). A resample is held as how often it has each row, so that a metric of many resamples is one pass of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from artreg.core.predictions import Predictions
from artreg.core.significance import (
    HIGHER_IS_BETTER,
    MINIMUM_CLASS,
    MINIMUM_ROWS,
    Comparison,
    Interval,
    Undecided,
)
from artreg.errors import InvalidInput
from artreg.training.metrics import THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

RESAMPLES = 2000
"""How many resamples are drawn."""

SEED = 42
"""What they are drawn with."""

LEVEL = 0.95
"""How often an interval holds the true difference."""

_CELLS = 2**21  # of one table of weights, a row a resample; more are made one after the other
_LEAST_RESAMPLES = 100  # fewer do not show the tails


@dataclass(frozen=True)
class _Pair:
    """The rows that both models predicted."""

    labels: Integers
    candidate: Floats
    incumbent: Floats


def compare(
    candidate: Predictions,
    incumbent: Predictions,
    *,
    metric: str,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> Comparison:
    """Compare two models on the test rows that both predicted.

    Args:
        candidate: What the one predicted.
        incumbent: What the other predicted.
        metric: A key of `HIGHER_IS_BETTER`.
        resamples: How many to draw.
        seed: Of the generator (PCG64).
        level: How often the interval is to hold the true difference.

    Returns:
        The interval; or why there is none: too few common rows, or labels that do not agree.

    Raises:
        InvalidInput: There is no such metric, or a setting is out of range.
    """
    _check_settings(metric, resamples, seed, level)
    pair = _join(candidate, incumbent, metric)
    if isinstance(pair, Undecided):
        return pair
    import numpy as np

    measure_candidate = _METRICS[metric](pair.labels, pair.candidate)
    measure_incumbent = _METRICS[metric](pair.labels, pair.incumbent)
    whole = np.ones((1, len(pair.labels)))
    ours, theirs = float(measure_candidate(whole)[0]), float(measure_incumbent(whole)[0])
    differences = np.concatenate(
        [measure_candidate(weights) - measure_incumbent(weights) for weights in _drawn(pair.labels, resamples, seed)]
    )
    tail = (1 - level) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return Interval(
        metric=metric,
        candidate=ours,
        incumbent=theirs,
        difference=ours - theirs,
        low=float(low),
        high=float(high),
        level=level,
        resamples=len(differences),
        seed=seed,
        rows=len(pair.labels),
    )


def _check_settings(metric: str, resamples: int, seed: int, level: float) -> None:
    if metric not in HIGHER_IS_BETTER:
        raise InvalidInput(
            f"{metric!r} cannot be compared row by row", hint=f"compare one of {', '.join(HIGHER_IS_BETTER)}"
        )
    if resamples < _LEAST_RESAMPLES or seed < 0 or not 0 < level < 1:
        raise InvalidInput(
            f"{resamples} resamples with seed {seed} at level {level:g} make no interval",
            hint=f"take at least {_LEAST_RESAMPLES} resamples, a seed from 0 on, and a level between 0 and 1",
        )


def _join(candidate: Predictions, incumbent: Predictions, metric: str) -> _Pair | Undecided:
    import numpy as np

    ours = {row: place for place, row in enumerate(candidate.ids)}
    theirs = {row: place for place, row in enumerate(incumbent.ids)}
    common = sorted(ours.keys() & theirs.keys())
    one, two = [ours[row] for row in common], [theirs[row] for row in common]
    labels = np.array([candidate.labels[place] for place in one], dtype=np.int64)
    reason = _objection(common, labels, np.array([incumbent.labels[place] for place in two], dtype=np.int64))
    if reason:
        return Undecided(metric, reason, len(common))
    return _Pair(
        labels,
        np.array([candidate.scores[place] for place in one]),
        np.array([incumbent.scores[place] for place in two]),
    )


def _objection(common: list[str], labels: Integers, others: Integers) -> str:
    """Say why rows cannot be compared, or ''."""
    if len(common) < MINIMUM_ROWS:
        return f"both predicted only {len(common)} test rows in common, and {MINIMUM_ROWS} are needed"
    differ = (labels != others).nonzero()[0].tolist()
    if differ:
        return f"{len(differ)} test rows have another label in either, {common[differ[0]]} for one"
    positive = int(labels.sum())
    if min(positive, len(labels) - positive) < MINIMUM_CLASS:
        return (
            f"of {len(labels)} common test rows {positive} are positive, and {MINIMUM_CLASS} of either class are needed"
        )
    return ""


def _drawn(labels: Integers, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often resamples have each row, a resample a row; those that lost a class are left out."""
    import numpy as np

    rows = len(labels)
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, _CELLS // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = generator.integers(0, rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)
        positive = weights @ labels
        yield weights[(positive > 0) & (positive < rows)]


# --- metrics, each as a function of weights, a resample a row ---------------------------------------------------------

_Measure = Callable[["Floats"], "Floats"]


def _mean_of(losses: Floats) -> _Measure:
    return lambda weights: weights @ losses / weights.sum(axis=1)


def _accuracy(labels: Integers, scores: Floats) -> _Measure:
    import numpy as np

    return _mean_of(((scores >= THRESHOLD) == labels).astype(np.float64))


def _brier(labels: Integers, scores: Floats) -> _Measure:
    return _mean_of((scores - labels) ** 2)


def _log_loss(labels: Integers, scores: Floats) -> _Measure:
    import numpy as np

    least = np.finfo(np.float64).eps  # where scikit-learn clips
    clipped = np.clip(scores, least, 1 - least)
    # Of a negative row, scikit-learn first takes the complement and then clips it.
    complement = np.clip(1 - scores, least, 1 - least)
    return _mean_of(-np.log(np.where(labels == 1, clipped, complement)))


def _roc_auc(labels: Integers, scores: Floats) -> _Measure:
    """Return the share of pairs of a positive and a negative row that are in order; ties count half."""

    def measure(weights: Floats) -> Floats:
        positive, negative = tallies(weights)
        before = negative.cumsum(axis=1) - negative
        pairs: Floats = (positive * (before + negative / 2)).sum(axis=1)
        every: Floats = positive.sum(axis=1) * negative.sum(axis=1)
        return pairs / every

    tallies = _tallies(labels, scores)
    return measure


def _average_precision(labels: Integers, scores: Floats) -> _Measure:
    """Return the mean over positive rows of the precision at their score."""
    import numpy as np

    def measure(weights: Floats) -> Floats:
        positive, negative = (side[:, ::-1] for side in tallies(weights))
        hits = positive.cumsum(axis=1)
        precision = hits / np.maximum(hits + negative.cumsum(axis=1), 1)  # nothing drawn yet: nothing to add
        total: Floats = (positive * precision).sum(axis=1)
        every: Floats = positive.sum(axis=1)
        return total / every

    tallies = _tallies(labels, scores)
    return measure


def _tallies(labels: Integers, scores: Floats) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return what sums weights of positive and of negative rows over rows of equal score, the lowest score first."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    positive = labels[order].astype(np.float64)

    def tally(weights: Floats) -> tuple[Floats, Floats]:
        sorted_weights = weights[:, order]
        every = np.add.reduceat(sorted_weights, starts, axis=1)
        hits = np.add.reduceat(sorted_weights * positive, starts, axis=1)
        return hits, every - hits

    return tally


_METRICS: Mapping[str, Callable[[Integers, Floats], _Measure]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "brier": _brier,
}
