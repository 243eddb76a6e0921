"""What is timed in a browser: how long the pages of a thousand versions take until they are drawn."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Ratio, Result, timed
from places import ARTREG

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TESTS = Path(__file__).parents[2] / "tests"
VERSIONS = 1000
CHURN = "models/demo/churn"
PAGES = {
    "all models": "index.html",
    "a model": f"{CHURN}/index.html",
    "a version": f"{CHURN}/versions/5.5.5.html",
    "two versions": f"{CHURN}/compare.html#1.0.0...9.9.9",
}
DRAWN = """addEventListener('load', () =>
  requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now(); })));"""
"""Notes the time since the page was asked for at which all that was loaded has been drawn once."""


def pages(work: Path, runs: int) -> Iterator[Result]:
    """Time a browser with nothing in its cache, against the second that a person waits without noticing."""
    from playwright.sync_api import Browser, sync_playwright

    sys.path.append(str(TESTS))
    from stories import thousand

    root, out = thousand(work / "thousand", work / "thousand-made", VERSIONS), work / "public"
    command = [ARTREG, "site", "--out", str(out), "-q", "-r", str(root)]
    took = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    of_file = f"from a file; all {VERSIONS:,} versions made in {took:.0f} s"

    def opened(browser: Browser, url: str) -> tuple[float, int]:
        context, sizes = browser.new_context(), []
        page = context.new_page()
        page.add_init_script(DRAWN)
        page.on("response", lambda answer: sizes.append(len(answer.body())))
        page.goto(url)
        seconds = page.wait_for_function("window.drawn").json_value() / 1000
        context.close()
        return seconds, sum(sizes)

    with sync_playwright() as playwright, serving(root) as served:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for how, base in ((of_file, f"{out.as_uri()}/"), ("from artreg ui, made meanwhile", served)):
            for what, path in PAGES.items():
                opened(browser, base + path)
                seconds, sizes = zip(*(opened(browser, base + path) for _ in range(runs)), strict=True)
                ratio = Ratio(statistics.median(seconds), min(seconds), max(seconds), statistics.median(seconds), 1)
                note = f"{how}; {max(sizes) / 1000:,.0f} kB"
                yield Result("Pages", f"{what}, of {VERSIONS:,} versions, drawn", "a second", ratio, 1, note=note)
        browser.close()


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Run `artreg ui`; give where it answers."""
    command = [ARTREG, "ui", "--port", "0", "--json", "-r", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline() or "}\n"
        yield json.loads(text)["url"]
        process.terminate()
