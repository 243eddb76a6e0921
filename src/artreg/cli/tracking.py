"""What a training tells of itself: its command line to the record, and its outcome to MLflow where that is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from artreg.cli.session import Session

if TYPE_CHECKING:
    from artreg.registry.publish import Published


def command_line() -> tuple[str, ...]:
    """Return how this process was called."""
    return ("artreg", *sys.argv[1:])


def track(session: Session, published: Published, run: Mapping[str, Any]) -> dict[str, object] | None:
    """Tell MLflow where it is asked for; the version is published, whatever comes of it."""
    from artreg.integrations.mlflow_tracking import is_wanted, log_training, training_of

    if not is_wanted(os.environ):
        return None
    told = training_of(
        str(published.model),
        str(published.version),
        digest=published.digest,
        path=published.path,
        metrics=published.metrics,
        run=run,
    )
    with session.output.busy("telling MLflow"):
        logged = log_training(told)
    session.output.note(f"warning: MLflow was not told: {logged.problem}" if logged.problem else "MLflow was told")
    return logged.document()
