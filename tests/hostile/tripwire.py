"""Sees every file that this process opens, makes, renames or removes, every program that it starts, every address.

Python tells its audit hooks of these before they happen, so that a test need not rely on what can be seen afterwards.
A hook cannot be taken away again: there is one, and it looks only while somebody is watching.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import artreg

_PATHS = {
    "open": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (0, 1),
    "os.listdir": (0,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.scandir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
}
"""Which arguments of an event are paths."""

_FOLLOWING = {"open", "os.listdir", "os.scandir", "os.chmod", "os.chown", "os.truncate", "os.utime"}
"""Events that act on what a link leads to; the others act on the link itself."""

_READ = {"open", "os.listdir", "os.scandir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROGRAMS = {"git", "ssh-keygen"}
_CODE = {
    *(os.path.realpath(path) for path in (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix)),
    *(os.path.realpath(path) for path in (Path(artreg.__file__).parent, Path(__file__).parents[1])),
}
_SYSTEM = re.compile(
    r"/(?:proc/self|proc/cpuinfo|sys/|dev/(?:null|urandom)|usr/|etc/(?:localtime|mime|ssl|ld|os-release))"
)


class Tripwire:
    """What was touched that nobody may touch.

    Args:
        allowed: Folders in which everything may be read and written.
    """

    def __init__(self, *allowed: Path) -> None:
        self.allowed = tuple(os.path.realpath(path) for path in allowed)
        self.touched: list[str] = []

    def see(self, event: str, arguments: tuple[object, ...]) -> None:
        """Look at one event."""
        if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "os.system", "os.exec", "os.spawn"}:
            self.touched.append(f"{event} {arguments!r:.200}")
        elif event == "subprocess.Popen":
            program = os.path.basename(os.fsdecode(arguments[0]))  # type: ignore[arg-type]
            if program not in _PROGRAMS:
                self.touched.append(f"{event} {arguments!r:.200}")
        elif event in _PATHS:
            writes = event not in _READ or (event == "open" and bool(int(arguments[2] or 0) & _WRITES))  # type: ignore[call-overload]
            for place in _PATHS[event]:
                self._look(event, arguments, arguments[place], writes)

    def _look(self, event: str, arguments: tuple[object, ...], path: object, writes: bool) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor, which was opened before
        text = os.fsdecode(path)
        beside = "/" not in text and text not in {"", ".", ".."}
        if event == "open" and beside and int(arguments[2] or 0) & os.O_NOFOLLOW:  # type: ignore[call-overload]
            return  # one name, in a folder that was opened before, or the present one; no link is followed
        parent, name = os.path.split(text)
        real = os.path.realpath(text) if event in _FOLLOWING else os.path.join(os.path.realpath(parent or "."), name)
        if real == os.devnull or any(real == root or real.startswith(f"{root}/") for root in self.allowed):
            return
        if event == "open" and not writes and real in {os.path.dirname(root) for root in self.allowed}:
            return  # the folder above, opened so that the name of the root in it is on the disk
        if not writes and (_SYSTEM.match(real) or any(real.startswith(f"{root}/") or real == root for root in _CODE)):
            return
        if event in {"os.remove", "os.rmdir", "os.mkdir", "os.rename"} and beside:
            return  # relative to a folder that was opened before
        self.touched.append(f"{event} {text!r:.200} ({real!r:.200})")


_watching: Tripwire | None = None
_busy = threading.local()


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    wire = _watching
    if wire is None or getattr(_busy, "now", False):
        return
    _busy.now = True
    try:
        wire.see(event, arguments)
    except Exception as error:  # else it would change what is being watched
        wire.touched.append(f"{event}: {error!r}")
    finally:
        _busy.now = False


sys.addaudithook(_hook)


@contextmanager
def watching(*allowed: Path) -> Iterator[Tripwire]:
    """Watch what this process does; nothing but reading code may happen outside of the allowed folders."""
    global _watching  # noqa: PLW0603
    _watching = wire = Tripwire(*allowed)
    keeps, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # else what is imported meanwhile is compiled
    try:
        yield wire
    finally:
        _watching, sys.dont_write_bytecode = None, keeps
