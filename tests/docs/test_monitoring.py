"""The page about monitoring: its session is played, and its alerts fire when they should and no sooner."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.integrations.prometheus import HELP
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.verify import verify
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from docs.sessions import ROOT, environment, every_block, read, shell

CHURN, PROD = ModelName("demo", "churn"), Alias("prod")
FORCING = {"aliases": {"prod": {"force": ["*"], "gates": [{"gate": "metric", "key": "auc", "min": 0.95}]}}}
NOW = datetime.now(UTC)
AT = timedelta(days=120)
"""How late it is in the tests of promtool, whose time begins at 0."""


def rules() -> str:
    (block,) = (block for block in every_block("docs/monitoring.md") if block.title.endswith("rules.yml"))
    return block.body


def test_every_figure_is_told_of_and_every_alert_is_about_one() -> None:
    known = set(HELP) | {"served_model_info", "node_textfile_mtime_seconds"}
    in_rules = set(re.findall(r"\b(?:artreg|node|served)_[a-z_]+", rules()))
    assert in_rules <= known
    rows = [line for line in (ROOT / "docs/monitoring.md").read_text().splitlines() if line.startswith("| `artreg_")]
    assert {name for row in rows for name in re.findall(r"`(artreg_[a-z_]+)`", row.split("|")[1])} == set(HELP)


class Place:
    """A registry whose versions are as old as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder / "registry")
        self.store.make_root()
        (folder / "made").mkdir()
        (folder / "made" / "model.txt").write_text("weights\n")
        (folder / "made" / "metrics.json").write_text('{"auc": 0.96}')

    def then(self, age: timedelta) -> Registry:
        return Registry(self.store, "ada", now=lambda: NOW - age)

    def publish(self, version: str, *, days: float = 0) -> None:
        publish(self.then(timedelta(days=days)), CHURN, self.folder / "made", Version.parse(version))

    def promote(self, version: str, *, days: float = 0, force: bool = False) -> None:
        policy = parse_policy(FORCING, "policy")
        registry = self.then(timedelta(days=days))
        promote(registry, CHURN, Version.parse(version), policy=policy, alias=PROD, reason="x", force=force)

    def verify(self, *, days: float = 0) -> None:
        verify(self.then(timedelta(days=days)), record=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """1.1.0 was published 89 days ago, brought to prod, and verified 6 days ago."""
    place = Place(tmp_path)
    place.publish("1.0.0", days=100)
    place.promote("1.0.0", days=99)
    place.publish("1.1.0", days=89)
    place.promote("1.1.0", days=88)
    place.verify(days=6)
    return place


@pytest.mark.slow  # it takes jq
def test_the_session(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        place.publish(version)
        place.promote(version)
    assert read("docs/monitoring.md", tmp_path, environment()) >= 8


# --- by Prometheus' own tool -------------------------------------------------------------------------------------


def old(place: Place) -> None:
    place.publish("1.2.0", days=91)
    place.promote("1.2.0")
    place.verify()


def forced(place: Place) -> None:
    (place.folder / "made" / "metrics.json").write_text('{"auc": 0.5}')
    place.publish("1.2.0")
    place.promote("1.2.0", force=True)
    place.verify()


def not_verified(place: Place) -> None:
    place.publish("1.1.1", days=1)
    place.promote("1.1.1")


def broken(place: Place) -> None:
    file = place.folder / "registry/demo/churn/1.1.0/model.txt"
    file.chmod(0o600)
    file.write_text("other")
    place.verify()


def damaged(place: Place) -> None:
    file = place.folder / "registry/demo/churn/1.1.0/run.json"
    file.chmod(0o600)
    file.write_text("{}")


def yanked(place: Place) -> None:
    yank(place.then(timedelta(0)), CHURN, Version(1, 1, 0), "leaks")


def calm(place: Place) -> None:
    pass


FIRES: dict[Callable[[Place], None], set[str]] = {
    calm: set(),
    old: {"ProdIsOld", "ProdIsNotWhatIsExpected", "ProdIsNotWhatIsServed"},
    forced: {"ProdWasForced", "ProdIsNotWhatIsExpected", "ProdIsNotWhatIsServed"},
    not_verified: {"ProdIsNotVerified", "ProdIsNotWhatIsExpected", "ProdIsNotWhatIsServed"},
    broken: {"ProdIsNotVerified"},
    damaged: {"RegistryDamaged"},
    yanked: {"ProdIsYanked"},
}


@pytest.mark.peers
def test_promtool_finds_nothing_to_complain_of(place: Place) -> None:
    (place.folder / "artreg.rules.yml").write_text(rules())
    promtool(place.folder, "check rules artreg.rules.yml")
    text = shell("artreg metrics", place.folder, environment())
    promtool(place.folder, "check metrics", text)


@pytest.mark.peers
def test_the_alerts_fire_when_they_should_and_no_sooner(place: Place) -> None:
    """All cases in one run: each is another registry by its label."""
    (place.folder / "artreg.rules.yml").write_text(rules())
    served = series(place)["artreg_alias_info"][0][0]["digest"]
    tests = []
    for happen, expected in FIRES.items():
        copy = Place.__new__(Place)
        copy.folder = Path(
            shutil.copytree(place.folder, place.folder.parent / f"case-{happen.__name__}", symlinks=True)
        )
        copy.store = LocalStore(copy.folder / "registry")
        happen(copy)
        tests.append(unit(happen.__name__, series(copy), served, expected))
    tests.append(unit("unreadable", {"artreg_up": [({"registry": "r"}, 0)]}, served, {"RegistryUnreadable"}))
    tests.append(unit("empty", {"artreg_models": [({"registry": "r"}, 0)]}, served, {"RegistryUnreadable"}))
    stale = {"node_textfile_mtime_seconds": [({"file": "/x/artreg.prom"}, AT.total_seconds() - 3700)]}
    tests.append(unit("stale", stale, served, {"RegistryFiguresStale"}))
    document = {"rule_files": ["artreg.rules.yml"], "evaluation_interval": "1d", "tests": tests}
    (place.folder / "tests.yml").write_text(yaml.safe_dump(document))
    promtool(place.folder, "test rules tests.yml")


Series = dict[str, list[tuple[dict[str, str], float]]]


def series(place: Place) -> Series:
    """What the command says of a registry, by the clock of promtool."""
    text = shell("artreg metrics 2>/dev/null", place.folder, environment())
    shift = AT.total_seconds() - NOW.timestamp()
    return {
        family.name: [(sample.labels, sample.value + shift * is_time(sample)) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def is_time(sample: Sample) -> bool:
    return sample.name.endswith("timestamp_seconds") and sample.value > 0


def unit(name: str, told: Series, served: str, expected: set[str]) -> dict[str, object]:
    """A test of promtool: these figures for two days, and which alerts then fire."""
    given = {**told, "served_model_info": [({"project": "demo", "model": "churn", "digest": served}, 1.0)]}
    input_series = [
        {"series": f"{family}{labelled(labels)}", "values": f"_x{AT.days - 2} {value!r}x3"}
        for family, samples in given.items()
        for labels, value in samples
    ]
    every = yaml.safe_load(rules())["groups"][0]["rules"]
    assert expected <= {rule["alert"] for rule in every}
    check = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{AT.days}d",
        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(expected)],
    }
    return {"name": name, "interval": "1d", "input_series": input_series, "promql_expr_test": [check]}


def labelled(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def promtool(folder: Path, words: str, given: str = "") -> None:
    done = subprocess.run(
        ["promtool", *words.split()], cwd=folder, input=given, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
