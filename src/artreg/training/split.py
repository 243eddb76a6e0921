"""The split: a row's side follows from its own id alone.

    bucket = crc32(utf8(salt + ":" + id))        0 <= bucket < 2**32
    a row is a test row if and only if bucket / 2**32 < test_fraction

So the order of the rows, the other rows, and the machine do not matter: a row that is added later moves no other row,
and a larger test fraction only adds rows to the test side. `hash()` would not do: it differs from run to run.

CRC is linear: for ids of one length, another salt turns every bucket by the same exclusive or. That is another split,
but no independent draw (with a fraction of exactly 0.5 it may even be the same one), so repeated splits under many
salts do not replace cross-validation.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "crc32(salt:id) / 2**32 < test_fraction"
"""The formula, as the data manifest names it."""

_BUCKETS = 2.0**32


def bucket(salt: str, row_id: str) -> int:
    """Return the bucket of a row, from 0 to 2**32 - 1."""
    return zlib.crc32(f"{salt}:{row_id}".encode())


def is_test(salt: str, row_id: str, test_fraction: float) -> bool:
    """Say whether a row is on the test side."""
    return bucket(salt, row_id) / _BUCKETS < test_fraction


def test_mask(ids: Iterable[str], salt: str, test_fraction: float) -> NDArray[np.bool_]:
    """Say of each row, in order, whether it is on the test side; four bytes a row are kept, and no id."""
    import numpy as np

    salted = zlib.crc32(f"{salt}:".encode())  # a CRC goes on from that of what comes before
    buckets = np.fromiter(map(zlib.crc32, map(str.encode, ids), repeat(salted)), dtype=np.uint32)
    return buckets / _BUCKETS < test_fraction


def fold(salt: str, row_id: str, count: int) -> int:
    """Return the fold of a row, from 0 to count - 1.

    It follows from the row's own id alone, as the side does, but by another hash: folds by the CRC would not be
    independent of the sides.
    """
    digest = hashlib.sha256(f"{salt}:fold:{row_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def folds(ids: Iterable[str], salt: str, count: int) -> list[int]:
    """Return of each row, in order, its fold."""
    return [fold(salt, row_id, count) for row_id in ids]
