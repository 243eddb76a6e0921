"""A board in a bucket, and a bucket that is a remote of DVC's: the same as on a disk, and left as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from artreg.importing.gto import GtoSource
from artreg.importing.naming import Naming
from artreg.importing.pins import PinsSource
from artreg.registry.versions import find_manifest
from importing.contract import bring_all, new_registry
from importing.repositories import annotated, commit, keep, new_repository, tag, tracked
from importing.test_pins_source import NEW, OLD, write
from store.places import S3Place


@pytest.fixture(params=["moto_place", pytest.param("ceph_place", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> S3Place:
    place = request.getfixturevalue(request.param)
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint)
    return place


def upload(place: S3Place, folder: Path) -> list[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            place.put(path.relative_to(folder).as_posix(), path.read_bytes())
    return place.keys()


def test_a_board_in_a_bucket_is_what_it_is_on_a_disk(place: S3Place, tmp_path: Path) -> None:
    board = tmp_path / "board"
    for version in (OLD, NEW):
        write(board, "churn", version, {"churn.joblib": version.encode() * 1000})
        write(board, "two files", version, {"a.png": b"a", "b.png": b"bb"})
    (write(board, "half", OLD, {"x": b"x"}) / "data.txt").unlink()
    keys = upload(place, board)
    came = []
    for location in (str(board), f"s3://{place.bucket}/{place.prefix}"):
        registry, naming = new_registry(), Naming("demo", {})
        result = bring_all(registry, PinsSource(location, naming), naming)
        assert [(it.item, it.error.code) for it in result.troubles] == [(f"half/{OLD}", "not_found")]
        manifests = {it.item: find_manifest(registry, it.model, it.version) for it in result.imported}
        came.append({item: manifest and manifest.content for item, manifest in manifests.items()})
    assert came[0] == came[1]
    assert len(came[1]) == 4
    assert place.keys() == keys


def test_what_lies_at_a_remote_in_a_bucket_comes(place: S3Place, tmp_path: Path) -> None:
    listed = [{"md5": keep(tmp_path / "remote", data), "relpath": name} for name, data in FILES.items()]
    found = keep(tmp_path / "remote", json.dumps(listed).encode(), suffix=".dir")
    upload(place, tmp_path / "remote")
    config = f"[core]\nremote = s3\n['remote \"s3\"']\n    url = s3://{place.bucket}/{place.prefix}\n"
    config += f"    endpointurl = {place.endpoint}\n"
    repository = new_repository(tmp_path / "repository")
    commit(repository, {"artifacts.yaml": annotated("big"), "big.dvc": tracked("big", found), ".dvc/config": config})
    tag(repository, "churn@v1.0.0", 1)
    source = GtoSource(str(repository), Naming("demo", {}))
    (tmp_path / "out").mkdir()
    source.fetch(source.survey().versions[0], tmp_path / "out")
    came = {path.relative_to(tmp_path / "out/model").as_posix(): path for path in (tmp_path / "out").rglob("*.bin")}
    assert {name: path.read_bytes() for name, path in came.items()} == FILES


FILES = {"a.bin": b"a" * 20_000_000, "deep/b.bin": b""}
