"""`metrics`: the figures are what the registry holds, in a text that Prometheus' own parsers take."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from artreg.cli.commands import measuring
from artreg.core.names import ModelName
from artreg.core.verification import Verifications, parse_verifications
from artreg.errors import StorageError
from artreg.frozen import replace
from artreg.integrations.prometheus import HELP
from artreg.store.local import LocalStore
from cli.conftest import Shell

Figures = dict[tuple[str, ...], float]

FORCING = """
aliases:
  staging: {force: ["*"], gates: [{gate: metric, key: roc_auc, min: 0.95}, {gate: metric, key: roc_auc, min: 0.8}]}
  prod: {}
"""


def figures(text: str) -> Figures:
    """Each figure by its name and what its labels say beyond the registry's, as both parsers read it."""
    both = []
    for parse in (parse_text, parse_openmetrics):
        samples = [sample for family in parse(text) for sample in family.samples]
        read = {(one.name, *(v for k, v in one.labels.items() if k != "registry")): one.value for one in samples}
        assert len(read) == len(samples)
        both.append(read)
    assert both[0] == both[1]
    return both[0]


def alias(figures: Figures, name: str, *, of: str = "prod") -> float:
    return figures[f"artreg_alias_{name}", "demo", "churn", of]


@pytest.fixture
def churn(shell: Shell) -> Shell:
    """Two releases and a pre-release; 1.0.0 in prod, 1.1.0 in staging."""
    for version in ("1.0.0", "1.1.0", "1.2.0-rc.1"):
        shell.publish(version)
    for version in ("1.0.0", "1.1.0"):
        assert shell.run("promote", "churn", version, "--to", "staging").code == 0
        if version == "1.0.0":
            assert shell.run("promote", "churn", version, "--to", "prod").code == 0
    return shell


def test_every_figure_is_what_the_registry_holds(churn: Shell) -> None:
    assert churn.run("verify", "--record").code == 0
    found = figures(churn.run("metrics").out)
    assert found["artreg_up",] == found["artreg_models",] == 1
    model = ("demo", "churn")
    assert found["artreg_model_versions", *model, "release"] == 2
    assert found["artreg_model_versions", *model, "prerelease"] == 1
    assert found["artreg_model_verified_versions", *model, "ok"] == 3
    assert found["artreg_model_newest_version_info", *model, "1.2.0-rc.1"] == 1
    prod = churn.run("resolve", "churn@prod", "--json").json
    assert found["artreg_alias_info", *model, "prod", "1.0.0", prod["digest"], "promote"] == 1
    assert (alias(found, "generation"), alias(found, "generation", of="staging")) == (1, 2)
    moved, published = alias(found, "moved_timestamp_seconds"), alias(found, "published_timestamp_seconds")
    verified = alias(found, "verified_timestamp_seconds")
    assert 1.7e9 < published < moved < verified
    calm = {"ok": 1, "pointer_ok": 1, "trusted": 1, "yanked": 0, "failed_gates": 0, "verification_failed": 0}
    assert {name: alias(found, name) for name in calm} == calm
    assert alias(found, "frozen_until_timestamp_seconds") == 0
    document = churn.run("metrics", "--json").json
    told = {
        (family["name"], *list(sample["labels"].values())[1:]): sample["value"]
        for family in document["families"]
        for sample in family["samples"]
    }
    unsteady = ("artreg_scrape_duration_seconds",)
    assert {**told, unsteady: 0} == {**found, unsteady: 0}
    assert {name for name, *_ in told} == set(HELP)
    assert document["problems"] == []


def test_what_is_wrong_shows_in_the_figures(churn: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (churn.folder / "policy.yaml").write_text(FORCING)
    forced = churn.run(
        "promote", "churn", "1.2.0-rc.1", "--to", "staging", "--force", "--reason", "now", "--policy", "policy.yaml"
    )
    assert forced.code == 0
    churn.run("yank", "churn@1.0.0", "--reason", 'labels "leaked"\n\x1b[31m')
    churn.run("freeze", "churn@prod", "--until", "2099-01-01T00:00Z", "--reason", "x")
    model = churn.folder / "registry/demo/churn"
    (model / "prod").unlink()
    (model / "1.0.0/model.bin").chmod(0o600)
    (model / "1.0.0/model.bin").write_text("other")
    assert churn.run("verify", "--record").code == 4
    (model / "1.3.0").mkdir()
    monkeypatch.setenv("ARTREG_MAX_AGE", "0s")
    ran = churn.run("metrics")
    found = figures(ran.out)
    assert (ran.code, ran.err, "\x1b" in ran.out) == (0, "", False)
    assert alias(found, "failed_gates", of="staging") == 1
    assert alias(found, "failed_gates") == 0
    wrong = {"ok": 1, "pointer_ok": 0, "trusted": 0, "yanked": 1, "verification_failed": 1}
    assert {name: alias(found, name) for name in wrong} == wrong
    assert alias(found, "frozen_until_timestamp_seconds") == 4070908800
    assert alias(found, "generation") == 3
    assert found["artreg_model_unfinished_versions", "demo", "churn"] == 1
    assert found["artreg_model_verified_versions", "demo", "churn", "failed"] == 1


def test_never_verified_is_long_ago(churn: Shell) -> None:
    found = figures(churn.run("metrics").out)
    assert alias(found, "verified_timestamp_seconds") == alias(found, "verification_failed") == 0
    assert found["artreg_model_verified_timestamp_seconds", "demo", "churn"] == 0


def damage_record(model: Path) -> None:
    overwrite(model / "history/prod/00000001.json", b'"ada"', b'"eve"')


def damage_manifest(model: Path) -> None:
    overwrite(model / "1.0.0/checksum.txt", b"0", b"1")


def damage_run(model: Path) -> None:
    overwrite(model / "1.0.0/run.json", b"Z", b"X")


def remove_version(model: Path) -> None:
    os.rename(model / "1.0.0", model.parent / "gone")


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(old, new, 1))


@pytest.mark.parametrize("damage", [damage_record, damage_manifest, damage_run, remove_version])
def test_damage_is_a_figure_and_a_warning_and_hides_nothing_else(churn: Shell, damage) -> None:
    churn.publish("1.0.0", model="fraud")
    damage(churn.folder / "registry/demo/churn")
    ran = churn.run("metrics")
    found = figures(ran.out)
    assert ran.code == 0
    assert ran.err.startswith("warning: demo/churn@prod: ")
    assert (alias(found, "ok"), alias(found, "ok", of="staging")) == (0, 1)
    assert found["artreg_up",] == found["artreg_model_ok", "demo", "churn"] == 1
    assert found["artreg_model_versions", "demo", "fraud", "release"] == 1
    assert len(churn.run("metrics", "--json").json["problems"]) == 1
    assert ("artreg_alias_published_timestamp_seconds", "demo", "churn", "prod") not in found


def test_a_damaged_memory_of_verifications_is_the_models(churn: Shell) -> None:
    churn.run("verify", "--record")
    (memory,) = (churn.folder / "registry/.artreg/verified").rglob("*.json")
    overwrite(memory, b"true", b"True")
    ran = churn.run("metrics")
    found = figures(ran.out)
    assert found["artreg_model_ok", "demo", "churn"] == 0
    assert alias(found, "verified_timestamp_seconds") == 0
    assert "record of verifications" in ran.err


def test_a_verification_of_other_bytes_proves_nothing(churn: Shell) -> None:
    churn.run("verify", "--record")
    (memory,) = (churn.folder / "registry/.artreg/verified").rglob("*.json")
    told = parse_verifications(memory.read_bytes(), ModelName("demo", "churn"), memory.name)
    other = {version: replace(seen, digest="0" * 64) for version, seen in told.seen.items()}
    memory.chmod(0o600)
    memory.write_bytes(Verifications(told.model, other, told.write_id).encode())
    assert alias(figures(churn.run("metrics").out), "verified_timestamp_seconds") == 0


def test_the_file_is_replaced_whole_and_says_so_too_when_nothing_can_be_read(
    churn: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = churn.folder / "artreg.prom"
    ran = churn.run("metrics", "churn", "--out", "artreg.prom")
    assert (ran.code, ran.out, ran.err) == (0, "36 figures written to artreg.prom\n", "")
    assert figures(file.read_text())["artreg_up",] == 1
    assert file.stat().st_mode & 0o444 == 0o444  # another account collects it
    before = file.stat().st_ino
    assert churn.run("metrics", "--out", "artreg.prom", "--json").json["path"] == "artreg.prom"
    assert file.stat().st_ino != before
    assert [path.name for path in churn.folder.glob("artreg.prom*")] == ["artreg.prom"]

    def fail(*_: object, **__: object) -> bytes:
        raise StorageError("no answer", hint="try https://me:secret@host/")

    monkeypatch.setattr(LocalStore, "read", fail)
    ran = churn.run("metrics", "--out", "artreg.prom")
    assert (ran.code, "no answer" in ran.err, "secret" in ran.err) == (8, True, False)
    assert {name for name, *_ in figures(file.read_text())} == {
        "artreg_up",
        "artreg_scrape_duration_seconds",
        "artreg_build_info",
    }
    assert figures(churn.run("metrics").out)["artreg_up",] == 0
    assert churn.run("metrics", "--json").json["error"]["code"] == "storage"


def test_what_is_not_there_is_said(churn: Shell) -> None:
    ran = churn.run("metrics", "nope", "--out", "artreg.prom")
    assert (ran.code, ran.out) == (5, "")
    assert not (churn.folder / "artreg.prom").exists()  # the registry can be read
    ran = churn.run("metrics", "-r", "nowhere")
    assert (ran.code, figures(ran.out)["artreg_up",]) == (5, 0)
    os.mkfifo(churn.folder / "artreg.prom")
    assert (
        "no plain file" in churn.run("metrics", "--out", "artreg.prom").err
    )  # as /dev/null is, which root may replace
    assert (churn.folder / "artreg.prom").is_fifo()
    ran = churn.run("metrics", "--out", "nowhere/artreg.prom")
    assert (ran.code, "cannot be written" in ran.err) == (8, True)
    assert churn.run("metrics", "a b").code == 2


def test_registries_do_not_clash_whatever_they_are_called(shell: Shell) -> None:
    name = 'odd "name"\\\n\x1b[31m'
    (shell.folder / name).mkdir()
    shell.publish("1.0.0")
    texts = [shell.run("metrics", "-r", root).out for root in ("registry", name)]
    assert "\x1b" not in texts[1]
    samples = [next(iter(parse_text(text))).samples[0].labels["registry"] for text in texts]
    assert samples == [f"{shell.folder}/registry", rf'{shell.folder}/odd "name"\\n\x1b[31m']


def test_the_same_registry_gives_the_same_text(churn: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring.time, "monotonic", lambda: 0.0)
    text = churn.run("metrics").out
    assert churn.run("metrics").out == text
    assert [line for line in text.splitlines() if line.startswith("artreg_alias_ok")] == sorted(
        line for line in text.splitlines() if line.startswith("artreg_alias_ok")
    )
    assert not any(math.isnan(value) for value in figures(churn.run("metrics").out).values())
