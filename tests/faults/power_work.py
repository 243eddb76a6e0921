"""Power lost at every moment of a scenario, and what must hold of whatever the disk then holds."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

from artreg.errors import StorageError
from artreg.registry.gc import collect
from faults.build import (
    assert_pointers,
    assert_sound,
    files_below,
)
from faults.outofband import whole_versions
from faults.power_disk import Begin, Change, Disk, End, Trace, Tree, Write, digest, lay_out
from faults.power_record import Recorder
from faults.power_steps import BEFORE, FIRST, ROOT, STEPS, open_registry, seen

_MEMORY = Path("/dev/shm")
_RANDOM = re.compile("[0-9a-f]{32}$|[0-9a-f]{32}(?=/)")


@dataclass(frozen=True)
class Doing:
    """One command of a scenario.

    Attributes:
        step: Its name among STEPS.
        dies: The call before which its process dies; "sync -1": the last fsync, "sync 0": the first.
        fails: The number of the fsync that fails, from 0.
    """

    step: str
    dies: int | str | None = None
    fails: int | None = None


@dataclass(frozen=True)
class Recorded:
    """A scenario that was carried out.

    Attributes:
        trace: The record.
        sources: What was published.
        calls: The calls of its last command that change anything, or sync.
    """

    trace: Trace
    sources: Path
    calls: tuple[str, ...]

    @property
    def syncs(self) -> list[int]:
        """The numbers of the calls that sync."""
        return [number for number, call in enumerate(self.calls, start=1) if call == "fsync"]


@dataclass
class Tried:
    """What came of trying states.

    Attributes:
        states: The digests of all that were tried.
        bad: What was wrong with those that were bad.
    """

    states: set[bytes] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder, in memory where that can be."""
    with tempfile.TemporaryDirectory(prefix="artreg-power-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def record(top: Path, sources: Path, doings: Sequence[Doing], before: Sequence[str] | None = None) -> Recorded:
    """Carry out a scenario in a new registry below `top`; what came before it is durable."""
    top.mkdir()
    numbers = count()
    new_id = lambda: f"{next(numbers):032x}"  # noqa: E731  # so that equal states of two records are equal
    before = BEFORE.get(doings[0].step, FIRST) if before is None else before
    for step in before:
        STEPS[step](open_registry(top / ROOT, new_id=new_id), sources)
    recorder = Recorder(str(top))
    for number, doing in enumerate(doings):
        dies = doing.dies
        if isinstance(dies, str):
            alone = record(top.with_name(f"{top.name}-{number}"), sources, [Doing(doing.step)], before)
            dies = alone.syncs[int(dies.removeprefix("sync "))]
        action = partial(STEPS[doing.step], open_registry(top / ROOT, new_id=new_id), sources)
        raised = recorder.step(doing.step, action, killed_at=dies, failing=doing.fails)
        if isinstance(raised, Exception) and not (doing.fails is not None and isinstance(raised, StorageError)):
            raise raised
    return Recorded(recorder.trace, sources, tuple(recorder.calls))


def _undigested(shown: object) -> object:
    """What readers see, but for digests: those of a version that is published again are others."""
    assert isinstance(shown, dict)
    return {**shown, "moves": {name: [version for version, _ in moves] for name, moves in shown["moves"].items()}}


class Trial:
    """Power lost at every moment of a scenario.

    Args:
        recorded: The scenario.
        ignored: A site whose fsyncs do nothing.
        seed: For what is chosen at random.
        bound: How many sets of lost changes are tried at one moment, and how many losses of data for each.
    """

    def __init__(self, recorded: Recorded, *, ignored: str = "", seed: int = 0, bound: int = 64) -> None:
        self._recorded = recorded
        self._ignored = ignored
        self._random = Random(seed)
        self._bound = bound
        self._views: dict[bytes, object] = {}
        self._final = self._views_at_ends()
        changes = [event for event in recorded.trace.events if isinstance(event, Change)]
        names = [name for change in changes for _, part, _ in change.places for name in _RANDOM.findall(part)]
        self._alike = {name: f"random {number}" for number, name in enumerate(dict.fromkeys(names))}

    def is_caught(self, tried: Tried, *, at_rest: bool = False) -> bool:
        """Return whether any state is bad, looking first at those in which nothing is going on, or only at those."""
        self.run(tried, first=True, at_rest=True)
        if not tried.bad and not at_rest:
            self.run(tried, first=True)
        return bool(tried.bad)

    def run(self, tried: Tried, *, first: bool = False, at_rest: bool = False) -> None:  # noqa: C901  # one pass
        """Try states.

        Args:
            tried: Where to count them.
            first: Whether to end with the first that is bad.
            at_rest: Whether to try only those that may be there between commands.
        """
        disk = Disk(self._recorded.trace, self._ignored)
        allowed, again = [self._look(disk.everything())], list[str]()
        acknowledged: str | None = None
        told: set[bytes] = set()
        for event in self._recorded.trace.events:
            if isinstance(event, Begin):
                again = [*again, event.step] if acknowledged is None else [event.step]
                acknowledged = None
            changed = disk.apply(event)
            if isinstance(event, Change | Write):
                now = self._look(disk.everything())
                if now not in allowed:
                    allowed.append(now)
            if isinstance(event, End) and event.acknowledged:
                allowed, acknowledged, told, changed = [self._look(disk.everything())], event.step, set(), True
            if not changed or (at_rest and not isinstance(event, End)):
                continue
            for tree in disk.states(self._random, self._bound):
                state = digest(tree)
                if state in told:
                    continue
                told.add(state)
                tried.states.add(digest(self._named_alike(tree)))
                problem = self._problem(tree, allowed, again, acknowledged)
                if problem:
                    tried.bad.append(f"{event}: {problem}")
                    if first:
                        return

    def _views_at_ends(self) -> dict[str, object]:
        disk, found = Disk(self._recorded.trace), {}
        for event in self._recorded.trace.events:
            disk.apply(event)
            if isinstance(event, End):
                found[event.step] = (
                    self._look(disk.everything()) if event.acknowledged else self._done(disk, event.step)
                )
        return found

    def _named_alike(self, tree: Tree) -> Tree:
        """A state without the random parts of names, which differ from record to record."""
        return {
            _RANDOM.sub(lambda name: self._alike.get(name[0], name[0]), path): content for path, content in tree.items()
        }

    def _done(self, disk: Disk, step: str) -> object:
        """What readers see when a command that did not come to its end is run again."""
        with scratch() as folder:
            lay_out(disk.everything(), folder)
            STEPS[step](open_registry(folder / ROOT), self._recorded.sources)
            return seen(folder / ROOT)

    def _look(self, tree: Tree) -> object:
        shown = {path: content for path, content in tree.items() if ".artreg-tmp-" not in path}
        key = digest(shown)
        if key not in self._views:
            with scratch() as folder:
                lay_out(tree, folder)
                self._views[key] = seen(folder / ROOT)
        return self._views[key]

    def _problem(self, tree: Tree, allowed: list[object], again: Sequence[str], acknowledged: str | None) -> str:
        with scratch() as folder:
            lay_out(tree, folder)
            root = folder / ROOT
            try:
                self._check(root, allowed, acknowledged)
                for step in again:
                    STEPS[step](open_registry(root), self._recorded.sources)
                if again:
                    self._check_finished(root, again[-1])
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        return ""

    def _check(self, root: Path, allowed: list[object], acknowledged: str | None) -> None:
        """Sound, as it was at some moment since the last acknowledgement, and what was acknowledged is there."""
        now = seen(root)
        assert now in allowed, f"{now} is none of {allowed}"
        if now is None:
            return
        registry = open_registry(root)
        assert_sound(registry, stale_pointers=acknowledged is None)
        visible = {f"demo/churn/{version}" for version in now["versions"]}
        shown = {key: data for key, data in files_below(root / "demo").items() if ".artreg-tmp-" not in key}
        assert whole_versions(shown) == {key.removeprefix("demo/") for key in visible}
        for alias in ("staging", "prod"):
            if (root / "demo/churn" / alias).is_symlink():
                assert f"demo/churn/{(root / 'demo/churn' / alias).readlink()}" in visible
        if acknowledged == "gc":
            left = collect(registry, older_than=timedelta(0), dry_run=True)
            assert (left.removed, left.healed) == ((), ())

    def _check_finished(self, root: Path, step: str) -> None:
        registry = open_registry(root)
        now, expected = seen(root), self._final[step]
        assert _undigested(now) == _undigested(expected), f"{now} is not {expected}"
        collect(registry, older_than=timedelta(0))
        assert seen(root) == now
        assert_sound(registry)
        assert_pointers(registry.store)
        assert [path for path in root.rglob("*") if ".artreg-tmp-" in path.name] == []
