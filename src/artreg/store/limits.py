"""The error for what is too large to be taken into memory.

What a document of any kind may have, wherever it comes from, and what reading it may take:

| document | at most | where that stands |
| --- | --- | --- |
| whatever `Store.read` reads: records, events, manifests, run.json, README.md | 16 MiB | `interface.READ_LIMIT` |
| JSON | 64 levels, a million objects and lists, no number beyond floats | `core.canonical` |
| a pushed policy | 4 MiB | `registry.stored_policy` |
| a pointer in a bucket | 4 KiB | `store.pointers` |
| what a person writes: config, policy, plan, `.dvc` | 256 KiB, 64 levels, 20,000 values | `artreg.yamldoc` |
| metrics.json, run.json, checksum.txt in a folder that is published | 16 MiB | `registry.parcel` |
| predictions.csv.gz | 200 MB unpacked, five million rows | `core.predictions` |
| what a program of a gate or a hook says | the last 64 KiB | `artreg.programs` |
| one line on a terminal, one cell of a table | 10,000 and 1,000 characters | `cli.view` |

Reading any one of them takes less than 768 MiB, which a test has the system enforce; predictions may take more.
Models and tables may be of any size: they pass by in pieces, and of a file that grows no more than a piece is taken
beyond what it held when it was opened.
"""

from __future__ import annotations

from artreg.errors import IntegrityError


def too_large(key: str, limit: int) -> IntegrityError:
    """Return the error for a file of which at most `limit` bytes were expected."""
    return IntegrityError(f"{key} is larger than {limit:,} bytes, which nothing of its kind is")
