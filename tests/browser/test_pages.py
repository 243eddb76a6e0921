"""What every page must be to everybody: quiet, readable, on a phone, in the dark, without scripts, by ear."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from artreg.site import CSP
from browser.conftest import KINDS, Site, Visit

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")


@pytest.fixture
def site(files: Site) -> Site:
    """The pages as files; those that are served are the same."""
    return files


@pytest.mark.parametrize("path", [*KINDS.values(), "assets/site.css", "assets/site.js"])
def test_what_is_served_is_what_is_written(files: Site, served: Site, path: str) -> None:
    with urlopen(files.at(path)) as written, urlopen(served.at(path)) as answer:
        assert answer.read() == written.read()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_what_it_is_and_asks_nobody_outside(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind])
    assert page.locator("main h1").count() == 1
    assert page.title()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate("document.querySelector('meta[http-equiv=Content-Security-Policy]').content") == CSP
    assert page.evaluate("document.scripts.length - document.querySelectorAll('script[type*=json]').length") == 1


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(visit: Visit, kind: str, scheme: str) -> None:
    page = visit(KINDS[kind], color_scheme=scheme)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_what_is_wrong(visit: Visit, scheme: str) -> None:
    """The negative control of the test above."""
    page = visit(KINDS["model"], color_scheme=scheme)
    page.evaluate("document.querySelector('main p, main td').style.color = 'color-mix(in srgb, canvas 90%, gray)'")
    page.evaluate("document.querySelector('#filter').labels.forEach(it => it.remove())")
    page.evaluate(
        "for (const name of ['aria-label', 'placeholder']) document.querySelector('#filter').removeAttribute(name)"
    )
    assert {"color-contrast", "label"} <= {name.split(":")[0] for name in violations(page)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_never_scrolls_sideways(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind], viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("window.innerWidth") == 390
    page.evaluate("window.scrollTo(1000, 0)")
    assert page.evaluate("window.scrollX") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_it_can_still_be_read(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind], java_script_enabled=False)
    text = page.locator("main").inner_text()
    assert len(text) > 100
    buttons = page.locator("button:visible, input:visible, select:visible")
    assert buttons.count() == 0, "what does nothing is not shown"


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_somewhere(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind])
    links = page.eval_on_selector_all("a[href]", "all => all.map(it => [it.getAttribute('href'), it.href])")
    base = page.url.partition("/models/")[0].partition("/index.html")[0]
    inside = {whole.partition("#")[0] for _, whole in links if whole.startswith(base)}
    foreign = {whole for _, whole in links if not whole.startswith(base)}
    assert all(url.startswith("https://example.org/") for url in foreign)
    for url in sorted(inside):
        assert page.goto(url) is not None, url


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "harm" in kind])
def test_what_means_harm_is_text(visit: Visit, kind: str) -> None:
    page = visit(KINDS[kind])
    assert (
        page.evaluate("[...document.querySelectorAll('[onerror], [onload], [onfocus], [onmouseover], img')].length")
        == 0
    )
    assert page.evaluate("[...document.links].filter(it => it.protocol === 'javascript:').length") == 0
    assert "1337" not in page.content(), "a template took it for its own"
    assert page.locator("main").is_visible()
    for sign in "\u202e\u202d\u2066\x1b\x00":
        assert sign not in page.locator("body").inner_text(), f"U+{ord(sign):04X}"
        assert sign not in page.title()


@pytest.mark.parametrize("way", ["files", "served"])
def test_a_script_that_came_in_all_the_same_does_not_run(
    chromium: Browser, way: str, request: pytest.FixtureRequest
) -> None:
    """The policy is the second wall: it holds where escaping did not."""
    site: Site = request.getfixturevalue(way)
    harm = "<script>window.harmed = 'script'</script><img src='x:' onerror=\"window.harmed = 'onerror'\">"
    assert tampered(chromium, site.at("index.html"), harm, policy=True) is None
    assert tampered(chromium, site.at("index.html"), harm, policy=False) in {"script", "onerror"}


def tampered(chromium: Browser, url: str, harm: str, *, policy: bool) -> object:
    """Open a page in which somebody has put a script, with or without the policy that it has; return what it did."""
    context = chromium.new_context()

    def answer(route) -> None:
        if url.startswith("file:"):
            body, headers = Path(url.removeprefix("file://")).read_text(), {"content-type": "text/html; charset=utf-8"}
        else:
            response = route.fetch()
            body, headers = response.text(), response.headers
        body = body.replace("</main>", f"{harm}</main>")
        assert harm in body
        if not policy:
            body = body.replace('http-equiv="Content-Security-Policy"', 'name="none"')
            headers.pop("content-security-policy", None)
        route.fulfill(body=body, headers=headers)

    try:
        context.route(url, answer)
        page = context.new_page()
        page.goto(url)
        page.wait_for_timeout(100)  # an image that fails does so a moment later
        return page.evaluate("window.harmed ?? null")
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    options = {"resultTypes": ["violations"], "preload": False}  # it would fetch the style sheet, which is not allowed
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:150] for node in one['nodes'][:4]]}" for one in found]
