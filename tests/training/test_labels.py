from __future__ import annotations

import pytest

from artreg.errors import InvalidInput
from artreg.training.labels import find_positive, label_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (1, "1"), (1.0, "1"), (0.5, "0.5"), ("Yes", "Yes"), ("1", "1")],
)
def test_labels_as_text(value: object, text: str) -> None:
    assert label_text(value) == text


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(("0", "1"), "1"), (("No", "Yes"), "Yes"), (("YES", "no"), "YES"), (("false", "true"), "true"), (("N", "Y"), "Y")],
)
def test_what_speaks_for_itself_is_inferred(labels: tuple[str, str], positive: str) -> None:
    assert find_positive(labels, None) == positive


@pytest.mark.parametrize("labels", [("a", "b"), ("0", "2"), ("1", "2"), ("no", "true"), ("benign", "malignant")])
def test_what_does_not_must_be_configured(labels: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput, match="cannot be told") as caught:
        find_positive(labels, None)
    assert "data.positive" in caught.value.hint


def test_the_configured_label_wins() -> None:
    assert find_positive(("0", "1"), 0) == "0"
    assert find_positive(("false", "true"), False) == "false"
    with pytest.raises(InvalidInput, match="no label 'maybe'; it has 'no' and 'yes'"):
        find_positive(("no", "yes"), "maybe")
