"""Processes that start in a few milliseconds: forked from a server that has artreg imported and no threads."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing import forkserver
from pathlib import Path

_TESTS = str(Path(__file__).parent.parent)
_PRELOAD = ["pytest", "faults.children", "faults.racers", "botocore.session", "boto3"]


@cache
def _context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([_TESTS, *(path for path in sys.path if path)])
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


def start(function: Callable[..., object], *arguments: object):
    """Run a function of a module in a process of its own, with this process's environment."""
    process = _context().Process(target=_run, args=(dict(os.environ), function, arguments))
    process.start()
    return process


def finish(process) -> int:
    """Wait for a process, and return its exit code; minus the signal's number if one killed it."""
    process.join()
    code = process.exitcode
    process.close()
    return code


def start_all(count: int, function: Callable[..., object], *arguments: object) -> list:
    """Start a function `count` times; its first argument is its number."""
    return [start(function, number, *arguments) for number in range(count)]


def barrier(count: int):
    """A barrier that such processes can share."""
    return _context().Barrier(count)


def event():
    """An event that such processes can share."""
    return _context().Event()


def _run(environment: dict[str, str], function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    os.environ.update(environment)
    function(*arguments)
