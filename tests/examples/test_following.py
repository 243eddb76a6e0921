"""The example of a service that follows an alias: while it moves no request fails, and each answer says who made it."""

from __future__ import annotations

import asyncio
import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from artreg.registry.freeze import freeze
from docs.sessions import blocks, environment, play
from examples.live import CHURN, COMMAND, PROD, SERVICE, Line, asking, once, served, service, until
from keys import allow, make_key, needs_openssh


@pytest.fixture(scope="module")
def example() -> ModuleType:
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
    follower.look()
    follower.problem = ""
    follower.looked -= 2 * example.PATIENCE
    assert follower.trouble == f"no look at the registry has ended since {follower.looked}"


def looked(follower: Any) -> tuple[str | None, str]:
    """What is served after a look, and what the problem is."""
    follower.look()
    return (str(follower.serving.source) if follower.serving else None), follower.trouble
