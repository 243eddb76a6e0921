"""Commands about the program itself: `help`, `man`, `completion`."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

from artreg.cli.declare import Argument, Option
from artreg.cli.output import JsonOutput
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Tone


class Shell(Enum):
    """The shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def help_(
    session: Session,
    command: Annotated[
        list[str] | None, Argument(help="A command; all by default", metavar="COMMAND", complete="commands")
    ] = None,
) -> None:
    """Show what there is, or what one command does, takes and may exit with.

    Examples: artreg help; artreg help promote; artreg help data snapshot; artreg help promote --json
    """
    from artreg.cli.help import show_help

    show_help(session.output, command or [])


def man(
    session: Session,
    command: Annotated[
        list[str] | None, Argument(help="A command; the whole by default", metavar="COMMAND", complete="commands")
    ] = None,
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="DIR", help="Write every page into this folder, for man to find")
    ] = None,
) -> None:
    """Show the man page; where nobody watches, print it as roff.

    Examples: artreg man; artreg man promote; artreg man data snapshot > snapshot.1; artreg man --out man/man1
    """
    from artreg.cli.help import no_command
    from artreg.cli.manpage import every_page

    pages = every_page()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (out / f"{name}.1").write_text(text, encoding="ascii")
        document = {"path": str(out), "files": [f"{name}.1" for name in pages]}
        session.output.result(document, [Line(f"{out} holds {len(pages)} pages")])
        return
    wanted = command or []
    roff = pages.get("-".join(("artreg", *wanted)))
    if roff is None:
        raise no_command(wanted[:-1], wanted[-1])
    if not _watched(session, roff):
        session.output.result({"roff": roff}, [Line(line) for line in roff.splitlines()])


def _watched(session: Session, roff: str) -> bool:
    """Show a page in the reader of man pages, if somebody sits there and has one."""
    import shutil
    import subprocess
    import tempfile

    reader = shutil.which("man")
    if reader is None or not sys.stdout.isatty() or isinstance(session.output, JsonOutput):
        return False
    with tempfile.TemporaryDirectory(prefix="artreg-man-") as folder:
        page = Path(folder) / "artreg.1"  # a name with a slash in it is a file to every man
        page.write_text(roff, encoding="ascii")
        return subprocess.run([reader, str(page)], check=False).returncode == 0  # noqa: S603  # of our own


def completion(
    session: Session,
    shell: Annotated[Shell | None, Argument(help="The shell; by default the one that SHELL names")] = None,
    install: Annotated[
        bool, Option("--install", help="Put the script where the shell finds it at its next start")
    ] = False,
) -> None:
    """Print the script by which a shell completes commands, options, models, versions and aliases; or install it.

    It is put into your home folder: ~/.bash_completions and a line of ~/.bashrc, ~/.zfunc and a line of ~/.zshrc, or
    ~/.config/fish/completions. artreg --install-completion does the same.

    Examples: artreg completion bash; artreg completion zsh --install
    """
    from artreg.cli import shells

    name = shell.value if shell else shells.shell_of(os.environ)
    if not install:
        text = shells.script_of(name)
        session.output.result({"shell": name, "script": text}, [Line(line) for line in text.splitlines()])
        return
    written = shells.install(name, os.path.expanduser("~"))
    blocks: list[Block] = [Line(f"wrote {path}", Tone.GOOD) for path in written]
    blocks.append(Line(f"{name} completes artreg from its next start on"))
    session.output.result({"shell": name, "installed": written}, blocks)
