"""The scripts by which shells ask artreg for completions, and where they look for them."""

from __future__ import annotations

import os

from artreg.errors import InvalidInput
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Script(Frozen):
    """What one shell needs.

    Attributes:
        name: The file in `scripts/` that it must read.
        place: The file in a user's home that holds it.
        start: The file in a user's home that the shell reads when it starts; '' if it finds the script by itself.
        line: What must stand there.
    """

    name: str
    place: str
    start: str = ""
    line: str = ""


SCRIPTS: Mapping[str, Script] = {
    "bash": Script("artreg.bash", ".bash_completions/artreg.sh", ".bashrc", "source ~/.bash_completions/artreg.sh"),
    "zsh": Script("artreg.zsh", ".zfunc/_artreg", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": Script("artreg.fish", ".config/fish/completions/artreg.fish"),
}


def shell_of(environment: Mapping[str, str]) -> str:
    """Return the shell of whoever runs this.

    Raises:
        InvalidInput: It is none that is known.
    """
    name = os.path.basename(environment.get("SHELL", ""))
    if name not in SCRIPTS:
        raise InvalidInput("which shell is it for?", hint=f"name one: {', '.join(SCRIPTS)}")
    return name


def script_of(shell: str) -> str:
    """Return the script of a shell."""
    path = os.path.join(os.path.dirname(__file__), "scripts", SCRIPTS[shell].name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def install(shell: str, home: str) -> list[str]:
    """Put the script of a shell where the shell finds it, and return the files that were written.

    Args:
        shell: Which one.
        home: The folder of the user.
    """
    script = SCRIPTS[shell]
    path = os.path.join(home, script.place)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(script_of(shell))
    return [path, *([_add_line(os.path.join(home, script.start), script.line)] if script.start else [])]


def _add_line(path: str, line: str) -> str:
    with open(path, "a+", encoding="utf-8", errors="surrogateescape") as file:  # nothing that stands there is lost
        file.seek(0)
        text = file.read()
        if line not in text.splitlines():
            file.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
    return path
