"""The example of a service that follows an alias: while it moves no request fails, and each answer says who made it."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import math
import socket
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import yaml
from anyio import to_thread

from artreg.core.version import Version
from artreg.registry.freeze import freeze
from artreg.registry.rollback import rollback
from artreg.registry.yank import yank
from docs.sessions import blocks, environment, play
from examples.live import (
    CHURN,
    COMMAND,
    OPEN,
    PATIENCE,
    PROD,
    SERVICE,
    Line,
    asking,
    is_open,
    once,
    served,
    service,
    until,
)
from keys import allow, make_key, needs_openssh


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return imported()


def imported() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_service", SERVICE / "service.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def line(tmp_path: Path) -> Line:
    (tmp_path / "registry").mkdir()
    return Line(tmp_path / "registry", tmp_path / "made")


@pytest.mark.slow  # it runs a service under load
@pytest.mark.parametrize(("workers", "moves"), [(1, 50), (2, 10)])
def test_no_request_fails_while_the_alias_moves(workers: int, moves: int, line: Line) -> None:
    for number in range(1, 11):
        line.publish(number)
    line.move(10)
    with service(line.root, "--workers", str(workers)) as port:
        until(lambda: once(port, "/ready")[0] == 200, "a model")
        with asking(port, line, clients=8 * workers) as clients:
            for number in range(moves):
                served(clients, line.move(number % 10 + 1))
            served(clients, max(line.move(number) for number in (5, 6, 7, 8)))  # faster than anybody looks
            assert once(port, "/health")[1]["status"] == "ok"
    print(f"{sum(client.answers for client in clients)} answers during {moves} moves, none of them wrong")
    assert all(it.seen >= set(range(2, moves + 2)) for it in clients)


@pytest.mark.slow  # it runs a service under load
def test_what_goes_wrong_is_told_and_keeps_nobody_from_being_served(line: Line) -> None:
    line.root.rmdir()
    with service(line.root) as port:
        assert once(port, "/ready")[0] == once(port, "/predict", {"rows": [{"x": 1}]})[0] == 503
        code, health = once(port, "/health")
        assert (code, health["status"], "version" in health) == (200, "starting", False)
        assert health["problem"].startswith("not_found: there is no registry at ")

        line.root.mkdir()
        for number in range(1, 6):
            line.publish(number)
        line.move(1)
        until(lambda: once(port, "/ready")[0] == 200, "a model")
        with asking(port, line, clients=4) as clients:
            served(clients, line.move(2))
            line.move(3, damaged=True)
            until(lambda: once(port, "/health")[1]["status"] == "degraded", "the problem")
            code, health = once(port, "/health")
            assert (code, health["version"], health["generation"]) == (200, "2.0.0", 2)
            assert health["problem"] == "integrity: model.skops of demo/churn@3.0.0 does not match its checksum"
            assert once(port, "/ready")[0] == 200
            served(clients, line.move(4))  # the next good one is gone along with
            assert not any(3 in it.seen for it in clients)

            line.move(5, damaged=True)
            until(lambda: "churn@5.0.0" in once(port, "/health")[1]["problem"], "the problem")
            line.spoil(5)
            served(clients, 5)  # and one that was made whole

            line.publish(6, sklearn_version="1.3.0")
            line.move(6)
            until(lambda: "churn@6.0.0" in once(port, "/health")[1]["problem"], "the problem")
            assert "from version 1.3.0 when using version" in once(port, "/health")[1]["problem"]
            served(clients, line.move(4))

            away = line.root.rename(line.root.with_name("away"))
            until(lambda: once(port, "/health")[1]["problem"].startswith("not_found"), "the loss")
            away.rename(line.root)
            served(clients, line.move(1))
        until(lambda: once(port, "/health")[1]["status"] == "ok", "the end of the trouble")  # just after the model
        health = once(port, "/health")[1]
        assert (health["status"], health["version"], health["problem"]) == ("ok", "1.0.0", "")
        code, answer = once(port, "/predict", {"rows": [{"y": 1.0}]})
        assert (code, answer["detail"]["version"]) == (422, "1.0.0")


@pytest.mark.slow  # it runs a service
def test_the_page_about_serving(line: Line) -> None:
    for number in (1, 2):
        line.publish(number)
    line.move(1)
    (line.root.parent / "configs").mkdir()
    (line.root.parent / "configs" / "policy.yaml").write_text("aliases: {prod: {}}\n")
    (start,) = blocks("docs/howto/serving.md", "bash")
    assert start.split()[1:] == [*COMMAND, "--port", "8000"]
    with service(line.root) as port:
        shown = [it.replace("localhost:8000", f"localhost:{port}") for it in blocks("docs/howto/serving.md", "console")]
        assert play(shown, line.root.parent, environment()) == 4


@pytest.mark.slow  # it runs a service
def test_a_request_that_is_there_is_answered_before_the_end(line: Line) -> None:
    line.publish(1)
    line.move(1)
    body = b'{"rows": [{"x": 3}]}'
    with socket.socket() as client, ThreadPoolExecutor() as later:
        with service(line.root) as port:
            client.connect(("127.0.0.1", port))
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            client.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body[:9]))
            assert once(port, "/ready")[0] == 200  # so the half above has come, too

            def finish() -> bytes:
                until(lambda: not is_open(port), "the end")
                client.sendall(body[9:])
                return client.makefile("rb").read()

            answer = later.submit(finish)
        assert b"200 OK" in answer.result()
        assert b'"predictions":[' in answer.result()


def test_the_probes_of_the_page_are_there(example: ModuleType) -> None:
    (shown,) = blocks("docs/howto/serving.md", "yaml")
    probes = [it["httpGet"]["path"] for it in yaml.safe_load(shown).values() if "httpGet" in it]
    assert probes == ["/health", "/ready", "/health"]
    assert set(probes) <= {route.path for route in example.app.routes}


def test_a_look_goes_along_or_leaves_what_is_served(example: ModuleType, line: Line) -> None:
    follower = example.Follower("churn@prod", root=line.root)
    assert looked(follower) == (None, f"not_found: there is no model demo/churn in {line.root}")
    line.publish(1)
    line.publish(2)
    line.move(1)
    assert looked(follower) == ("demo/churn@1.0.0", "")
    before = follower.serving
    line.move(2, damaged=True)
    assert looked(follower) == (
        "demo/churn@1.0.0",
        "integrity: model.skops of demo/churn@2.0.0 does not match its checksum",
    )
    assert follower.serving is before
    line.spoil(2)
    assert looked(follower) == ("demo/churn@2.0.0", "")
    assert before.source.version != follower.serving.source.version  # whoever holds the old one still has it whole


def test_an_old_model_is_let_go(example: ModuleType, line: Line) -> None:
    for number in (1, 2, 3):
        line.publish(number)
    line.move(1)
    follower = example.Follower("churn@prod", root=line.root)
    follower.look()
    old = weakref.ref(follower.serving.model.model)
    line.move(2, damaged=True)
    assert "does not match" in looked(follower)[1]
    line.move(3)
    assert looked(follower) == ("demo/churn@3.0.0", "")
    gc.collect()
    assert old() is None


def test_an_alias_that_went_back_is_not_believed(example: ModuleType, line: Line, tmp_path: Path) -> None:
    for number in (1, 2):
        line.publish(number)
        line.move(number)
    plain = example.Follower("churn@prod", root=line.root)
    careful = [example.Follower("churn@prod", root=line.root, seen=tmp_path / "seen") for _ in range(2)]
    assert looked(plain) == looked(careful[0]) == ("demo/churn@2.0.0", "")
    (line.root / "demo" / "churn" / "history" / "prod" / "00000002.json").unlink()
    assert looked(plain) == ("demo/churn@2.0.0", "integrity: churn@prod went back from generation 2")
    source, problem = looked(careful[0])
    assert (source, problem.partition(":")[0]) == ("demo/churn@2.0.0", "integrity")
    assert looked(careful[1]) == (None, problem)  # nor by one that was started later, where that is remembered


@needs_openssh
def test_whose_moves_are_believed_can_be_said(example: ModuleType, line: Line, tmp_path: Path) -> None:
    key = make_key(tmp_path, "id")
    line.publish(1)
    line.publish(2)
    line.move(1, key=key)
    demands = {"moved_by": ["ada@example.com"], "allowed_signers": allow(tmp_path, ada=key)}
    follower = example.Follower("churn@prod", root=line.root, **demands)
    assert looked(follower) == ("demo/churn@1.0.0", "")
    line.move(2)
    source, problem = looked(follower)
    assert (source, problem.partition(":")[0]) == ("demo/churn@1.0.0", "integrity")
    line.move(1, key=key)
    assert looked(follower) == ("demo/churn@1.0.0", "")
    assert follower.serving.source.generation == 3


def test_whose_moves_are_believed_is_said_as_to_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTREG_MOVED_BY", "ada@example.com, bob@example.com,")
    assert imported().follower._opening["moved_by"] == ["ada@example.com", "bob@example.com"]


def test_whoever_is_let_in_finds_that_somebody_has_looked(
    example: ModuleType, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = example.Follower("churn@prod", root=line.root)
    monkeypatch.setattr(example, "follower", follower)

    async def let_in() -> bool:
        async with example.lifespan(example.app):
            return follower.looked is not None

    assert asyncio.run(let_in())


def test_the_same_bytes_are_not_loaded_again(example: ModuleType, line: Line) -> None:
    line.publish(1)
    line.move(1)
    follower = example.Follower("churn@prod", root=line.root)
    follower.look()
    before = follower.serving
    freeze(line.registry, CHURN, PROD, datetime.now(UTC) + timedelta(hours=1), "a quiet night")
    follower.look()
    assert follower.serving.source.generation == before.source.generation + 1
    assert follower.serving.model is before.model
    assert follower.serving.since == before.since


def test_a_look_that_does_not_end_is_told(example: ModuleType, line: Line) -> None:
    follower = example.Follower("churn@prod", root=line.root)
    assert follower.trouble == f"no look at the registry has ended since {follower.started}"
    follower.look()
    follower.problem = ""
    follower.looked -= 2 * example.PATIENCE
    assert follower.trouble == f"no look at the registry has ended since {follower.looked}"


def test_what_was_yanked_is_served_and_told(example: ModuleType, line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "uvicorn.error")
    for number in (1, 2):
        line.publish(number)
        line.move(number)
    follower = example.Follower("churn@prod", root=line.root)
    assert looked(follower) == ("demo/churn@2.0.0", "")
    yank(line.registry, CHURN, Version(2, 0, 0), "it leaks the label")
    source, problem = looked(follower)
    assert (source, follower.problem) == ("demo/churn@2.0.0", "")  # so the next look comes no later
    assert problem.endswith(": it leaks the label")
    rollback(line.registry, CHURN, PROD, OPEN, reason="see above")
    assert looked(follower) == ("demo/churn@1.0.0", "")
    assert caplog.messages == [
        "serving demo/churn@2.0.0, generation 2",
        problem,
        "serving demo/churn@1.0.0, generation 4",
        "all is well again",
    ]


def test_what_is_computed_may_go_back(example: ModuleType, line: Line) -> None:
    line.publish(1)
    follower = example.Follower("churn@latest", root=line.root)
    assert looked(follower) == ("demo/churn@1.0.0", "")
    line.publish(2)
    assert looked(follower) == ("demo/churn@2.0.0", "")
    yank(line.registry, CHURN, Version(2, 0, 0), "it leaks the label")
    assert looked(follower) == ("demo/churn@1.0.0", "")


@pytest.mark.parametrize(("answer", "code"), [(math.inf, 422), (ValueError("rows"), 422), (AttributeError("x"), 500)])
def test_whatever_a_model_does_its_version_is_named(
    example: ModuleType, line: Line, monkeypatch: pytest.MonkeyPatch, answer: object, code: int
) -> None:
    line.publish(1)
    line.move(1)
    follower = example.Follower("churn@prod", root=line.root)
    follower.look()
    model = Mock(predict=Mock(side_effect=[answer if isinstance(answer, Exception) else np.array([answer])]))
    follower.serving = replace(follower.serving, model=model)
    monkeypatch.setattr(example, "follower", follower)
    with pytest.raises(example.HTTPException) as refused:
        example.predict(example.Rows(rows=[{"x": 1}]))
    assert (refused.value.status_code, refused.value.detail["version"]) == (code, "1.0.0")


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_are_answered_while_every_thread_is_busy(
    example: ModuleType, line: Line, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    line.publish(1)
    line.move(1)
    follower = example.Follower("churn@prod", root=line.root)
    follower.look()
    monkeypatch.setattr(example, "follower", follower)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def ask() -> None:
        threads = to_thread.current_default_thread_limiter()
        for _ in range(int(threads.total_tokens)):
            threads.acquire_on_behalf_of_nowait(object())
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        await asyncio.wait_for(example.app(scope, receive, send), PATIENCE)

    asyncio.run(ask())
    assert sent[0]["status"] == 200


def looked(follower: Any) -> tuple[str | None, str]:
    """What is served after a look, and what the problem is."""
    follower.look()
    return (str(follower.serving.source) if follower.serving else None), follower.trouble
