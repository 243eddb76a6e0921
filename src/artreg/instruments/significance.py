"""Measures whether a candidate differs from an incumbent beyond chance, from the predictions that both hold."""

from __future__ import annotations

from artreg.core.gates.comparison import SignificantGate
from artreg.core.gates.evidence import Subject
from artreg.core.predictions import LARGEST, PREDICTIONS, Predictions, decode
from artreg.core.significance import Undecided
from artreg.errors import ArtregError
from artreg.registry.evidence import Case
from artreg.registry.versions import read_file, read_manifest


def measure_significance(gate: SignificantGate, case: Case) -> object:
    """Return the interval of the difference, or a text that says why there is none."""
    from artreg.training.significance import compare  # noqa: PLC0415

    incumbent = case.evidence.incumbents[gate.rival(case.evidence.alias)]
    if incumbent is None or incumbent.digest == case.evidence.candidate.digest:
        return None
    try:
        found = compare(
            _predictions(case, case.evidence.candidate),
            _predictions(case, incumbent),
            metric=gate.metric,
            resamples=gate.resamples,
            seed=gate.seed,
            level=gate.level,
        )
    except ArtregError as error:
        return error.message
    return found.reason if isinstance(found, Undecided) else found


def _predictions(case: Case, subject: Subject) -> Predictions:
    manifest = read_manifest(case.registry, case.model, subject.version)
    data = read_file(case.registry, case.model, subject.version, manifest, PREDICTIONS, limit=LARGEST)
    return decode(data, f"{PREDICTIONS} of {case.model}@{subject.version}")
