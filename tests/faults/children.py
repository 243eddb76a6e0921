"""What child processes run: an operation that is killed at a chosen call to the storage."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import botocore.loaders

from artreg.registry.handle import Registry
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.operations import OPERATIONS

# Reading the description of S3 takes longer than most operations here; children inherit what is read once.
botocore.loaders.JSONFileLoader.load_file = functools.cache(botocore.loaders.JSONFileLoader.load_file)

CALLS = (
    *("open", "write", "fsync", "link", "unlink", "remove", "rename", "replace", "mkdir", "rmdir", "symlink"),
    *("listdir", "scandir", "readlink", "stat", "lstat", "fstat", "readv", "copy_file_range", "pwrite", "fchmod"),
)
"""Functions of `os` that touch a disk."""


@dataclass(frozen=True)
class Root:
    """A prefix of a bucket, and how to reach it."""

    bucket: str
    prefix: str
    options: StorageOptions


class Clock:
    """Counts moments, and kills the process at the chosen one: at a number, or at the first that bears a name."""

    def __init__(self, at: int | str | None) -> None:
        self.at = at
        self.moments: list[str] = []

    def tick(self, moment: str) -> None:
        self.moments.append(moment)
        if self.comes(moment):
            die()

    def comes(self, moment: str) -> bool:
        """Whether `moment`, which was just counted, is the chosen one."""
        return self.at == len(self.moments) or (isinstance(self.at, str) and self.at in moment)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_every_call(name: str, template: str, folder: str, sources: str, step: int = 1) -> None:
    """Run an operation on copies of a registry, killed one call (or `step`) later each time, until it comes to its end.

    Each copy is left in `folder` under the number of the call; the calls are listed beside them.
    """
    point, status = 0, signal.SIGKILL
    while status:
        point += step
        root = shutil.copytree(template, f"{folder}/{point}", symlinks=True)
        child = os.fork()
        if not child:
            on_disk(name, root, sources, point, f"{folder}/calls.json")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in {0, -signal.SIGKILL}
    shutil.rmtree(f"{folder}/{point}")


def on_disk(name: str, root: str, sources: str, at: int | str, trace: str) -> NoReturn:
    """Run an operation on a disk, and die at a moment: before a call, in the middle of a write, or at the end."""
    code = 1
    try:
        clock = Clock(at)
        real = {call: getattr(os, call) for call in CALLS}
        for call in CALLS:
            setattr(os, call, _counted(call, real[call], clock))
        os.write = _torn(real["write"], clock)
        OPERATIONS[name].run(victim(LocalStore(root)), Path(sources))
        clock.tick("the end")
        for call in CALLS:
            setattr(os, call, real[call])
        Path(trace).write_text(json.dumps(clock.moments))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def victim(store: Store) -> Registry:
    """A registry that gives the same write id and the same time in every process."""
    return Registry(store, "victim", now=lambda: datetime(2100, 1, 1, tzinfo=UTC), new_id=lambda: "0" * 32)


def in_bucket(name: str, root: Root, sources: str, at: int | str | None, trace: str | None) -> None:
    """Run an operation in a bucket, and die at a moment: before a request is sent, or when its answer is there."""
    from botocore.httpsession import URLLib3Session

    from artreg.store.object import ObjectStore

    clock = Clock(at)
    send = URLLib3Session.send

    def counted(session, request):
        words = f"{request.method} {request.url.partition(f'{root.prefix}/')[2].removeprefix('demo/churn/')}"
        clock.tick(f"{words} is to be sent")
        answer = send(session, request)
        clock.tick(f"{words} was answered")
        return answer

    URLLib3Session.send = counted
    OPERATIONS[name].run(victim(ObjectStore(S3Bucket(root.bucket, root.prefix, root.options, connect))), Path(sources))
    _report(clock, trace)


def _counted(name: str, call, clock: Clock):
    @functools.wraps(call)
    def counted(*arguments, **options):
        clock.tick(name)
        return call(*arguments, **options)

    return counted


def _torn(write, clock: Clock):
    def torn(descriptor: int, data) -> int:
        clock.tick("write")
        clock.moments.append("half a write")
        if clock.comes("half a write"):
            write(descriptor, data[: len(data) // 2])
            die()
        return write(descriptor, data)

    return torn


def _report(clock: Clock, trace: str | None) -> None:
    if trace:
        Path(trace).write_text(json.dumps(clock.moments))
