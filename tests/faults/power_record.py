"""A record of everything that a process does to the files below a folder, taken as it does it.

The functions of `os` that change files are replaced by ones that write down what they did. That none was missed is seen
by holding a record against what strace saw of the same process (`faults.power_strace`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from artreg.store import copying
from faults import power_sites
from faults.power_disk import FILE, FOLDER, LINK, TOP, Begin, Change, End, Event, Node, Sync, Trace, Write

CHANGING = ("mkdir", "rmdir", "link", "symlink", "unlink", "remove", "rename", "replace", "fsync")
WRITING = ("write", "pwrite", "copy_file_range")
UNUSED = (
    "truncate",
    "ftruncate",
    "fdatasync",
    "writev",
    "pwritev",
    "sendfile",
    "splice",
    "posix_fallocate",
    "mknod",
    "sync",
)
"""Functions that artreg does not use; whoever makes it use one must teach it to the record."""


class Killed(BaseException):
    """The process is dead: it does nothing any more, not even clean up."""


class Recorder:
    """Writes down what is done to the files below a folder.

    Args:
        top: The folder.

    Attributes:
        calls: What the last command called that changes anything, or syncs.
    """

    def __init__(self, top: str) -> None:
        self.top = os.path.abspath(top)
        self._lock = threading.RLock()
        self._nodes: dict[int, Node] = {TOP: Node(FOLDER)}
        self._names: dict[int, dict[str, int]] = {TOP: {}}
        self._open: dict[int, int] = {}
        self._events: list[Event] = []
        self._real = {name: getattr(os, name) for name in (*CHANGING, *WRITING, "open", "close")}
        self._notes = {
            "open": self._opened,
            "close": self._closed,
            "mkdir": self._mkdir,
            "symlink": self._symlink,
            "link": self._link,
            "unlink": self._unlink,
            "remove": self._unlink,
            "rmdir": self._unlink,
            "rename": self._rename,
            "replace": self._rename,
            "write": self._write,
            "pwrite": self._pwrite,
            "copy_file_range": self._copy_file_range,
            "fsync": self._fsync,
        }
        self._take_stock(self.top, TOP)
        self._base = {(folder, name): node for folder, names in self._names.items() for name, node in names.items()}
        self._dead = False
        self._at: int | None = None
        self._failing: int | None = None
        self.calls: list[str] = []

    @property
    def trace(self) -> Trace:
        """What was written down so far."""
        return Trace(dict(self._nodes), dict(self._base), tuple(self._events))

    def step(
        self, name: str, action: Callable[[], object], *, killed_at: int | None = None, failing: int | None = None
    ) -> BaseException | None:
        """Record a command; return what it raised.

        Args:
            name: What to call it.
            action: The command.
            killed_at: The number of the call before which it dies.
            failing: The number of the fsync that fails, from 0.
        """
        self._events.append(Begin(name))
        self._at, self._failing, self._dead = killed_at, failing, False
        self.calls = []
        raised: BaseException | None = None
        try:
            with self._recording():
                action()
        except (Killed, Exception) as error:
            raised = error
        finally:
            self._dead = False
        self._events.append(End(name, acknowledged=raised is None))
        return raised

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        share, small = copying._share, copying._SMALL
        copying._share, copying._SMALL = (lambda _reading, _writing: False), 64  # what is large elsewhere is large here
        for name in self._real:
            setattr(os, name, self._wrapped(name))
        for name in UNUSED:
            if hasattr(os, name):
                setattr(os, name, _unknown(name, getattr(os, name)))
        try:
            yield
        finally:
            copying._share, copying._SMALL = share, small
            for name, function in self._real.items():
                setattr(os, name, function)
            for name in UNUSED:
                if hasattr(os, name):
                    setattr(os, name, getattr(os, name).__wrapped__)

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real, note = self._real[name], self._notes[name]

        @functools.wraps(real)
        def call(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                if self._dead:
                    raise Killed
                if name not in {"open", "close"} or (name == "open" and arguments[1] & os.O_CREAT):
                    self._count(name, arguments)
                at = (
                    {"at": os.lseek(arguments[0], 0, os.SEEK_CUR)}
                    if name == "write" and arguments[0] in self._open
                    else {}
                )
                result = real(*arguments, **options)
                note(result, *arguments, **at, **options)
                return result

        return call

    def _count(self, name: str, arguments: Any) -> None:
        self.calls.append(name)
        if self._at == len(self.calls):
            self._dead = True
            raise Killed
        if name == "fsync" and self.calls.count("fsync") - 1 == self._failing:
            self._fsync(None, *arguments, failed=True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _take_stock(self, path: str, folder: int) -> None:
        for entry in sorted(os.scandir(path), key=lambda it: it.name):
            if entry.is_symlink():
                node = self._new(Node(LINK, target=os.readlink(entry.path)))
            elif entry.is_dir():
                node = self._new(Node(FOLDER))
                self._take_stock(entry.path, node)
            else:
                with open(entry.path, "rb") as file:
                    node = self._new(Node(FILE, data=file.read()))
            self._names[folder][entry.name] = node

    def _new(self, node: Node) -> int:
        number = len(self._nodes)
        self._nodes[number] = node
        if node.kind == FOLDER:
            self._names[number] = {}
        return number

    def _place(self, path: Any, dir_fd: int | None = None) -> tuple[int, str] | None:
        """The folder and the name that a path means, None outside; links on the way are not followed."""
        text = os.fsdecode(path)
        if dir_fd is not None and not os.path.isabs(text):
            if dir_fd not in self._open:
                return None
            folder, names = self._open[dir_fd], text.split("/")
        else:
            text = os.path.abspath(text)
            if not text.startswith(f"{self.top}/"):
                return None
            folder, names = TOP, text[len(self.top) + 1 :].split("/")
        for name in names[:-1]:
            folder = self._names[folder][name]
        return folder, names[-1]

    def _node_at(self, path: Any, dir_fd: int | None = None) -> int | None:
        if dir_fd is None and os.path.abspath(os.fsdecode(path)) == self.top:
            return TOP
        place = self._place(path, dir_fd)
        return None if place is None else self._names[place[0]].get(place[1])

    def _change(self, *places: tuple[int, str, int | None]) -> None:
        self._events.append(Change(places))
        for folder, name, node in places:
            if node is None:
                self._names[folder].pop(name)
            else:
                self._names[folder][name] = node

    def _opened(self, result: int, path: Any, flags: int, _mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._open.pop(result, None)
        place = self._place(path, dir_fd)
        if place is None:
            if os.path.abspath(os.fsdecode(path)) == self.top:
                self._open[result] = TOP
            return
        if flags & os.O_TRUNC:
            raise AssertionError("artreg truncates a file in a registry")
        node = self._names[place[0]].get(place[1])
        if node is None:
            assert flags & os.O_CREAT, path
            node = self._new(Node(FILE))
            self._change((*place, node))
        self._open[result] = node

    def _closed(self, _result: None, descriptor: int) -> None:
        self._open.pop(descriptor, None)

    def _mkdir(self, _result: None, path: Any, _mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if (place := self._place(path, dir_fd)) is not None:
            self._change((*place, self._new(Node(FOLDER))))

    def _symlink(self, _result: None, target: str, path: Any) -> None:
        if (place := self._place(path)) is not None:
            self._change((*place, self._new(Node(LINK, target=target))))

    def _link(self, _result: None, source: Any, path: Any, *, follow_symlinks: bool = True) -> None:
        if (place := self._place(path)) is None:
            return
        node = self._node_at(source)
        if node is None:  # it comes from outside, with whatever of it is durable: nothing until it is synced
            assert stat.S_ISREG(os.lstat(source).st_mode)
            node = self._new(Node(FILE))
            self._change((*place, node))
            with open(source, "rb") as file:
                self._events.append(Write(node, 0, file.read()))
        else:
            self._change((*place, node))

    def _unlink(self, _result: None, path: Any, *, dir_fd: int | None = None) -> None:
        if (place := self._place(path, dir_fd)) is not None:
            self._change((*place, None))

    def _rename(self, _result: None, source: Any, target: Any) -> None:
        old, new = self._place(source), self._place(target)
        if old is not None and new is not None:
            self._change((*old, None), (*new, self._names[old[0]][old[1]]))

    def _write(self, result: int, descriptor: int, data: Any, *, at: int | None = None) -> None:
        if at is not None:
            self._events.append(Write(self._open[descriptor], at, bytes(data[:result])))

    def _pwrite(self, result: int, descriptor: int, data: Any, offset: int) -> None:
        if descriptor in self._open:
            self._events.append(Write(self._open[descriptor], offset, bytes(data[:result])))

    def _copy_file_range(
        self, result: int, source: int, target: int, _count: int, offset_src: int, offset_dst: int
    ) -> None:
        if result and target in self._open:
            data = os.pread(source, result, offset_src)
            self._events.append(Write(self._open[target], offset_dst, data))

    def _fsync(self, _result: None, descriptor: int, *, failed: bool = False) -> None:
        if descriptor in self._open:
            self._events.append(Sync(self._open[descriptor], _site(), failed))


def _site() -> str:
    """The line of artreg that wants something synced."""
    frame = sys._getframe(1)
    while power_sites.is_forwarding(frame.f_globals["__name__"], frame.f_code.co_name):
        if frame.f_back is None:
            return power_sites.WORKER
        frame = frame.f_back
    return f"{frame.f_globals['__name__']}:{frame.f_lineno}"


def _unknown(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def call(*arguments: Any, **options: Any) -> Any:
        raise AssertionError(f"os.{name} is not recorded")

    return call
