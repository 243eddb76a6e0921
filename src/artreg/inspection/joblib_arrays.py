"""Finds the way past the arrays that joblib writes between the operations of a pickle."""

from __future__ import annotations

import io
import math
from typing import IO, Any

from artreg.inspection.notes import Made, Name, Stuck, Table

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
"""What stands where an array is; once its state is set, joblib reads the array from the file."""

_KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
_DEEPEST = 8


def skip_array(wrapper: Made, file: IO[bytes]) -> bool:
    """Move past the numbers of an array.

    Args:
        wrapper: What stands for the array, its state set.
        file: The file, at the place where joblib would read on.

    Returns:
        Whether a pickle of objects follows in their place.

    Raises:
        Stuck: It does not say plainly how many bytes it has.
    """
    state = wrapper.state[-1].items if len(wrapper.state) == 1 and isinstance(wrapper.state[0], Table) else {}
    shape = state.get("shape")
    if not state or not state.keys() <= _KEYS:
        raise Stuck("an array of joblib's is not described as joblib does")
    if not isinstance(shape, tuple) or not all(type(extent) is int and extent >= 0 for extent in shape):
        raise Stuck("an array of joblib's has no shape")
    itemsize, objects = _element(state.get("dtype"), _DEEPEST)
    if objects:
        return True
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = file.read(1)
        file.seek(padding[0] if padding else 0, io.SEEK_CUR)
    start, end = file.tell(), file.seek(0, io.SEEK_END)
    if math.prod(shape) * itemsize > end - start:
        raise Stuck("an array of joblib's claims more bytes than the file has")
    file.seek(start + math.prod(shape) * itemsize)
    return False


def _element(dtype: Any, depth: int) -> tuple[int, bool]:
    """Return the bytes of an element, and whether it holds objects."""
    import numpy as np  # noqa: PLC0415

    if not isinstance(dtype, Made) or dtype.by != Name("numpy.dtype") or not depth:
        raise Stuck("an array of joblib's has no type")
    text = dtype.args[0] if isinstance(dtype.args, tuple) and dtype.args else None
    if not isinstance(text, str):
        raise Stuck("an array of joblib's has a type that is not written plainly")
    try:
        plain = np.dtype(text)
    except (TypeError, ValueError) as error:
        raise Stuck(f"an array of joblib's has an unknown type: {error}") from error
    return plain.itemsize, plain.hasobject or any(_element(inner, depth - 1)[1] for inner in _inner(dtype.state))


def _inner(value: Any) -> list[Made]:
    """Return the types of fields that stand in a type's state."""
    if isinstance(value, Made):
        return [value]
    if isinstance(value, tuple | list):
        return [found for item in value for found in _inner(item)]
    return [found for item in value.items.values() for found in _inner(item)] if isinstance(value, Table) else []
