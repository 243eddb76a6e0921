"""`artreg ui` as a process: each load shows the registry as it is, and it ends when it is told to."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

import stories
from artreg.core.names import Alias
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.store.local import LocalStore
from browser.conftest import ARTREG, CHURN, Site, ui, visiting

pytestmark = pytest.mark.browser


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return stories.stories(tmp_path / "registry", tmp_path / "work")


def test_every_load_shows_the_registry_as_it_is_then(chromium: Browser, own: Path, tmp_path: Path) -> None:
    registry = Registry(LocalStore(own), "eve@example.org")
    with ui(own) as (_, url), visiting(chromium, Site(url)) as visit:
        page = visit(f"{CHURN}/index.html")
        assert page.locator("tr[data-version='9.0.0']").count() == 0
        assert "prod" in (page.locator("tr[data-version='1.10.0']").get_attribute("data-aliases") or "")
        made = tmp_path / "made"
        made.mkdir()
        (made / "model.bin").write_text("new")
        publish(registry, stories.CHURN, made, Version(9, 0, 0))
        rollback(registry, stories.CHURN, Alias("prod"), stories.POLICY, reason="a look at the page")
        page.reload()
        assert page.locator("tr[data-version='9.0.0']").count() == 1
        assert "prod" in (page.locator("tr[data-version='1.1.0']").get_attribute("data-aliases") or "")
        assert "a look at the page" in page.locator("#timeline").inner_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_while_a_browser_hangs_on(own: Path, how: signal.Signals) -> None:
    with ui(own) as (process, url), socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as held:
        held.sendall(b"GET / HTTP/1.1\r\nHost: ")  # and then nothing
        assert ask(url) == 200  # so that the one before has been let in
        process.send_signal(how)
        assert process.wait(120) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_after_kill_the_port_is_free_at_once(own: Path) -> None:
    with ui(own) as (process, url):
        process.kill()
        process.wait(120)
    port = str(urlsplit(url).port)
    with subprocess.Popen([ARTREG, "ui", "--port", port, "-r", str(own)], stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout is not None
        assert again.stdout.readline() == f"http://127.0.0.1:{port}/\n"
        again.kill()


def test_another_site_cannot_read_it_through_the_browser(chromium: Browser, served: Site) -> None:
    """A page of somebody else, to whose name the browser was told that this machine answers."""
    port = urlsplit(served.url).port
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(served.url)
        assert page.locator("#models").count() == 1  # so that what follows is not for want of a server
        evil = "http://evil.example/"
        context.route(evil, lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"))
        page.goto(evil)
        own = f"http://127.0.0.1:{port}/"
        assert page.evaluate("url => fetch(url).then(it => it.text(), () => 'refused')", own) == "refused"
        page.evaluate(FRAME, own)
        assert all("artreg" not in (inner.title() or "") for inner in page.frames[1:])
    finally:
        context.close()


def ask(url: str) -> int:
    with urlopen(url, timeout=120) as answer:
        return answer.status


FRAME = """url => new Promise(done => {
  const it = document.createElement('iframe');
  it.src = url;
  it.onload = done;
  document.body.append(it);
})"""
