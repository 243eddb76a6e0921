"""What the documents show, taken out of them, and what they tell people to type, typed.

In a block `console` a line that begins with `$ ` is a command (`> ` goes on with it), and what follows is what it
prints: `…` stands for anything, on a line of its own for any lines. A block with a title is a file of that name.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])

_BLOCK = re.compile(r'^```(?P<kind>\w*)(?: title="(?P<title>[^"\n]+)")?\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL)
_OWN = {"_", "SHLVL", "PWD", "OLDPWD"}
"""Variables that belong to a shell, and not to whoever types."""


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, the file that it shows if it has a title, and its text."""

    kind: str
    title: str
    body: str


@dataclass(frozen=True)
class Step:
    """A command of a session, what the page shows of its output, and what it printed."""

    command: str
    shown: str
    printed: str

    @property
    def holds(self) -> bool:
        return matches(self.shown, self.printed)


def every_block(name: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    text = (ROOT / name).read_text()
    return [Block(it["kind"], it["title"] or "", it["body"]) for it in _BLOCK.finditer(text)]


def blocks(name: str, kind: str) -> list[str]:
    """Return the blocks of a page that are in one language."""
    return [block.body for block in every_block(name) if block.kind == kind]


def environment(**more: str) -> dict[str, str]:
    """Return the variables of somebody who has artreg on the path, and no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "AWS_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "ARTREG_CACHE": "off", "PATH": path, "COLUMNS": "120", **more}


def newcomer() -> dict[str, str]:
    """Return the variables of somebody who has nothing of artreg yet."""
    here = str(Path(sys.executable).parent)
    path = ":".join(part for part in os.environ["PATH"].split(":") if part != here)
    left_out = {
        "VIRTUAL_ENV",
        "UV_RUN_RECURSION_DEPTH",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "MAKELEVEL",
        "MAKEFLAGS",
        "MFLAGS",
    }
    return {name: value for name, value in environment(PATH=path).items() if name not in left_out}


def shell(command: str, folder: Path, variables: dict[str, str]) -> str:
    """Return what a command prints, and its exit code where that is not 0."""
    printed, code = typed(command, folder, variables)
    return printed + (f"\n[exit {code}]" if code and "||" not in command else "")


def typed(command: str, folder: Path, variables: dict[str, str], before: int = 0) -> tuple[str, int]:
    """Type a command.

    Args:
        command: The command.
        folder: Where.
        variables: The environment; what the command exports is there afterwards.
        before: The exit code of the command before it.

    Returns:
        What it printed, and its exit code.
    """
    with tempfile.NamedTemporaryFile() as left:
        script = f"(exit {before})\n{command}\ncode=$?; env -0 >{left.name}; exit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        pairs = (pair.partition("=") for pair in Path(left.name).read_text().split("\0") if pair)
        exported = {name: value for name, _, value in pairs if name not in _OWN}
    if exported:
        variables.clear()
        variables.update(exported)
    return done.stdout.decode(), done.returncode


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a session with what is shown of its output."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *rest = step.split("\n")
        while rest and rest[0].startswith("> "):
            command += "\n" + rest.pop(0).removeprefix("> ")
        yield command, "\n".join(rest).rstrip("\n")


def matches(shown: str, printed: str) -> bool:
    """Whether what was printed is what is shown, `…` standing for anything, on a line of its own for any lines."""
    pattern = "\n".join("[^\0]*" if line == "…" else _pattern(line.rstrip()) for line in shown.split("\n"))
    return re.fullmatch(pattern, "\n".join(_lines(printed))) is not None


def _pattern(line: str) -> str:
    return re.sub(r"…(\\ )*", ".*", re.escape(line))  # what stands for less must not move a column


def _lines(printed: str) -> list[str]:
    return [line.rstrip() for line in printed.rstrip("\n").split("\n")]


def read(name: str, folder: Path, variables: dict[str, str]) -> int:
    """Do what a whole page says, and compare; return how many commands there were.

    Where `ARTREG_TEST_WRITE` is set, the page is written anew instead, with what its commands print now.
    """
    page = every_block(name)
    if not os.environ.get("ARTREG_TEST_WRITE"):
        return follow(page, folder, variables)
    steps_done = list(done(page, folder, variables))
    (ROOT / name).write_text(rewritten((ROOT / name).read_text(), steps_done, folder))
    return len(steps_done)


def play(sessions: Iterable[str], folder: Path, variables: dict[str, str]) -> int:
    """Run every step of some sessions and compare; return how many there were."""
    return follow((Block("console", "", session) for session in sessions), folder, variables)


def follow(page: Iterable[Block], folder: Path, variables: dict[str, str]) -> int:
    """Do what a page says, and compare; return how many commands there were."""
    typed_in = 0
    for step in done(page, folder, variables):
        assert step.holds, f"$ {step.command}\n--- printed:\n{step.printed}\n--- shown:\n{step.shown}"
        typed_in += 1
    return typed_in


def done(page: Iterable[Block], folder: Path, variables: dict[str, str]) -> Iterator[Step]:
    """Do what a page says: write its files, type its commands; yield each command when it is done."""
    code = 0
    for block in page:
        if block.title:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.body)
        elif block.kind == "console":
            for command, shown in steps(block.body):
                printed, code = typed(command, folder, variables, code)
                yield Step(command, shown, printed)


def rewritten(text: str, steps_done: Iterable[Step], folder: Path) -> str:
    """Return a page with what its commands printed, wherever that is not what it shows.

    Args:
        text: The page.
        steps_done: Its commands, in order.
        folder: Where they were typed; it stands for what is different elsewhere.
    """
    at = 0
    for step in steps_done:
        command = "$ " + step.command.replace("\n", "\n> ") + "\n"
        begin = text.index(command, at) + len(command)
        end = begin + len(step.shown)
        output = step.shown if step.holds else _lasting(step, folder)
        text = text[:begin] + output + ("" if step.shown or not output else "\n") + text[end:]
        at = begin + len(output)
    return text


_CHANGES = (
    r"\b[0-9a-f]{12,}\b",  # digests
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?",  # times
    r"(?<=Python )\d+\.\d+\.\d+",
)


def _lasting(step: Step, folder: Path) -> str:
    """Return what a command printed, with `…` for what will be different the next time; lines that hold stay."""
    before = [line for line in step.shown.split("\n") if line.strip("… ")]
    lines = []
    for line in _lines(step.printed):
        same = next((old for old in before if re.fullmatch(_pattern(old), line)), None)
        lines.append(_masked(line.replace(str(folder), "…")) if same is None else same)
    return "\n".join(lines)


def _masked(line: str) -> str:
    for pattern in _CHANGES:
        line = re.sub(rf"{pattern}(?P<space> *)", _mask, line)
    return line.rstrip()


def _mask(found: re.Match[str]) -> str:
    return "…".ljust(len(found[0])) if found["space"] else "…"
