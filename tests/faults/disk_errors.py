"""Commands whose calls to the disk fail, one at a time, and what they then say and leave."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artreg.cli.main import main
from artreg.registry.handle import Registry
from artreg.registry.stored_policy import push_policy
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from faults.build import MODEL, POLICY, V2, make_history
from faults.children import CALLS
from faults.power_steps import make_sources
from faults.power_strace import Ran

ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EACCES)

COMMANDS: dict[str, tuple[str, ...]] = {
    "publish": ("publish", "sources/two", "--model", "demo/churn", "--version", "1.3.0"),
    "promote": ("promote", "demo/churn", "1.2.0", "--to", "prod"),
    "rollback": ("rollback", "demo/churn@staging", "--to", "1.0.0", "--reason", "worse"),
    "yank": ("yank", "demo/churn@1.2.0", "--reason", "wrong"),
    "unyank": ("unyank", "demo/churn@1.1.0", "--reason", "right"),
    "approve": ("approve", "demo/churn@1.2.0", "--to", "prod"),
    "policy push": ("policy", "push", "policy.yaml"),
    "freeze": ("freeze", "demo/churn@prod", "--until", "2200-01-01T00:00:00Z", "--reason", "holidays"),
    "gc": ("gc", "--older-than", "0s"),
    "init": ("init", "--registry", "new"),
}


STEPWISE = {"yank"}
"""Commands that come to their end in several steps, each of which readers may see."""


@dataclass
class Faults:
    """Lets the call of a number fail, and counts the calls."""

    at: int = 0
    errno: int = 0
    calls: list[str] = field(default_factory=list)
    failed: str = ""

    @contextlib.contextmanager
    def injected(self) -> Iterator[None]:
        real = {name: getattr(os, name) for name in CALLS}
        lock = threading.Lock()
        for name, function in real.items():
            setattr(os, name, self._failing(name, function, lock))
        try:
            yield
        finally:
            for name, function in real.items():
                setattr(os, name, function)

    def _failing(self, name: str, real: Callable[..., Any], lock: threading.Lock) -> Callable[..., Any]:
        @functools.wraps(real)
        def call(*arguments: Any, **options: Any) -> Any:
            with lock:
                self.calls.append(name)
                fails = len(self.calls) == self.at
            if fails:
                self.failed = f"{name}{arguments!r}"
                path = [arguments[0]] if arguments and isinstance(arguments[0], str | os.PathLike) else []
                raise OSError(self.errno, os.strerror(self.errno), *map(os.fspath, path))
            return real(*arguments, **options)

        return call


def prepare(folder: Path) -> None:
    """Make a registry with three versions, two aliases, a policy and a yank, and what commands take."""
    make_sources(folder / "sources")
    (folder / "policy.yaml").write_text("aliases: {staging: {}, prod: {}, canary: {}}\n")
    (folder / "template").mkdir()
    registry = Registry(LocalStore(folder / "template"), "ada")
    make_history(registry, folder / "sources")
    push_policy(registry, POLICY, reason="ours")
    yank(registry, MODEL, V2, "wrong")


def run(folder: Path, words: Sequence[str], faults: Faults | None = None) -> Ran:
    """Run a command in this process."""
    before, out, err = os.getcwd(), io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), (faults or Faults()).injected():
            code = main([*words, "--json"])
    finally:
        os.chdir(before)
    return Ran(code, out.getvalue(), err.getvalue())


def fresh(folder: Path) -> Path:
    """A copy of the registry."""
    for name in ("registry", "new"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(folder / "template", folder / "registry", symlinks=True)
    return folder / "registry"


def left(root: Path) -> frozenset[tuple[str, str]]:
    """What a command left, but for what differs each time: the names and kinds of everything."""
    return frozenset(
        (re.sub(r"[0-9a-f]{32}", "random", path.relative_to(root).as_posix()), _kind(path)) for path in root.rglob("*")
    )


def _kind(path: Path) -> str:
    return os.readlink(path) if path.is_symlink() else "/" if path.is_dir() else str(path.stat().st_size)


def check_error(ran: Ran, error: int, context: str, *, changed: bool) -> bool:
    """What a failed command says: what failed, what to do, and whether it may have been done all the same."""
    told = json.loads(ran.out)["error"]
    assert ran.code == 8 or (ran.code == 2 and error == errno.EACCES), context
    assert told["hint"], context
    assert "a bug" not in told["message"], context
    if ran.code == 8:
        assert errno.errorcode[error] in {told.get("errno"), *str(told).split()} or os.strerror(error).lower() in (
            told["message"].lower()
        ), context
    unknown = told.get("outcome") == "unknown"
    if changed:
        assert unknown or "generation" in told or "done" in told, context
    return unknown
