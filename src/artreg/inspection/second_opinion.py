"""Asks fickling what it makes of a pickle, in a process of its own with little room and little time.

It informs: it takes scikit-learn's own models for unsafe, which as pickles they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import IO

from artreg.errors import InvalidInput

LARGEST = 64 * 2**20
"""Bytes of a pickle that fickling is asked about."""

_ROOM = 2 * 2**30
_TIMEOUT_S = 60.0
_LONGEST = 500


def second_opinion(file: IO[bytes]) -> str:
    """Return what fickling says of the pickle at which a file stands, in one line.

    Raises:
        InvalidInput: fickling is not installed.
    """
    if find_spec("fickling") is None:
        raise InvalidInput(
            "fickling is not installed", hint="install artreg's extra inspect: pip install 'artreg[inspect]'"
        )
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        return f"it was not asked about more than {LARGEST:,} bytes"
    command = [sys.executable, "-P", "-m", "artreg.inspection.second_opinion"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  # this very interpreter, and no shell
        said = json.loads(done.stdout)
        return " ".join(f"{said['severity']}: {said['analysis']}".split())[:_LONGEST]
    except subprocess.TimeoutExpired:
        return f"no answer within {_TIMEOUT_S:g} s"
    except (ValueError, LookupError, TypeError):
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"no answer: {lines[-1] if lines else f'exit code {done.returncode}'}"[:_LONGEST]


def _main() -> None:
    import resource  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_AS, (_ROOM, _ROOM))
    from fickling.analysis import check_safety  # noqa: PLC0415
    from fickling.fickle import Pickled  # noqa: PLC0415

    sys.stdout.write(json.dumps(check_safety(Pickled.load(sys.stdin.buffer.read())).to_dict()))


if __name__ == "__main__":
    _main()
