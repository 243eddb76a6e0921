"""Candidate and incumbent as folders, for whoever wants to look at their files."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artreg.core.gates.evidence import Subject
from artreg.core.names import Reference
from artreg.registry.evidence import Case
from artreg.registry.pull import pull
from artreg.store.factory import open_store


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the two lie, verified, as long as they are looked at.

    Attributes:
        candidate: The candidate.
        incumbent: What the alias holds now, or None if it holds nothing.
        context: What is known of both, as a JSON object.
    """

    candidate: Path
    incumbent: Path | None
    context: dict[str, Any]


@contextlib.contextmanager
def pulled(case: Case) -> Iterator[Folders]:
    """Pull candidate and incumbent into folders that are gone afterwards.

    Raises:
        IntegrityError: One of them is damaged.
        StorageError: One of them cannot be read, or there is no room.
    """
    evidence = case.evidence
    incumbent = evidence.incumbents.get(evidence.alias)
    with tempfile.TemporaryDirectory(prefix="artreg-gate-", ignore_cleanup_errors=True) as folder:
        context = {
            "project": case.model.project,
            "model": case.model.model,
            "alias": evidence.alias.name,
            "candidate": _about(evidence.candidate),
            "incumbent": None if incumbent is None else _about(incumbent),
        }
        yield Folders(
            _pull(case, evidence.candidate, folder, "candidate"),
            None if incumbent is None else _pull(case, incumbent, folder, "incumbent"),
            context,
        )


def _pull(case: Case, subject: Subject, folder: str, name: str) -> Path:
    pull(case.registry, Reference(case.model, subject.version), open_store(folder), name)
    return Path(folder, name)


def _about(subject: Subject) -> dict[str, Any]:
    return {
        "version": str(subject.version),
        "digest": subject.digest,
        "metrics": subject.metrics,
        "run": subject.run,
        "files": dict(subject.sizes),
    }
