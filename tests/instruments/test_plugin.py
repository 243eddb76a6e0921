"""The plugin gate: functions that packages offer under an entry point, well-behaved and otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from artreg.core.gates.external import PluginGate
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.instruments import INSTRUMENTS
from artreg.instruments.external import request_for
from artreg.instruments.folders import Folders
from artreg.instruments.plugin import answer
from artreg.registry.history import find_head
from artreg.registry.promote import promote
from instruments.conftest import CANARY, MODEL, Lab

GATE = {"gate": "plugin", "name": "bias"}


def offer(patch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    def called_here(point: EntryPoint, gate: PluginGate, folders: Folders) -> dict[str, Any]:
        """What the process does that a function has to itself; another test sees that it has one."""
        return json.loads(json.dumps(answer(point.load, request_for(gate, folders))))

    patch.setattr("artreg.instruments.external.entry_points", entry_points)
    patch.setattr("artreg.instruments.external.called_apart", called_here)


def point(value: str = "fake_gates:bias", name: str = "bias", group: str = "artreg.gates") -> EntryPoint:
    return EntryPoint(name, value, group)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Install a package that offers a function as gate `bias`."""

    def install(function: Any) -> None:
        module = ModuleType("fake_gates")
        module.bias = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fake_gates", module)
        offer(monkeypatch, point())

    return install


def returning(value: Any) -> Callable[..., Any]:
    return lambda candidate, incumbent, context: value


def raising(error: BaseException) -> Callable[..., Any]:
    def gate(candidate: Path, incumbent: Path | None, context: dict[str, Any]) -> Any:
        raise error

    return gate


def nested(depth: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for _ in range(depth):
        figures = {"more": figures}
    return figures


class Odd:
    """What claims to be true, and has no words."""

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        raise RuntimeError("no words")


@dataclass(frozen=True)
class Plugin:
    """A function and what is made of its answer."""

    function: Any
    passed: bool
    message: str
    figures: dict[str, Any] | None = None


FIGURES = {"gap": 0.01, "groups": ["a", "b"], "none": None, "flag": True}
PLUGINS = {
    "yes": Plugin(returning((True, "gap is 0.01", FIGURES)), True, "bias: gap is 0.01", FIGURES),
    "no": Plugin(returning((False, "gap is 0.2", {"gap": 0.2})), False, "bias: gap is 0.2", {"gap": 0.2}),
    "a list": Plugin(returning([True, "fine", {}]), True, "bias: fine", {}),
    "how far off": Plugin(returning((False, "far", {"off_by": 3})), False, "bias: far", {"off_by": 3}),
    "names of parameters": Plugin(
        returning((False, "no", {"passed": True, "message": "yes", "self": 1})),
        False,
        "bias: no",
        {"passed": True, "message": "yes", "self": 1},
    ),
    "keys that are numbers": Plugin(
        returning((True, "ok", {1: "a", None: 2})), True, "bias: ok", {"1": "a", "null": 2}
    ),
    "a message of several lines": Plugin(returning((True, "a\nb\x1b[2J\ud800", {})), True, "bias: a b [2J", {}),
    "a long message": Plugin(returning((True, "x" * 10_000, {})), True, "bias: " + "x" * 500, {}),
    "a message that is no text": Plugin(returning((True, 12, {})), True, "bias: 12", {}),
    "yes as a word": Plugin(returning(("no", "?", {})), False, "it said 'no' instead of True or False"),
    "yes as a number": Plugin(returning((1, "?", {})), False, "it said 1 instead of True or False"),
    "yes as nothing": Plugin(returning((None, "?", {})), False, "it said None instead of True or False"),
    "a bare yes": Plugin(returning(True), False, "TypeError"),
    "nothing": Plugin(returning(None), False, "TypeError"),
    "too few": Plugin(returning((True, "fine")), False, "ValueError"),
    "too many": Plugin(returning((True, "fine", {}, {})), False, "ValueError"),
    "figures that are a list": Plugin(returning((True, "fine", [1])), False, "its figures are no dictionary"),
    "figures that are missing": Plugin(returning((True, "fine", None)), False, "its figures are no dictionary"),
    "not a number": Plugin(returning((True, "fine", {"gap": float("nan")})), False, "ValueError"),
    "infinite": Plugin(returning((True, "fine", {"gap": [float("inf")]})), False, "ValueError"),
    "figures that are no JSON": Plugin(returning((True, "fine", {"gap": {1, 2}})), False, "TypeError"),
    "figures in themselves": Plugin(returning((True, "fine", nested(5000))), False, "RecursionError"),
    "figures nested too deep": Plugin(returning((True, "fine", nested(16))), False, "nested deeper than 16 levels"),
    "figures nested as deep as can be": Plugin(returning((True, "fine", nested(15))), True, "bias: fine", nested(15)),
    "figures too large": Plugin(returning((True, "fine", {"x": "y" * 20_000})), False, "larger than 16,384 bytes"),
    "an error": Plugin(raising(ValueError("no such column")), False, "ValueError: no such column"),
    "an error of artreg": Plugin(raising(IntegrityError("it is damaged")), False, "it is damaged"),
    "an exit": Plugin(raising(SystemExit(0)), False, "SystemExit: 0"),
    "an answer without words": Plugin(returning((Odd(), "fine", {})), False, "instead of True or False"),
    "a message without words": Plugin(returning((True, Odd(), {})), False, "RuntimeError: no words"),
    "a function of other parameters": Plugin(lambda: (True, "fine", {}), False, "TypeError"),
    "no function": Plugin(7, False, "TypeError"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_function_decides(lab: Lab, install: Callable[[Any], None], name: str) -> None:
    plugin = PLUGINS[name]
    install(plugin.function)
    verdict = lab.ask(GATE)
    assert (verdict.passed, verdict.figures) == (plugin.passed, plugin.figures or {})
    assert plugin.message in verdict.message
    assert verdict.message.isprintable()
    assert len(verdict.message) < 600
    assert plugin.figures is not None or verdict.message.startswith("bias: no answer: ")


def test_it_gets_both_folders_the_context_and_its_options(lab: Lab, install: Callable[[Any], None]) -> None:
    seen: list[Any] = []

    def gate(
        candidate: Path, incumbent: Path | None, context: dict[str, Any], *, limit: float, groups: list[str]
    ) -> Any:
        read = (candidate / "model.bin").read_text(), incumbent and (incumbent / "model.bin").read_text()
        seen.append((*read, context["candidate"]["version"], limit, groups, candidate))
        return True, "fine", {}

    install(gate)
    options = {"limit": 0.1, "groups": ["a"]}
    assert lab.ask({**GATE, "options": options}).passed
    assert lab.ask({**GATE, "options": options}, alias=CANARY).passed
    assert [one[:5] for one in seen] == [
        ("1.1.0", "1.0.0", "1.1.0", 0.1, ["a"]),
        ("1.1.0", None, "1.1.0", 0.1, ["a"]),
    ]
    assert not any(one[5].exists() for one in seen)


def test_an_option_that_it_does_not_know_is_no_yes(lab: Lab, install: Callable[[Any], None]) -> None:
    install(returning((True, "fine", {})))
    verdict = lab.ask({**GATE, "options": {"limt": 0.1}})
    assert not verdict.passed
    assert "limt" in verdict.message


OFFERS = {
    "nobody offers it": ([], "no installed package offers it (entry point group artreg.gates)"),
    "it has another name": ([point(name="other")], "no installed package offers it"),
    "it is of another group": ([point(group="other.gates")], "no installed package offers it"),
    "two packages offer it": ([point("a:f"), point("b:f")], "several installed packages offer it: a:f, b:f"),
    "its module is not there": ([point("no_such_module:f")], "ModuleNotFoundError: No module named 'no_such_module'"),
    "its function is not there": ([point("json:no_such_function")], "AttributeError"),
}


@pytest.mark.parametrize("name", OFFERS)
def test_what_is_not_offered_refuses(lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    points, said = OFFERS[name]
    offer(monkeypatch, *points)
    verdict = lab.ask(GATE)
    assert not verdict.passed
    assert said in verdict.message


def test_a_package_that_is_installed_twice_offers_it_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("fake_gates")
    module.bias = returning((True, "fine", {}))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_gates", module)
    offer(monkeypatch, point(), point())
    assert lab.ask(GATE).passed


def test_an_offer_is_found_among_what_is_installed(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No stand-in here: a package's metadata lies on the path, as pip leaves it."""
    info = tmp_path / "site" / "fair-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fair\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[artreg.gates]\nbias = fair_gates:bias\n")
    (tmp_path / "site" / "fair_gates.py").write_text("def bias(*_): return True, 'really installed', {'n': 1}\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    verdict = lab.ask(GATE)
    assert (verdict.message, verdict.passed) == ("bias: really installed", True)


STUBBORN = {
    "heeds no signal": (
        "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; time.sleep(600)",
        "no answer within 1 s",
    ),
    "leaves a child that holds its output": (
        "import os, time; os.fork() or time.sleep(600); os._exit(0)",
        "it ended its process: exit code 0",
    ),
    "ends its process": ("import os; os._exit(0)", "it ended its process: exit code 0"),
    "prints without end": ("while True: print('x' * 65_536)", "no answer within 1 s"),
}


@pytest.mark.parametrize("name", STUBBORN)
def test_a_function_that_gives_no_answer_in_time_is_ended_and_refuses(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    code, said = STUBBORN[name]
    info = tmp_path / "site" / "slow-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[artreg.gates]\nbias = slow_gates:bias\n")
    body = "\n    ".join(["def bias(*_):", code, "return True, 'fine', {}"])
    (tmp_path / "site" / "slow_gates.py").write_text(f"{body}\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    verdict = lab.ask({**GATE, "timeout_s": 1 if "within 1 s" in said else 60})
    assert (verdict.passed, verdict.message) == (False, f"bias: no answer: {said}")


def test_figures_stand_in_the_record_and_are_read_back(lab: Lab, install: Callable[[Any], None]) -> None:
    figures = {1: nested(14), "text": "\ud800\x00é", "big": 10**300, "tiny": 5e-324}
    install(returning((True, "fine", figures)))
    policy = parse_policy({"aliases": {"canary": {"gates": [GATE]}}})
    promote(lab.registry, MODEL, Version(1, 1, 0), CANARY, policy, instruments=INSTRUMENTS)
    head = find_head(lab.registry, MODEL, CANARY)
    assert head is not None
    assert head.record.gates[1].figures == {"1": nested(14), "text": "\ud800\x00é", "big": 10**300, "tiny": 5e-324}
