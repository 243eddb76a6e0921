"""Commands about the program itself: `help`, `completion`."""

from __future__ import annotations

import os
from enum import Enum
from typing import Annotated

from artreg.cli.declare import Argument, Option
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
