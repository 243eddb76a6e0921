"""Holds the libraries at one thread: sums over several are added in whichever order they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

THREADS = 1
"""How many threads OpenMP, BLAS and torch get while a model is fitted and judged."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold OpenMP, BLAS and, where it is loaded, torch at one thread, and give them back what they had."""
    import sklearn.ensemble  # noqa: F401 (it loads OpenMP, and what is not loaded yet cannot be held)
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    with threadpool_limits(limits=THREADS):
        if torch:
            torch.set_num_threads(THREADS)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)
