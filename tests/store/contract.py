"""What every store must do, looked at from outside of it."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from artreg.errors import AlreadyExists, IntegrityError, InvalidInput, NotFound
from artreg.store.commit import commit
from artreg.store.interface import NO_PROGRESS, OWN, Kind, Leftover, Pointer, Store, TreeFile
from artreg.store.pointers import encode
from artreg.store.probe import probe
from store.places import PART, Place, at_once

HOSTILE = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    ".",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x1b[31m",
    "a\u202eb",
    "a\udc80b",
    "x" * 256,
    "/".join(["x" * 100] * 10),
]
KEYS = ["a", "a/b", "a/b/c.json", "ä/ö€🜁.json", "a b/c+d%20e?f=g&h#i.json", "~", "-rf", "a:b", "1.2.1-rc.1/x"]


def file(name: str, data: bytes) -> TreeFile:
    return TreeFile(name, data, len(data), hashlib.sha256(data).hexdigest())


def tree(write_id: str = "one", **others: bytes) -> list[TreeFile]:
    """A small tree: its claim says who writes it, its seal what it holds."""
    contents = {"model/part": b"a model", "metrics.json": b"{}", **others}
    seal = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.items()))
    return [
        file("run.json", write_id.encode()),
        *(file(name, data) for name, data in contents.items()),
        file("checksum.txt", seal.encode()),
    ]


class Counted:
    """Counts the bytes that it is told of, by any thread."""

    def __init__(self) -> None:
        self._counts: list[int] = []

    @property
    def bytes(self) -> int:
        return sum(self._counts)

    def advance(self, count: int) -> None:
        self._counts.append(count)


def put(store: Store, prefix: str, files: list[TreeFile], progress=NO_PROGRESS) -> None:
    store.put_tree(prefix, files, claim="run.json", seal="checksum.txt", progress=progress)


def names(store: Store, prefix: str) -> list[str]:
    return [entry.name for entry in store.page(prefix).entries]


def walked(store: Store, prefix: str = "") -> list[str]:
    return [entry.name for entry in store.walk(prefix)]


class StoreContract:
    """Tests that a subclass runs against the `place` that it gives."""

    @pytest.fixture
    def store(self, place: Place) -> Store:
        return place.store()

    # Roots

    def test_root_is_there(self, store):
        store.require_root()
        store.make_root()
        store.require_root()

    def test_missing_root_is_told(self, place):
        store = place.missing()
        with pytest.raises(NotFound) as caught:
            store.require_root()
        assert caught.value.hint

    def test_nothing_is_written_below_a_missing_root(self, place):
        store = place.missing()
        with pytest.raises(NotFound):
            store.create("a/b", b"x")
        with pytest.raises(NotFound):
            put(store, "a/b", tree())
        with pytest.raises(NotFound):
            store.require_root()

    def test_url_shows_no_credentials(self, store):
        assert store.url
        assert "@" not in store.url

    def test_empty_root_is_empty(self, store):
        assert store.page("").entries == ()
        assert not store.page("").more
        assert walked(store) == []
        assert list(store.leftovers()) == []

    # Keys

    @pytest.mark.parametrize("key", HOSTILE, ids=range(len(HOSTILE)))
    def test_hostile_keys_are_refused(self, place, store, key):
        calls = [
            lambda: store.read(key),
            lambda: list(store.chunks(key)),
            lambda: store.create(key, b"x"),
            lambda: put(store, key, tree()),
            lambda: put(store, "p", [*tree(), file(key, b"x")]),
            lambda: store.delete([key]),
            lambda: store.pointer(key),
            lambda: store.point(key, Pointer("x")),
            lambda: store.point("p", Pointer(key)),
            lambda: store.discard(Leftover(key, "", 0, 0.0)),
        ]
        if key:
            calls += [lambda: store.page(key), lambda: list(store.walk(key))]
        for call in calls:
            with pytest.raises(InvalidInput):
                call()
        assert place.keys() == []

    @pytest.mark.parametrize("key", KEYS)
    def test_all_other_keys_round_trip(self, place, store, key):
        store.create(key, key.encode())
        assert place.keys() == [key]
        assert place.get(key) == key.encode()
        assert store.read(key) == key.encode()
        assert b"".join(store.chunks(key)) == key.encode()
        assert walked(store) == [key]
        assert names(store, "") == [key.partition("/")[0]]
        store.delete([key])
        assert place.keys() == []

    # Creating

    @pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000], ids=len)
    def test_what_is_created_is_there_whole(self, place, store, data):
        store.create("a/b", data)
        assert place.get("a/b") == data
        assert place.keys() == ["a/b"]
        assert store.read("a/b") == data

    def test_nothing_is_created_twice(self, place, store):
        store.create("a/b", b"first")
        for data in (b"second", b"first", b""):
            with pytest.raises(AlreadyExists):
                store.create("a/b", data)
        assert place.get("a/b") == b"first"
        assert place.keys() == ["a/b"]

    def test_what_is_there_can_be_made_to_last(self, store):
        store.create("m/a", b"x")
        put(store, "o/1.0.0", tree())
        store.persist(["m/a", "o/1.0.0", "o/1.0.0/run.json"])

    def test_what_is_deleted_can_be_created_again(self, place, store):
        store.create("a/b/c", b"first")
        store.delete(["a/b/c"])
        store.create("a/b/c", b"second")
        assert place.get("a/b/c") == b"second"

    def test_one_of_eight_creates(self, place):
        stores = [place.store() for _ in range(8)]
        for turn in range(5):
            key = f"race/{turn}"
            results = at_once(8, lambda number, key=key: stores[number].create(key, b"%d" % number))
            winners = [number for number, result in enumerate(results) if result is None]
            assert len(winners) == 1, results
            assert place.get(key) == b"%d" % winners[0]
            assert sum(isinstance(result, AlreadyExists) for result in results) == 7

    def test_commit_takes_its_own_bytes_for_success(self, place, store):
        commit(store, "a", b"mine")
        commit(store, "a", b"mine")
        with pytest.raises(AlreadyExists):
            commit(store, "a", b"theirs")
        with pytest.raises(AlreadyExists):
            commit(store, "a", b"")
        assert place.get("a") == b"mine"

    # Reading

    def test_absent_files_are_not_found(self, place, store):
        place.put("folder/inner", b"x")
        for key in ("absent", "absent/inner", "folder", "fold", "folder/inner/deeper", "folder/inne"):
            with pytest.raises(NotFound):
                store.read(key)
            with pytest.raises(NotFound):
                list(store.chunks(key))

    def test_read_takes_no_more_than_its_limit(self, place, store):
        place.put("a", b"12345")
        assert store.read("a", limit=5) == b"12345"
        assert store.read("a", limit=6) == b"12345"
        for limit in (0, 4):
            with pytest.raises(IntegrityError):
                store.read("a", limit=limit)
        place.put("empty", b"")
        assert store.read("empty", limit=0) == b""

    def test_several_files_are_read_in_order(self, place, store):
        keys = [f"m/{number}" for number in range(40)]
        for key in keys:
            place.put(key, key.encode())
        assert list(store.read_each(keys[::-1])) == [key.encode() for key in keys[::-1]]
        assert list(store.read_each([])) == []
        with pytest.raises(NotFound):
            list(store.read_each([*keys, "m/gone"]))

    @pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 7])
    def test_chunks_are_the_file_in_order(self, place, store, size):
        data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        place.put("a", data)
        taken, largest = hashlib.sha256(), 0
        for piece in store.chunks("a"):
            taken.update(piece)
            largest = max(largest, len(piece))
        assert taken.hexdigest() == hashlib.sha256(data).hexdigest()
        assert largest <= PART

    @pytest.mark.parametrize("start", [1, PART - 1, PART, PART + 6])
    def test_chunks_begin_where_they_are_to(self, place, store, start):
        data = os.urandom(PART + 7)
        place.put("a", data)
        assert b"".join(bytes(piece) for piece in store.chunks("a", start)) == data[start:]

    def test_chunks_can_be_left_early(self, place, store):
        place.put("a", b"x" * (3 * PART))
        pieces = store.chunks("a")
        assert bytes(next(pieces)[:1]) == b"x"
        pieces.close()
        assert store.read("a", limit=3 * PART)[-1:] == b"x"

    # Listing

    def test_digests_are_those_of_the_files(self, place, store):
        sizes = {"a": 0, "b/c": 5, "b/d e": 70_000, "large": 3 * PART + 1}
        contents = {name: (name.encode() * size)[:size] for name, size in sizes.items()}
        for name, data in contents.items():
            place.put(f"t/{name}", data)
        counted = Counted()
        found = {digest.name: digest for digest in store.digests("t", list(sizes.items()), counted)}
        assert {name: digest.sha256 for name, digest in found.items()} == {
            name: hashlib.sha256(data).hexdigest() for name, data in contents.items()
        }
        assert counted.bytes == sum(sizes.values())

    def test_a_file_without_a_digest_says_why(self, place, store):
        place.put("t/there", b"x")
        found = {it.name: it for it in store.digests("t", [("there", 1), ("gone", 1), ("gone/too", 1)])}
        assert (found["there"].problem, found["gone"].sha256, found["gone/too"].sha256) == ("", "", "")
        assert "gone is not there" in found["gone"].problem
        assert [it.sha256 for it in store.digests("nowhere", [("a", 1)])] == [""]
        assert list(store.digests("t", [])) == []

    @pytest.mark.parametrize("link", [False, True])
    def test_staged_files_can_become_a_tree(self, place, store, tmp_path, link):
        contents = {"empty": b"", "model/part": b"a model", "large": b"x" * (PART + 7)}
        for name, data in contents.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
        counted = Counted()
        sources = {name: tmp_path / name for name in contents}
        with store.staged("m", sources, link=link, progress=counted) as taken:
            assert [(it.name, it.size, it.sha256) for it in taken] == [
                (name, len(data), hashlib.sha256(data).hexdigest()) for name, data in contents.items()
            ]
            assert counted.bytes == sum(map(len, contents.values()))
            marks = [it for it in tree() if it.name in {"run.json", "checksum.txt"}]
            put(store, "m/1.0.0", [*taken, *marks])
            put(store, "m/1.0.0", [*taken, *marks])
            with pytest.raises(AlreadyExists):
                put(store, "m/1.0.0", [*taken, file("run.json", b"two"), marks[1]])
            put(store, "m/2.0.0", [*taken, *marks])
        for version in ("1.0.0", "2.0.0"):
            assert {name: place.get(f"m/{version}/{name}") for name in contents} == contents
        assert all((tmp_path / name).read_bytes() == data for name, data in contents.items())
        assert list(store.leftovers()) == []

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_what_was_staged_in_vain_leaves_nothing(self, place, store, tmp_path, dry_run):
        (tmp_path / "a").write_bytes(b"a")
        with store.staged("p/m", {"a": tmp_path / "a"}, dry_run=dry_run) as (taken,):
            assert taken.sha256 == hashlib.sha256(b"a").hexdigest()
            assert store.page("p/m").entries == ()
        assert place.keys() == []
        assert store.page("").entries == ()

    def test_sources_that_cannot_be_read_are_refused(self, store, tmp_path):
        (tmp_path / "folder").mkdir()
        for source in (tmp_path / "gone", tmp_path / "folder"):
            with pytest.raises(InvalidInput), store.staged("m", {"a": source}):
                raise AssertionError
        assert store.page("").entries == ()

    def test_page_shows_what_lies_directly_below(self, place, store):
        for key in ("m/1.2.1/x", "m/1.2.1/y/z", "m/1.2.1-rc.1/x", "m/1.2.10/x", "m/file", "m2/x", "n"):
            place.put(key, b"12345")
        page = store.page("m")
        assert [(entry.name, entry.kind) for entry in page.entries] == [
            ("1.2.1", Kind.FOLDER),
            ("1.2.1-rc.1", Kind.FOLDER),
            ("1.2.10", Kind.FOLDER),
            ("file", Kind.FILE),
        ]
        assert not page.more
        assert names(store, "") == ["m", "m2", "n"]
        assert names(store, "m/1.2.1") == ["x", "y"]
        assert names(store, "absent") == []
        assert names(store, "m/file") == []
        assert names(store, "m/fil") == []

    def test_page_starts_after_a_name(self, place, store):
        for key in ("m/a/x", "m/a-b/x", "m/a.b", "m/b", "m/c/x"):
            place.put(key, b"x")
        everything = ["a", "a-b", "a.b", "b", "c"]
        assert names(store, "m") == everything
        for after in ("", "0", "a", "a-b", "a-c", "a.b", "aa", "b", "c", "d"):
            assert [entry.name for entry in store.page("m", after).entries] == [it for it in everything if it > after]

    def test_page_leaves_out_what_is_the_stores_own(self, place, store):
        for key in (f"m/.artreg-tmp-{'0' * 32}", f"m/.artreg-tmp-{'1' * 32}/x", f"{OWN}/x", f"m/{OWN}/x", "m/x"):
            place.put(key, b"x")
        assert names(store, "") == ["m"]
        assert names(store, "m") == [OWN, "x"]

    def test_pages_are_continued_by_name(self, place, store):
        """More names than a page holds, and a folder that a bucket puts after its neighbours."""
        expected = [f"{number:08}.json" for number in range(998)] + ["9", *(f"9-{number}" for number in range(12))]
        place.put_many([*(f"h/{name}" for name in expected if name != "9"), "h/9/x"])
        expected.sort()
        found, after = [], ""
        for _ in range(5):
            page = store.page("h", after)
            found += [entry.name for entry in page.entries]
            if not page.more:
                break
            after = found[-1]
        assert found == expected
        assert [entry.name for entry in store.page("h", "00000990.json").entries] == expected[991:]
        assert walked(store, "h") == sorted([*(name for name in expected if name != "9"), "9/x"])

    def test_walk_yields_files_in_order(self, place, store):
        keys = ["m/a/x", "m/a-b/x", "m/a.b", "m/a/y/z", "m/a0", "m2/x"]
        for key in keys:
            place.put(key, b"12345")
        assert walked(store, "m") == ["a-b/x", "a.b", "a/x", "a/y/z", "a0"]
        assert walked(store) == sorted(keys)
        assert walked(store, "m/a") == ["x", "y/z"]
        assert walked(store, "m/a.b") == []
        assert walked(store, "absent") == []
        assert {(entry.kind, entry.size) for entry in store.walk("m")} == {(Kind.FILE, 5)}

    def test_listings_are_never_stale(self, place, store):
        store.create("m/a", b"x")
        assert names(store, "m") == ["a"]
        place.put("m/b", b"x")
        assert names(store, "m") == ["a", "b"]
        place.store().delete(["m/a"])
        assert names(store, "m") == ["b"]
        assert walked(store) == ["m/b"]
        with pytest.raises(NotFound):
            store.read("m/a")

    def test_times_are_those_of_the_storage(self, store):
        import time

        before = time.time()
        store.create("a", b"x")
        (entry,) = store.walk("")
        assert entry.size == 1
        assert before - 5 < entry.modified < time.time() + 5

    # Deleting

    @pytest.mark.parametrize("size", [0, 9, PART + 1], ids=["empty", "small", "large"])
    def test_restore_puts_the_right_bytes_in_the_place_of_others(self, place, store, size):
        data = b"x" * size
        place.put("m/1.0.0/a", b"damaged")
        store.restore("m/1.0.0/a", file("a", data))
        store.restore("m/1.0.0/new/b", TreeFile("b", lambda: iter([data]), size, hashlib.sha256(data).hexdigest()))
        assert place.get("m/1.0.0/a") == place.get("m/1.0.0/new/b") == data
        assert place.keys() == ["m/1.0.0/a", "m/1.0.0/new/b"]

    def test_restore_from_something_else_changes_nothing(self, place, store):
        place.put("m/a", b"damaged")
        for wrong in (b"others", b"longer than it should be", b""):
            source = TreeFile("a", lambda wrong=wrong: iter([wrong]), 6, hashlib.sha256(b"theirs").hexdigest())
            with pytest.raises(IntegrityError):
                store.restore("m/a", source)
        assert (place.get("m/a"), place.keys()) == (b"damaged", ["m/a"])

    def test_delete_takes_files_and_emptied_folders(self, place, store):
        for key in ("m/a/b/c", "m/a/d", "m2/x"):
            place.put(key, b"x")
        store.delete(["m/a/b/c", "absent", "absent/x", "m/a", "m/a/d/below"])
        assert place.keys() == ["m/a/d", "m2/x"]
        assert names(store, "m/a") == ["d"]
        store.delete(["m/a/d"])
        assert names(store, "") == ["m2"]
        store.delete([])
        store.delete(["m2/x"])
        store.require_root()

    # Pointers

    def test_pointer_shows_what_was_pointed_at(self, store):
        assert store.pointer("m/prod") is None
        for generation, target in enumerate(["1.2.0", "1.2.1", "1.2.1", "ä"]):
            store.point("m/prod", Pointer(target, generation))
            found = store.pointer("m/prod")
            assert found is not None
            assert found.target == target
            assert found.generation in {None, generation}
        assert names(store, "m") == ["prod"]

    def test_pointer_takes_the_place_of_whatever_file_is_there(self, place, store):
        place.put("m/prod", b"what somebody wrote by hand")
        store.point("m/prod", Pointer("1.2.1", 3))
        assert store.pointer("m/prod").target == "1.2.1"

    def test_pointer_of_a_bucket_is_understood_everywhere(self, place, store):
        place.put("m/prod", encode(Pointer("1.2.1", 7)))
        assert store.pointer("m/prod") == Pointer("1.2.1", 7)

    @pytest.mark.parametrize(
        "garbage",
        [
            b"",
            b"1.2.1",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{}",
            b"[" * 100_000,
            b"x" * 100_000,
            b'{"format": "artreg/pointer/2", "generation": 1, "target": "a"}',
            b'{"format": "artreg/pointer/1", "generation": 1}',
            b'{"format": "artreg/pointer/1", "generation": -1, "target": "a"}',
            b'{"format": "artreg/pointer/1", "generation": true, "target": "a"}',
            b'{"format": "artreg/pointer/1", "generation": 1, "target": "../a"}',
            b'{"format": "artreg/pointer/1", "generation": 1, "target": "a/b"}',
            b'{"format": "artreg/pointer/1", "generation": 1, "target": 1}',
            b'{"format": "artreg/pointer/1", "generation": 1, "target": "a", "more": 1}',
        ],
        ids=lambda data: data[:12].decode(errors="replace") or "empty",
    )
    def test_pointer_that_makes_no_sense_has_no_target(self, place, store, garbage):
        place.put("m/prod", garbage)
        assert store.pointer("m/prod") == Pointer("")

    def test_readers_never_miss_a_pointer_that_moves(self, place, store):
        store.point("m/prod", Pointer("1.0.0", 0))
        stop = threading.Event()

        def read() -> set[str]:
            reader, seen = place.store(), set()
            while not stop.is_set():
                found = reader.pointer("m/prod")
                seen.add(found.target if found else "absent")
            return seen

        def move() -> set[str]:
            try:
                for number in range(30):
                    store.point("m/prod", Pointer(f"1.0.{number % 2}", number))
            finally:
                stop.set()
            return set()

        seen = set().union(*at_once(2, lambda number: (read, move)[number]()))
        assert seen <= {"1.0.0", "1.0.1"}

    # Trees

    def test_tree_is_there_as_it_was_given(self, place, store, tmp_path):
        source = tmp_path / "weights"
        source.write_bytes(b"from a file")
        files = [
            *tree(**{"empty": b"", "deep/er/x": b"deep"}),
            TreeFile("weights", source, 11, hashlib.sha256(b"from a file").hexdigest()),
            TreeFile("stream", lambda: iter([b"from ", memoryview(b"pieces")]), 11, file("", b"from pieces").sha256),
        ]
        put(store, "m/1.2.1", files)
        contents = {key: place.get(key) for key in place.keys()}  # noqa: SIM118
        assert contents == {
            **{f"m/1.2.1/{it.name}": it.source for it in files if isinstance(it.source, bytes)},
            "m/1.2.1/weights": b"from a file",
            "m/1.2.1/stream": b"from pieces",
        }
        assert list(store.leftovers()) == []

    def test_tree_counts_every_byte_of_progress(self, store, tmp_path):
        class Count:
            total = 0

            def advance(self, count: int) -> None:
                self.total += count

        count = Count()
        files = tree(big=b"x" * (2 * PART + 1), small=b"y" * 1000)
        put(store, "m/1.2.1", files, count)
        marks = {"run.json", "checksum.txt"}
        assert count.total in {sum(it.size for it in files), sum(it.size for it in files if it.name not in marks)}

    @pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1])
    def test_tree_with_a_large_file(self, place, store, tmp_path, size):
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        source = tmp_path / "weights"
        source.write_bytes(data)
        large = TreeFile("model/weights", source, size, hashlib.sha256(data).hexdigest())
        put(store, "m/1.2.1", [*tree(), large])
        assert place.get("m/1.2.1/model/weights") == data
        assert list(store.leftovers()) == []

    def test_same_tree_again_changes_nothing(self, place, store):
        put(store, "m/1.2.1", tree())
        before = place.keys()
        put(store, "m/1.2.1", tree())
        assert place.keys() == before
        assert list(store.leftovers()) == []

    @pytest.mark.parametrize("other", [tree("two"), tree("one", more=b"x")], ids=["claim", "seal"])
    def test_another_tree_is_refused(self, place, store, other):
        put(store, "m/1.2.1", tree())
        before = {key: place.get(key) for key in place.keys()}  # noqa: SIM118
        with pytest.raises(AlreadyExists):
            put(store, "m/1.2.1", other)
        assert {key: place.get(key) for key in place.keys()} == before  # noqa: SIM118
        assert list(store.leftovers()) == []

    def test_tombstone_in_the_place_of_the_seal_ends_it(self, place, store):
        place.put("m/1.2.1/checksum.txt", b"a tombstone")
        with pytest.raises(AlreadyExists):
            put(store, "m/1.2.1", tree())
        assert place.get("m/1.2.1/checksum.txt") == b"a tombstone"

    def test_foreign_file_in_the_place_is_not_taken_in(self, place, store):
        place.put("m/1.2.1/strange", b"x")
        with pytest.raises(AlreadyExists):
            put(store, "m/1.2.1", tree())
        assert place.get("m/1.2.1/checksum.txt") is None
        assert place.get("m/1.2.1/strange") == b"x"

    @pytest.mark.parametrize("size", [10, 2 * PART + 5])
    @pytest.mark.parametrize("change", [b"", b"longer", b"same"], ids=["shorter", "longer", "other"])
    def test_source_that_changed_is_refused(self, place, store, tmp_path, size, change):
        data = b"x" * size
        source = tmp_path / "weights"
        source.write_bytes({b"": data[1:], b"longer": data + b"x", b"same": data[1:] + b"y"}[change])
        changed = TreeFile("weights", source, size, hashlib.sha256(data).hexdigest())
        with pytest.raises(IntegrityError, match="weights"):
            put(store, "m/1.2.1", [*tree(), changed])
        assert place.get("m/1.2.1/checksum.txt") is None
        assert place.get("m/1.2.1/weights") is None
        assert list(store.leftovers()) == []

    def test_source_that_is_gone_is_refused(self, place, store, tmp_path):
        gone = TreeFile("weights", tmp_path / "gone", 1, hashlib.sha256(b"x").hexdigest())
        with pytest.raises(IntegrityError, match="weights"):
            put(store, "m/1.2.1", [*tree(), gone])
        assert place.get("m/1.2.1/checksum.txt") is None

    def test_bytes_that_belie_their_digest_are_refused(self, place, store):
        for name in ("run.json", "metrics.json", "checksum.txt"):
            files = [
                TreeFile(it.name, it.source[:-1] + b"!", it.size, it.sha256) if it.name == name else it for it in tree()
            ]
            with pytest.raises(IntegrityError, match=name):
                put(store, "m/1.2.1", files)
            assert place.get("m/1.2.1/checksum.txt") is None

    def test_trees_that_cannot_be_are_refused(self, place, store):
        temporary = f".artreg-tmp-{'0' * 32}"
        whole = tree()
        for files in (
            whole[1:],
            whole[:-1],
            [*whole, whole[1]],
            [*whole, file("model", b"x")],
            [*whole, file(temporary, b"x")],
            [*whole, file(f"{temporary}/x", b"x")],
        ):
            with pytest.raises(InvalidInput):
                put(store, "m/1.2.1", files)
        with pytest.raises(InvalidInput):
            store.put_tree("m/1.2.1", whole, claim="run.json", seal="run.json")
        assert place.keys() == []

    def test_one_of_eight_trees_appears(self, place):
        stores = [place.store() for _ in range(8)]
        for turn in range(3):
            prefix = f"m/1.0.{turn}"
            trees = [tree(f"{turn}.{number}", who=b"%d" % number) for number in range(8)]
            results = at_once(8, lambda number, prefix=prefix, trees=trees: put(stores[number], prefix, trees[number]))
            winners = [number for number, result in enumerate(results) if result is None]
            assert len(winners) == 1, results
            assert all(isinstance(it, AlreadyExists) for it in results if it is not None), results
            for it in trees[winners[0]]:
                assert place.get(f"{prefix}/{it.name}") == it.source
            assert sum(key.startswith(prefix) for key in place.keys()) == len(trees[0])  # noqa: SIM118
        assert list(stores[0].leftovers()) == []

    def test_same_tree_from_eight_at_once_appears_once(self, place):
        stores = [place.store() for _ in range(8)]
        results = at_once(8, lambda number: put(stores[number], "m/1.0.0", tree()))
        assert results == [None] * 8
        assert [place.get(f"m/1.0.0/{it.name}") for it in tree()] == [it.source for it in tree()]

    # Leftovers

    def test_leftovers_of_a_probe_are_found_and_removed(self, place, store):
        key = f"{OWN}/probe-{'0' * 32}/one"
        place.put(key, b"12345")
        place.put(f"{OWN}/conditional-writes", b"x")
        (leftover,) = store.leftovers()
        assert (leftover.key, leftover.size) == (key, 5)
        assert leftover.modified > 0
        store.discard(leftover)
        store.discard(leftover)
        assert place.keys() == [f"{OWN}/conditional-writes"]

    def test_nothing_but_leftovers_is_discarded(self, place, store):
        place.put("m/x", b"x")
        with pytest.raises(InvalidInput):
            store.discard(Leftover("m/x", "", 1, 0.0))
        assert place.get("m/x") == b"x"

    # Diagnosis

    def test_probe_finds_everything_in_order_and_leaves_nothing(self, place, store):
        findings = list(probe(store))
        assert {finding.check: finding.ok for finding in findings} == dict.fromkeys(
            ["writable", "readable", "conditional-writes", "race", "pointer", "listing", "deletable"], True
        )
        assert all(finding.message for finding in findings)
        assert place.keys() == []

    def test_probe_tells_of_a_missing_root(self, place):
        (finding,) = probe(place.missing())
        assert (finding.check, finding.ok) == ("writable", False)
        assert finding.message

    def test_writing_is_prepared_once(self, place, store):
        store.prepare_writing()
        before = place.keys()
        store.prepare_writing()
        place.store().prepare_writing()
        assert place.keys() == before
        assert names(store, "") == []

    def test_diagnosis_says_something(self, store):
        for finding in store.diagnose():
            assert finding.ok, finding
            assert finding.check
            assert finding.message
