"""Run as a program with little room: loads every hostile file, and says what was said of it."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np
import pandas as pd  # noqa: F401  # whatever takes room is imported before the room is measured
import scipy.sparse  # noqa: F401
import sklearn.ensemble  # noqa: F401
import skops.io  # noqa: F401

from artreg.errors import ArtregError
from artreg.inspection.packing import unpacked
from artreg.inspection.tensors import read_tensors
from artreg.training import skops_bytes

ROOM = 256 * 2**20


def main(folder: Path) -> None:
    np.zeros(10)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
    readers = {"skops": skops_bytes.load, "joblib": unpacked, "safetensors": read_tensors}
    said = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            try:
                readers[path.suffix[1:]](file, "the model")
                said[path.name] = "loaded"
            except ArtregError as error:
                said[path.name] = f"{error.code}: {error.message}"
            except MemoryError:
                said[path.name] = "out of memory"
    try:
        bytearray(ROOM)
        said["room"] = "not bounded"
    except MemoryError:
        said["room"] = "bounded"
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
