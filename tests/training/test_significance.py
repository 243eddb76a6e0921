"""The paired bootstrap: its metrics are scikit-learn's, its intervals cover, and it says when it cannot tell."""

from __future__ import annotations

import math
import time
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binom
from sklearn import metrics

from artreg.core.predictions import Predictions
from artreg.core.significance import HIGHER_IS_BETTER, Interval, Undecided
from artreg.errors import InvalidInput
from artreg.training.significance import _METRICS, compare
from sizes import size

REFERENCE = {
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "accuracy": lambda truth, scores, **more: metrics.accuracy_score(truth, scores >= 0.5, **more),
    "log_loss": lambda truth, scores, **more: metrics.log_loss(truth, scores, labels=[0, 1], **more),
    "brier": metrics.brier_score_loss,
}


def predictions(labels: np.ndarray, scores: np.ndarray, first: int = 0) -> Predictions:
    ids = tuple(f"u{place:06d}" for place in range(first, first + len(labels)))
    return Predictions(ids, tuple(labels.tolist()), tuple(scores.tolist()))


def binormal(generator: np.random.Generator, rows: int, ours: float, theirs: float) -> tuple[np.ndarray, ...]:
    """Draw labels, and scores of two models that see the classes so far apart, through partly the same noise."""
    labels = (generator.random(rows) < 0.35).astype(int)
    shared, *own = generator.normal(size=(3, rows))
    noise = [math.sqrt(0.6) * shared + math.sqrt(0.4) * side for side in own]
    scores = [1 / (1 + np.exp(-(gap * labels + part))) for gap, part in zip((ours, theirs), noise, strict=True)]
    return labels, *scores


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
@pytest.mark.parametrize("decimals", [1, 2, 17])
def test_the_metrics_are_those_of_scikit_learn(metric: str, decimals: int) -> None:
    labels, ours, theirs = binormal(np.random.default_rng(3), 700, 1.2, 0.4)
    ours, theirs = ours.round(decimals), theirs.round(decimals)  # few decimals: many ties, and scores of 0 and 1
    found = compare(predictions(labels, ours), predictions(labels, theirs), metric=metric, resamples=100)
    assert isinstance(found, Interval)
    assert found.candidate == pytest.approx(REFERENCE[metric](labels, ours), abs=1e-12)
    assert found.incumbent == pytest.approx(REFERENCE[metric](labels, theirs), abs=1e-12)
    assert found.difference == found.candidate - found.incumbent
    assert found.low < found.difference < found.high
    assert found.better


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
def test_the_metrics_of_resamples_are_those_of_scikit_learn_with_weights(metric: str) -> None:
    generator = np.random.default_rng(4)
    labels, scores, _ = binormal(generator, 60, 1.0, 0.5)
    scores = scores.round(1)
    weights = generator.multinomial(60, np.full(60, 1 / 60), size=50).astype(float)
    expected = [REFERENCE[metric](labels, scores, sample_weight=row) for row in weights]
    assert _METRICS[metric](labels, scores)(weights) == pytest.approx(expected, abs=1e-12)


def allowed(sets: int, level: float) -> range:
    """Return how many of so many intervals hold the true difference, but for one time in 1,000."""
    least, most = binom.ppf([0.0005, 0.9995], sets, level)
    return range(int(least), int(most) + 1)


def test_intervals_cover_the_truth_at_their_nominal_rate() -> None:
    sets, level, gaps = size(200, 800, 800), 0.9, (1.2, 0.8)
    auc = [NormalDist().cdf(gap / math.sqrt(2)) for gap in gaps]  # of two unit normals so far apart
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(sets):
        labels, ours, theirs = binormal(generator, 200, *gaps)
        pair = predictions(labels, ours), predictions(labels, theirs)
        found = compare(*pair, metric="roc_auc", resamples=300, seed=seed, level=level)
        held += found.low <= auc[0] - auc[1] <= found.high
    assert held in allowed(sets, level)


def test_intervals_of_a_mean_cover_too() -> None:
    sets, level = size(400, 2000, 2000), 0.9
    generator = np.random.default_rng(6)
    held = 0
    for seed in range(sets):
        labels = (generator.random(200) < 0.5).astype(int)
        right = [generator.random(200) < share for share in (0.85, 0.75)]
        # The score given to the true class is uniform where the model is right: the loss is no lattice.
        ours, theirs = (np.abs(1 - labels - np.where(side, 0.5 + generator.random(200) / 2, 0.4)) for side in right)
        found = compare(
            predictions(labels, ours),
            predictions(labels, theirs),
            metric="brier",
            resamples=300,
            seed=seed,
            level=level,
        )
        # Right: the mean of u**2 over (0, 0.5) is 1/12. Wrong: 0.6**2.
        ours_true, theirs_true = (share / 12 + (1 - share) * 0.36 for share in (0.85, 0.75))
        held += found.low <= ours_true - theirs_true <= found.high
    assert held in allowed(sets, level)


def test_the_allowance_tells_other_levels_apart() -> None:
    """An interval of 0.84 or of 0.95 in the place of one of 0.9 fails nineteen times in twenty or more."""
    for level in (0.84, 0.95):
        counts = allowed(800, 0.9)
        assert binom.cdf(counts[-1], 800, level) - binom.cdf(counts[0] - 1, 800, level) < 0.05


def test_it_is_seeded_and_does_not_mind_the_order() -> None:
    labels, ours, theirs = binormal(np.random.default_rng(7), 200, 1.0, 0.9)
    one, two = predictions(labels, ours), predictions(labels, theirs)
    turned = Predictions(one.ids[::-1], one.labels[::-1], one.scores[::-1])
    found = compare(one, two, metric="roc_auc")
    assert compare(turned, two, metric="roc_auc") == found
    assert compare(one, two, metric="roc_auc", seed=1).low != found.low
    assert (found.rows, found.resamples, found.seed, found.level) == (200, 2000, 42, 0.95)


def test_a_model_is_not_better_than_itself() -> None:
    labels, ours, _ = binormal(np.random.default_rng(8), 200, 1.0, 0.9)
    found = compare(predictions(labels, ours), predictions(labels, ours), metric="brier")
    assert (found.low, found.high, found.better, found.not_worse()) == (0.0, 0.0, False, True)


def test_only_common_rows_count() -> None:
    labels, ours, theirs = binormal(np.random.default_rng(9), 300, 1.0, 0.9)
    found = compare(predictions(labels[:250], ours[:250]), predictions(labels[50:], theirs[50:], 50), metric="brier")
    assert found.rows == 200
    assert found.candidate == pytest.approx(metrics.brier_score_loss(labels[50:250], ours[50:250]), abs=1e-12)


def test_it_says_why_it_cannot_tell() -> None:
    labels, ours, _ = binormal(np.random.default_rng(10), 100, 1.0, 0.9)
    whole = predictions(labels, ours)
    few = compare(whole, predictions(labels[:29], ours[:29]), metric="roc_auc")
    assert few == Undecided("roc_auc", "both predicted only 29 test rows in common, and 30 are needed", 29)
    none = compare(whole, predictions(labels, ours, 500), metric="roc_auc")
    assert none.rows == 0
    turned = labels.copy()
    turned[[3, 5]] = 1 - turned[[3, 5]]
    assert "2 test rows have another label in either, u000003 for one" in str(
        compare(whole, predictions(turned, ours), metric="roc_auc")
    )
    single = np.zeros(100, dtype=int)
    single[:9] = 1
    pair = predictions(single, ours), predictions(single, ours)
    assert "of 100 common test rows 9 are positive" in str(compare(*pair, metric="roc_auc"))


@pytest.mark.parametrize(
    "settings", [{"metric": "f1"}, {"resamples": 99}, {"seed": -1}, {"level": 1.0}, {"level": 0.0}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    labels, ours, _ = binormal(np.random.default_rng(10), 100, 1.0, 0.9)
    with pytest.raises(InvalidInput):
        compare(predictions(labels, ours), predictions(labels, ours), **{"metric": "brier", **settings})


def test_two_thousand_resamples_of_a_real_test_side_take_seconds_at_most() -> None:
    labels, ours, theirs = binormal(np.random.default_rng(11), 1600, 1.0, 0.9)
    begun = time.process_time()
    compare(predictions(labels, ours), predictions(labels, theirs), metric="roc_auc")
    assert time.process_time() - begun < 3
