"""A real shell in a real terminal, with a home folder of its own, to press keys in."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

PATIENCE = 60.0  # seconds; a machine may be busy
PROMPT = "ready%"
CALLED = "artreg was called"
STARTED: dict[str, list[str]] = {
    "bash": ["bash", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "--interactive"],
}
PROMPTS = {
    "bash": (".bashrc", f"PS1='{PROMPT} '\n"),
    "zsh": (".zshrc", f"PROMPT='{PROMPT}% '\nunsetopt PROMPT_SP\n"),
    "fish": (".config/fish/config.fish", f"function fish_prompt; echo '{PROMPT} '; end\nset fish_greeting\n"),
}


class Terminal:
    """One interactive shell.

    Its `artreg` completes as the real one does, but when it is run it only writes down what it was given.

    Args:
        shell: Which shell.
        home: The home folder; made if it is not there.
        folder: Where it starts.
    """

    def __init__(self, shell: str, home: Path, folder: Path) -> None:
        if shutil.which(shell) is None:
            pytest.fail(f"{shell} is not installed; apt-get install {shell}")
        self.shell, self.home, self.screen = shell, home, ""
        self._calls = home / "calls"
        self._calls.touch()
        self._process, self._keyboard = self._start(folder)
        self.wait_for(PROMPT)

    def _start(self, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
        keyboard, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        process = subprocess.Popen(
            STARTED[self.shell],
            cwd=folder,
            env=environment(self.shell, self.home),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # it takes no lock
        )
        os.close(screen)
        return process, keyboard

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._keyboard, keys.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text is on the screen; it and what came before it are then forgotten."""
        self._wait(lambda: text in self.screen, f"{text!r} on the screen")
        self.screen = self.screen.partition(text)[2]

    def completed(self, line: str) -> list[str]:
        """Return the words of which artreg is called after a line, Tab and Enter."""
        self.press(f"{line}\t\r")
        self.wait_for(CALLED)
        self.wait_for(PROMPT)
        return self._calls.read_text().splitlines()[-1].split("\x1f")[:-1]

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.wait()
        os.close(self._keyboard)

    def _wait(self, found, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not found():
            if select.select([self._keyboard], [], [], 0.02)[0]:
                self.screen += os.read(self._keyboard, 65536).decode(errors="replace")
            assert time.monotonic() < end, f"{self.shell} did not show {what}:\n{self.screen}"


def environment(shell: str, home: Path) -> dict[str, str]:
    """Return the environment of somebody with nothing but a home folder and artreg."""
    programs = home / "bin"
    if not programs.exists():
        programs.mkdir(parents=True)
        name, text = PROMPTS[shell]
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
        code = "import sys; from artreg.cli import completion, main; completion._PATIENCE = 60.0; sys.exit(main.main())"
        artreg = f'exec "{sys.executable}" -c "{code}" "$@"'
        written = f'{{ printf "%s\\037" "$@"; echo; }} >> "{home}/calls"; echo {CALLED}'
        asked = '[ -n "$_ARTREG_COMPLETE" ] || [ "$1" = --install-completion ]'
        (programs / "artreg").write_text(f"#!/bin/sh\nif {asked}; then {artreg}; else {written}; fi\n")
        (programs / "artreg").chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": f"{programs}:/usr/bin:/bin",
        "SHELL": f"/usr/bin/{shell}",
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
