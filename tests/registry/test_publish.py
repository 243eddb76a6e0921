"""Publishing: whole or not at all, once, and the same content again changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path

import pytest

from artreg.core.manifest import TOMBSTONE
from artreg.core.version import Part, Version
from artreg.errors import AlreadyExists, Conflict, IntegrityError, InvalidInput, NotFound
from artreg.registry.publish import Taking, next_version, publish
from artreg.registry.verify import verify
from artreg.registry.versions import read_manifest, read_run
from artreg.store.factory import open_store
from artreg.store.local import LocalStore
from registry.bench import CHURN, Bench


def test_a_published_version_is_whole(bench: Bench) -> None:
    published = bench.publish("1.2.1")
    manifest = read_manifest(bench.registry, CHURN, Version(1, 2, 1))
    assert published.created
    assert published.digest == manifest.digest
    assert set(manifest.files) == {"model.bin", "metrics.json", "run.json"}
    assert published.metrics == {"roc_auc": 0.9}
    run = read_run(bench.registry, CHURN, Version(1, 2, 1), manifest)
    assert (run.published_by, run.published_at) == ("ada", "2026-03-01T12:00:00.000Z")
    assert run.content == manifest.content
    assert verify(bench.registry).ok


def test_the_same_content_again_changes_nothing(bench: Bench) -> None:
    first = bench.publish("1.0.0", "m")
    again = bench.publish("1.0.0", "m")
    assert (again.created, again.digest) == (False, first.digest)


def test_other_content_under_a_version_is_refused(bench: Bench) -> None:
    first = bench.publish("1.0.0", "m")
    with pytest.raises(AlreadyExists, match="with other content") as caught:
        bench.publish("1.0.0", "other")
    assert caught.value.details["differing"] == ["model.bin"]
    assert read_manifest(bench.registry, CHURN, Version(1, 0, 0)).digest == first.digest


def test_numbers_follow_each_other(bench: Bench) -> None:
    numbers = []
    for content, part in (("a", Part.PATCH), ("b", Part.PATCH), ("c", Part.MINOR), ("d", Part.MAJOR)):
        numbers.append(str(publish(bench.registry, CHURN, bench.made(content), part).version))
    assert numbers == ["1.0.0", "1.0.1", "1.1.0", "2.0.0"]


def test_the_newest_content_gets_no_new_number(bench: Bench) -> None:
    first = publish(bench.registry, CHURN, bench.made("a"), Part.PATCH)
    again = publish(bench.registry, CHURN, bench.made("a"), Part.PATCH)
    assert (again.version, again.created) == (first.version, False)


def test_the_same_bytes_from_other_code_are_a_new_version(bench: Bench) -> None:
    numbers = [
        str(publish(bench.registry, CHURN, bench.made("a"), Part.PATCH, run={"axes": {"code": commit}}).version)
        for commit in ("abc", "abc", "def")
    ]
    assert numbers == ["1.0.0", "1.0.0", "1.0.1"]


def test_going_back_to_older_content_is_a_new_version(bench: Bench) -> None:
    for content, number in (("a", "1.0.0"), ("b", "1.0.1"), ("a", "1.0.2")):
        assert str(publish(bench.registry, CHURN, bench.made(content), Part.PATCH).version) == number


@pytest.mark.parametrize(
    ("taken", "part", "following"),
    [
        ([], Part.PATCH, "1.0.0"),
        ([], Part.MAJOR, "1.0.0"),
        (["1.0.0"], Part.PATCH, "1.0.1"),
        (["1.0.0", "1.0.1-rc.1"], Part.PATCH, "1.0.1"),
        (["2.0.0-rc.1"], Part.MINOR, "1.0.0"),
        (["0.9.0"], Part.MINOR, "0.10.0"),
        (["1.9.9", "2.0.0"], Part.MINOR, "2.1.0"),
    ],
)
def test_the_next_number(taken: list[str], part: Part, following: str) -> None:
    assert str(next_version([Version.parse(text) for text in taken], part)) == following


def test_a_dry_run_writes_nothing(bench: Bench) -> None:
    promised = publish(bench.registry, CHURN, bench.made(), Part.PATCH, dry_run=True)
    assert promised.created
    assert list(bench.store.walk("")) == []


def test_a_spent_number_is_refused_and_skipped(bench: Bench) -> None:
    bench.store.create("demo/churn/1.0.0/checksum.txt", TOMBSTONE)
    with pytest.raises(AlreadyExists, match="is spent"):
        bench.publish("1.0.0")
    assert str(publish(bench.registry, CHURN, bench.made(), Part.PATCH).version) == "1.0.1"


def test_a_number_under_which_something_unfinished_lies_is_a_conflict(bench: Bench) -> None:
    bench.store.create("demo/churn/1.0.0/model.bin", b"half")
    with pytest.raises(Conflict, match="somebody else is publishing") as caught:
        bench.publish("1.0.0")
    assert "artreg gc" in caught.value.hint
    with pytest.raises(NotFound):
        read_manifest(bench.registry, CHURN, Version(1, 0, 0))


def test_a_run_record_that_comes_along_is_kept(bench: Bench) -> None:
    folder = bench.made()
    (folder / "run.json").write_text('{"author": "bob"}')
    publish(bench.registry, CHURN, folder, Version(1, 0, 0))
    manifest = read_manifest(bench.registry, CHURN, Version(1, 0, 0))
    assert read_run(bench.registry, CHURN, Version(1, 0, 0), manifest).run == {"supplied": {"author": "bob"}}


def test_a_version_can_be_published_on_from_its_own_folder(
    local_store: LocalStore, bench: Bench, tmp_path: Path
) -> None:
    other = Bench(local_store, bench.folder)
    publish(other.registry, CHURN, other.made(), Version(1, 0, 0), run={"axes": {"code": "abc"}})
    folder = Path(local_store.url, "demo/churn/1.0.0")
    target = open_store(f"memory://{uuid.uuid4().hex}")
    target.make_root()
    published = publish(Bench(target, bench.folder).registry, CHURN, folder, Version(3, 0, 0))
    assert published.created
    manifest = read_manifest(Bench(target, bench.folder).registry, CHURN, Version(3, 0, 0))
    run = read_run(Bench(target, bench.folder).registry, CHURN, Version(3, 0, 0), manifest)
    assert run.axes == {"code": "abc"}

    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    os.chmod(damaged / "model.bin", 0o600)
    (damaged / "model.bin").write_text("damaged")
    with pytest.raises(IntegrityError, match="do not match its own"):
        publish(Bench(target, bench.folder).registry, CHURN, damaged, Version(4, 0, 0))


def no_folder(folder: Path) -> Path:
    return folder / "absent"


def a_file(folder: Path) -> Path:
    return folder / "metrics.json"


def without_model(folder: Path) -> Path:
    (folder / "model.bin").rename(folder / "weights.bin")
    return folder


def two_models(folder: Path) -> Path:
    (folder / "model.onnx").write_text("x")
    return folder


def nan_metrics(folder: Path) -> Path:
    (folder / "metrics.json").write_text('{"roc_auc": NaN}')
    return folder


def infinite_metrics(folder: Path) -> Path:
    (folder / "metrics.json").write_text('{"loss": -Infinity}')
    return folder


def metrics_list(folder: Path) -> Path:
    (folder / "metrics.json").write_text("[1]")
    return folder


def repeated_metric(folder: Path) -> Path:
    (folder / "metrics.json").write_text('{"a": 1, "a": 2}')
    return folder


def deep_metrics(folder: Path) -> Path:
    (folder / "metrics.json").write_text('{"a":' * 5000 + "1" + "}" * 5000)
    return folder


def linked_file(folder: Path) -> Path:
    (folder / "more.txt").symlink_to("/etc/passwd")
    return folder


def linked_folder(folder: Path) -> Path:
    (folder / "more").symlink_to("/etc")
    return folder


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder


def hostile_name(folder: Path) -> Path:
    (folder / "a\nb").write_text("x")
    return folder


def empty_model_folder(folder: Path) -> Path:
    (folder / "model.bin").unlink()
    (folder / "model").mkdir()
    return folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_folder, "is not a folder"),
        (a_file, "is not a folder"),
        (without_model, "holds no model"),
        (empty_model_folder, "holds no model"),
        (two_models, "holds several models"),
        (nan_metrics, "NaN is not allowed"),
        (infinite_metrics, "Infinity is not allowed"),
        (metrics_list, "is not a JSON object"),
        (repeated_metric, "a key stands twice"),
        (deep_metrics, "nested|recursion"),
        (linked_file, "is a link"),
        (linked_folder, "is a link"),
        (fifo, "no plain file"),
        (hostile_name, "cannot be the name of a file"),
    ],
)
def test_a_folder_that_is_not_fit_is_refused_whole(bench: Bench, spoil, message: str) -> None:
    folder = spoil(bench.made())
    with pytest.raises(InvalidInput, match=message):
        publish(bench.registry, CHURN, folder, Version(1, 0, 0))
    assert list(bench.store.walk("")) == []


def test_a_model_of_several_files(bench: Bench) -> None:
    folder = bench.made()
    (folder / "model.bin").unlink()
    (folder / "model" / "layers").mkdir(parents=True)
    (folder / "model" / "layers" / "0.bin").write_text("0")
    (folder / "model" / "index.json").write_text(json.dumps({}))
    publish(bench.registry, CHURN, folder, Version(1, 0, 0))
    manifest = read_manifest(bench.registry, CHURN, Version(1, 0, 0))
    assert {"model/layers/0.bin", "model/index.json"} < set(manifest.files)
    assert verify(bench.registry).ok


def test_a_root_that_is_not_there_is_said(bench: Bench, tmp_path: Path) -> None:
    lost = Bench(open_store(tmp_path / "absent"), bench.folder)
    with pytest.raises(NotFound, match="no registry"):
        lost.publish("1.0.0")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("taking", list(Taking))
def test_files_that_may_be_taken_over_are(taking: Taking, bench: Bench) -> None:
    folder = bench.made("a model")
    (folder / "notes.txt").write_text("mine")
    inode = (folder / "model.bin").stat().st_ino
    result = publish(bench.registry, CHURN, folder, Version(1, 0, 0), taking=taking)
    assert result.created
    assert verify(bench.registry).ok
    assert folder.exists() is (taking is not Taking.MOVE)
    if isinstance(bench.store, LocalStore):
        stored = Path(bench.store.url) / "demo/churn/1.0.0/model.bin"
        assert (stored.stat().st_ino == inode) is (taking is not Taking.COPY)
        assert stored.stat().st_mode & 0o222 == 0


def test_what_was_not_published_is_not_moved_away(bench: Bench) -> None:
    bench.publish("1.0.0", "other")
    folder = bench.made("a model")
    with pytest.raises(AlreadyExists):
        publish(bench.registry, CHURN, folder, Version(1, 0, 0), taking=Taking.MOVE)
    publish(bench.registry, CHURN, folder, Version(2, 0, 0), taking=Taking.MOVE, dry_run=True)
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.json", "model.bin"]
