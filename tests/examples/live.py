"""A service that runs, clients that keep asking it, and a registry whose alias moves meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import sklearn
import skops.io
from sklearn.linear_model import LinearRegression

from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.store.local import LocalStore

SERVICE = Path(__file__).parents[2] / "examples" / "fastapi"
CHURN = ModelName("demo", "churn")
PROD = Alias("prod")
OPEN = parse_policy({"aliases": {"prod": {}}})
COMMAND = ["uvicorn", "service:app"]
PATIENCE = 300.0  # seconds; a machine may be busy


class Line:
    """A registry with versions of which number i predicts i times what it is asked, and where prod was moved."""

    def __init__(self, root: Path, made: Path) -> None:
        self.root = root
        self.made = made
        self.moves: dict[int, int] = {}
        self.digests: dict[int, str] = {}

    def publish(self, number: int, sklearn_version: str = sklearn.__version__) -> None:
        folder = self.made / str(number)
        folder.mkdir(parents=True)
        inputs = pd.DataFrame({"x": [0.0, 1.0, 2.0]})
        with mock.patch("sklearn.base.__version__", sklearn_version):
            skops.io.dump(LinearRegression().fit(inputs, number * inputs["x"]), folder / "model.skops")
        self.digests[number] = publish(self.registry, CHURN, folder, Version(number, 0, 0)).digest

    def move(self, number: int, *, damaged: bool = False, key: Path | None = None) -> int:
        """Move prod, and return the generation; to a version that is damaged once the gates have looked at it."""
        generation = max(self.moves, default=0) + 1
        self.moves[generation] = number  # known before any service can see it

        class Damaging(LocalStore):
            def create(store, key: str, data: bytes) -> None:  # noqa: N805
                if "/history/prod/" in key and damaged:
                    self.spoil(number)
                super().create(key, data)

        registry = replace(self.registry, store=Damaging(str(self.root)), signing_key=None if key is None else str(key))
        moved = promote(registry, CHURN, Version(number, 0, 0), PROD, OPEN)
        assert moved.record.generation == generation
        return generation

    def spoil(self, number: int) -> None:
        """Alter a byte of a model; once more makes it whole again."""
        file = self.root / "demo" / "churn" / f"{number}.0.0" / "model.skops"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.chmod(0o644)
        file.write_bytes(data)

    @property
    def registry(self) -> Registry:
        return Registry(LocalStore(str(self.root)), "ada@example.com")

    def is_right(self, answer: dict[str, Any], asked: float) -> bool:
        """Whether an answer names what prod was at that generation, and is what that version predicts."""
        number = self.moves[answer["generation"]]
        named = answer["version"] == f"{number}.0.0" and answer["digest"] == self.digests[number]
        return named and abs(answer["predictions"][0] - number * asked) < 1e-6


@dataclass
class Client:
    """Keeps asking on one connection, and looks at each answer."""

    port: int
    line: Line
    seen: set[int] = field(default_factory=set)
    answers: int = 0
    complaints: list[str] = field(default_factory=list)

    def ask(self, stop: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.auto_open = 0  # a lost connection is a complaint
        connection.connect()
        last = 0
        while not stop.is_set() and not self.complaints:
            asked = float(self.answers % 17 + 1)
            try:
                code, answer = request(connection, "POST", "/predict", {"rows": [{"x": asked}]})
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.complaints.append(repr(error))
                break
            if code != 200:
                self.complaints.append(f"{code}: {answer}")
            elif answer["generation"] < last or not self.line.is_right(answer, asked):
                self.complaints.append(f"after generation {last}, asked for {asked}: {answer}")
            else:
                last = answer["generation"]
                self.seen.add(last)
                self.answers += 1
        connection.close()


def request(
    connection: http.client.HTTPConnection, method: str, path: str, body: dict[str, Any] | None = None
) -> tuple[int, Any]:
    words = None if body is None else json.dumps(body)
    connection.request(method, path, words, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def once(port: int, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Ask on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        return request(connection, "GET" if body is None else "POST", path, body)
    finally:
        connection.close()


@contextmanager
def asking(port: int, line: Line, clients: int) -> Iterator[list[Client]]:
    """Have clients ask all the while; afterwards none may have a complaint."""
    stop = threading.Event()
    group = [Client(port, line) for _ in range(clients)]
    threads = [threading.Thread(target=client.ask, args=(stop,)) for client in group]
    for thread in threads:
        thread.start()
    try:
        yield group
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [complaint for client in group for complaint in client.complaints] == []


def served(clients: Sequence[Client], generation: int) -> None:
    """Wait until every client had an answer of a generation; a client that complains is not waited for."""
    until(lambda: all(generation in it.seen or it.complaints for it in clients), f"generation {generation}")
    assert [complaint for client in clients for complaint in client.complaints] == []


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.005)


@contextmanager
def service(root: Path, *words: str) -> Iterator[int]:
    """Run the example by uvicorn, and yield its port."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ARTREG_")}
    variables |= {"ARTREG_REGISTRY": str(root), "EVERY": "0.05", "ARTREG_CACHE": "off"}
    quiet = ["--no-access-log", "--timeout-keep-alive", str(int(PATIENCE))]
    process = subprocess.Popen(
        [sys.executable, "-m", *COMMAND, "--port", "0", *quiet, *words],
        cwd=SERVICE,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    drain = threading.Thread(target=process.stderr.read)
    try:
        said = ""
        while not (port := re.search(r"running on http://127\.0\.0\.1:(\d+)", said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        drain.start()
        until(lambda: is_open(int(port[1])), "an open port")  # which a worker opens, and not the one who told of it
        yield int(port[1])
        assert process.poll() is None, "the service has ended"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        if drain.is_alive():
            drain.join()
        process.stderr.close()


def is_open(port: int) -> bool:
    with socket.socket() as end:
        return end.connect_ex(("127.0.0.1", port)) == 0
