"""A policy of eleven gates over really trained versions: what it lets pass, and what it refuses and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from story.desk import CANCER, CHURN, PROD_GATES, Model, artreg, set_up

REFUSED = 3
MODELS = pytest.mark.parametrize("model", [CHURN, CANCER], ids=lambda model: model.name)


@pytest.fixture(scope="module", autouse=True)
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The work place, with 1.0.0 of each model in staging and prod, approved by two people."""
    folder = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch:
        set_up(folder, patch)
        for model in (CHURN, CANCER):
            release(model, "1.0.0")
        yield folder


def approve(model: Model, version: str, *people: str) -> None:
    for person in people:
        told = artreg("approve", f"{model.name}@{version}", "--to", "prod", "--reason", "read it", actor=person)
        assert told.code == 0, told.json


def release(model: Model, version: str) -> None:
    told = artreg("promote", model.name, version, "--to", "staging")
    assert told.code == 0, told.json
    early = artreg("check", model.name, version, "--to", "prod")
    assert (early.code, early.refusals) == (REFUSED, ["approvals"])
    approve(model, version, "bob", "ada", "eve")
    too_few = artreg("promote", model.name, version, "--to", "prod", "--reason", "release")
    assert (too_few.code, too_few.refusals) == (REFUSED, ["approvals"])
    assert too_few.gates["approvals"]["figures"]["off_by"] == 1
    approve(model, version, "cid")
    moved = artreg("promote", model.name, version, "--to", "prod", "--reason", "release")
    assert moved.code == 0, moved.json


@MODELS
def test_the_first_promotion_passes_every_gate(model: Model) -> None:
    told = artreg("history", f"{model.name}@prod")
    first = told.json["records"][-1]
    verdicts = first["gates"]
    assert (first["generation"], first["version"]) == (1, "1.0.0")
    assert [verdict["gate"] for verdict in verdicts] == PROD_GATES
    assert all(verdict["passed"] for verdict in verdicts)
    said = {verdict["gate"]: verdict["figures"] for verdict in verdicts}
    assert said["approvals"]["approved_by"] == ["bob", "cid"]
    assert said["rollback_plan"]["back_to"] is None
    assert said["drift"]["incumbent"] is None
    assert all(said["provenance"].values())


@MODELS
def test_drifted_data_are_refused_and_the_columns_named(model: Model) -> None:
    told = artreg("check", model.name, "2.0.0", "--to", "staging")
    drift = told.gates["drift"]
    assert (told.code, told.refusals) == (REFUSED, ["drift"])
    assert set(drift["figures"]["moved"]) == model.moved
    assert tuple(drift["figures"]["schema_changes"]) == model.changes
    assert all(name in drift["message"] for name in (*model.moved, *model.changes))
    others = [column for column in drift["figures"]["columns"] if column["name"] not in model.moved]
    assert others
    assert all(column["psi"] < 0.2 for column in others)
    refused = artreg("promote", model.name, "2.0.0", "--to", "staging")
    assert (refused.code, refused.refusals) == (REFUSED, ["drift"])
    assert artreg("resolve", f"{model.name}@staging").json["version"] != "2.0.0"


@MODELS
def test_a_significantly_better_version_passes_and_its_twin_does_not(model: Model) -> None:
    better = artreg("check", model.name, "1.1.0", "--to", "champion")
    figures = better.gates["significant"]["figures"]
    assert (better.code, better.refusals) == (0, [])
    assert figures["high"] < 0
    assert figures["incumbent"] == "1.0.0"

    release(model, "1.1.0")
    gates = {gate["gate"]: gate for gate in artreg("history", f"{model.name}@prod").json["records"][0]["gates"]}
    assert gates["rollback_plan"]["figures"]["back_to"] == "1.0.0"
    assert gates["drift"]["figures"]["moved"] == []
    assert gates["no_regression"]["figures"]["worse_by"] < 0

    twin = artreg("check", model.name, "1.1.1", "--to", "champion")
    figures = twin.gates["significant"]["figures"]
    assert (twin.code, twin.refusals) == (REFUSED, ["significant"])
    assert (figures["low"], figures["high"], figures["off_by"]) == (0, 0, 0)

    much_alike = artreg("check", model.name, "1.1.2", "--to", "champion")
    figures = much_alike.gates["significant"]["figures"]
    assert (much_alike.code, much_alike.refusals) == (REFUSED, ["significant"])
    assert figures["difference"] != 0
    assert figures["low"] < 0 < figures["high"] == figures["off_by"]

    worse = artreg("check", model.name, "1.0.0", "--to", "champion")
    assert worse.gates["significant"]["figures"]["low"] > 0
    assert worse.code == REFUSED
    back = artreg("check", model.name, "1.0.0", "--to", "prod")
    assert set(back.refusals) - {"no_regression"} == {"from", "significant", "soak"}
