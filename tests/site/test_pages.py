"""The pages of a whole registry: what is in them, what can never be, and that they are the same each time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg import site
from artreg.core.version import Version
from artreg.errors import NotFound
from artreg.registry.handle import Registry
from artreg.site.paths import Kind, place_of, slug, version_page
from artreg.site.rendering import embedded
from artreg.store.local import LocalStore
from stories import CARD, CHURN, FRAUD, HARM, HARMS, stories

VOID = {"meta", "link", "input", "br", "hr"}
OF_THE_SITE = """
    a b body br button caption circle code dd details div dl dt em figcaption figure footer g h1 h2 h3 h4 h5 h6 head
    header html input label li link main meta nav noscript ol option output p path pre rect script section select span
    strong summary svg table tbody td text th thead time title tr ul
"""
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Page(HTMLParser):
    """A page, taken apart."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text = ""
        self._open: list[str] = []
        self._script = ""
        self.feed(data.decode())
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute stands twice in {tag}: {attrs}"
        self.elements.append((tag, found))
        if tag not in VOID:
            self._open.append(tag)
        self._script = found.get("id") or "" if tag == "script" else ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        else:
            self.text += data

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stories")
    return stories(folder / "registry", folder / "work")


@pytest.fixture(scope="module")
def registry(root: Path) -> Registry:
    return Registry(LocalStore(root))


@pytest.fixture(scope="module")
def files(registry: Registry) -> dict[str, bytes]:
    return dict(site.Site(registry).pages()[1])


@pytest.fixture(scope="module")
def pages(files: Mapping[str, bytes]) -> dict[str, Page]:
    return {path: Page(data) for path, data in files.items() if path.endswith(".html")}


def test_every_model_and_version_has_its_pages(files: dict[str, bytes]) -> None:
    for model in (CHURN, FRAUD, HARM):
        folder = f"models/{model}"
        assert {f"{folder}/index.html", f"{folder}/history.html", f"{folder}/compare.html"} <= set(files)
    assert {f"models/{CHURN}/versions/{number}.html" for number in ("1.0.0", "1.2.0-rc.2", "1.10.0")} <= set(files)


def test_a_page_made_alone_is_the_page_of_the_whole_site(registry: Registry, files: dict[str, bytes]) -> None:
    one = site.Site(registry)
    for path, data in files.items():
        assert one.page(path) == data, path
    assert site.page(registry, "") == files["index.html"]
    assert site.page(registry, f"models/{CHURN}/") == files[f"models/{CHURN}/index.html"]


@pytest.mark.parametrize(
    "path",
    [
        *("models", "models/demo", "models/demo/none/index.html", f"models/{CHURN}/versions/9.9.9.html", "/etc/passwd"),
        *(
            "../index.html",
            "assets/../index.html",
            "assets/none.js",
            f"models/{CHURN}/../churn/index.html",
            "\x00",
            "a\\b",
        ),
        *(f"models/{CHURN}/versions/v1.0.0.html", f"models/{CHURN}/versions/1.0.0", "models//churn/index.html"),
    ],
)
def test_there_is_no_page_of_what_is_not_there(registry: Registry, path: str) -> None:
    assert site.page(registry, path) is None


def test_the_same_registry_gives_the_same_bytes_elsewhere_too(
    root: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    copy = shutil.copytree(root, tmp_path / "copy", symlinks=True, copy_function=shutil.copy)  # with times of their own
    code = (
        "import sys, hashlib, json; from artreg import site; from artreg.registry.handle import Registry;"
        "from artreg.store.local import LocalStore; from pathlib import Path;"
        "pages = site.Site(Registry(LocalStore(Path(sys.argv[1])))).pages()[1];"
        "print(json.dumps({path: hashlib.sha256(data).hexdigest() for path, data in pages}))"
    )
    other = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy)], env=other, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {path: sha256(data).hexdigest() for path, data in files.items()}


def test_every_link_leads_somewhere_inside_the_site(files: dict[str, bytes], pages: dict[str, Page]) -> None:
    count = 0
    for path, page in pages.items():
        wanted = [found.get("href") for found in (*page.all("a"), *page.all("link"))]
        wanted += [found["src"] for found in page.all("script") if "src" in found]
        for link in wanted:
            assert link, f"{path}: a link leads nowhere"
            if link.startswith("data:image/svg+xml,") or link in CARD:
                continue
            where = urlsplit(link)
            assert not where.scheme, f"{path}: {link} leaves the site"
            assert not where.netloc, f"{path}: {link} leaves the site"
            assert not where.path.startswith("/"), f"{path}: {link} is not relative"
            target = normpath(join(dirname(path), unquote(where.path))) if where.path else path
            assert target in files, f"{path}: {link} leads nowhere"
            if where.fragment and "..." not in where.fragment:
                assert where.fragment in pages[target].ids, f"{path}: {link} has no such place"
            count += 1
    assert count > 200


def test_a_page_runs_nothing_but_the_script_of_the_site(pages: dict[str, Page]) -> None:
    policy = dict(part.strip().split(" ", 1) for part in site.CSP.split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in site.CSP
    for path, page in pages.items():
        metas = [found["content"] for found in page.all("meta") if found.get("http-equiv") == "Content-Security-Policy"]
        assert metas == [site.CSP], path
        up = "../" * path.count("/")
        for script in page.all("script"):
            own = script == {"src": f"{up}assets/site.js"}
            assert own or script == {"type": "application/json", "id": "compare-data"}, f"{path}: {script}"
        assert [found["href"] for found in page.all("link") if found["rel"] == "stylesheet"] == [f"{up}assets/site.css"]
        for tag, attributes in page.elements:
            wrong = [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc", "formaction"}]
            assert wrong == [], f"{path}: {tag} has {wrong}"


def test_what_comes_from_the_registry_is_text(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert {tag for tag, _ in page.elements} <= set(OF_THE_SITE.split()), path
    harmed = " ".join(page.text for path, page in pages.items() if path.startswith(f"models/{HARM}"))
    for text in HARMS:
        if UNSEEN.search(text) is None:
            assert text in harmed, f"{text!r} is shown as it is"


def test_nothing_in_a_page_goes_unseen(files: dict[str, bytes], pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert UNSEEN.search(files[path].decode()) is None, path
        values = [value for _, attributes in page.elements for value in attributes.values() if value]
        assert not any(UNSEEN.search(value) for value in values), path
    assert "\\u202e" in pages[f"models/{HARM}/index.html"].text


@pytest.mark.parametrize("text", [*HARMS, "</script>", "<!--<script>", "\u2028", "]]>", "\ud800"])
def test_data_inside_a_page_can_end_nothing(text: str) -> None:
    written = str(embedded({text: [text]}))
    assert not set("<>&") & set(written)
    assert written.isascii()
    assert json.loads(written) == {text: [text]}


def test_each_page_can_be_found_ones_way_about(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        tags = [tag for tag, _ in page.elements]
        assert (tags.count("main"), tags.count("h1"), tags.count("header"), tags.count("footer")) == (1, 1, 1, 1), path
        assert page.elements[tags.index("body") + 1] == ("a", {"class": "skip", "href": "#main"}), path
        assert len(set(page.ids)) == len(page.ids), f"{path}: an id stands twice"
        assert page.elements[0] == ("html", {"lang": "en"})
        if "card" not in page.ids:  # what stands in a card is its author's
            assert tags.count("caption") == tags.count("table"), f"{path}: a table has no caption"
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels)), f"{path}: {levels}"
        labelled = {found.get("for") for found in page.all("label")}
        for field in (*page.all("select"), *page.all("input")):
            assert field["id"] in labelled or field["id"] == "only-differences", f"{path}: {field} has no label"
        for picture in page.all("svg"):
            assert picture.get("aria-label") or picture.get("aria-hidden") == "true", path


def test_the_page_of_all_models_says_what_is_where(pages: dict[str, Page]) -> None:
    text = re.sub(r"\s+", " ", pages["index.html"].text)
    assert "4 models, 14 versions" in text
    assert re.search(r"1\.10\.0\s*since 2026-03-13\s*by bob@example.org", text)
    assert "8 (1 yanked)" in text


def test_a_model_shows_its_versions_its_metrics_and_who_moved_it(pages: dict[str, Page]) -> None:
    page = pages[f"models/{CHURN}/index.html"]
    rows = [found for found in page.all("tr") if "data-version" in found]
    assert [row["data-version"] for row in rows][:3] == ["1.10.0", "1.10.0-rc.1", "1.2.0"]
    assert rows[0]["data-aliases"] == "prod staging"
    assert [row["data-version"] for row in rows if "data-yanked" in row] == ["1.1.1"]
    assert [found["data-metric"] for found in page.all("figure")] == ["accuracy", "log_loss", "roc_auc"]
    marks = [
        found["class"] or "" for tag, found in page.elements if tag == "g" and "mark" in (found.get("class") or "")
    ]
    assert {mark.split()[1] for mark in marks} == {"mark-prod", "mark-staging", "mark-canary"}
    text = re.sub(r"\s+", " ", page.text)
    assert "1 gate of 2 said no, and were overruled" in text
    assert "support sees odd scores for new customers" in text
    assert "frozen until 2026-04-12 20:06 by carol@example.org" in text


def test_a_version_shows_what_is_known_of_it(pages: dict[str, Page]) -> None:
    page = pages[f"models/{CHURN}/versions/1.10.0.html"]
    wanted = {
        "card",
        "metrics",
        "files",
        "axes",
        "config",
        "data",
        "changes",
        "lineage",
        "signatures",
        "log",
        "commands",
    }
    assert wanted <= set(page.ids)
    assert f"artreg pull {CHURN}@1.10.0" in page.text
    assert "+0.131 better" in page.text
    assert "model.max_iter 160 → 180" in page.text
    assert any(found.get("aria-label") == "Histogram of age" for found in page.all("svg"))
    yanked = pages[f"models/{CHURN}/versions/1.1.1.html"].text
    assert "Yanked" in yanked


def test_two_versions_are_compared_by_what_they_are(registry: Registry, pages: dict[str, Page]) -> None:
    told = json.loads(pages[f"models/{CHURN}/compare.html"].scripts["compare-data"])
    found = {version["version"]: version for version in told["versions"]}
    for number in ("1.0.0", "1.10.0"):
        sections = [[told["leaves"][leaf] for leaf in told["sections"][place]] for place in found[number]["sections"]]
        known = dict(zip(told["names"], map(dict, sections), strict=True))
        stored = json.loads(registry.store.read(f"{CHURN}/{number}/metrics.json"))
        run = json.loads(registry.store.read(f"{CHURN}/{number}/run.json"))["axes"]
        assert known["metrics"]["roc_auc"] == stored["roc_auc"]
        assert known["config"]["model.max_iter"] == run["config"]["document"]["model"]["max_iter"]
        assert known["environment"]["python"] == run["environment"]["python"]
        assert known["code"]["commit"] == f"{run['code']['commit'][:16]}…"
    assert told["better"] == {"accuracy": True, "log_loss": False, "roc_auc": True}


def test_only_what_is_asked_for_is_shown(registry: Registry) -> None:
    models, made = site.Site(registry, [CHURN]).pages()
    assert [part.model for part in models] == [CHURN]
    assert not any(str(FRAUD) in path for path, _ in made)
    assert [part.model for part in site.Site(registry, ["risk"]).pages()[0]] == [HARM]
    assert site.page(registry, f"models/{FRAUD}/index.html", [CHURN]) is None
    with pytest.raises(NotFound, match="no model or project none"):
        site.Site(registry, ["none"]).pages()


NUMBERS = st.integers(0, 99)
LABELS = st.lists(st.sampled_from(["rc", "RC", "Rc", "r-C", "0", "7", "a-"]), max_size=3).map(tuple)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, LABELS)


@settings(derandomize=True, deadline=None, database=None)
@given(VERSIONS, VERSIONS)
def test_the_names_of_pages_differ_also_where_case_does_not_count(first: Version, second: Version) -> None:
    assert (slug(first).lower() == slug(second).lower()) == (first == second)
    assert re.fullmatch(r"[0-9a-z._-]+", slug(first))
    place = place_of(version_page(CHURN, first))
    assert place is not None
    assert (place.kind, place.model, place.version) == (Kind.VERSION, CHURN, first)
