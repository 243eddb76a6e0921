"""What is damaged or foreign shows on its page and in the summary, and spoils no other page."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from artreg import site
from artreg.core.record import Action
from artreg.core.version import Version
from artreg.errors import StorageError
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.registry.yank import yank
from artreg.site.reading import Reader
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from registry.bench import CHURN, FREE, Bench
from store.faults import Wrapper


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    fill(LocalStore(folder / "r"), folder / "made")
    return folder / "r"


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "r", symlinks=True)
    return tmp_path / "r"


def fill(store: Store, made: Path) -> Registry:
    made.mkdir()
    bench = Bench(store, made)
    bench.store.make_root()
    for number in ("1.0.0", "1.1.0", "2.0.0-RC.1"):
        bench.publish(number, roc_auc=0.9 + float(number[2]) / 100)
    bench.promote("1.0.0")
    bench.promote("1.1.0", reason="more trees")
    yank(bench.registry, CHURN, bench.publish("1.2.0").version, "wrong labels")
    return bench.registry


def writable(file: Path) -> Path:
    file.parent.chmod(0o755)
    if file.exists():
        file.chmod(0o644)
    return file


def write(place: str, text: str) -> Callable[[Path], None]:
    def damage(model: Path) -> None:
        (model / place).parent.mkdir(parents=True, exist_ok=True)
        writable(model / place).write_text(text)

    return damage


def remove(place: str) -> Callable[[Path], None]:
    return lambda model: writable(model / place).unlink()


def link(place: str) -> Callable[[Path], None]:
    def damage(model: Path) -> None:
        remove(place)(model)
        (model / place).symlink_to("/etc/passwd")

    return damage


# What is done, what the summary must say, and which of the model's versions can no longer be read at all.
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "manifest altered": (write("1.0.0/checksum.txt", "nonsense\n"), r"1\.0\.0 checksum\.txt .*damaged"),
    "manifest binary": (write("1.0.0/checksum.txt", "\x00\x1b[31m<script>"), r"1\.0\.0 checksum\.txt .*damaged"),
    "manifest a link": (link("1.0.0/checksum.txt"), r"1\.0\.0 checksum\.txt .*no plain file"),
    "run altered": (write("1.0.0/run.json", "{}\n"), r"1\.0\.0 run\.json .*does not match"),
    "metrics altered": (write("1.0.0/metrics.json", "[1e999]"), r"1\.0\.0 metrics\.json .*does not match"),
    "metrics missing": (remove("1.0.0/metrics.json"), r"1\.0\.0 metrics\.json .*missing"),
    "model missing": (remove("1.0.0/model.bin"), r"1\.0\.0 model\.bin is missing"),
    "model cut": (write("1.0.0/model.bin", "1.0"), r"1\.0\.0 model\.bin has 3 bytes, and not 5"),
    "a signature of nobody": (write(f"history/1.0.0/signatures/{'0' * 64}.json.sig", "x"), r"1\.0\.0 .*0000\.json"),
    "model a link": (link("1.0.0/model.bin"), r"1\.0\.0 model\.bin is no plain file"),
    "an extra file": (write("1.0.0/extra.txt", "x"), r"1\.0\.0 extra\.txt does not belong here"),
    "record altered": (write("history/free/00000002.json", '{"format": 7}'), r"alias free .*record 2 of free"),
    "record empty": (write("history/free/00000001.json", ""), r"alias free .*record 1 of free"),
    "record missing": (remove("history/free/00000001.json"), r"alias free .*(gap|missing)"),
    "event altered": (write("history/1.2.0/00000001.json", "[]"), r"1\.2\.0 log .*event 1"),
    "log's gap": (write("history/1.2.0/00000009.json", "[]"), r"1\.2\.0 log .*gap"),
    "a foreign folder": (write("notes/a.txt", "x"), r"notes/ does not belong here"),
    "a foreign file": (write("Notes.txt", "x"), r"Notes\.txt does not belong here"),
    "a foreign record": (write("history/free/notes.json", "{}"), r"history/free/notes\.json does not belong here"),
    "a foreign history": (write("history/NO/00000001.json", "{}"), r"history/NO/00000001\.json does not belong here"),
    "an unfinished version": (write("3.0.0/model.bin", "x"), r"3\.0\.0 has no checksum\.txt"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_shows_on_its_page_and_in_the_summary_and_nowhere_else(name: str, root: Path) -> None:
    damage, said = DAMAGES[name]
    before = dict(site.Site(Registry(LocalStore(root))).pages()[1])
    damage(root / "demo" / "churn")
    models, pages = site.Site(Registry(LocalStore(root))).pages()
    after = dict(pages)
    found = [f"{problem.where} {problem.what}" for problem in models[0].all_problems]
    assert any(re.search(said, one) for one in found), found
    for path in ("index.html", "models/demo/churn/index.html"):
        text = re.sub("<[^>]*>", "", after[path].decode())
        assert re.search(said, re.sub(r"\s+", " ", text)), f"{path} does not tell"
    version = re.match(r"([\d]+)\\\.(\d+)\\\.(\d+) (?!has)", said)
    own = f"models/demo/churn/versions/{'.'.join(version.groups())}.html" if version else None
    if own:
        assert 'class="problem"' in after[own].decode()
    for path in before.keys() - {own}:
        assert path in after, f"{path} is gone"
        if "versions/2.0.0" in path:
            assert after[path] == before[path], f"{path} differs"


def test_a_sound_registry_has_no_problems(sound: Path) -> None:
    models, _ = site.Site(Registry(LocalStore(sound))).pages()
    assert [part.all_problems for part in models] == [()]


def test_other_bytes_than_an_alias_was_pointed_at_show(root: Path) -> None:
    folder = root / "demo" / "churn" / "1.1.0"
    lines = (folder / "checksum.txt").read_text().replace("model.bin", "model.bim")
    writable(folder / "model.bin").rename(folder / "model.bim")
    writable(folder / "checksum.txt").write_text(lines)
    part = Reader(Registry(LocalStore(root))).models(())[0]
    assert "is not what free was pointed at: it was changed since" in {problem.what for problem in part.all_problems}


def test_a_log_that_cannot_be_read_does_not_hide_a_yank(root: Path) -> None:
    assert b"wrong labels" in (site.page(Registry(LocalStore(root)), "models/demo/churn/index.html") or b"")
    write("history/1.2.0/00000002.json", "{}")(root / "demo" / "churn")
    page = site.page(Registry(LocalStore(root)), "models/demo/churn/index.html") or b""
    assert b'data-version="1.2.0" data-damaged' in re.sub(rb" data-yanked", b"", page)


@pytest.mark.parametrize(
    "document",
    [
        {"axes": 7},
        {"axes": {"code": [], "environment": "x", "config": {"document": [1]}, "data": {"snapshot": {"a": 1}}}},
        {"axes": {"code": {"commit": {"a": "<b>"}}, "environment": {"packages": [1], "python": None}}},
        {"axes": {"data": {"record_count": "many", "content_hash": ["x"], "uri": 7}, "config": {"document": {"": {}}}}},
        {},
    ],
)
def test_a_foreign_run_record_makes_no_page_fall(
    document: dict[str, object], tmp_path: Path, memory_store: MemoryStore
) -> None:
    (tmp_path / "made").mkdir()
    bench = Bench(memory_store, tmp_path / "made")

    for number, profile in enumerate(
        ({"age": 7}, {"age": {"histogram": {"counts": [-1], "edges": ["a", 2]}, "values": 3}})
    ):
        folder = bench.made(str(number))
        (folder / "run.json").write_text(json.dumps({"format": "artreg/run/1", **document}))
        (folder / "data_manifest.json").write_text(json.dumps({"profile": profile, "record_count": [], "target": []}))
        (folder / "metrics.json").write_text(
            json.dumps({"": 1, "big": 10**400, "deep": {"a": {"b": number}}, "t": [1, "x"]})
        )
        (folder / "config.yaml").write_bytes(b"\xff\xfe\x00: <script>")
        (folder / "README.md").write_bytes(
            b"---\nlicense: x\n---\n# A\n\xff<script>alert(1)</script> [x](javascript:y)\n"
        )
        publish(bench.registry, CHURN, folder, Version.parse(f"1.{number}.0"))
    models, pages = site.Site(bench.registry).pages()
    made = dict(pages)
    assert len(made) == 8
    assert b"<script>alert" not in made["models/demo/churn/versions/1.0.0.html"]
    assert b'href="javascript' not in made["models/demo/churn/versions/1.0.0.html"]
    assert [part.all_problems for part in models] == [()]


class Counting(Wrapper):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls: list[str] = []

    def before(self, call: str, key: str) -> None:
        self.calls.append(call)


def test_a_registry_is_read_by_one_listing_and_each_file_once(tmp_path: Path, memory_store: MemoryStore) -> None:
    registry = fill(memory_store, tmp_path / "made")
    store = Counting(memory_store)
    one = site.Site(Registry(store, registry.actor))
    list(one.pages()[1])
    assert store.calls.count("walk") == 1
    small = [entry for entry in memory_store.walk("") if not entry.name.endswith((".bin", "yanked"))]
    assert store.calls.count("read") == len(small)
    assert store.calls.count("page") == 1, "only what is remembered of verifications is in no listing"
    store.calls.clear()
    one.page("models/demo/churn/index.html")
    records = 2
    assert store.calls.count("read") == records, "what did not change is not read again, but the aliases are"


def test_what_changed_is_read_again(root: Path) -> None:
    one = site.Site(Registry(LocalStore(root)))
    page = "models/demo/churn/versions/1.0.0.html"
    before = one.page(page)
    write("1.0.0/metrics.json", "{}")(root / "demo" / "churn")
    after = one.page(page)
    assert before != after
    assert b"does not match its checksum" in (after or b"")
    again = (root / "demo" / "churn" / "1.1.0" / "metrics.json").read_text().replace("0.91", "0.92")
    write("1.1.0/metrics.json", again)(root / "demo" / "churn")  # of the same size
    assert b"does not match its checksum" in (one.page("models/demo/churn/versions/1.1.0.html") or b"")


def test_a_version_has_one_page_also_where_its_name_has_capitals(sound: Path) -> None:
    one = site.Site(Registry(LocalStore(sound)))
    assert b"churn@</span>2.0.0-RC.1" in (one.page("models/demo/churn/versions/2.0.0-_r_c.1.html") or b"")
    for name in ("2.0.0-RC.1", "2.0.0-rc.1", "2.0.0-_rc.1", "2.0.0-_R_C.1"):
        assert one.page(f"models/demo/churn/versions/{name}.html") is None


class Away(Counting):
    """Fails where a call meets a key."""

    def __init__(self, store: Store, call: str, key: str) -> None:
        super().__init__(store)
        self.where = (call, key)

    def before(self, call: str, key: str) -> None:
        super().before(call, key)
        if call == self.where[0] and re.search(self.where[1], key):
            raise StorageError("the disk is away")


@pytest.mark.parametrize(
    ("call", "key"),
    [("read", "1.1.0/run.json"), ("read", ""), ("walk", ""), ("page", "verified"), ("require_root", "")],
)
def test_a_storage_that_fails_is_no_damage_of_the_registry(call: str, key: str, root: Path, tmp_path: Path) -> None:
    store = Away(LocalStore(root), call, key)
    with pytest.raises(StorageError, match="the disk is away"):
        site.build(Registry(store), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert key or store.calls.count(call) == 1, "nothing else is tried once the storage is away"


def test_since_when_an_alias_holds_a_version_is_when_it_came_to_it(root: Path) -> None:
    part = Reader(Registry(LocalStore(root))).models(())[0]
    alias = next(alias for alias in part.aliases if alias.name == str(FREE))
    assert alias.since is not None
    assert (alias.since.generation, alias.since.action, alias.since.why) == (2, Action.PROMOTE, "more trees")
