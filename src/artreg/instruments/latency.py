"""Measures how long predictions take: in a process of its own, on the rows that the version brought along."""

from __future__ import annotations

import json
import sys

from artreg.core.gates.limits import Latency, LatencyGate
from artreg.errors import ArtregError
from artreg.instruments.folders import pulled
from artreg.loading.trust import THIS_REGISTRY
from artreg.programs import NoAnswer, run
from artreg.registry.evidence import Case

_LONGEST = 300


def measure_latency(gate: LatencyGate, case: Case) -> object:
    """Return the latency of the candidate, or a text that says why there is none."""
    try:
        with pulled(case) as folders:
            command = [sys.executable, "-P", "-m", "artreg.training.latency", str(folders.candidate)]
            command += [str(gate.rows), str(gate.calls), *(["--run-code"] if gate.trust == THIS_REGISTRY else [])]
            ended = run(command, gate.timeout_s, apart=True)
    except ArtregError as error:
        return error.message
    except NoAnswer as error:
        return str(error)
    if ended.code:
        return (ended.last_line or ended.how)[:_LONGEST]
    return read_figures(ended.said)


def read_figures(output: bytes) -> object:
    """Return the latency in the last line of an output, or a text if there is none.

    Of the lines above nothing is believed: a model may print what it likes when it is loaded.
    """
    try:
        found = json.loads(output.splitlines()[-1])
        return Latency(float(found["median_ms"]), float(found["p95_ms"]), int(found["calls"]), int(found["rows"]))
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return "the measurement gave no figures"
