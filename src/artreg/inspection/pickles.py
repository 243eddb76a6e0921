"""Follows a pickle without running it: which names it imports, what it calls, and with what.

A pickle is a program for a small machine with a stack and a memo. This machine keeps, in the place of objects, notes
of what they would be; so `STACK_GLOBAL` finds its names whichever way they came onto the stack. Whatever it cannot
follow it says, and that counts as danger: nothing is assumed to be harmless because it was not understood.
"""

from __future__ import annotations

import _compat_pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

from artreg.core.inspection import Danger, Finding
from artreg.errors import IntegrityError
from artreg.inspection.joblib_arrays import WRAPPER, skip_array
from artreg.inspection.known import danger_of
from artreg.inspection.notes import Made, Name, Stuck, Table

OPERATIONS = 5_000_000
"""What is longer is not followed to its end."""

_NESTED = 20
_SHOWN = 200
_NAMES_3 = 3  # from this protocol on names are those of Python 3
_FINDINGS = 10_000


class _Mark:
    pass


_MARK = _Mark()


class Follower:
    """Follows pickles, and remembers what they would do.

    Args:
        joblib: Whether arrays may stand between the operations, as joblib writes them.
    """

    def __init__(self, *, joblib: bool) -> None:
        self._joblib = joblib
        self._found: dict[tuple[Danger, str, str], int] = {}
        self._left = OPERATIONS

    def findings(self) -> tuple[Finding, ...]:
        """Return what was found so far, the worst first."""
        used = {what for _, what, detail in self._found if detail}
        found = [
            Finding(danger, what, detail, times)
            for (danger, what, detail), times in self._found.items()
            if detail or what not in used  # that it is imported goes without saying
        ]
        return tuple(sorted(found, key=lambda one: (-one.danger.rank, one.what, one.detail)))

    def follow(self, file: IO[bytes], depth: int = 0) -> bool:
        """Follow the pickle at which a file stands, to where it ends.

        Returns:
            Whether it could be followed to its end.
        """
        run = _Run(self, file)
        try:
            if depth > _NESTED:
                raise Stuck(f"pickles are nested deeper than {_NESTED}")
            for operation, argument, position in pickletools.genops(file):
                self._left -= 1
                if self._left < 0:
                    raise Stuck(f"it has more than {OPERATIONS:,} operations")
                run.position = position or 0
                run.step(operation.name, argument)
                if self._joblib and operation.name == "BUILD" and _is_wrapper(run.top()):
                    self._array(run, file, depth)
        except (
            Stuck,
            IntegrityError,
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            OverflowError,
            MemoryError,
        ) as error:
            # What genops cannot read the machine of Python cannot either; it has run what comes before.
            self.note(Danger.UNREADABLE, f"from byte {run.position:,} on: {error}")
            return False
        return True

    def note(self, danger: Danger, what: str, detail: str = "") -> None:
        """Remember a finding."""
        if len(self._found) < _FINDINGS:
            place = (danger, what[:_SHOWN], detail[:_SHOWN])
            self._found[place] = self._found.get(place, 0) + 1
        else:
            raise Stuck("it asks for too many different things")

    def _array(self, run: _Run, file: IO[bytes], depth: int) -> None:
        if run.frame_end is not None and file.tell() < run.frame_end:
            raise Stuck("an array stands in the middle of a frame")
        if skip_array(run.top(), file) and not self.follow(file, depth + 1):
            raise Stuck("the objects of an array cannot be followed")


def _is_wrapper(value: object) -> bool:
    """Return whether a value is an instance of joblib's wrapper, whichever way it was made."""
    if not isinstance(value, Made):
        return False
    made_by_first = value.by in _MAKERS and isinstance(value.args, tuple) and value.args
    return (value.args[0] if made_by_first else value.by) == Name(WRAPPER)


_MAKERS = (Name("copyreg._reconstructor"), Name("copyreg.__newobj__"))
"""What makes an instance of the class that is its first argument."""


class _Run:
    """One pickle that is being followed: stack, memo, and where in the file it is."""

    def __init__(self, follower: Follower, file: IO[bytes]) -> None:
        self._follower = follower
        self._file = file
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._protocol = 0
        self.position = 0
        self.frame_end: int | None = None

    def top(self) -> Any:
        """Return what lies on top of the stack."""
        return self._stack[-1]

    def step(self, name: str, argument: Any) -> None:
        """Take one operation."""
        if name in _PUSHES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise Stuck(f"the operation {name} is not known")

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise Stuck("a mark stands where a value should")
        return value

    def marked(self) -> list[Any]:
        """Take everything above the topmost mark, and the mark."""
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise Stuck("there is no mark")
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    # --- single operations ---

    def proto(self, argument: int) -> None:
        self._protocol = argument

    def frame(self, argument: int) -> None:
        self.frame_end = self._file.tell() + argument

    def mark(self, _: object) -> None:
        self._stack.append(_MARK)

    def stop(self, _: object) -> None:
        self.pop()

    def drop(self, _: object) -> None:
        self._stack.pop()

    def drop_marked(self, _: object) -> None:
        self.marked()

    def dup(self, _: object) -> None:
        self._stack.append(self.top())

    def put(self, argument: int) -> None:
        self._memo[int(argument)] = self.top()

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self.top()

    def get(self, argument: int) -> None:
        self._stack.append(self._memo[int(argument)])

    def tuple_of(self, count: int | None) -> None:
        items = self.marked() if count is None else [self.pop() for _ in range(count)][::-1]
        self._stack.append(tuple(items))

    def list_of(self, _: object) -> None:
        self._stack.append(self.marked())

    def dict_of(self, _: object) -> None:
        items = self.marked()
        self._stack.append(Table(items[::2], items[1::2]))

    def frozenset_of(self, _: object) -> None:
        self._stack.append(tuple(self.marked()))

    def extend(self, count: int | None) -> None:
        """APPEND, APPENDS, ADDITEMS: what is extended may be an object with methods of its own."""
        items = self.marked() if count is None else [self.pop()]
        target = self.top()
        if isinstance(target, list):
            target.extend(items)
        else:
            self._used(target, "its items are added")

    def set_items(self, count: int | None) -> None:
        items = self.marked() if count is None else [self.pop(), self.pop()][::-1]
        target = self.top()
        if isinstance(target, Table):
            target.add(items[::2], items[1::2])
        else:
            self._used(target, "its items are set")

    def global_(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._import(module, name)

    def stack_global(self, _: object) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            self._follower.note(Danger.RUNS, "a name that is worked out while it loads", _brief(name))
            self._stack.append(Made(Name("?"), (module, name), []))
        else:
            self._import(module, name)

    def extension(self, argument: int) -> None:
        self._follower.note(Danger.MAY_RUN, f"the extension {argument} of copyreg")
        self._stack.append(Name(f"copyreg extension {argument}"))

    def persistent(self, argument: Any) -> None:
        found = argument if argument is not None else self.pop()
        self._follower.note(Danger.PICKLE, "a persistent id", _brief(found[0] if isinstance(found, tuple) else found))
        self._stack.append(Made(Name("persistent id"), (found,), []))

    def inst(self, argument: str) -> None:
        items = self.marked()
        self.global_(argument)
        self._call(self.pop(), tuple(items))

    def obj(self, _: object) -> None:
        called, *items = self.marked()
        self._call(called, tuple(items))

    def reduce(self, _: object) -> None:
        args = self.pop()
        self._call(self.pop(), args)

    def new_with_keywords(self, _: object) -> None:
        keywords, args = self.pop(), self.pop()
        self._call(self.pop(), (args, keywords))

    def build(self, _: object) -> None:
        state, target = self.pop(), self.top()
        if isinstance(target, Made):
            target.state.append(state)
            return
        self._used(target, "its attributes are set")

    def buffer(self, _: object) -> None:
        raise Stuck("it asks for a buffer that is not in the file")

    def _import(self, module: str, name: str) -> None:
        if self._protocol < _NAMES_3:
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        found = Name(f"{module}.{name}")
        self._follower.note(danger_of(found.full), found.full)
        self._stack.append(found)

    def _call(self, called: Any, args: Any) -> None:
        if not isinstance(called, Name):
            self._follower.note(Danger.RUNS, "a function that is worked out while it loads", _brief(called))
        elif danger_of(called.full) is not Danger.PICKLE:
            self._follower.note(danger_of(called.full), called.full, f"called with {_brief(args)}")
        self._stack.append(Made(called, args, []))

    def _used(self, target: Any, how: str) -> None:
        """Note that something is changed which is no container: only what a known class made has methods to trust."""
        known = isinstance(target, Made) and isinstance(target.by, Name) and danger_of(target.by.full) is Danger.PICKLE
        if not known and not isinstance(target, _Set):
            self._follower.note(Danger.RUNS, _brief(target), how)


class _Set:
    """A set; what is in it does not matter, for it was noted when it was made."""


def _brief(value: Any, depth: int = 3) -> str:
    if isinstance(value, Name):
        return value.full
    if isinstance(value, Made):
        return f"{_brief(value.by, depth - 1)}(…)" if depth else "…"
    if isinstance(value, tuple | list):
        inner = ", ".join(_brief(item, depth - 1) for item in value[:5]) if depth else "…"
        return f"({inner}{', …' if len(value) > 5 else ''})"  # noqa: PLR2004  # as many as are shown
    if isinstance(value, str | bytes):
        return repr(value[:_SHOWN])
    return repr(value) if isinstance(value, bool | float | None) or _short(value) else "…"


def _short(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 10**12


_PUSHES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": lambda: Table([], []),
    "EMPTY_SET": _Set,
}
_STEPS: Mapping[str, Callable[[_Run, Any], None]] = {
    "PROTO": _Run.proto,
    "FRAME": _Run.frame,
    "MARK": _Run.mark,
    "STOP": _Run.stop,
    "POP": _Run.drop,
    "POP_MARK": _Run.drop_marked,
    "DUP": _Run.dup,
    "PUT": _Run.put,
    "BINPUT": _Run.put,
    "LONG_BINPUT": _Run.put,
    "MEMOIZE": _Run.memoize,
    "GET": _Run.get,
    "BINGET": _Run.get,
    "LONG_BINGET": _Run.get,
    "TUPLE": lambda run, _: run.tuple_of(None),
    "TUPLE1": lambda run, _: run.tuple_of(1),
    "TUPLE2": lambda run, _: run.tuple_of(2),
    "TUPLE3": lambda run, _: run.tuple_of(3),
    "LIST": _Run.list_of,
    "DICT": _Run.dict_of,
    "FROZENSET": _Run.frozenset_of,
    "APPEND": lambda run, _: run.extend(1),
    "APPENDS": lambda run, _: run.extend(None),
    "ADDITEMS": lambda run, _: run.extend(None),
    "SETITEM": lambda run, _: run.set_items(1),
    "SETITEMS": lambda run, _: run.set_items(None),
    "GLOBAL": _Run.global_,
    "STACK_GLOBAL": _Run.stack_global,
    "EXT1": _Run.extension,
    "EXT2": _Run.extension,
    "EXT4": _Run.extension,
    "PERSID": _Run.persistent,
    "BINPERSID": _Run.persistent,
    "INST": _Run.inst,
    "OBJ": _Run.obj,
    "REDUCE": _Run.reduce,
    "NEWOBJ": _Run.reduce,
    "NEWOBJ_EX": _Run.new_with_keywords,
    "BUILD": _Run.build,
    "NEXT_BUFFER": _Run.buffer,
    "READONLY_BUFFER": _Run.buffer,
}
