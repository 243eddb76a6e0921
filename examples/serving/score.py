"""Reads rows of numbers from standard input, one JSON list a line, and prints the probability of each class."""

import json
import os
import sys

import skops.io

MODEL = os.environ.get("MODEL", "/models/demo/churn@prod/model.skops")

model = skops.io.load(MODEL)
for line in sys.stdin:
    print(json.dumps(model.predict_proba([json.loads(line)])[0].tolist()), flush=True)
