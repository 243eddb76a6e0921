"""How large a test is: a taste for everybody, more where changes land, and at night all that the documentation claims.

`ARTREG_TEST_FULL=1` asks for the second, as `.ci/run` does, and `ARTREG_TEST_NIGHTLY=1` for the third. Tests of modules
that ask here, and those for which hypothesis makes examples, are marked `sized`: the others are the same at every size.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")

NIGHTLY = bool(os.environ.get("ARTREG_TEST_NIGHTLY"))
FULL = NIGHTLY or bool(os.environ.get("ARTREG_TEST_FULL"))


def size(quick: T, full: T, nightly: T) -> T:
    """Return the size that the environment asks for."""
    return nightly if NIGHTLY else full if FULL else quick


def asked_by(module: ModuleType) -> bool:
    """Return whether a module of tests asks how large they are."""
    return "FULL" in vars(module) or vars(module).get("size") is size
