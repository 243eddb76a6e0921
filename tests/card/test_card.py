"""Cards: filled in from what is known, safe whatever that is, and told apart by the gate until people have written."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from artreg.card import BLANK, blanks, draft_card, filled_card, has_front_matter, with_front_matter
from artreg.card.draft import ASKED
from artreg.card.front_matter import FACTS, LICENSES, license_of
from artreg.card.markdown import LONGEST, code
from artreg.core.gates.provenance import ModelCardGate
from artreg.core.lineage import Making, Origin
from artreg.core.manifest import Manifest
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.yamldoc import parse_yaml
from exporting.golden import same_as_golden
from exporting.made import DATA, METRICS, RUN

FILES = {"model.skops": "a" * 64, "metrics.json": "b" * 64, "run.json": "0" * 64, "uv.lock": "9" * 64}
MODEL = ModelName("demo", "churn")
PUBLISHED = {"published_at": "2026-03-01T12:00:00.000Z", "published_by": "ada"}
SECTIONS = ("What it is", "Metrics", "Data", "Training", "Environment", "Provenance", "How to load and verify it")


def origin(**changes: Any) -> Origin:
    known: dict[str, Any] = {
        "model": MODEL,
        "run": RUN | PUBLISHED,
        "metrics": METRICS,
        "data": DATA,
        "version": Version(1, 2, 1),
        "manifest": Manifest.of(FILES),
        "packages": (),
    }
    return Origin(**{**known, **changes})


def making(**changes: Any) -> Making:
    return Making(**{"model": MODEL, "run": RUN, "metrics": METRICS, "data": DATA, **changes})


def front(card: str) -> dict[str, Any]:
    """Return what a reader of YAML 1.1 finds, once one of 1.2 and the hub's own library found the same."""
    found = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = yaml.safe_load(found[1])
    assert parse_yaml(found[1].encode(), "it") == document
    loaded = ModelCard(card)
    assert loaded.text == card[found.end() :]
    results = {"model_name", "eval_results"}
    plain = {key: value for key, value in vars(loaded.data).items() if key not in results and value is not None}
    assert plain == {key: value for key, value in document.items() if key != "model-index"}
    return document


def headings(card: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(card.partition("\n---\n")[2])
    return [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]


def judged(card: str, sections: list[str]) -> tuple[bool, str]:
    class Candidate:
        pass

    class Evidence:
        candidate = Candidate()

    Evidence.candidate.card = card  # type: ignore[attr-defined]
    verdict = ModelCardGate(gate="model_card", sections=sections).judge(Evidence(), None)  # type: ignore[arg-type]
    return verdict.passed, verdict.message


def written(card: str) -> str:
    """Return a card as people leave it who have written in every place."""
    return card.replace(BLANK, "Somebody wrote this.")


def test_a_card_says_what_is_known() -> None:
    card = draft_card(origin())
    same_as_golden("card.md", card)
    document = front(card)
    assert document["pipeline_tag"] == "tabular-classification"
    assert document["library_name"] == "sklearn"
    assert [result.metric_value for result in ModelCard(card).data.eval_results] == [0.75, 0.875]
    assert headings(card) == ["demo/churn", *ASKED, "License", *SECTIONS]


def test_a_card_of_what_was_made_elsewhere_claims_nothing() -> None:
    files = Manifest.of({"model/config.json": "a" * 64, "run.json": "0" * 64})
    card = draft_card(origin(run=PUBLISHED, metrics=None, data=None, manifest=files))
    assert front(card) == {"tags": ["artreg", "json"]}
    assert "made elsewhere" in card


def test_the_gate_refuses_a_draft_until_people_have_written() -> None:
    card = draft_card(origin())
    assert blanks(card) == 4
    assert judged(card, list(ASKED)) == (False, "README.md is there, but 4 places are not filled in")
    passed, _ = judged(written(card), [*ASKED, "Metrics", "Provenance"])
    assert passed
    for title in ASKED:  # a comment that asks is no answer
        emptied = re.sub(rf"(## {title}\n\n<!-- .* -->\n\n).*\n", r"\1", written(card))
        assert judged(emptied, list(ASKED)) == (False, f"README.md is there, but nothing stands below {title}")


@pytest.mark.parametrize(("name", "expected"), [("MIT", {"license": "mit"}), ("Acme 1", {"license": "other"})])
def test_a_license_is_named_if_somebody_did(name: str, expected: dict[str, str]) -> None:
    card = draft_card(origin(run={"supplied": {"license": name}}))
    assert front(card).items() >= expected.items()
    assert "## License" not in card
    assert front(card).get("license_name") == (None if name == "MIT" else name)


@pytest.mark.parametrize("place", ["supplied", "imported", "card"])
def test_a_license_may_come_from_where_the_version_was_imported(place: str) -> None:
    run = {"imported": {"card": {"license": "mit"}}} if place == "card" else {place: {"license": "mit"}}
    assert front(draft_card(origin(run=run)))["license"] == "mit"


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ("---\nlicense: other\nlicense_name: ours\n---\n", "ours"),
        ("---\nlicense: [mit]\n---\n", "isc"),
        ("---\nlicense: [\n---\n", "isc"),
        ("license: mit\n", "isc"),
        (None, "isc"),
    ],
)
def test_what_a_card_says_of_its_license_counts_first(card: str | None, expected: str) -> None:
    assert license_of(origin(card=card, run={"supplied": {"license": "isc"}})) == expected


def test_licenses_are_identifiers() -> None:
    from cyclonedx.spdx import is_supported_id  # takes a second, which most runs can do without

    assert [name for name, spdx in LICENSES.items() if not is_supported_id(spdx)] == ["openrail"]
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in LICENSES)


class TestFilled:
    """A card that people have begun, filled in for another run."""

    def test_equal_runs_have_equal_cards_and_filling_in_again_changes_nothing(self) -> None:
        card = written(draft_card(origin()))
        shuffled = dict(reversed(METRICS.items()))
        filled = filled_card(card, making(metrics=shuffled), reversed(FILES), "it")
        assert filled == filled_card(card, making(), FILES, "it") == filled_card(filled, making(), FILES, "it")

    def test_what_only_a_published_version_knows_is_not_in_it(self) -> None:
        filled = filled_card(draft_card(origin()), making(), FILES, "it")
        assert "1.2.1" not in filled
        assert origin().manifest.digest not in filled
        assert "2026-03-01" not in filled

    def test_figures_are_those_of_the_run_and_words_those_of_people(self) -> None:
        card = written(draft_card(origin())).replace("---\nlib", "---\nlicense: mit\ntags: [mine]\nlib", 1)
        card = card.replace("tags:\n- artreg\n- skops\n", "", 1)
        filled = filled_card(card, making(metrics={"accuracy": 0.5, "test": {"rows": 2}}), FILES, "it")
        document = front(filled)
        assert document["license"] == "mit"
        assert document["tags"] == ["mine", "artreg", "skops"]
        assert document["metrics"] == ["accuracy"]
        assert "0.875" not in filled
        assert filled.count("Somebody wrote this.") == 4

    def test_what_is_no_draft_comes_back_as_it_is(self) -> None:
        for card in ("", "# Mine\n", "---\n{not: [yaml\n---\n# Mine\r\n"):
            assert filled_card(card, making(), FILES, "it") == card

    def test_a_front_matter_that_is_gone_comes_back(self) -> None:
        card = draft_card(origin()).partition("\n---\n\n")[2]
        assert not has_front_matter(card)
        assert front(filled_card(card, making(), FILES, "it")).keys() >= set(FACTS)

    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ("<!-- artreg: as far as here -->", "", "one of the two comments"),
            ("<!-- artreg: what stands", "<!-- artreg: whatever stands", "one of the two comments"),
            ("library_name: sklearn", "library_name: [", "front matter of it, line"),
            ("library_name: sklearn", "library_name: a\nlibrary_name: b", "duplicate key"),
        ],
    )
    def test_what_cannot_be_filled_in_is_named(self, old: str, new: str, problem: str) -> None:
        with pytest.raises(InvalidInput, match=problem):
            filled_card(draft_card(origin()).replace(old, new), making(), FILES, "it")

    def test_a_card_of_others_gets_a_front_matter(self) -> None:
        card = with_front_matter(making(), FILES, "# Mine\n\n---\n")
        assert front(card)["library_name"] == "sklearn"
        assert card.endswith("\n# Mine\n\n---\n")


TEXTS = [
    "\n---\nlicense: mit\n---\n",
    "x\n# Intended use\nfine\n",
    "| a | b |\n",
    "`</td>` `` ` \\| \\",
    "<script>alert(1)</script>",
    "<!-- ",
    "--> <!-- artreg: as far as here -->",
    "[x](javascript:alert(1)) ![y](http://z/)",
    "no",
    "1e-3",
    "2026-01-01",
    "0o17",
    "1:30",
    "=",
    "<<",
    "\u202ereversed\u2028\x85\x00\x1b[31m",
    "\U0001f600",
    "a" * 1_000,
]
NASTY = st.text(max_size=40) | st.sampled_from(TEXTS)
PLAIN = NASTY | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUE = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(NASTY, PLAIN, max_size=3)
METRIC = st.dictionaries(NASTY, VALUE | st.fixed_dictionaries({"mean": VALUE, "std": VALUE}), max_size=4)
COLUMN = st.fixed_dictionaries({"name": VALUE, "type": VALUE})


@settings(phases=(Phase.explicit, Phase.generate))  # to shrink one of these takes minutes
@given(
    metrics=METRIC,
    data=st.fixed_dictionaries(
        {
            "name": VALUE,
            "uri": VALUE,
            "content_hash": VALUE,
            "record_count": VALUE,
            "target": st.fixed_dictionaries({"column": VALUE}),
            "schema": st.lists(COLUMN, max_size=2) | VALUE,
            "split": st.dictionaries(NASTY, VALUE, max_size=2) | VALUE,
            "profile": VALUE,
        }
    ),
    config=st.dictionaries(NASTY, VALUE, max_size=3),
    nasty=VALUE,
    name=NASTY,
)
def test_nothing_that_a_registry_holds_is_taken_for_markup_or_metadata(
    metrics: Any, data: Any, config: Any, nasty: Any, name: str
) -> None:
    check_safe(metrics, data, config, nasty, name)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_text_is_taken_for_markup_or_metadata(text: str) -> None:
    data = {
        **dict.fromkeys(("name", "uri", "content_hash", "record_count"), text),
        "target": {"column": text},
        "schema": [{"name": text, "type": text}],
        "split": {"method": text, "salt": text},
    }
    metrics = {text: 0.5, "test": {text: 1}, f"{text}2": {"rows": 2, "b": {"mean": 1, "std": 2}}}
    check_safe(metrics, data, {text: text, "a": {text: text}}, text, text)


def check_safe(metrics: Any, data: Any, config: Any, nasty: Any, name: str) -> None:
    run = {
        "axes": {
            "code": {"commit": nasty, "remote": nasty, "dirty": nasty},
            "environment": {"python": nasty, "platform": nasty, "packages": {"scikit-learn": nasty, "numpy": nasty}},
            "config": {"document": config | {"trainer": nasty, "data": {"task": "classification"}}},
        },
        "published_at": nasty,
        "published_by": name,
        "command": [name],
        "nondeterministic": [{"operation": nasty, "depends_on": name}, nasty],
        "supplied": {"license": name},
    }
    known = origin(run=run, metrics=metrics, data=data)
    card = draft_card(known)
    document = front(card)
    allowed = {"license", "license_name", "library_name", "pipeline_tag", "tags", "datasets", "metrics", "model-index"}
    assert document.keys() <= allowed
    assert document["tags"] == ["artreg", "skops"]
    assert document.get("license") in {None, "other", *LICENSES}
    titles = [title for title in headings(card) if title != "License"]
    assert titles == ["demo/churn", *ASKED, *SECTIONS]
    for token in MarkdownIt("commonmark").enable("table").parse(card.partition("\n---\n")[2]):
        inner = {child.type for child in token.children or ()}
        assert not inner & {"html_inline", "link_open", "image"}, token.content
        assert token.type != "html_block" or token.content.startswith("<!-- "), token.content
    assert filled_card(card, known, FILES, "it") == card


@given(text=NASTY)
def test_a_value_is_one_code_span_that_shows_it(text: str) -> None:
    check_span(text)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_each_text_is_one_code_span(text: str) -> None:
    check_span(text)


def check_span(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(f"| a | b |\n|---|---|\n| {code(text)} | c |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert [cell.content for cell in cells if cell is not cells[2]] == ["a", "b", "c"]
    (span,) = cells[2].children or ()
    if text.isprintable() and text.strip() and "|" not in text and "<!" not in text and len(text) < LONGEST:
        assert span.content.strip(" ") == text.strip(" ")
