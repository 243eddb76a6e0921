"""Work shared out to joblib's workers: threads or processes of this machine, or a cluster of Dask or Ray.

Nothing here knows what the work is. A task is a function that can be pickled and may be run again: whatever a worker
had not told when it died is given to another, so that its death changes nothing in the results.
"""

from __future__ import annotations

import os
import pickle
import re
import socket
import sys
import warnings
from contextlib import closing, contextmanager, redirect_stdout
from enum import Enum
from functools import lru_cache

from artreg import __version__
from artreg.errors import InvalidInput, StorageError
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from types import ModuleType
    from typing import Any, TypeVar

    Item = TypeVar("Item")
    Result = TypeVar("Result")

_LOSSES = 3  # in a row, without any result between them
_TIMEOUT_S = 10.0
_ROUND = 16  # tasks a worker, where all of a round come back together or not at all


def _nothing() -> None:
    pass


class Backend(Enum):
    """Where workers are."""

    THREADS = "threads"
    PROCESSES = "processes"
    DASK = "dask"
    RAY = "ray"


class Workers(Frozen):
    """Who does the work.

    Attributes:
        backend: Where the workers are.
        jobs: How many tasks may run at a time; None for as many as there are cores, in the whole cluster.
        scheduler: Where the cluster answers: `tcp://host:8786` for Dask; for Ray `host:6379`, `ray://host:10001`, or ''
            for the cluster that this machine is part of.
    """

    backend: Backend = Backend.THREADS
    jobs: int | None = 1
    scheduler: str = ""

    @property
    def alone(self) -> bool:
        """Whether there is nobody but the caller."""
        return self.jobs == 1 and self.backend in {Backend.THREADS, Backend.PROCESSES}


ALONE = Workers()
"""Nobody but the caller."""


def share_out(
    workers: Workers, task: Callable[[Item], Result], items: Sequence[Item]
) -> Generator[tuple[int, Result | Exception]]:
    """Do a task for each item, several at a time.

    Args:
        workers: Who does it; alone, the caller does, item by item.
        task: What is done. Except by threads it is pickled, as is what it returns or raises.
        items: For what.

    Yields:
        The number of an item and what the task returned or raised, each once, in the order in which they are done.
        Whoever does not take them all closes the generator, which ends the work.

    Raises:
        InvalidInput: There is no such cluster software here, or a worker runs another artreg.
        StorageError: The cluster does not answer, or workers keep dying.
    """
    direct = workers.alone or workers.backend is Backend.THREADS
    guarded = _Guarded(task if direct else pickle.dumps(task), __version__)
    if workers.alone or not items:
        yield from (guarded(number, item) for number, item in enumerate(items))
        return
    missing = dict(enumerate(items))
    losses = 0
    with _at_work(workers) as jobs:
        while missing:
            loss: Exception | None = None
            before = len(missing)
            with closing(_answers(workers, guarded, list(missing.items()), jobs)) as answers:
                for answer in answers:
                    if isinstance(answer, Exception):
                        loss = answer
                        break
                    number, result = answer
                    del missing[number]
                    yield number, result
            losses = 0 if len(missing) < before else losses + 1
            if loss is not None and losses == _LOSSES:
                raise _gave_up(workers, len(missing), loss) from loss


class _Guarded(Frozen):
    """A task that tells what it raised instead of raising it: whatever is raised is a loss of the worker itself."""

    task: Callable[[Any], Any] | bytes
    version: str

    def __call__(self, number: int, item: object) -> tuple[int, Any]:
        if self.version != __version__:
            raise InvalidInput(
                f"a worker runs artreg {__version__}, this is {self.version}", hint="install the same on all machines"
            )
        try:
            task = _unpickled(self.task) if isinstance(self.task, bytes) else self.task
            return number, task(item)
        except Exception as error:  # noqa: BLE001  # told to the caller, whatever it is
            return number, error


@lru_cache(maxsize=2)
def _unpickled(task: bytes) -> Callable[[Any], Any]:
    """Return a task, the same one for all items: what it has opened stays open."""
    made: Callable[[Any], Any] = pickle.loads(task)  # noqa: S301  # joblib sent it, by pickle too
    return made


def collect(workers: Workers, task: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Do a task for each item as `share_out` does, and return what came of them, in the order of the items.

    Args:
        workers: Who does it.
        task: What is done.
        items: For what.

    Raises:
        Exception: Whatever a task raised; the tasks that have not begun are left.
    """
    results: dict[int, Result] = {}
    with closing(share_out(workers, task, items)) as answers:
        for number, result in answers:
            if isinstance(result, Exception):
                raise result
            results[number] = result
    return [results[number] for number in range(len(items))]


def _answers(
    workers: Workers, guarded: _Guarded, items: Sequence[tuple[int, Any]], jobs: int
) -> Generator[tuple[int, Any] | Exception]:
    """Yield answers as they come, and at last, if a worker is lost before they all have come, what is said of that."""
    from joblib import Parallel, delayed

    streams = workers.backend is not Backend.RAY
    step = len(items) if streams else _ROUND * jobs
    try:
        with Parallel(n_jobs=jobs, return_as="generator_unordered" if streams else "list") as parallel:
            for start in range(0, len(items), step):
                answers = parallel(delayed(guarded)(number, item) for number, item in items[start : start + step])
                with _let_go(answers):
                    for answer in answers:  # noqa: UP028  # `yield from` would close them first
                        yield answer
    except InvalidInput:
        raise
    except Exception as error:  # noqa: BLE001  # each backend has an error of its own for that
        yield error


@contextmanager
def _let_go(answers: Any) -> Iterator[None]:
    """End what is still under way when nobody wants the answers any more, of which joblib would warn."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\d+ tasks", category=UserWarning)
            getattr(answers, "close", _nothing)()


@contextmanager
def _at_work(workers: Workers) -> Iterator[int]:
    """Connect joblib with the workers, and return how many tasks they do at a time."""
    from joblib import parallel_config
    from joblib.parallel import get_active_backend

    if workers.backend is Backend.DASK:
        with _dask(workers) as client, parallel_config(backend="dask", client=client):
            _correct(get_active_backend()[0])
            yield workers.jobs or -1  # joblib asks the cluster, and waits for one that is growing
    elif workers.backend is Backend.RAY:
        with _ray(workers) as jobs, parallel_config(backend="ray"):
            yield jobs
    else:
        backend = "threading" if workers.backend is Backend.THREADS else "loky"
        with parallel_config(backend=backend):
            yield workers.jobs or os.cpu_count() or 1


@contextmanager
def _dask(workers: Workers) -> Iterator[Any]:
    distributed = _package("distributed", Backend.DASK)
    if not workers.scheduler:
        raise InvalidInput("where is the Dask cluster?", hint="add --scheduler tcp://host:8786")
    try:
        client = distributed.Client(workers.scheduler, set_as_default=False, timeout=_TIMEOUT_S)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise _unreachable(workers, error) from error
    with client:
        yield client


def _correct(backend: Any) -> None:
    """Set right what joblib's backend for Dask does (joblib 1.6).

    It calls back for results only, so that a task that Dask itself gives up, because its workers died, is waited for
    for ever. And where the cluster has one core, joblib does the work in this process instead.
    """
    submit, cores = backend.submit, backend.effective_n_jobs

    def told(task: Any, callback: Any = None) -> Any:
        future = submit(task, callback)
        future.add_done_callback(lambda done: callback(done.exception()) if done.exception() else None)
        return future

    backend.submit = told
    backend.effective_n_jobs = lambda jobs: max(2, cores(jobs))


@contextmanager
def _ray(workers: Workers) -> Iterator[int]:
    # Under `uv run` Ray would send everything that lies in this folder to the cluster, and run its workers by uv there.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray = _package("ray", Backend.RAY)
    _require_answer(workers)
    register_ray = _package("ray.util.joblib", Backend.RAY).register_ray
    with redirect_stdout(sys.stderr):  # where Ray tells of workers that died
        try:
            ray.init(address=workers.scheduler or "auto", log_to_driver=False, logging_level="ERROR")
        except (OSError, ValueError, RuntimeError) as error:
            raise _unreachable(workers, error) from error
        try:
            register_ray()
            cores = int(ray.cluster_resources().get("CPU", 0))
            if cores < 2:  # noqa: PLR2004  # with one, joblib would do the work in this process instead
                raise StorageError(f"the Ray cluster has {cores} cores", hint="give it two or more")
            yield max(2, workers.jobs or cores)
        finally:
            ray.shutdown()


def _require_answer(workers: Workers) -> None:
    """Return if somebody listens where the cluster should be: Ray would try for minutes."""
    match = re.fullmatch(r"(?:ray://)?([^/]+):(\d+)", workers.scheduler)
    if match is None:
        return
    try:
        socket.create_connection((match[1].strip("[]"), int(match[2])), timeout=_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(workers, error) from error


def _package(name: str, backend: Backend) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInput(
            f"--backend {backend.value} needs the package {name}", hint=f"install artreg[{backend.value}]"
        ) from error


def _unreachable(workers: Workers, error: Exception) -> StorageError:
    where = workers.scheduler or "this machine"
    return StorageError(
        f"no {workers.backend.value.title()} cluster answers at {where}: {_line(error)}",
        hint="one that wants a token takes it from RAY_AUTH_MODE and RAY_AUTH_TOKEN"
        if workers.backend is Backend.RAY
        else "",
    )


def _gave_up(workers: Workers, count: int, error: Exception) -> StorageError:
    return StorageError(
        f"{count} tasks could not be done by {workers.backend.value}: {_line(error)}",
        hint="look whether the workers have artreg, the same files, and memory enough; run the command again",
    )


def _line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
