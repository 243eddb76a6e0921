"""A registry whose aliases move, a web server that hears of it as a process of its own, and what it heard."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from artreg.core.names import Alias, ModelName
from artreg.core.record import Action
from artreg.hooks.config import Hook

SECRET = b"a secret of thirty-two bytes....."
VARIABLE = "DEPLOY_SECRET"
SECRETS = {VARIABLE: "whsec_" + base64.b64encode(SECRET).decode()}


def hook(name: str = "deploy", **said: Any) -> Hook:
    """Return a hook that is told of all moves, and tries only once, but for what is said."""
    url = said.pop("url", None if "command" in said else "http://127.0.0.1:9/")
    told: dict[str, Any] = {
        "secret": None if url is None else VARIABLE,
        "command": (),
        "models": frozenset[ModelName](),
        "aliases": frozenset[Alias](),
        "actions": frozenset({Action.PROMOTE, Action.ROLLBACK}),
        "since": datetime(2026, 1, 1, tzinfo=UTC),
        "timeout": 10.0,
        "retry_for": 0.0,
    }
    return Hook(name=name, url=url, **{**told, **said})


@dataclass
class Heard:
    """A request that the web server got."""

    manner: str
    headers: Mapping[str, str]
    body: str
    path: str

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def taken(self) -> bool:
        return self.manner in {"ok", "hang"}


@dataclass
class Receiver:
    """The web server; it comes back under the port that it had."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/secret-path"

    @property
    def _log(self) -> Path:
        return self.folder / "heard.jsonl"

    def behave(self, *lines: str) -> None:
        """Say how the next requests are answered; the last manner is for all that follow."""
        temporary = self.folder / "manners.new"
        temporary.write_text("\n".join(lines))
        temporary.replace(self.folder / "manners")

    def start(self) -> None:
        with self._log.open("a") as log:
            log.write("\n")  # a line that was cut off by a kill was never answered
        script = Path(__file__).with_name("receiver.py")
        words = [sys.executable, str(script), str(self.port), str(self._log), str(self.folder / "manners")]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def forget(self) -> None:
        """Be as new, for another test."""
        if self.process is None:
            self.start()
        self._log.write_text("")
        self.behave("ok")

    def kill(self) -> None:
        """End it as a loss of power would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def heard(self) -> list[Heard]:
        if not self._log.exists():
            return []
        lines = self._log.read_text().splitlines()
        return [Heard(**json.loads(line)) for line in lines if line.endswith("}") and line.startswith("{")]

    def taken(self) -> list[dict[str, Any]]:
        """The events that it took."""
        return [one.event for one in self.heard() if one.taken]


def wait_until(holds: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Wait until something holds; what will never hold fails at last with what was seen, and does not hang for ever."""
    end = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < end, f"it never came; seen: {seen()}"
        time.sleep(0.01)


def ended(pid: str) -> bool:
    """Return whether a process has ended, looked after by its parent or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def numbers_by_source(events: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Return the numbers of events by where they come from, each where it came first; the same number has one id."""
    ids: dict[tuple[str, str], str] = {}
    found: dict[str, list[int]] = {}
    for event in events:
        key = (event["source"], event["sequence"])
        if key not in ids:
            found.setdefault(event["source"], []).append(int(event["sequence"]))
        assert ids.setdefault(key, event["id"]) == event["id"]
    return found
