"""What the trainings of one command tell OpenLineage, where the environment asks for that."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from artreg.cli.session import Session
from artreg.cli.view import without_credentials
from artreg.core.names import ModelName
from artreg.errors import ArtregError

if TYPE_CHECKING:
    from types import TracebackType

    from artreg.core.config import TrainingConfig
    from artreg.integrations.lineage_events import Family, Run
    from artreg.integrations.openlineage import Teller, Told
    from artreg.registry.publish import Published

_INTERRUPTED_S = 2.0  # that somebody waits who has pressed Ctrl-C


class Lineage:
    """Tells of each training that it begins, and how it ends; the trainings stand, whatever comes of that.

    Whatever has not ended when the command does has failed with it, or was aborted by whoever interrupted it.

    Args:
        session: The session.
        dry_run: Whether nothing is to be told, since nothing is published.
    """

    def __init__(self, session: Session, *, dry_run: bool) -> None:
        self._session = session
        self._teller = None if dry_run else _teller()
        self._running: dict[str, Run] = {}
        self._runs: list[str] = []
        self._told: Told | None = None

    @cached_property
    def _family(self) -> Family:
        from artreg.integrations.openlineage import family

        return family(os.environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._teller is None:
            return
        for run in list(self._running):
            self.fail(run, error or ArtregError("it was not gone on with"))
        interrupted = isinstance(error, KeyboardInterrupt)
        with self._session.output.busy("telling OpenLineage"):
            self._told = self._teller.close(*((_INTERRUPTED_S,) if interrupted else ()))
        if self._told.problem:
            missing = self._told.events - self._told.sent
            of = f"{missing} of {self._told.events} events" if self._told.sent else "anything"
            self._session.output.note(f"warning: OpenLineage was not told {of}: {self._told.problem}")

    def begin(self, config: TrainingConfig) -> str:
        """Tell that a training begins; return the id of its run, or ''."""
        if self._teller is None:
            return ""
        from artreg.core.redact import redact_url
        from artreg.integrations.lineage_events import Run, dataset, new_run_id, start
        from artreg.integrations.openlineage import namespace, random_bytes

        number = new_run_id(time.time_ns() // 1_000_000, random_bytes())
        run = Run(number, namespace(os.environ), str(ModelName(config.project, config.name)))
        self._running[number] = run
        self._runs.append(number)
        uri = redact_url(config.data.path or config.data.snapshot or "")
        data = dataset(uri, self._session.registry.store.url, os.getcwd())
        self._teller.tell(start(run, self._now(), self._family, [data]))
        return number

    def complete(self, run: str, published: Published, record: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
        """Tell that a training came to a version.

        Args:
            run: The id of the run.
            published: The version.
            record: The run record.
            manifest: The data manifest.
        """
        if self._teller is None:
            return
        from artreg.integrations import lineage_events

        version = lineage_events.Output(
            self._session.registry.store.url,
            str(published.model),
            str(published.version),
            published.digest,
            published.path,
            published.metrics,
        )
        begun = self._running.pop(run)
        self._teller.tell(
            lineage_events.completion(begun, self._now(), self._family, version, record=record, manifest=manifest)
        )

    def fail(self, run: str, error: BaseException) -> None:
        """Tell that a training came to nothing."""
        if self._teller is None:
            return
        from artreg.core.redact import redact_url
        from artreg.integrations.lineage_events import failure

        aborted = isinstance(error, KeyboardInterrupt)
        message = error.message if isinstance(error, ArtregError) else f"{type(error).__name__}: {error}"
        told = redact_url(without_credentials("interrupted" if aborted else message))
        self._teller.tell(failure(self._running.pop(run), self._now(), self._family, told, aborted=aborted))

    def document(self) -> dict[str, Any]:
        """Return what became of it, as a part of the command's document; empty where nothing was to be told."""
        if self._told is None:
            return {}
        told = self._told
        return {"lineage": {"told": not told.problem, "runs": self._runs, "problem": told.problem}}

    def _now(self) -> str:
        return self._session.registry.timestamp()


def _teller() -> Teller | None:
    """Return what tells whomever the environment names, if it names anybody."""
    if not any(name.startswith("OPENLINEAGE_") for name in os.environ):
        return None  # and what speaks HTTP need not be loaded
    from artreg.integrations.openlineage import Teller, is_wanted, receiver

    return Teller(receiver(os.environ)) if is_wanted(os.environ) else None
