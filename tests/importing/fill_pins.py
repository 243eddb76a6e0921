"""Fills a board by pins itself, with whose Python it is run; prints as JSON what it wrote and what a model predicts."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pins
from sklearn.linear_model import LogisticRegression

BOARD, WORK = Path(sys.argv[1]), Path(sys.argv[2])
QUESTIONS = [[0.0, 1.0], [2.0, 1.5], [-1.0, 0.25], [0.5, 0.5]]

board = pins.board_folder(str(BOARD), allow_pickle_read=True)
table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": ["a", "b", "ü"]})
predicted: dict[str, list[list[float]]] = {}
for day in (1, 2, 3):
    model = LogisticRegression(C=float(day)).fit([[0, 0], [1, 1], [2, 0], [0, 2]], [0, 1, 1, 0])
    meta = board.pin_write(
        model,
        "churn",
        type="joblib",
        title=f"churn, day {day}",
        description="who leaves",
        metadata={"auc": 0.5 + day / 10, "trained": {"on": "march", "rows": 1000}},
        created=datetime(2024, 5, day, 13, 37, 0, tzinfo=UTC),
    )
    predicted[meta.version.version] = model.predict_proba(QUESTIONS).tolist()
for kind in ("csv", "parquet", "json"):
    data = table.to_dict("list") if kind == "json" else table
    board.pin_write(data, f"table-{kind}", type=kind, created=datetime(2024, 6, 1, 0, 0, 5, tzinfo=UTC))
for name in ("a.txt", "b.bin"):
    (WORK / name).write_bytes(name.encode() * 1000)
board.pin_upload([str(WORK / "a.txt"), str(WORK / "b.bin")], "Two Files", title="two")
board.pin_upload(str(WORK / "a.txt"), "one-file", title="one")

pinned = {}
for pin in board.pin_list():
    for version in board.pin_versions(pin)["version"]:
        paths = board.pin_download(pin, version)
        meta = board.pin_meta(pin, version)
        pinned[f"{pin}/{version}"] = {
            "files": {Path(path).name: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths},
            "meta": {
                key: getattr(meta, key) for key in ("title", "description", "type", "pin_hash", "user", "created")
            },
        }
print(json.dumps({"pinned": pinned, "predicted": predicted, "questions": QUESTIONS}))
