"""A thousand versions: what is sent and what the browser must hold. How long it takes is for `make bench` to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

import stories
from browser.conftest import CHURN, Site, Visit, built, ui, visiting

pytestmark = pytest.mark.browser

PAGES = {"models": "index.html", "model": f"{CHURN}/index.html", "version": f"{CHURN}/versions/5.5.5.html"}
COMPARISON = f"{CHURN}/compare.html#1.0.0...9.9.9"
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thousand")
    return stories.thousand(folder / "registry", folder / "work")


@pytest.fixture(scope="module", params=["files", "served"])
def site(request: pytest.FixtureRequest, registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if request.param == "files":
        yield built(registry, tmp_path_factory.mktemp("public") / "site")
    else:
        with ui(registry) as (_, url):
            yield Site(url)


def opened(visit: Visit, url: str) -> tuple[Page, int]:
    """Open a page; return it with how many bytes of it and all it needs there are."""
    answers: list[Response] = []
    page = visit(None)
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # Playwright marks what it calls
    page.goto(url)
    assert len(answers) == 3, "the page, a style sheet and a script"
    return page, sum(len(answer.body()) for answer in answers)


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_under_two_megabytes(chromium: Browser, site: Site, kind: str) -> None:
    with visiting(chromium, site) as visit:
        page, size = opened(visit, site.at(PAGES[kind]))
        nodes = page.evaluate("document.querySelectorAll('*').length")
        print(f"\n{kind}: {size:,} bytes, {nodes:,} elements")
        assert 1000 < size < 2 * MEGABYTE
        assert nodes < 20_000


def test_two_of_a_thousand_can_be_compared(chromium: Browser, site: Site) -> None:
    with visiting(chromium, site) as visit:
        page, size = opened(visit, site.at(COMPARISON))
        print(f"\ncomparison: {size:,} bytes")
        assert size < 2 * MEGABYTE
        expect(page.locator("#before")).to_have_value("1.0.0")
        expect(page.locator("#comparison table[data-section=metrics]")).to_contain_text("0.72")


def test_one_of_a_thousand_is_found(chromium: Browser, site: Site) -> None:
    with visiting(chromium, site) as visit:
        page, _ = opened(visit, site.at(PAGES["model"]))
        page.locator("#filter").fill("7.7.")
        expect(page.locator("#versions tbody tr:visible")).to_have_count(10)
        expect(page.locator("#shown")).to_have_text("10 of 1,000 versions")
        page.locator("#filter").fill("")
        page.locator("#versions th[aria-sort] button.sort", has_text="roc_auc").first.click()
        first = page.locator("#versions tbody tr").first
        expect(first).to_have_attribute("data-version", re.compile(r"^(0\.0\.0|9\.9\.9)$"))
