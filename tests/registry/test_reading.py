"""Resolving, listing, showing, pulling, collecting, diagnosing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core.manifest import TOMBSTONE
from artreg.core.names import ModelName, Reference
from artreg.core.version import Version
from artreg.errors import AlreadyExists, IntegrityError, NotFound
from artreg.registry.catalog import catalog, details
from artreg.registry.doctor import diagnose, initialise
from artreg.registry.gc import collect
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.verify import verify
from artreg.store.factory import open_store
from artreg.store.interface import Pointer
from registry.bench import CHURN, FREE, Bench

NOW = timedelta(0)
LONG_AGO = timedelta(days=-10_000)  # the bench's clock stands in the past of the storage's


def reference(text: str) -> Reference:
    return Reference.parse(text, "demo")


def test_resolves_versions_aliases_and_latest(bench: Bench) -> None:
    for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"):
        bench.publish(version)
    bench.promote("1.9.0")
    found = {
        text: str(resolve(bench.registry, reference(f"churn@{text}")).version) for text in ("free", "latest", "v1.0.0")
    }
    assert found == {"free": "1.9.0", "latest": "1.10.0", "v1.0.0": "1.0.0"}
    resolved = resolve(bench.registry, reference("churn@free"))
    assert resolved.generation == 1
    assert resolved.path == f"{bench.store.url}/demo/churn/1.9.0"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("chrun@free", "no model demo/chrun", "demo/churn"),
        ("other/churn@free", "no model other/churn", "demo/churn"),
        ("churn@prod", "prod of demo/churn points nowhere", "free"),
        ("churn@3.0.0", "no version 3.0.0", "1.0.0"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(bench: Bench, text: str, message: str, hint: str) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    with pytest.raises(NotFound, match=message) as caught:
        resolve(bench.registry, reference(text))
    assert hint in caught.value.hint


def test_latest_of_nothing_but_pre_releases_is_not_found(bench: Bench) -> None:
    bench.publish("1.0.0-rc.1")
    with pytest.raises(NotFound, match="no released version"):
        resolve(bench.registry, reference("churn@latest"))


def test_lists_models_with_versions_and_aliases(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    bench.promote("1.0.0")
    bench.store.create("demo/churn/1.2.0/checksum.txt", TOMBSTONE)
    bench.store.create("demo/churn/1.3.0/run.json", b"{}")
    (summary,) = catalog(bench.registry)
    assert (summary.model, summary.aliases) == (CHURN, {"free": Version(1, 0, 0)})
    assert [(str(v.version), v.files, v.aliases) for v in summary.versions] == [
        ("1.1.0", 4, ()),
        ("1.0.0", 4, ("free",)),
    ]
    assert catalog(bench.registry, CHURN) == [summary]
    assert catalog(bench.registry, "demo") == [summary]
    for scope in (ModelName("demo", "other"), "other"):
        with pytest.raises(NotFound):
            catalog(bench.registry, scope)


def test_an_empty_registry_lists_nothing(bench: Bench) -> None:
    assert catalog(bench.registry) == []
    assert verify(bench.registry).ok


def test_shows_a_version(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    shown = details(bench.registry, reference("churn@free"))
    assert shown.metrics == {"roc_auc": 0.9}
    assert shown.aliases == ("free",)
    assert set(shown.files) == {"model.bin", "metrics.json", "run.json", "checksum.txt"}


def test_pulls_a_version_whole(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0", "the model")
    into = open_store(tmp_path)
    first = pull(bench.registry, reference("churn@1.0.0"), into, "out")
    assert first.created
    assert (tmp_path / "out" / "model.bin").read_text() == "the model"
    assert not pull(bench.registry, reference("churn@1.0.0"), into, "out").created


def test_pulls_only_into_a_folder_that_is_free(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(AlreadyExists, match="holds something else"):
        pull(bench.registry, reference("churn@1.0.0"), open_store(tmp_path), "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"
    pull(bench.registry, reference("churn@1.0.0"), open_store(tmp_path), "out")
    (tmp_path / "out" / "model.bin").chmod(0o600)
    (tmp_path / "out" / "model.bin").write_text("changed")
    with pytest.raises(AlreadyExists, match=r"its model\.bin differs"):
        pull(bench.registry, reference("churn@1.0.0"), open_store(tmp_path), "out")


def test_a_dry_run_pulls_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    pull(bench.registry, reference("churn@1.0.0"), open_store(tmp_path), "out", dry_run=True)
    assert not (tmp_path / "out").exists()


def test_nothing_damaged_is_pulled(local_store, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    bench = Bench(local_store, made)
    bench.publish("1.0.0", "the model")
    model = Path(local_store.url, "demo/churn/1.0.0/model.bin")
    model.chmod(0o600)
    model.write_text("the modem")
    with pytest.raises(IntegrityError):
        pull(bench.registry, reference("churn@1.0.0"), open_store(tmp_path), "out")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".artreg")] == []


def test_gc_leaves_versions_and_the_living_alone(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    before = sorted(entry.name for entry in bench.store.walk(""))
    assert collect(bench.registry, older_than=LONG_AGO).removed == ()
    assert sorted(entry.name for entry in bench.store.walk("")) == before


def test_doctor_finds_a_sound_root_sound_and_a_stale_pointer_stale(bench: Bench) -> None:
    initialise(bench.registry)
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    assert [finding.check for finding in diagnose(bench.registry) if not finding.ok and finding.check != "clock"] == []
    bench.store.point("demo/churn/free", Pointer("9.9.9"))
    assert "pointers" in [finding.check for finding in diagnose(bench.registry) if not finding.ok]
    assert find_names(bench) == {"1.0.0", "free", "history"}


def find_names(bench: Bench) -> set[str]:
    return {entry.name for entry in bench.store.page("demo/churn").entries}


def test_verify_scopes(bench: Bench) -> None:
    bench.publish("1.0.0")
    bench.promote("1.0.0")
    refs = {
        scope: [checked.ref for checked in verify(bench.registry, target).checked]
        for scope, target in {
            "all": None,
            "project": "demo",
            "model": CHURN,
            "alias": Reference(CHURN, FREE),
            "version": Reference(CHURN, Version(1, 0, 0)),
        }.items()
    }
    both = ["demo/churn@free", "demo/churn@1.0.0"]
    assert refs == {"all": both, "project": both, "model": both, "alias": both, "version": both[1:]}
    for scope in ("other", ModelName("demo", "other"), reference("churn@2.0.0"), reference("churn@prod")):
        with pytest.raises(NotFound):
            verify(bench.registry, scope)
