"""What measures for gates whatever no document says: by running a model, a program, or many resamples."""

from __future__ import annotations

from collections.abc import Mapping

from artreg.instruments.external import ask_command, ask_plugin
from artreg.instruments.latency import measure_latency
from artreg.instruments.significance import measure_significance
from artreg.registry.evidence import Instrument

INSTRUMENTS: Mapping[str, Instrument] = {
    "significant": measure_significance,
    "latency": measure_latency,
    "command": ask_command,
    "plugin": ask_plugin,
}
"""Every instrument by the kind of gate that it measures for."""
