"""The documentation as a whole: every page has its place, every link its target, every command its test."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, parameters_of
from artreg.cli.settings import Settings
from artreg.cli.table import COMMANDS, Group
from docs.sessions import DOCUMENTS, ROOT, every_block, steps
from hook import ELSEWHERE, relinked
from reference import PAGES, json_documents
from reference.commands import FOLDER
from reference.settings import VARIABLES

LANGUAGES = {"bash", "console", "dockerfile", "json", "python", "sh", "text", "toml", "yaml"}
OTHERS = {"aws", "mc", "npx", "radosgw-admin"}
"""Programs that pages name and no test runs, for they are of services that are not here."""

IN_DOCS = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


@cache
def made(name: str) -> str:
    """Return a page that is made of the code; the one that takes seconds is made where the site is built."""
    return PAGES[name]() if name != "reference/json.md" else ""


def texts() -> Iterator[tuple[str, str]]:
    """Yield every page with its name in the site, or in the repository."""
    for path in DOCUMENTS:
        yield path.relative_to(ROOT).as_posix(), path.read_text()
    for name in PAGES:
        yield name, made(name)


def nav(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from nav(inner)


def test_every_page_is_in_the_navigation_once() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    once = [name for name in PAGES if Path(name).parent.as_posix() != FOLDER]  # the hook adds the others
    assert sorted(nav(site["nav"])) == sorted([*IN_DOCS, *once, f"{FOLDER}/index.md", *ELSEWHERE.values()])


def test_every_block_is_of_a_known_language() -> None:
    for name, text in texts():
        fences = re.findall(r"^```(.*)$", text, re.MULTILINE)
        opening = [re.sub(r' title="[^"]+"$', "", fence) for fence in fences[::2]]
        assert len(fences) % 2 == 0, name
        assert set(fences[1::2]) <= {""}, f"{name}: a block is not closed"
        left_open = {""} if not name.startswith(("docs/", "reference/")) else set()
        assert set(opening) <= LANGUAGES | left_open, name


@pytest.mark.parametrize("name", [*IN_DOCS, *ELSEWHERE.values(), *PAGES])
def test_links_in_the_site_lead_somewhere(name: str) -> None:
    pages = {*IN_DOCS, *PAGES, *ELSEWHERE.values()}
    home = {there: here for here, there in ELSEWHERE.items()}.get(name, f"docs/{name}")
    text = relinked((ROOT / home).read_text() if (ROOT / home).exists() else made(name), name)
    for target in re.findall(
        r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    ):
        if re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[\w./~%-]*)?", target):
            continue
        found = (Path("/") / Path(name).parent / target).as_posix()
        place = re.sub(r"[^/]+/\.\./", "", found).lstrip("/")
        assert place in pages or (ROOT / "docs" / place).is_file(), f"{target} of {name}"


def test_every_session_is_played() -> None:
    """A page with commands is named by a test that does what it says."""
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for name in [*map("docs/{}".format, IN_DOCS), "README.md"]:
        kinds = {block.kind for block in every_block(name) if block.kind != "bash" or not foreign(block.body)}
        for kind in kinds & {"console", "bash", "python"} if name != "docs/index.md" else ():
            played = rf'(read\("{name}"|blocks\("{name}", "{kind}"\)|every_block\("{name}"\))'
            assert re.search(played, tests), f'no test plays the blocks "{kind}" of {name}'


def foreign(block: str) -> bool:
    """Whether a block calls only programs that are not here."""
    return {line.split()[0] for line in block.replace("\\\n", " ").splitlines() if line} <= {*OTHERS, "export"}


def lines(text: str) -> Iterator[str]:
    """Yield every command that a page shows, in blocks or between the words."""
    for _, kind, body in re.findall(r'^(```)(\w+)(?: title="[^"\n]+")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL):
        if kind == "console":
            yield from (command for command, _ in steps(body))
        elif kind == "bash":
            yield from body.replace("\\\n", " ").splitlines()
        elif kind == "yaml":
            yield from re.findall(r"^ *- (?:run: )?(artreg .*?)(?: #.*)?$", body, re.MULTILINE)
    yield from (" ".join(code.split()) for code in re.findall(r"(?<!`)`(artreg [^`]+)`(?!`)", prose(text)))


def prose(text: str) -> str:
    """Return a page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def calls(line: str) -> Iterator[list[str]]:
    """Yield what follows `artreg` in a command, without what the shell makes of the rest."""
    for part in re.split(r"&&|\|\||[|;>()]|\$\(", re.sub(r"\$\(\([^)]*\)[^)]*\)+", "N", line)):
        words = part.replace("'", "").replace('"', "").split()
        if "artreg" in words:
            yield words[words.index("artreg") + 1 :]


def misspelt(words: list[str]) -> str:
    """Say what of a call there is no such thing of; '' if all of it is known."""
    every = [*COMMON.values(), *COMMON_FLAGS.values()]
    options = {name for option in every for name in option.names} | {"--help", "-h", "--version"}
    words = list(words)
    while words and words[0].startswith("-") and words[0] in options:
        words.pop(0)
    if not words or not re.fullmatch(r"[a-z]+", words[0]):
        return ""  # `artreg` alone, or a word in capitals that stands for any
    name = words.pop(0)
    entry = COMMANDS.get(name)
    if isinstance(entry, Group):
        if not words or words[0].startswith("-"):
            return ""
        entry = entry.entries.get(words[0])
    if entry is None:
        return f"there is no command {name} {' '.join(words[:1])}"
    parameters = [it.marker for it in parameters_of(entry.load())]
    options |= {name for it in parameters if not isinstance(it, Argument) for name in it.names}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]
    return f"{name} has no {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("name", [path.relative_to(ROOT).as_posix() for path in DOCUMENTS] + list(PAGES))
def test_every_command_in_the_text_is_one(name: str) -> None:
    text = (ROOT / name).read_text() if name not in PAGES else made(name)
    for line in lines(text):
        for words in calls(line):
            assert misspelt(words) == "", line


def test_a_misspelt_command_is_seen() -> None:
    text = "`artreg promot churn`, `artreg verify --al`\n\n```bash\nx=1 artreg data lst | cat\n```\n"
    found = [misspelt(words) for line in lines(text) for words in calls(line)]
    assert found == ["there is no command data lst", "there is no command promot churn", "verify has no --al"]


def test_the_commands_about_rights_print_policies(capsys: pytest.CaptureFixture[str]) -> None:
    from artreg.cli.main import main

    ran = 0
    for block in every_block("docs/s3.md"):
        for line in block.body.replace("\\\n", " ").splitlines() if block.kind == "bash" else ():
            words = shlex.split(line.partition(" > ")[0])
            if not words or words[0] in OTHERS:
                continue
            assert words[0] == "artreg", line
            assert main(words[1:]) == 0, line
            assert '"Statement"' in capsys.readouterr().out
            ran += 1
    assert ran >= 9


@pytest.mark.parametrize("name", [name for name in PAGES if name != "reference/json.md"])
def test_the_reference_has_words_for_everything(name: str) -> None:
    empty = [line for line in made(name).splitlines() if re.match(r"^\| .* \|  \|$", line)]
    assert empty == []


def test_every_command_has_a_document_in_the_reference() -> None:
    """A new command gets a line in SCRIPT, or one in NONE, of scripts/docs/reference/json_documents.py."""
    shown = [f"{words} " for words in json_documents.SCRIPT]
    for name in json_documents.names():
        assert name in json_documents.NONE or any(words.startswith(f"{name} ") for words in shown), name


def test_every_variable_of_the_environment_is_documented() -> None:
    known = {*VARIABLES, *(f"ARTREG_{name.upper()}" for name in Settings.__match_args__)}
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r'(?:environ(?:\.get|\.setdefault)?[\[(])"((?:[A-Z]+_)*[A-Z]+)"', path.read_text()))
        read |= set(re.findall(r'"(ARTREG_[A-Z_]+)"', path.read_text()))
    assert read - known <= SET_FOR_OTHERS


SET_FOR_OTHERS = {"CUBLAS_WORKSPACE_CONFIG", "RAY_ENABLE_UV_RUN_RUNTIME_ENV"}
"""Variables that artreg sets for libraries, and does not go by."""


@pytest.mark.slow  # it installs mkdocs, trains a model for the examples, and builds
def test_the_site_is_built_without_a_warning() -> None:
    subprocess.run(["make", "docs"], cwd=ROOT, check=True)
    built = ROOT / "build" / "docs"
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    for page in nav(site["nav"]):
        assert (built / page).with_suffix(".html").is_file()
