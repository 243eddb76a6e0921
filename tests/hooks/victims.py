"""What child processes run: moves of aliases, and flushes, which are killed where it hurts."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

from artreg.core.names import Alias
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.hooks.event import Event
from artreg.hooks.flush import Patience, flush
from artreg.hooks.several import Flusher
from artreg.hooks.turns import Turns
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.store.local import LocalStore
from faults.children import CALLS, Clock
from hooks.bench import SECRETS, hook
from registry.bench import CHURN

SOURCE = "urn:storm"
VERSIONS = tuple(Version.parse(text) for text in ("1.0.0", "1.1.0"))
IMPATIENT = Patience(0.005, 0.05)


def move_often(root: str, alias: str, times: int) -> None:
    """Move an alias to and fro."""
    registry, policy = Registry(LocalStore(root), "mover"), parse_policy({"aliases": {alias: {}}})
    for number in range(times):
        promote(registry, CHURN, VERSIONS[number % 2], Alias(alias), policy)


def flusher(root: str, url: str, place: str) -> Flusher:
    """Return who delivers, with little patience and turns of its own."""
    turns = Turns("storm")
    turns.folder = place
    return Flusher(Registry(LocalStore(root)), SOURCE, SECRETS, turns, patience=IMPATIENT)


def flush_often(root: str, url: str, place: str) -> None:
    """Deliver again and again, until somebody ends it."""
    one = flusher(root, url, place)
    while True:
        one.flush([hook(url=url, retry_for=0.5)])


def killed_at_every_call(template: str, folder: str, step: int) -> None:
    """Flush copies of a registry, killed one call (or `step`) later each time, and then once more to the end.

    Beside each copy lies what was delivered, with a line where the kill was.
    """
    point, status = 0, signal.SIGKILL
    while status:
        point += step
        root = shutil.copytree(template, f"{folder}/{point}", symlinks=True)
        child = os.fork()
        if not child:
            _flush_and_die(root, f"{folder}/{point}.log", point)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, -signal.SIGKILL}
        with Path(f"{folder}/{point}.log").open("a") as log:
            log.write("\n")
        _flush_into(Registry(LocalStore(root)), f"{folder}/{point}.log")
    Path(folder, "calls").write_text(str(point))


def _flush_and_die(root: str, log: str, at: int) -> None:
    clock, code = Clock(at), 1
    try:
        real = {call: getattr(os, call) for call in CALLS}

        def counted(call: str):
            @functools.wraps(real[call])
            def counting(*arguments, **options):
                clock.tick(call)
                return real[call](*arguments, **options)

            return counting

        for call in CALLS:
            setattr(os, call, counted(call))
        _flush_into(Registry(LocalStore(root)), log, clock)
        code = 0
    finally:
        os._exit(code)


def _flush_into(registry: Registry, log: str, clock: Clock | None = None) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def send(event: Event) -> str:
        if clock is not None:
            clock.tick("send")
        line = json.dumps(json.loads(event.body)) + "\n"
        os.writev(descriptor, [line.encode()])
        if clock is not None:
            clock.tick("sent")
        return "ok"

    done = flush(registry, hook(since=datetime(2020, 1, 1, tzinfo=UTC)), SOURCE, send)
    assert not any(one.problem for one in done), done
