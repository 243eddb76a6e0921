"""The store on a disk."""

import errno
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from artreg.errors import (
    AlreadyExists,
    Conflict,
    IntegrityError,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    StorageError,
)
from artreg.store import copying, disk
from artreg.store.commit import commit
from artreg.store.interface import Kind, Pointer, TreeFile
from artreg.store.local import LocalStore
from store.contract import StoreContract, names, put, tree, walked
from store.places import LocalPlace, at_once


class TestLocalStore(StoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        return LocalPlace(tmp_path / "registry")

    # What only a disk has

    def test_link_is_shown_and_never_followed(self, place, store, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        (place.root / "m").mkdir()
        (place.root / "m" / "folder").symlink_to(outside)
        (place.root / "m" / "file").symlink_to(outside / "secret")
        (place.root / "m" / "dangling").symlink_to("nowhere")
        assert [(it.name, it.kind, it.size) for it in store.page("m").entries] == [
            ("dangling", Kind.LINK, 0),
            ("file", Kind.LINK, 0),
            ("folder", Kind.LINK, 0),
        ]
        assert [(it.name, it.kind) for it in store.walk("")] == [
            ("m/dangling", Kind.LINK),
            ("m/file", Kind.LINK),
            ("m/folder", Kind.LINK),
        ]
        for read in (store.read, lambda key: list(store.chunks(key))):
            with pytest.raises(IntegrityError, match="m/file"):
                read("m/file")
            with pytest.raises(NotFound):
                read("m/folder/secret")
        assert names(store, "m/folder") == []
        assert walked(store, "m/folder") == []
        with pytest.raises(AlreadyExists):
            store.create("m/dangling", b"x")
        with pytest.raises(AlreadyExists):
            put(store, "m/folder", tree())
        assert sorted(os.listdir(outside)) == ["secret"]
        store.delete(["m/file", "m/folder", "m/dangling"])
        assert (outside / "secret").read_bytes() == b"secret"
        assert place.keys() == []

    def test_what_is_no_file_is_refused_at_once(self, place, store):
        os.mkfifo(place.root / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            folder = os.getcwd()
            os.chdir(place.root)  # the path of a socket may not be long
            try:
                listener.bind("socket")
            finally:
                os.chdir(folder)
            for key in ("fifo", "socket"):
                with pytest.raises(IntegrityError, match=key):
                    store.read(key)
                with pytest.raises(IntegrityError, match=key):
                    list(store.chunks(key))
                with pytest.raises(AlreadyExists):
                    store.create(key, b"x")
                assert store.pointer(key) == Pointer("")
            assert {it.kind for it in store.page("").entries} == {Kind.OTHER}

    def test_source_that_is_no_file_is_refused_at_once(self, store, tmp_path):
        os.mkfifo(tmp_path / "fifo")
        source = TreeFile("x", tmp_path / "fifo", 1, "0" * 64)
        with pytest.raises(IntegrityError, match="plain file"):
            put(store, "m/1.0.0", [*tree(), source])
        assert list(store.leftovers()) == []

    def test_root_that_is_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_bytes(b"x")
        store = LocalStore(tmp_path / "file")
        with pytest.raises(InvalidInput):
            store.require_root()
        with pytest.raises(InvalidInput):
            store.make_root()
        with pytest.raises(StorageError):
            LocalStore(tmp_path / "file" / "below").make_root()

    def test_root_is_made_with_all_above_it(self, tmp_path):
        store = LocalStore(tmp_path / "a" / "b" / "c")
        store.make_root()
        store.create("x", b"x")
        assert (tmp_path / "a" / "b" / "c" / "x").read_bytes() == b"x"

    def test_root_may_be_a_link(self, place, tmp_path):
        (tmp_path / "link").symlink_to(place.root)
        store = LocalStore(tmp_path / "link")
        store.require_root()
        store.create("a/b", b"x")
        assert walked(store) == ["a/b"]
        assert place.get("a/b") == b"x"

    @pytest.mark.parametrize("empty", [False, True])
    def test_the_same_tree_that_comes_between_two_looks_is_no_other(self, place, store, monkeypatch, empty):
        """However often the place is looked at, another writer puts the very same tree there just after the first."""
        if empty:
            (place.root / "m" / "1.2.0").mkdir(parents=True)
        lexists, looks = os.path.lexists, []

        def faster(path):
            found = lexists(path)
            looks.append(path)
            if len(looks) == 1:
                put(LocalStore(place.root), "m/1.2.0", tree())
            return found

        monkeypatch.setattr(os.path, "lexists", faster)
        put(store, "m/1.2.0", tree())
        assert looks
        assert store.read("m/1.2.0/run.json") == tree()[0].source

    def test_root_is_where_it_was_when_the_process_moves(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        store = LocalStore("registry")
        store.make_root()
        monkeypatch.chdir("/")
        store.create("a", b"x")
        assert (tmp_path / "registry" / "a").read_bytes() == b"x"

    def test_pointer_is_a_relative_link_that_other_tools_read(self, place, store):
        store.point("m/prod", Pointer("1.2.1", 3))
        assert os.readlink(place.root / "m" / "prod") == "1.2.1"
        assert store.pointer("m/prod") == Pointer("1.2.1")

    @pytest.mark.parametrize("target", ["../../etc", "/etc", "a/b", ".", "..", "a/", "a\nb"])
    def test_link_that_leads_elsewhere_is_no_pointer(self, place, store, target):
        (place.root / "m").mkdir()
        (place.root / "m" / "prod").symlink_to(target)
        assert store.pointer("m/prod") == Pointer("")
        store.point("m/prod", Pointer("1.2.1"))
        assert store.pointer("m/prod") == Pointer("1.2.1")

    def test_folder_in_the_place_of_a_pointer_is_told(self, place, store):
        (place.root / "m" / "prod").mkdir(parents=True)
        assert store.pointer("m/prod") == Pointer("")
        with pytest.raises(StorageError) as caught:
            store.point("m/prod", Pointer("1.2.1"))
        assert "Move it away" in caught.value.hint or "move it away" in caught.value.hint
        assert list(store.leftovers()) == []

    def test_file_in_the_place_of_a_folder_is_told(self, place, store):
        place.put("m", b"x")
        for write in (
            lambda: store.create("m/a", b"x"),
            lambda: put(store, "m/1.0.0", tree()),
            lambda: store.point("m/prod", Pointer("a")),
        ):
            with pytest.raises(StorageError) as caught:
                write()
            assert "move it away" in caught.value.hint
        with pytest.raises(AlreadyExists):
            put(store, "m", tree())

    def test_empty_folder_in_the_place_of_a_tree_is_replaced(self, place, store):
        (place.root / "m" / "1.2.1").mkdir(parents=True)
        put(store, "m/1.2.1", tree())
        assert place.get("m/1.2.1/run.json") == b"one"

    def test_nobody_may_write_to_what_is_stored(self, place, store):
        umask = os.umask(0o027)
        try:
            store.create("m/a", b"x")
            put(store, "m/1.2.1", tree())
        finally:
            os.umask(umask)
        modes = {key: stat.S_IMODE((place.root / key).stat().st_mode) for key in place.keys()}  # noqa: SIM118
        assert set(modes.values()) == {0o440}
        assert stat.S_IMODE((place.root / "m" / "1.2.1").stat().st_mode) == 0o750

    def test_names_that_are_no_text_are_shown_and_refused(self, place, store):
        (place.root / os.fsdecode(b"\xff")).write_bytes(b"x")
        (entry,) = store.page("").entries
        assert entry.name == "\udcff"
        with pytest.raises(InvalidInput):
            store.read(entry.name)

    # What may go wrong on a disk

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO])
    @pytest.mark.parametrize("call", ["open", "write", "fsync"])
    def test_failure_before_the_file_appears_leaves_nothing(self, place, store, monkeypatch, call, code):
        place.put("m/there", b"x")
        breaking(monkeypatch, call, code, lambda _, flags=0, *rest: call != "open" or flags & os.O_CREAT)
        for key, write in (
            ("m/a", lambda: store.create("m/a", b"x")),
            ("m/1.0.0", lambda: put(store, "m/1.0.0", tree())),
        ):
            with pytest.raises(StorageError) as caught:
                write()
            assert type(caught.value) is StorageError
            assert caught.value.message.startswith(f"{key} cannot be written")
            assert caught.value.hint
            assert str(place.root) not in caught.value.message
        monkeypatch.undo()
        assert place.keys() == ["m/there"]
        assert list(store.leftovers()) == []

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES])
    def test_refused_link_leaves_nothing(self, place, store, monkeypatch, code):
        breaking(monkeypatch, "link", code)
        with pytest.raises(StorageError) as caught:
            store.create("m/a", b"x")
        assert type(caught.value) is StorageError
        assert caught.value.hint
        assert place.keys() == []

    @pytest.mark.parametrize("call", ["link", "rename", "replace"])
    def test_failure_while_it_appears_is_unknown(self, store, monkeypatch, call):
        writes = {
            "link": lambda: store.create("m/a", b"x"),
            "rename": lambda: put(store, "m/1.0.0", tree()),
            "replace": lambda: store.point("m/prod", Pointer("a")),
        }
        breaking(monkeypatch, call, errno.EIO)
        with pytest.raises(OutcomeUnknown):
            writes[call]()

    def test_failure_after_it_appeared_is_unknown(self, place, store, monkeypatch):
        real = os.fsync

        def fsync(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode) and {"a", "prod", "1.0.0"} & set(os.listdir(descriptor)):
                raise OSError(errno.EIO, "broken")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(OutcomeUnknown, match="m/a"):
            store.create("m/a", b"x")
        with pytest.raises(OutcomeUnknown, match="n/prod"):
            store.point("n/prod", Pointer("a"))
        with pytest.raises(OutcomeUnknown, match=r"o/1\.0\.0"):
            put(store, "o/1.0.0", tree())
        monkeypatch.undo()
        assert place.get("m/a") == b"x"
        assert store.pointer("n/prod") == Pointer("a")
        with pytest.raises(OutcomeUnknown, match=r"o/1\.0\.0"):  # the kernel tells of a failure once
            put(store, "o/1.0.0", tree())
        put(place.store(), "o/1.0.0", tree())
        assert place.get("o/1.0.0/run.json") == b"one"

    def test_commit_does_not_take_its_own_file_for_durable_after_an_fsync_that_failed(self, store, monkeypatch):
        failures = iter([OSError(errno.EIO, "broken")])
        real = os.fsync

        def fsync(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode) and "a" in os.listdir(descriptor):
                for error in failures:
                    raise error
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(OutcomeUnknown, match="m/a") as caught:
            commit(store, "m/a", b"x")
        assert caught.value.details["outcome"] == "unknown"

    def test_fsync_that_fails_while_a_large_file_is_being_written_is_told(self, place, store, monkeypatch):
        failures, real = iter([OSError(errno.EIO, "broken")]), os.fsync

        def fsync(descriptor):
            if 2**16 <= os.fstat(descriptor).st_size < 2**24:
                for error in failures:
                    raise error
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(copying, "_UNSYNCED", 1)
        data = b"x" * 2**16
        file = TreeFile("large", lambda: iter([data] * 256), 256 * len(data), hashlib.sha256(data * 256).hexdigest())
        with pytest.raises(StorageError, match=r"o/1\.0\.0 cannot be written"):
            put(store, "o/1.0.0", [*tree(), file])
        assert place.keys() == []

    def test_folder_that_cannot_be_synced_at_all_is_no_error(self, place, store, monkeypatch):
        real = os.fsync

        def fsync(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "invalid")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        store.create("m/a", b"x")
        assert place.get("m/a") == b"x"

    def test_link_that_was_sent_twice_is_ours(self, place, store, monkeypatch):
        real = os.link

        def link(source, target, **options):
            real(source, target, **options)
            raise FileExistsError(errno.EEXIST, "there")

        monkeypatch.setattr(os, "link", link)
        store.create("m/a", b"x")
        assert place.get("m/a") == b"x"
        assert place.keys() == ["m/a"]

    def test_reading_failure_names_the_file(self, place, store, monkeypatch):
        place.put("m/a", b"x")
        breaking(monkeypatch, "open", errno.EACCES, lambda path, *rest: path == "a")
        for read in (store.read, lambda key: list(store.chunks(key))):
            with pytest.raises(StorageError, match=r"^m/a cannot be read: broken") as caught:
                read("m/a")
            assert "permission" in caught.value.hint

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
    def test_interruption_leaves_nothing(self, place, store, kind):
        class Stop:
            def advance(self, count: int) -> None:
                raise kind

        with pytest.raises(kind):
            put(store, "m/1.0.0", tree(), Stop())
        assert place.keys() == []
        assert list(store.leftovers()) == []

    # Clean-up

    def test_leftovers_are_found_everywhere_and_removed(self, place, store):
        one, two, three = (f".artreg-tmp-{digit * 32}" for digit in "123")
        place.put(f"m/{one}", b"123")
        place.put(f"m/{two}/deep/x", b"12345")
        place.put(f"m/{two}/{three}", b"1")
        (place.root / three).symlink_to("x")
        place.put("m/1.0.0/x", b"x")
        place.put("m/.artreg-tmp-x", b"no name of ours")
        os.utime(place.root / "m" / one, (1e9, 1e9))
        found = {leftover.key: leftover for leftover in store.leftovers()}
        assert {key: it.size for key, it in found.items()} == {f"m/{one}": 3, f"m/{two}": 6, three: 0}
        assert found[f"m/{one}"].modified == 1e9
        assert walked(store, f"m/{two}") == [three, "deep/x"]
        for leftover in found.values():
            store.discard(leftover)
            store.discard(leftover)
        assert place.keys() == ["m/.artreg-tmp-x", "m/1.0.0/x"]
        assert list(store.leftovers()) == []

    def test_slow_writer_cannot_finish_after_a_clean_up(self, place, store):
        class CleanUp:
            def advance(self, count: int) -> None:
                for leftover in place.store().leftovers():
                    place.store().discard(leftover)

        with pytest.raises(Conflict, match="clean-up"):
            put(store, "m/1.0.0", tree(), CleanUp())
        assert place.keys() == []

    def test_slow_writer_cannot_link_after_a_clean_up(self, place, store, monkeypatch):
        real = os.link

        def link(source, target, **options):
            for leftover in place.store().leftovers():
                place.store().discard(leftover)
            real(source, target, **options)

        monkeypatch.setattr(os, "link", link)
        with pytest.raises(Conflict, match="clean-up"):
            store.create("m/a", b"x")
        assert place.keys() == []

    def test_folder_that_vanishes_under_a_writer_is_made_again(self, place, store):
        def churn(number: int) -> None:
            mine = place.store()
            for _ in range(100):
                mine.create(f"m/n/{number}", b"x")
                mine.delete([f"m/n/{number}"])

        assert at_once(4, churn) == [None] * 4
        assert os.listdir(place.root) == []

    def test_root_that_vanishes_is_not_made_again(self, place, store):
        store.create("m/a", b"x")
        shutil.rmtree(place.root)
        for write in (
            lambda: store.create("m/b", b"x"),
            lambda: put(store, "m/1.0.0", tree()),
            lambda: store.point("m/prod", Pointer("a")),
        ):
            with pytest.raises(NotFound):
                write()
        assert not place.root.exists()

    # Several processes

    def test_one_of_several_processes_creates(self, place):
        script = (
            "import sys\n"
            "from artreg.errors import AlreadyExists\n"
            "from artreg.store.local import LocalStore\n"
            "store = LocalStore(sys.argv[1])\n"
            "print('ready', flush=True)\n"
            "sys.stdin.readline()\n"
            "won = []\n"
            "for turn in range(50):\n"
            "    try:\n"
            "        store.create(f'race/{turn}', sys.argv[2].encode())\n"
            "    except AlreadyExists:\n"
            "        continue\n"
            "    won.append(turn)\n"
            "print(*won)\n"
        )
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(place.root), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.stdin.write("\n")
            writer.stdin.flush()
        won = [writer.communicate()[0].split() for writer in writers]
        assert sorted(turn for turns in won for turn in turns) == sorted(str(turn) for turn in range(50))
        for number, turns in enumerate(won):
            assert all(place.get(f"race/{turn}") == str(number).encode() for turn in turns)
        assert len(place.keys()) == 50

    def test_diagnosis_tells_of_a_full_disk_and_a_wrong_clock(self, store, monkeypatch):
        real = os.statvfs

        def statvfs(path):
            figures = list(real(path))
            figures[4] = 1  # f_bavail
            return os.statvfs_result(figures)

        monkeypatch.setattr(os, "statvfs", statvfs)
        monkeypatch.setattr("artreg.store.local_leftovers.time", SimpleNamespace(time=lambda: 0.0))
        findings = {finding.check: finding for finding in store.diagnose()}
        assert {name: finding.ok for name, finding in findings.items()} == {"space": False, "clock": False}
        assert all(finding.hint for finding in findings.values())


def breaking(monkeypatch, name: str, code: int, when=lambda *arguments: True) -> None:
    """Make a system call fail where its arguments are certain ones."""
    real = getattr(os, name)

    def call(*arguments, **options):
        if when(*arguments):
            raise OSError(code, "broken")
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, call)

    @pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1023, 1024, 3000])
    def test_the_last_of_many_files_is_found_without_a_list(self, place, store, monkeypatch, count):
        numbered(place, count)
        monkeypatch.setattr(os, "scandir", None)
        monkeypatch.setattr(os, "listdir", None)
        assert store.last_number("h", "{:08d}.json".format) == (count if count >= 512 else None)
        assert store.last_number("absent", "{:08d}.json".format) is None

    @pytest.mark.parametrize("missing", [1, 512, 513, 700, 768, 1023, 1024, 1025, 1199, 1200])
    def test_one_that_is_missing_is_never_taken_for_the_end(self, place, store, missing):
        numbered(place, 1200)
        place.root.joinpath(f"h/{missing:08d}.json").unlink()
        assert store.last_number("h", "{:08d}.json".format) in {None, 1199 if missing == 1200 else 1200}

    def test_a_hundred_times_more_files_take_a_few_looks_more(self, place, store, monkeypatch):
        looks = []
        real = os.stat
        monkeypatch.setattr(os, "stat", lambda *args, **settings: looks.append(args) or real(*args, **settings))
        numbered(place, 600)
        store.last_number("h", "{:08d}.json".format)
        before = len(looks)
        numbered(place, 60_000)
        looks.clear()
        assert store.last_number("h", "{:08d}.json".format) == 60_000
        assert len(looks) <= before + 25


def numbered(place, count: int) -> None:
    folder = place.root / "h"
    folder.mkdir(exist_ok=True)
    for number in range(len(os.listdir(folder)) + 1, count + 1):
        (folder / f"{number:08d}.json").touch()


def test_a_walk_without_sizes_asks_for_none(tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"m/{number}").mkdir(parents=True)
        (tmp_path / f"m/{number}/file").write_bytes(b"x")
    (tmp_path / "m/link").symlink_to("1")
    store = LocalStore(tmp_path)
    sized = [(it.name, it.kind) for it in store.walk("m")]

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(disk, "_kind", refuse)
    assert [(it.name, it.kind) for it in store.walk("m", sized=False)] == sized


@pytest.mark.parametrize("lies", ["link", "fifo", "link to a folder"])
def test_restore_replaces_what_is_no_file_and_follows_no_link(tmp_path, local_store, lies):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a").write_bytes(b"theirs")
    folder = tmp_path / "registry" / "m"
    data = TreeFile("a", b"right", 5, hashlib.sha256(b"right").hexdigest())
    if lies == "link to a folder":
        folder.symlink_to(elsewhere)
        with pytest.raises(StorageError):
            local_store.restore("m/a", data)
    else:
        folder.mkdir()
        (folder / "a").symlink_to(elsewhere / "a") if lies == "link" else os.mkfifo(folder / "a")
        local_store.restore("m/a", data)
        assert (folder / "a").lstat().st_mode & 0o777777 == 0o100444
        assert (folder / "a").read_bytes() == b"right"
    assert os.listdir(elsewhere) == ["a"]
    assert (elsewhere / "a").read_bytes() == b"theirs"
