"""Times a stored model on its stored sample; run as a program, for loading a model may run whatever is in it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artreg.training.model_files import load_model

if TYPE_CHECKING:
    import pandas as pd

    from artreg.training.trainers import Columns

SAMPLE_FILE = "sample.json"
SAMPLE_ROWS = 100
_WARM_UP = 3


def sample_document(frame: pd.DataFrame, features: Columns) -> dict[str, Any]:
    """Return the features of a table's first rows as the document `sample.json`; missing values are null."""
    rows = frame[[*features.categorical, *features.numeric]].head(SAMPLE_ROWS)
    plain = rows.astype(object).where(rows.notna(), None)
    values = [[_plain(value) for value in row] for row in plain.itertuples(index=False)]
    names = {"categorical": list(features.categorical), "numeric": list(features.numeric)}
    return {"format": "artreg/sample/1", **names, "rows": values}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def measure(folder: Path, rows: int, calls: int, *, run_code: bool) -> dict[str, float]:
    """Return how long predictions take, in milliseconds a call.

    Args:
        folder: A version, pulled.
        rows: Rows a call, taken from the sample from its start and round again.
        calls: How many calls are timed, after a few that are not.
        run_code: Whether formats are loaded that may run whatever is in the file.
    """
    import numpy as np
    import pandas as pd

    document = json.loads((folder / SAMPLE_FILE).read_bytes())
    frame = pd.DataFrame(document["rows"], columns=[*document["categorical"], *document["numeric"]])
    frame[document["numeric"]] = frame[document["numeric"]].astype("float64")
    model = load_model(folder, run_code=run_code)
    took = []
    for call in range(-_WARM_UP, calls):
        start = call % max(len(frame) - rows + 1, 1)
        part = frame.iloc[start : start + rows]
        began = time.perf_counter_ns()
        model.predict(part)
        if call >= 0:
            took.append((time.perf_counter_ns() - began) / 1e6)
    p95, median = np.percentile(took, 95), np.median(took)
    return {"median_ms": float(median), "p95_ms": float(p95), "calls": calls, "rows": min(rows, len(frame))}


if __name__ == "__main__":
    _figures = measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), run_code=sys.argv[4:] == ["--run-code"])
    sys.stdout.write(json.dumps(_figures))
