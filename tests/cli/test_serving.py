"""`artreg ui`: what it says before it serves, what it refuses, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from cli.conftest import Shell

ARTREG = str(Path(sys.executable).with_name("artreg"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_answers_serves_and_ends_when_told(shell: Shell, how: signal.Signals) -> None:
    shell.publish("1.0.0")
    command = [ARTREG, "ui", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline()]
            while lines[-1] not in {"}\n", ""}:
                lines.append(process.stdout.readline())
            said = json.loads("".join(lines))
            assert set(said) == {"url", "port", "registry"}
            with urlopen(said["url"], timeout=120) as answer:
                assert "churn" in answer.read().decode()
            process.send_signal(how)
            rest, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--host 0.0.0.0", 2),
        ("--host example.org", 2),
        ("--port 70000", 2),
        ("--port -1", 2),
        ("--port {taken}", 2),
        ("-r nowhere", 5),
    ],
)
def test_what_it_refuses(shell: Shell, words: str, code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = shell.run("ui", *words.format(taken=taken.getsockname()[1]).split(), "--json")
    assert ran.code == code
    assert ran.json["error"]["hint"]
