"""What happens to a test set when a table grows: compares the hash split with a shuffled one.

Run it with `python examples/check_split.py`. It ends with exit code 1 if what it says is not so.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.model_selection import train_test_split

from artreg.training.split import test_mask

BEFORE, AFTER, FRACTION = 5_000, 8_000, 0.2


def customers(count: int) -> list[str]:
    return [f"C{number:07d}" for number in range(1, count + 1)]


def hashed(count: int, salt: str) -> set[str]:
    ids = customers(count)
    return {name for name, test in zip(ids, test_mask(ids, salt, FRACTION), strict=True) if test}


def shuffled(count: int) -> set[str]:
    _, test = train_test_split(np.array(customers(count)), test_size=FRACTION, random_state=42)
    return set(test.tolist())


def moved(before: set[str], after: set[str]) -> int:
    """Count the customers of the smaller table whose side is another one in the larger table."""
    return len((before ^ after) & set(customers(BEFORE)))


def main() -> int:
    by_hash = {salt: moved(hashed(BEFORE, salt), hashed(AFTER, salt)) for salt in ("churn-v1", "churn-v2")}
    by_shuffle = moved(shuffled(BEFORE), shuffled(AFTER))
    between = moved(hashed(BEFORE, "churn-v1"), hashed(BEFORE, "churn-v2"))
    print(f"{BEFORE:,} customers grow to {AFTER:,}. Of the first {BEFORE:,}")
    for salt, count in by_hash.items():
        print(f"  {count:5,} change sides under the hash split with the salt {salt}")
    print(f"  {by_shuffle:5,} change sides under train_test_split with a fixed random_state")
    print(f"Another salt is another split: it puts {between:,} of them on the other side, and is as stable.")
    return 0 if not any(by_hash.values()) and by_shuffle and between else 1


if __name__ == "__main__":
    sys.exit(main())
