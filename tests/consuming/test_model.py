"""The cache against a plain dictionary of what versions hold, in whatever order it is used, harmed and emptied."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from artreg.consuming import keeping
from artreg.errors import NotFound
from artreg.store.memory import MemoryStore
from consuming.conftest import in_memory
from consuming.shop import Shop, content
from consuming.test_pull import DAMAGES
from registry.bench import Bench
from sizes import size

SHARED = random.Random(1).randbytes(5000).hex()
VERSIONS = {f"1.{number}.0": SHARED if number % 2 else f"{number}" * 9000 for number in range(4)}


class CacheMachine(RuleBasedStateMachine):
    """Whatever happens to the cache, a pull gives the right bytes or says why there are none."""

    @initialize()
    def begin(self) -> None:
        self.folder = in_memory()
        root = Path(self.folder.name)
        (root / "work").mkdir()
        (root / "shop").mkdir()
        store = MemoryStore(uuid.uuid4().hex)
        store.make_root()
        bench = Bench(store, root / "work")
        self.right: dict[str, dict[str, bytes]] = {}
        for version, text in VERSIONS.items():
            bench.publish(version, text, loss=float(len(self.right)))
            lead = f"demo/churn/{version}/"
            self.right[version] = {entry.name: store.read(lead + entry.name) for entry in store.walk(lead.rstrip("/"))}
        self.shop = Shop(bench.registry, root / "shop")
        self.whole: set[str] = set()

    @rule(version=st.sampled_from(list(VERSIONS)), link=st.booleans())
    def pull(self, version: str, link: bool) -> None:
        pulled, folder = self.shop.pull(f"churn@{version}", link=link)
        assert content(folder) == self.right[version]
        if version in self.whole:
            assert pulled.fetched == 0
        self.whole.add(version)

    @rule(version=st.sampled_from(list(VERSIONS)))
    def pull_offline(self, version: str) -> None:
        try:
            _, folder = self.shop.pull(f"churn@{version}", offline=True)
        except NotFound:
            assert version not in self.whole
            return
        assert content(folder) == self.right[version]

    @rule(place=st.integers(0, 20), harm=st.sampled_from(DAMAGES))
    def harm(self, place: int, harm: object) -> None:
        files = [path for path in self.shop.files() if path.is_file() and not path.is_symlink()]
        if files:
            harm(files[place % len(files)])
            self.whole.clear()

    @rule(place=st.integers(0, 20), kept=st.floats(0, 1), false=st.booleans())
    def break_off(self, place: int, kept: float, false: bool) -> None:
        """Leave behind what a fetch that was killed leaves, or what nobody left."""
        files = [path for path in self.shop.files() if path.is_file() and not path.is_symlink()]
        if files:
            path = files[place % len(files)]
            data = path.read_bytes()[: int(kept * path.stat().st_size)]
            (self.shop.folder / "cache" / "partial" / path.name).write_bytes(b"?" * len(data) if false else data)
            path.unlink()
            self.whole.clear()

    @rule(limit=st.sampled_from([0, 100, 10_000, 40_000]))
    def prune(self, limit: int) -> None:
        before = {path.name: path.lstat().st_mtime_ns for path in self.shop.files() if path.is_file()}
        keeping.prune(self.shop.cache, limit)
        assert keeping.usage(self.shop.cache).bytes <= limit
        left = {path.name for path in self.shop.files()}
        gone = [time for name, time in before.items() if name not in left]
        assert not gone or all(before[name] >= max(gone) for name in left if name in before)
        self.whole.clear()

    @rule()
    def verify(self) -> None:
        keeping.verify(self.shop.cache)
        assert keeping.verify(self.shop.cache).damaged == ()

    @rule()
    def clear(self) -> None:
        keeping.clear(self.shop.cache)
        assert [path for path in self.shop.files() if path.is_file()] == []
        self.whole.clear()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestCache = CacheMachine.TestCase
TestCache.settings = settings(
    max_examples=size(5, 25, 600),
    stateful_step_count=size(12, 25, 60),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
