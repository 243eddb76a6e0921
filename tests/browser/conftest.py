"""A real browser, the pages of registries as files and as `artreg ui` serves them, and what no page may ever do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

import stories
from artreg.registry.handle import Registry
from artreg.site import build
from artreg.store.local import LocalStore

PATIENCE_MS = 60_000  # a machine may be busy
expect.set_options(timeout=PATIENCE_MS)

ARTREG = str(Path(sys.executable).with_name("artreg"))
CHURN = "models/demo/churn"
HARM = f"models/{stories.HARM}"

KINDS = {
    "models": "index.html",
    "model": f"{CHURN}/index.html",
    "version": f"{CHURN}/versions/1.10.0.html",
    "yanked version": f"{CHURN}/versions/1.1.1.html",
    "comparison": f"{CHURN}/compare.html#1.1.0...1.10.0",
    "history": f"{CHURN}/history.html",
    "damaged model": "models/demo/fraud/index.html",
    "damaged version": "models/demo/fraud/versions/0.2.0.html",
    "harmful model": f"{HARM}/index.html",
    "harmful history": f"{HARM}/history.html",
    "harmful version": f"{HARM}/versions/1.0.0.html",
    "harmful comparison": f"{HARM}/compare.html#1.0.0...1.0.1",
    "wide model": f"models/{stories.WIDE}/index.html",
    "wide version": f"models/{stories.WIDE}/versions/99999999.99999999.99999999-rc.1.a-long-pre-release.20260301.html",
}
"""A page of each kind, and of each story that could spoil one."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.fail("there is no Chromium; Debian has one: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Site:
    """Pages, and where they are."""

    url: str

    def at(self, path: str) -> str:
        return f"{self.url}{path}"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stories")
    return stories.stories(folder / "registry", folder / "work")


@pytest.fixture(scope="session")
def files(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return built(registry, tmp_path_factory.mktemp("public") / "site")


@pytest.fixture(scope="session")
def served(registry: Path) -> Iterator[Site]:
    with ui(registry) as (_, url):
        yield Site(url)


@pytest.fixture(params=["files", "served"])
def site(request: pytest.FixtureRequest) -> Site:
    """The stories, both ways."""
    found: Site = request.getfixturevalue(request.param)
    return found


def built(registry: Path, out: Path) -> Site:
    """Make the site of a registry in a folder."""
    build(Registry(LocalStore(registry)), out)
    return Site(f"{out.as_uri()}/")


@contextmanager
def ui(registry: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `artreg ui` in a process of its own; give it and where it answers."""
    command = [ARTREG, "ui", "--port", "0", "--json", "-r", str(registry), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            text = ""
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                text += line
            yield process, json.loads(text)["url"]
        finally:
            process.kill()


@dataclass
class Watched:
    """What a page did that it should not have done."""

    inside: str
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", lambda answer: answer.ok or self.failed.append(f"{answer.status} {answer.url}"))

    @property
    def all(self) -> list[str]:
        return self.console + self.errors + self.outside + self.failed

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.console.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser itself gave it up, for it went on to another page
            self.failed.append(f"{request.failure} {request.url}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.inside, "data:")):
            self.outside.append(request.url)


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Visit]:
    """Opens pages of the site, in a browser of their own; in the end none may have misbehaved."""
    with visiting(chromium, site) as go:
        yield go


@contextmanager
def visiting(chromium: Browser, site: Site) -> Iterator[Visit]:
    contexts: list[BrowserContext] = []
    watched = Watched(site.url)

    def go(path: str | None, **how: Any) -> Page:
        usual = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
        context = chromium.new_context(**{**usual, **how})
        contexts.append(context)
        watched.watch(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto("about:blank" if path is None else site.at(path))
        return page

    try:
        yield go
        harmed = [page.evaluate("window.harmed") for context in contexts for page in context.pages]
        assert [harm for harm in harmed if harm is not None] == []
        assert watched.all == []
    finally:
        for context in contexts:
            context.close()
