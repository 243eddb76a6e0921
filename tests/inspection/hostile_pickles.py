"""Pickles that make a canary file when they are loaded, by every trick that is known to hide it."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from inspection.bombs import archive, npy


class Calls:
    """Is pickled as a call."""

    def __init__(self, function: Any, *args: Any) -> None:
        self._reduced = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


def command(canary: Path) -> str:
    return f"touch '{canary}'"


def python(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w').close()"


def text(value: str) -> bytes:
    """BINUNICODE: a text on the stack."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def system(canary: Path, protocol: int) -> bytes:
    import os

    return pickle.dumps(Calls(os.system, command(canary)), protocol)


def evaluated(canary: Path) -> bytes:
    return pickle.dumps(Calls(eval, python(canary)))


def executed(canary: Path) -> bytes:
    return pickle.dumps(Calls(exec, python(canary)))


def by_getattr(canary: Path) -> bytes:
    """getattr(__import__('os'), 'system')(…): no name of danger is ever imported by its own name."""
    return (
        b"\x80\x04cbuiltins\ngetattr\n("
        + b"cbuiltins\n__import__\n"
        + text("os")
        + b"\x85R"
        + text("system")
        + b"tR"
        + text(command(canary))
        + b"\x85R."
    )


def by_memo(canary: Path) -> bytes:
    """Harmless names are memoized by MEMOIZE, those that count by BINPUT: some scanners mix them up."""
    return (
        b"\x80\x04"
        + (text("os") + b"q\x00" + text("system") + b"q\x01")
        + (text("collections") + b"\x94" + text("OrderedDict") + b"\x94")
        + b"00"
        + b"h\x00h\x01\x93"
        + text(command(canary))
        + b"\x85R."
    )


def overwritten_memo(canary: Path) -> bytes:
    """The memo's first place is written twice."""
    return (
        b"\x80\x04"
        + (text("collections") + b"q\x000" + text("os") + b"q\x000" + text("OrderedDict") + b"q\x010")
        + (text("system") + b"r\x01\x00\x00\x000" + b"h\x00h\x01\x93")
        + text(command(canary))
        + b"\x85R."
    )


def duplicated(canary: Path) -> bytes:
    """The names come onto the stack by DUP and POP."""
    return (
        b"\x80\x04"
        + text("posix")
        + text("rubbish")
        + b"20"
        + b"0"
        + text("system")
        + b"20\x93"
        + text(command(canary))
        + b"\x85R."
    )


def by_inst(canary: Path) -> bytes:
    return b"(S" + repr(command(canary)).encode() + b"\nios\nsystem\n."


def by_obj(canary: Path) -> bytes:
    return b"(cos\nsystem\n" + text(command(canary)) + b"o."


def python_2_name(canary: Path) -> bytes:
    return b"c__builtin__\neval\n(" + text(python(canary)) + b"tR."


def by_attributes(canary: Path) -> bytes:
    """`numpy.size` leads to numpy's builtins, by a dotted name."""
    return b"\x80\x04" + text("numpy") + text("__builtins__.get") + b"\x93" + text("eval") + b"\x85R(" + _tail(canary)


def _tail(canary: Path) -> bytes:
    return text(python(canary)) + b"tR."


def nested(canary: Path) -> bytes:
    return pickle.dumps(Calls(pickle.loads, system(canary, 4)))


def after_build(canary: Path) -> bytes:
    """A state that is set on a function, and only then the call."""
    return b"\x80\x04ccollections\nOrderedDict\n)R}" + text("x") + b"cos\nsystem\nsb0" + system(canary, 4)[2:]


def truncated(canary: Path) -> bytes:
    """It has done its work before it turns out to be damaged."""
    return system(canary, 2)[:-1]  # without frames, which are read whole before anything of them is run


def unknown_operation(canary: Path) -> bytes:
    return system(canary, 4)[:-1] + b"\xff"


def huge_claim(canary: Path) -> bytes:
    return system(canary, 4)[:-1] + b"\x8e" + struct.pack("<Q", 2**62)


def late(canary: Path) -> bytes:
    """A hundred thousand harmless operations first."""
    return b"\x80\x04" + b"N0" * 50_000 + system(canary, 4)[2:]


def in_object_array(canary: Path) -> bytes:
    buffer = io.BytesIO()
    import os

    np.save(buffer, np.array([Calls(os.system, command(canary))], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def in_joblib_objects(canary: Path) -> bytes:
    import os

    buffer = io.BytesIO()
    table = np.empty(2, dtype=object)
    table[:] = [Calls(os.system, command(canary)), 1]
    joblib.dump({"numbers": np.arange(100.0), "objects": table}, buffer)
    return buffer.getvalue()


def behind_joblib_array(canary: Path) -> bytes:
    import os

    buffer = io.BytesIO()
    joblib.dump([np.arange(1000.0), Calls(os.system, command(canary))], buffer)
    return buffer.getvalue()


def packed_joblib(canary: Path) -> bytes:
    import os

    buffer = io.BytesIO()
    joblib.dump([np.arange(1000.0), Calls(os.system, command(canary))], buffer, compress=("zlib", 3))
    return buffer.getvalue()


def torch_archive(canary: Path) -> bytes:
    return archive({"model/data.pkl": system(canary, 2), "model/version": b"3"})


def npy_objects_in_archive(canary: Path) -> bytes:
    return archive({"a.npy": npy("(1,)", "'|O'", system(canary, 4))}, zipfile.ZIP_DEFLATED)


def before_archive(canary: Path) -> bytes:
    return system(canary, 4) + archive({"schema.json": b"{}"})


LOADED_BY_PICKLE: Mapping[str, Callable[[Path], bytes]] = {
    **{f"os.system, protocol {number}": (lambda canary, number=number: system(canary, number)) for number in range(6)},
    "eval": evaluated,
    "exec": executed,
    "getattr": by_getattr,
    "a memo of two minds": by_memo,
    "a memo that is overwritten": overwritten_memo,
    "copies on the stack": duplicated,
    "INST": by_inst,
    "OBJ": by_obj,
    "a name of Python 2": python_2_name,
    "a dotted name": by_attributes,
    "a pickle in a pickle": nested,
    "a call after a state": after_build,
    "cut off": truncated,
    "an unknown operation": unknown_operation,
    "a claim of exabytes": huge_claim,
    "late": late,
    "before an archive": before_archive,
}
"""What `pickle.load` would run, by the trick."""

OTHERS: Mapping[str, tuple[str, Callable[[Path], bytes]]] = {
    "an array of objects": ("model.npy", in_object_array),
    "an array of objects in joblib": ("model.joblib", in_joblib_objects),
    "behind an array of joblib's": ("model.joblib", behind_joblib_array),
    "packed": ("model.joblib", packed_joblib),
    "an archive of torch": ("model.pt", torch_archive),
    "an array of objects in an archive": ("model.npz", npy_objects_in_archive),
    "a pickle that is called skops": ("model.skops", lambda canary: system(canary, 4)),
    "a pickle that is called onnx": ("model.onnx", lambda canary: system(canary, 4)),
    "a pickle that is called safetensors": ("model.safetensors", lambda canary: system(canary, 4)),
}
"""What other readers would run, by the file's name."""
