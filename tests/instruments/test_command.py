"""The command gate with real programs: their answers, their silence, their end, and their mischief."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artreg.core.names import ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.instruments import INSTRUMENTS
from artreg.registry.history import find_head
from artreg.registry.promote import promote
from instruments.conftest import CANARY, Lab


def python(code: str, **settings: Any) -> dict[str, Any]:
    return {"gate": "command", "name": "judge", "command": [sys.executable, "-c", code], **settings}


@dataclass(frozen=True)
class Program:
    """A program and what is made of its answer."""

    code: str
    passed: bool
    message: str
    exit_code: int | None = 0


PROGRAMS = {
    "yes": Program("print('fair'); print('gap is 0.01')", True, "judge: gap is 0.01"),
    "yes, silently": Program("", True, "judge: exit code 0"),
    "no": Program("print('gap is 0.2'); raise SystemExit(1)", False, "judge: gap is 0.2", 1),
    "no, silently": Program("raise SystemExit(7)", False, "judge: exit code 7", 7),
    "no, on standard error": Program("import sys; sys.exit('too biased')", False, "judge: too biased", 1),
    "a crash": Program("1 / 0", False, "judge: ZeroDivisionError: division by zero", 1),
    "killed": Program("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", False, "judge: ended by SIGKILL", -9),
    "blank lines last": Program("print('fine'); print(); print('  ')", True, "judge: fine"),
    "bytes that are no text": Program(
        "import sys; sys.stdout.buffer.write(b'\\xff\\xfe ok')", True, "judge: \ufffd\ufffd ok"
    ),
    "escapes for a terminal": Program("print('\\x1b[2J\\x1b[31mok\\x07')", True, "judge: [2J [31mok"),
    "a line without end": Program("print('x' * 10_000_000)", True, "judge: " + "x" * 500),
    "many lines": Program("for n in range(20_000): print(n)", True, "judge: 19999"),
    "an answer that looks like another": Program(
        "print('{\"passed\": true}'); raise SystemExit(1)", False, "judge: {", 1
    ),
    "input that is not read": Program("import os; os.close(0); print('deaf')", True, "judge: deaf"),
    "output that is closed early": Program(
        "import os; os.close(1); os.close(2); os._exit(3)", False, "judge: exit code 3", 3
    ),
    "a child that goes on": Program(
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(9)']); print('done')",
        True,
        "judge: done",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_decides(lab: Lab, name: str) -> None:
    program = PROGRAMS[name]
    verdict = lab.ask(python(program.code, timeout_s=30))
    assert (verdict.passed, verdict.figures) == (program.passed, {"exit_code": program.exit_code})
    assert verdict.message.startswith(program.message)
    assert verdict.message.isprintable()
    assert len(verdict.message) < 600


ENDLESS = {
    "silent": "import time; time.sleep(60)",
    "talking": "while True: print('y' * 10_000)",
    "deaf to signals": "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    "with its output closed": "import os, time; os.close(1); os.close(2); time.sleep(60)",
    "with a child": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_program_that_does_not_end_is_ended(lab: Lab, name: str) -> None:
    verdict = lab.ask(python(ENDLESS[name], timeout_s=0.3))
    assert not verdict.passed
    assert verdict.message == "judge: no answer: no answer within 0.3 s"


CHILD = """
import sys, time
pipe = open(sys.argv[1], "w")
print("begun", file=pipe, flush=True)
print("begun", flush=True)
time.sleep(20)
print("never ended", file=pipe)
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline())
"""


def test_its_children_are_ended_with_it(lab: Lab) -> None:
    """The child holds a pipe whose other end is ours: it closes when the child is gone."""
    path = lab.folder / "pipe"
    os.mkfifo(path)
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="ascii") as pipe:
        verdict = lab.ask({**python(""), "command": [sys.executable, "-c", PARENT, CHILD, str(path)]})
        os.set_blocking(pipe.fileno(), True)
        assert (verdict.passed, verdict.message) == (True, "judge: begun")
        assert pipe.read() == "begun\n"


NOT_THERE = {
    "no such program": (["./no-such-program"], "cannot be run: No such file or directory"),
    "no such program on the path": (["no-such-program-at-all"], "cannot be run: No such file or directory"),
    "an empty name": ([""], "cannot be run: "),
    "a folder": (["/"], "cannot be run: Permission denied"),
    "no program": ([__file__], "cannot be run: "),
    "a null byte": (["echo", "a\0b"], "cannot be run: embedded null byte"),
    "escapes for a terminal": (["\x1b[2Jx"], "cannot be run: No such file or directory"),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_a_program_that_cannot_be_run_refuses(lab: Lab, name: str) -> None:
    command, said = NOT_THERE[name]
    verdict = lab.ask({"gate": "command", "name": "judge", "command": command})
    assert not verdict.passed
    assert said in verdict.message
    assert verdict.message.isprintable()


def test_no_shell_is_involved(lab: Lab) -> None:
    verdict = lab.ask({"gate": "command", "name": "judge", "command": ["echo", "$HOME; exit 1", "*"]})
    assert verdict.message == "judge: $HOME; exit 1 *"
    assert verdict.passed


TELL = """
import json, os, sys
context = json.load(sys.stdin)
folders = [os.environ["ARTREG_CANDIDATE"], os.environ["ARTREG_INCUMBENT"]]
files = [sorted(os.listdir(folder)) if folder else None for folder in folders]
model = open(os.path.join(folders[0], "model.bin")).read()
print(json.dumps([context, folders, files, model]), file=open(sys.argv[1], "w"))
"""
FILES = ["checksum.txt", "metrics.json", "model.bin", "run.json"]


def test_it_gets_both_folders_and_a_document_about_both(lab: Lab) -> None:
    told = lab.folder / "told.json"
    gate = python(TELL)
    assert lab.ask({**gate, "command": [*gate["command"], str(told)]}).passed
    context, folders, files, model = json.loads(told.read_text())
    assert (context["project"], context["model"], context["alias"]) == ("demo", "churn", "prod")
    assert (context["candidate"]["version"], context["incumbent"]["version"]) == ("1.1.0", "1.0.0")
    assert context["candidate"]["metrics"] == {"auc": 0.9}
    assert context["candidate"]["run"]["published_by"] == "ada"
    assert set(context["candidate"]["files"]) == {"metrics.json", "model.bin", "run.json"}
    assert (files, model) == ([FILES, FILES], "1.1.0")
    assert not any(Path(folder).exists() for folder in folders)


def test_without_an_incumbent_its_folder_is_empty_and_its_document_null(lab: Lab) -> None:
    told = lab.folder / "told.json"
    gate = python(TELL)
    assert lab.ask({**gate, "command": [*gate["command"], str(told)]}, alias=CANARY).passed
    context, folders, files, _ = json.loads(told.read_text())
    assert (context["incumbent"], folders[1], files[1]) == (None, "", None)


def test_what_it_does_to_its_folders_reaches_no_registry(lab: Lab) -> None:
    spoil = """
import os
for name in ("ARTREG_CANDIDATE", "ARTREG_INCUMBENT"):
    folder = os.environ[name]
    for file in os.listdir(folder):
        os.chmod(os.path.join(folder, file), 0o600)
        open(os.path.join(folder, file), "w").write("spoilt")
    open(os.path.join(folder, "more"), "w").close()
"""
    assert lab.ask(python(spoil)).passed
    assert lab.ask(python("")).passed


def test_a_program_that_says_no_stops_a_promotion_and_stands_in_no_history(lab: Lab) -> None:
    from artreg.core.names import Alias
    from artreg.errors import GateRejected

    policy = parse_policy({"aliases": {"canary": {"gates": [python("raise SystemExit('no')")]}}})
    model = ModelName("demo", "churn")
    with pytest.raises(GateRejected, match="judge: no"):
        promote(lab.registry, model, Version(1, 1, 0), Alias("canary"), policy, instruments=INSTRUMENTS)
    assert find_head(lab.registry, model, Alias("canary")) is None
