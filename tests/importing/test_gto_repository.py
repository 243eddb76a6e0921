"""A repository that gto and dvc themselves made comes whole: compared with what `gto show` and `gto history` say."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import peers
from artreg.core import keys
from artreg.core.names import ModelName
from artreg.importing.bring import Brought
from artreg.importing.gto import GtoSource
from artreg.importing.naming import Naming
from artreg.registry.handle import Registry
from artreg.registry.verify import verify
from artreg.registry.versions import find_manifest, read_run
from importing.contract import bring_all, new_registry, unwritten
from importing.repositories import WHO, git
from importing.test_gto_http import Web

pytestmark = pytest.mark.peers

MODELS = {"eu:fraud": ModelName("demo", "fraud")}
LOST = "churn@v3.0.0"
"""What was never pushed, and is no more in the cache."""


class Peer:
    """A repository, and what fills and reads it.

    Attributes:
        place: The repository.
        files: The sha256 of the files of each version, by their names in it; one that is a file is called `.`.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = peers.environment(folder, peers.GTO, peers.DVC)
        self.place = folder / "repository"
        self.place.mkdir()
        script = Path(__file__).with_name("fill_gto.py")
        self.files: dict[str, dict[str, str]] = json.loads(self._run("python", str(script), str(self.place)))

    def gto(self, *words: str) -> Any:
        return json.loads(self._run("gto", *words, "--json"))

    def fetch(self) -> None:
        self._run("dvc", "fetch", "--all-tags")

    def _run(self, program: str, *words: str) -> str:
        who = {name: value for name, value in WHO.items() if not name.endswith("DATE")}
        path = f"{self._programs}:{os.environ['PATH']}"
        quiet = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(self.place.parent / "site")}
        done = subprocess.run(
            [str(self._programs / program), *words],
            cwd=self.place,
            env={**os.environ, **who, **quiet, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1] if program == "python" else done.stdout


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    return Peer(tmp_path_factory.mktemp("gto"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return new_registry()


@pytest.fixture(scope="module")
def brought(peer: Peer, registry: Registry) -> Brought:
    naming = Naming("demo", MODELS)
    with unwritten(peer.place):
        return bring_all(registry, GtoSource(str(peer.place), naming), naming)


def test_what_gto_shows_has_come(peer: Peer, brought: Brought) -> None:
    shown = peer.gto("show")
    assert set(shown) == {"churn", "eu:fraud", "score", "plain"}
    versions = {
        f"{name}@{it['version']}"
        for name in shown
        for it in peer.gto("show", name)
        if it["is_active"] and it["registrations"]
    }
    yanked = {it.item: it.why.partition(" (")[0] for it in brought.yanks}
    assert yanked == {
        "churn@v2.0.0": "deregistered by churn@v2.0.0!",
        "old@v1.0.0": "deprecated by old@deprecated",
    }
    assert {it.item for it in brought.imported} == (versions - {LOST}) | set(yanked)
    assert len(brought.imported) == 10
    came = {(it.model.model, str(it.alias)): f"v{it.version}" for it in brought.aliases}
    stages = {
        (MODELS[name].model if name in MODELS else name, stage): version
        for name, it in shown.items()
        for stage, version in it["stage"].items()
        if version
    }
    assert came == stages == {("churn", "prod"): "v1.1.0", ("fraud", "prod"): "v0.1.0"}


def test_what_gto_remembers_is_recorded(peer: Peer, brought: Brought, registry: Registry) -> None:
    history = {it["ref"]: it for it in peer.gto("history")}
    for arrival in brought.imported:
        said = _said(registry, arrival.model, arrival.version)
        there = history[said["tag"]]
        assert (said["commit"], said["message"]) == (there["commit"], there["message"])
        assert said["registered_by"] == f"{there['author']} <{there['author_email']}>"
        assert datetime.fromisoformat(said["registered_at"]) == datetime.fromisoformat(there["timestamp"])
        of_it = {
            name
            for name, it in history.items()
            if it["commit"] == said["commit"] and it["artifact"] == said["artifact"]
        }
        assert {it["tag"] for it in said["events"]} == {name for name in of_it if "@" in name or "#" in name}
    assert {said["type"] for said in (_said(registry, it.model, it.version) for it in brought.imported)} == {"model"}


def test_every_byte_is_what_was_committed(peer: Peer, brought: Brought, registry: Registry) -> None:
    for arrival in brought.imported:
        files = _files(registry, arrival.model, arrival.version)
        names = {
            name: name.removeprefix("model/") if "/" in name else "." for name in files if name.startswith("model")
        }
        assert {names[name]: files[name] for name in names} == peer.files[arrival.item]
    assert verify(registry, deep=True).ok
    scores = {
        it.item: json.loads(_read(registry, it.model, it.version))
        for it in brought.imported
        if it.model.model == "score"
    }
    assert scores == {"score@v1.0.0": {"test.auc": 0.5}, "score@v1.0.1": {"test.auc": 0.75}}


def test_what_dvc_pushed_comes_from_behind_a_web_server_too(peer: Peer, brought: Brought, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(peer.place), "clone")
    with closing(Web(peer.place.parent / "remote")) as web:
        (tmp_path / "clone/.dvc/config.local").write_text(f"['remote \"there\"']\n    url = {web.url}\n")
        naming = Naming("demo", MODELS)
        result = bring_all(new_registry(), GtoSource(str(tmp_path / "clone"), naming), naming)
    assert [it.item for it in result.imported] == [it.item for it in brought.imported]
    assert [it.item for it in result.troubles] == [LOST]
    assert web.asked


def test_what_is_nowhere_is_named_and_comes_once_it_is_back(peer: Peer, brought: Brought, registry: Registry) -> None:
    assert [(it.item, it.error.code) for it in brought.troubles] == [(LOST, "not_found")]
    assert "dvc fetch --all-tags" in brought.troubles[0].error.hint
    data = b"never pushed"
    name = hashlib.md5(data).hexdigest()
    path = peer.place.parent / "remote/files/md5" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    peer.fetch()
    naming = Naming("demo", MODELS)
    again = bring_all(registry, GtoSource(str(peer.place), naming), naming)
    assert ([it.item for it in again.imported], again.troubles) == ([LOST], ())
    assert [it.item for it in again.present] == [it.item for it in brought.imported]


def _said(registry: Registry, model: ModelName, version: Any) -> dict[str, Any]:
    manifest = find_manifest(registry, model, version)
    assert manifest is not None
    return read_run(registry, model, version, manifest).run["imported"]


def _files(registry: Registry, model: ModelName, version: Any) -> dict[str, str]:
    manifest = find_manifest(registry, model, version)
    assert manifest is not None
    return dict(manifest.files)


def _read(registry: Registry, model: ModelName, version: Any) -> bytes:
    return registry.store.read(f"{keys.version_prefix(model, version)}/metrics.json")
