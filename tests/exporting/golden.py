"""Documents that are to stay as they are, byte for byte; `ARTREG_TEST_WRITE=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "documents"


def same_as_golden(name: str, text: str) -> None:
    if os.environ.get("ARTREG_TEST_WRITE"):
        (FOLDER / name).write_text(text)
    assert text == (FOLDER / name).read_text()
