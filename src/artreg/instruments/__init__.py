"""What measures for gates whatever no document says: by running a model, a program, or many resamples.

Each is imported when a policy first asks for it: most promotions need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from artreg.registry.evidence import Case, Instrument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _instrument(module: str, function: str) -> Instrument:
    def measure(gate: Any, case: Case) -> object:
        return getattr(import_module(f"artreg.instruments.{module}"), function)(gate, case)

    return measure


INSTRUMENTS: Mapping[str, Instrument] = {
    "significant": _instrument("significance", "measure_significance"),
    "latency": _instrument("latency", "measure_latency"),
    "inspected": _instrument("inspection", "inspect_candidate"),
    "command": _instrument("external", "ask_command"),
    "plugin": _instrument("external", "ask_plugin"),
}
"""Every instrument by the kind of gate that it measures for."""
