"""Each operation under each fault at each of its requests; what it says is held against what lies in the bucket."""

from __future__ import annotations

import functools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from artreg.core import keys
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import ArtregError, OutcomeUnknown, StorageError
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.verify import verify
from artreg.registry.version_log import find_yank
from artreg.registry.yank import yank
from artreg.store.interface import Pointer
from artreg.store.local import LocalStore
from artreg.store.object import MARKED, MARKER, ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.build import (
    MODEL,
    PROD,
    STAGING,
    V1,
    V2,
    assert_pointers,
    assert_sound,
    collect_everything,
    later,
    make_history,
    view,
)
from faults.crash_bucket import contents, in_memory, put_all, uploads
from faults.operations import OPERATIONS
from faults.s3_faults import FAULTS, Fault, late_list
from store.places import S3Place
from store.proxy import Breaking, Proxy
from store.s3_fake import BUCKET, FakeS3, Lying

_LARGE = 2**20
HASTY = {"connect_timeout": 2.0, "read_timeout": 0.15, "slowest": 10**6, "attempts": 2, "backoff": 0.001, "budget": 0.4}
_connection = functools.cache(connect)

Run = Callable[[Registry, Path], object]


@dataclass(frozen=True)
class Operation:
    """One command.

    Attributes:
        run: Does it; doing it again ends in the same state.
        lying: What it starts from.
        earlier: What lay there a step before.
        reads: Whether it changes nothing.
    """

    run: Run
    lying: Lying
    earlier: dict[str, bytes]
    reads: bool = False


@dataclass
class Tally:
    """What was tried, and what came of it."""

    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(self.faults.items()))
        told = ", ".join(f"{what}: {count}" for what, count in sorted(self.outcomes.items()))
        return f"{sum(self.faults.values())} cases of faults ({kinds}); told: {told}; false: 0"


class Matrix:
    """The operations on a simulated service.

    Args:
        fake: The service.
        sources: Folders to publish, as `make_sources` makes them.
    """

    def __init__(self, fake: FakeS3, sources: Path) -> None:
        self.fake = fake
        self.service: Proxy = fake
        self.sources = sources
        self.operations = self._operations()
        self.views: dict[str, tuple[object, object]] = {}
        self.tally = Tally()

    def store(self, **options: object) -> ObjectStore:
        settings = {"attempts": 4, "part_size": _LARGE, "parallel": 2, **options}
        return ObjectStore(S3Bucket(BUCKET, "r", StorageOptions(endpoint_url=self.fake.url, **settings), _connection))

    def cases(self) -> Iterator[tuple[str, str, int, bool]]:
        """Every operation, fault and request that it can befall; once, and from then on.

        A listing comes late once: where they all show the past for good, nobody can see the present, and the probe
        refuses such a service.
        """
        for name, operation in self.operations.items():
            seen = self._calm(name)
            for kind, fault in self.faults(operation).items():
                fit = [number for number, asked in enumerate(seen, start=1) if fault.only(*asked)]
                for number in fit:
                    yield name, kind, number, False
                    if kind != "late list":
                        yield name, kind, number, True

    def sample(self, step: int, left_out: frozenset[str] = frozenset()) -> list[tuple[str, str, int, bool]]:
        """Every so manieth case, and so many more of those that matter most: a write took effect, and nobody heard."""
        cases = [case for case in self.cases() if left_out.isdisjoint(case[:2])]
        heard = [case for case in cases if case[1].endswith("after the effect")]
        return sorted({*cases[::step], *heard[:: step // 8 | 1]})

    def faults(self, operation: Operation) -> Mapping[str, Fault]:
        return {**FAULTS, "late list": late_list(self.fake, operation.earlier)}

    def try_case(self, name: str, kind: str, number: int, lasting: bool) -> None:
        """Run an operation under a fault, judge what it says, and run it again without.

        Raises:
            AssertionError: It told a falsehood, left damage, or cannot be settled.
        """
        operation = self.operations[name]
        fault = self.faults(operation)[kind]
        before, after = self.views[name]
        self._begin(operation)
        self.service.breaking = self._break(fault, number, lasting)
        told, generation = self._told(operation)
        self.service.breaking = lambda number, method, path: None
        if not self.service.broken:
            return
        registry = self._look()
        assert_sound(registry, stale_pointers=True)
        there = _state(registry)
        steps = name in {"gc", "yank"}  # each of which is sound by itself
        assert steps or there in (before, after), "neither as it was nor as it should be"
        if told == "done":
            assert there == after, "said to be done, and is not"
        elif told == "unknown" or operation.reads or steps:
            assert told in {"unknown", "storage", *fault.codes}, f"ended with {told}"
        else:
            assert told in {"storage", *fault.codes}, f"ended with {told}"
            moved = name.startswith("publish") is False and generation
            assert there == (after if moved else before), "said not to be done, and is"
        self._settle(operation, after)
        self.tally.faults[kind] += 1
        self.tally.outcomes[told] += 1

    def _settle(self, operation: Operation, after: object) -> None:
        """The same command run again ends where it should have; nothing is left behind."""
        operation.run(later(self.store()), self.sources)
        registry = self._look()
        assert _state(registry) == after, "run again it did not settle"
        if operation.reads:
            return
        if self._uploads():
            collect_everything(self.store())
            registry = self._look()
        collect_everything(registry.store)  # what needs no requests is done without
        assert _state(registry) == after
        assert_sound(registry)
        assert_pointers(registry.store)
        assert not self._uploads()

    def _told(self, operation: Operation) -> tuple[str, object]:
        try:
            operation.run(later(self.store(**HASTY)), self.sources)
        except OutcomeUnknown:
            return "unknown", None
        except StorageError as error:
            return "storage", error.details.get("generation")
        except ArtregError as error:
            return error.code, None
        return "done", None

    def _break(self, fault: Fault, number: int, lasting: bool) -> Callable[[int, str, str], Breaking | None]:
        done: list[int] = []

        def breaking(seen: int, method: str, path: str) -> Breaking | None:
            if seen < number or (done and not lasting) or not fault.only(method, path):
                return None
            done.append(seen)
            return fault.breaking

        return breaking

    def _calm(self, name: str) -> list[tuple[str, str]]:
        """Run an operation undisturbed; remember what readers see before and after, and return its requests."""
        operation = self.operations[name]
        self._begin(operation)
        before = _state(self._look())
        operation.run(later(self.store()), self.sources)
        seen = list(self.service.seen)
        self.views[name] = before, _state(self._look())
        return seen

    def _begin(self, operation: Operation) -> None:
        self.fake.restore(operation.lying)
        self.service.seen.clear()
        self.service.broken = 0

    def _look(self) -> Registry:
        """What lies there now, looked at without requests."""
        return in_memory({key.removeprefix("r/"): data for key, data in self.fake.objects.items()})

    def _uploads(self) -> object:
        return self.fake.uploads

    def _operations(self) -> dict[str, Operation]:
        registry = Registry(self.store(), "ada")
        marker = Lying({f"r/{MARKER}": MARKED})
        self.fake.restore(marker)
        make_history(registry, self.sources)
        history = self.fake.lying()
        earlier = {key: data for key, data in history.objects.items() if "/prod/00000003" not in key}
        operations = {
            name: Operation(OPERATIONS[name].run, history, earlier)
            for name in ("publish next", "promote next", "rollback")
        }
        operations["publish large"] = Operation(OPERATIONS["publish large unfinished"].run, history, earlier)
        self._leave_garbage(history)
        operations |= {
            "yank": Operation(lambda registry, _: yank(registry, MODEL, V1, "leaks"), history, earlier),
            "gc": Operation(lambda registry, _: collect(registry, older_than=timedelta(0)), self.fake.lying(), earlier),
            "resolve": Operation(_resolve, history, earlier, reads=True),
            "pull": Operation(_pull, history, earlier, reads=True),
            "verify": Operation(_verify, history, earlier, reads=True),
        }
        return operations

    def _leave_garbage(self, history: Lying) -> None:
        self.fake.restore(history)
        registry = Registry(self.store(), "dead")
        OPERATIONS["publish unfinished"].run(registry, self.sources)
        del self.fake.objects[f"r/{keys.manifest_key(MODEL, Version(9, 0, 0))}"]
        self.fake.uploads["left"] = ("r/demo/churn/9.0.0/model/more.bin", {1: b"a part"})
        registry.store.point(keys.pointer_key(MODEL, STAGING), Pointer(str(V2), 2))


class RealMatrix(Matrix):
    """The same on a real service, where every case has a prefix of its own; what it starts from is made on a fake."""

    def __init__(self, fake: FakeS3, sources: Path, place: S3Place, proxy: Proxy, step: int) -> None:
        super().__init__(fake, sources)
        self.sampled = self.sample(step, frozenset({"publish large", "late list"}))  # what only a fake has
        self.service = proxy
        self._place = place
        self._number = 0

    def store(self, **options: object) -> ObjectStore:
        if self.service is self.fake:
            return super().store(**options)
        settings = self._place.options(endpoint_url=self.service.url, **{"attempts": 4, **options})
        return ObjectStore(S3Bucket(self._here.bucket, self._here.prefix, settings, _connection))

    def _begin(self, operation: Operation) -> None:
        if self.service is self.fake:
            return super()._begin(operation)
        self._number += 1
        self._here = S3Place(
            self._place.endpoint, self._place.bucket, f"{self._place.prefix}-{self._number}", self._place.client
        )
        put_all(self._here, {key.removeprefix("r/"): data for key, data in operation.lying.objects.items()})
        self.service.seen.clear()
        self.service.broken = 0
        return None

    def _look(self) -> Registry:
        return super()._look() if self.service is self.fake else in_memory(contents(self._here))

    def _uploads(self) -> object:
        return super()._uploads() if self.service is self.fake else list(uploads(self._here))


def _state(registry: Registry) -> object:
    """What readers see, and whether the version that is yanked is."""
    return view(registry), find_yank(registry, MODEL, V1) is not None


def _resolve(registry: Registry, _sources: Path) -> None:
    found = resolve(registry, Reference(MODEL, PROD))
    assert (found.version, found.generation) in {(V1, 3), (V2, 2)}  # the latter by a listing that comes late


def _pull(registry: Registry, sources: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        into = LocalStore(folder)
        try:
            pulled = pull(registry, Reference(MODEL, PROD), into, "it")
        except ArtregError:
            assert not into.page("it").entries, "half a version was left"
            raise
        source = sources / ("one" if pulled.source.version == V1 else "two")
        assert (Path(folder) / "it/model/weights.bin").read_bytes() == (source / "model/weights.bin").read_bytes()


def _verify(registry: Registry, _sources: Path) -> None:
    report = verify(registry)
    if not report.ok:
        from artreg.errors import IntegrityError  # what the command makes of it

        raise IntegrityError("damaged")
