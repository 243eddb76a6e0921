"""The options of commands that can share out their work, and what they mean."""

from __future__ import annotations

from typing import Annotated

from artreg.cli.declare import Option
from artreg.errors import InvalidInput
from artreg.workers import Backend, Workers

JobsOption = Annotated[int | None, Option("--jobs", short="-j", metavar="N", help="Do so much at a time", least=1)]
BackendOption = Annotated[
    Backend | None, Option("--backend", help="Where: in threads or processes here, or on a cluster of Dask or Ray")
]
SchedulerOption = Annotated[
    str | None,
    Option("--scheduler", metavar="URL", help="Where the cluster answers: tcp://host:8786, ray://host:10001"),
]


def workers_of(jobs: int | None, backend: Backend | None, scheduler: str | None, default: Backend) -> Workers:
    """Return who is to do the work: nobody else unless told so, and whoever there is where only a backend is named.

    Raises:
        InvalidInput: A scheduler is named for what has none.
    """
    if scheduler and backend not in {Backend.DASK, Backend.RAY}:
        raise InvalidInput("--scheduler is for a cluster", hint="add --backend dask or --backend ray")
    if jobs is None and backend is None:
        jobs = 1
    return Workers(backend or default, jobs, scheduler or "")
