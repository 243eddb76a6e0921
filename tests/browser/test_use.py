"""What a person does on the pages: look for, sort, compare, copy, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import KINDS, Visit

pytestmark = pytest.mark.browser

MODEL = KINDS["model"]
ORDER = ["1.10.0", "1.10.0-rc.1", "1.2.0", "1.2.0-rc.2", "1.2.0-rc.1", "1.1.1", "1.1.0", "1.0.0"]
"""The versions, highest first, as SemVer has it; text would put 1.10.0 below 1.2.0."""


def expect_versions(page: Page, *wanted: str) -> None:
    """Wait until these versions are shown, in this order."""
    rows = page.locator("#versions tbody tr:visible")
    expect(rows).to_have_count(len(wanted))
    for row, version in zip(rows.all(), wanted, strict=True):
        expect(row).to_have_attribute("data-version", version)


def sort(page: Page, column: str) -> str:
    """Press a column's button; return how the column then says that it is sorted."""
    header = page.locator("#versions th[aria-sort]", has_text=column).first
    before = header.get_attribute("aria-sort") or ""
    header.locator("button.sort").click()
    expect(header).not_to_have_attribute("aria-sort", before)
    return header.get_attribute("aria-sort") or ""


def focused(page: Page) -> str:
    return page.evaluate("(it => it.id ? '#' + it.id : it.tagName + '.' + it.className)(document.activeElement)")


def test_from_all_models_to_a_file_of_one_version_and_back(visit: Visit) -> None:
    page = visit("index.html")
    page.locator("tr[data-model='demo/churn'] a").first.click()
    expect(page.locator("h1")).to_contain_text("churn")
    page.locator("tr[data-version='1.10.0'] a").first.click()
    expect(page.locator("h1")).to_contain_text("1.10.0")
    for section in ("card", "metrics", "files", "axes", "config", "data", "signatures", "commands"):
        expect(page.locator(f"h2#{section}")).to_be_visible()
    expect(page.locator("section:has(> h2#files)")).to_contain_text("model.bin")
    page.locator("nav[aria-label=Breadcrumb] a", has_text="churn").click()
    expect(page.locator("#versions tbody tr")).to_have_count(8)
    expect_versions(page, *ORDER)
    page.locator("nav[aria-label=Breadcrumb] a").first.click()
    expect(page.locator("tr[data-model]")).to_have_count(4)


def test_models_are_filtered_as_one_types(visit: Visit) -> None:
    page = visit("index.html")
    page.locator("#filter").fill("FRA")
    expect(page.locator("tr[data-model]:visible")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("1 of 4 models")
    page.locator("#filter").fill("nothing of the kind")
    expect(page.locator("tr[data-model]:visible")).to_have_count(0)
    page.locator("#filter").fill("")
    expect(page.locator("tr[data-model]:visible")).to_have_count(4)


def test_versions_are_filtered_by_text_and_by_state(visit: Visit) -> None:
    page = visit(MODEL)
    page.locator("#filter").fill("rc")
    expect_versions(page, "1.10.0-rc.1", "1.2.0-rc.2", "1.2.0-rc.1")
    page.locator("#state").select_option("aliased")
    expect_versions(page, "1.2.0-rc.2")
    page.locator("#filter").fill("")
    page.locator("#state").select_option("yanked")
    expect_versions(page, "1.1.1")
    expect(page.locator("#shown")).to_have_text("1 of 8 versions")


def test_a_damaged_version_is_found_by_its_state(visit: Visit) -> None:
    page = visit(KINDS["damaged model"])
    page.locator("#state").select_option("damaged")
    expect_versions(page, "0.3.0", "0.2.0")


def test_versions_are_sorted_by_order_of_semver_and_not_of_text(visit: Visit) -> None:
    page = visit(MODEL)
    expect_versions(page, *ORDER)
    ways = {"ascending": ORDER[::-1], "descending": ORDER}
    for _ in range(2):
        expect_versions(page, *ways.pop(sort(page, "version")))


def test_metrics_are_sorted_as_numbers_and_one_column_at_a_time(visit: Visit) -> None:
    page = visit(MODEL)
    by_auc = ["1.10.0-rc.1", "1.0.0", "1.1.1", "1.1.0", "1.2.0-rc.1", "1.2.0-rc.2", "1.2.0", "1.10.0"]
    ways = {"ascending": by_auc, "descending": by_auc[::-1]}
    for _ in range(2):
        way = sort(page, "roc_auc")
        expect_versions(page, *ways.pop(way))
        sorted_ = page.eval_on_selector_all(
            "#versions th[aria-sort]", "all => all.map(it => it.getAttribute('aria-sort')).filter(it => it !== 'none')"
        )
        assert sorted_ == [way]


def test_two_versions_side_by_side(visit: Visit) -> None:
    page = visit(MODEL)
    for version in ("1.1.0", "1.10.0"):
        page.locator(f"tr[data-version='{version}'] .pick").check()
    page.locator("#compare-link").click()
    expect(page).to_have_url(re.compile(r"#(1\.1\.0\.\.\.1\.10\.0|1\.10\.0\.\.\.1\.1\.0)$"))
    metrics = page.locator("#comparison table[data-section=metrics]")
    expect(metrics).to_contain_text("0.834")
    expect(metrics).to_contain_text("0.871")
    before, after = page.locator("#before").input_value(), page.locator("#after").input_value()
    page.locator("#swap").click()
    expect(page.locator("#before")).to_have_value(after)
    expect(page.locator("#after")).to_have_value(before)
    expect(page.locator("#said")).to_have_text("16 differences")
    page.locator("#after").select_option("1.0.0")
    expect(metrics).to_contain_text("0.812")
    rows = page.locator("#comparison tr:visible").count()
    page.locator("#only-differences").set_checked(not page.locator("#only-differences").is_checked())
    expect(page.locator("#comparison tr:visible")).not_to_have_count(rows)


def test_a_comparison_can_be_linked_to_and_gone_back_from(visit: Visit) -> None:
    page = visit(KINDS["comparison"])
    expect(page.locator("#before")).to_have_value("1.1.0")
    expect(page.locator("#after")).to_have_value("1.10.0")
    page.evaluate("location.hash = '#1.0.0...1.2.0'")
    expect(page.locator("#before")).to_have_value("1.0.0")
    page.evaluate("location.hash = '#no...such'")
    expect(page.locator("#before")).to_have_value("1.10.0-rc.1")
    expect(page.locator("#after")).to_have_value("1.10.0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scheme_is_that_of_the_system_until_somebody_chooses(visit: Visit, scheme: str) -> None:
    page = visit("index.html", color_scheme=scheme)
    body = page.locator("body")
    first = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert is_dark(first) == (scheme == "dark")
    page.locator("#theme").click()
    expect(body).not_to_have_css("background-color", first)
    second = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert is_dark(second) != is_dark(first)
    page.reload()
    expect(body).to_have_css("background-color", second)
    page.locator("tr[data-model='demo/churn'] a").first.click()
    page.locator("h1", has_text="churn").wait_for()
    expect(body).to_have_css("background-color", second)
    page.locator("#theme").click()
    expect(body).to_have_css("background-color", first)


def is_dark(color: str) -> bool:
    numbers = [float(part) for part in color.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(numbers) < 3 * 128


def test_without_a_mouse(visit: Visit) -> None:
    page = visit(MODEL)
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 0, "who tabs sees where to"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    header = page.locator("#versions th[aria-sort]", has_text="roc_auc").first
    reach(page, header.locator("button.sort"))
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", re.compile("^(ascending|descending)$"))
    other = {"ascending": "descending", "descending": "ascending"}[header.get_attribute("aria-sort") or ""]
    page.keyboard.press("Space")
    expect(header).to_have_attribute("aria-sort", other)
    expect(header.locator("button.sort")).to_be_focused()
    reach(page, page.locator("tr[data-version='1.1.0'] .pick"))
    page.keyboard.press("Space")
    expect(page.locator("tr[data-version='1.1.0'] .pick")).to_be_checked()


def reach(page: Page, target, presses: int = 120) -> None:
    """Press Tab until something has the focus."""
    for _ in range(presses):
        if target.evaluate("it => it === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never comes to {target}; it stands at {focused(page)}")


@pytest.mark.parametrize("kind", ["models", "model", "version", "comparison"])
def test_whatever_has_the_focus_shows_it_and_all_of_it_is_reached_in_order(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind])
    wanted = page.eval_on_selector_all(
        "a[href], button, input, select, summary, [tabindex]",
        "all => all.filter(it => it.tabIndex >= 0 && !it.disabled && it.checkVisibility({visibilityProperty: true}))"
        ".length",
    )
    places, hidden = [], []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        where = page.evaluate(STATE)
        if where["last"]:
            break
        places.append(where["place"])
        if not where["shown"]:
            hidden.append(where["what"])
    assert hidden == []
    assert places == sorted(places), "by the order of the document"
    assert len(places) >= wanted


STATE = """() => {
  const it = document.activeElement;
  if (it === document.body || it.dataset.tabbed) return {last: true};
  it.dataset.tabbed = 'yes';
  const style = getComputedStyle(it);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1.5 || style.boxShadow !== 'none';
  const box = it.getBoundingClientRect();
  const inside = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  return {last: false, place: [...document.querySelectorAll('*')].indexOf(it), shown: ring && inside,
          what: it.outerHTML.slice(0, 100) + ' ' + style.outline + JSON.stringify(box)};
}"""


def test_a_command_can_be_copied(visit: Visit) -> None:
    page = visit(KINDS["version"], permissions=["clipboard-read", "clipboard-write"])
    command = page.locator(".command pre").first.inner_text().strip()
    assert command.startswith("artreg pull")
    assert "churn@1.10.0" in command
    page.evaluate("window.setTimeout = () => 0")  # it says so for two seconds; here for ever
    page.locator("button.copy").first.click()
    expect(page.locator("button.copy").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").strip() == command


def test_the_time_line_tells_who_when_why_and_by_which_gates(visit: Visit) -> None:
    page = visit(KINDS["history"])
    told = page.locator("#timeline > li[data-alias=prod]")
    assert told.count() == 6
    rollback = page.locator("#timeline > li[data-alias=prod][data-generation='4']")
    for words in ("carol@example.org", "support sees odd scores for new customers", "2026-03-08", "1.1.1", "1.1.0"):
        assert words in rollback.inner_text(), words
    promotion = page.locator("#timeline > li[data-alias=prod][data-generation='5']")
    details = promotion.locator("summary")
    if details.count():
        details.first.click()
    expect(promotion).to_contain_text("log_loss")


def test_plots_say_in_words_what_they_show(visit: Visit) -> None:
    page = visit(MODEL)
    plots = page.locator("figure.plot")
    assert plots.count() >= 3
    for plot in plots.all():
        svg = plot.locator("svg[role=img]")
        name = svg.get_attribute("aria-label") or svg.locator("title").first.text_content() or ""
        assert (plot.get_attribute("data-metric") or "?") in name
    assert page.locator("figure.plot .mark-prod").count() >= 1


def test_the_page_of_a_damaged_version_says_so(visit: Visit) -> None:
    page = visit(KINDS["damaged version"])
    assert "damaged" in page.locator("main").inner_text().lower()
    page.goto(page.url.replace("0.2.0", "0.3.0"))
    assert "checksum.txt" in page.locator("main").inner_text()


def test_the_page_of_a_yanked_version_says_why(visit: Visit) -> None:
    page = visit(KINDS["yanked version"])
    assert "learned from a table with a leaked column" in page.locator("main").inner_text()


def test_versions_are_filtered_by_bounds_of_their_figures(visit: Visit) -> None:
    page = visit(MODEL)
    page.locator("#filter").fill("roc_auc>=0.858 log_loss<0.4")
    expect_versions(page, "1.10.0")
    page.locator("#filter").fill("roc_auc>")
    expect_versions(page, *ORDER)
