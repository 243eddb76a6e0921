"""The how-to guides: their sessions are played, and their pipelines run step by step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from click.testing import CliRunner

from ci.runners import GitHub, GitLab, evaluated, included
from docs.sessions import ROOT, blocks, environment, every_block, play, read, shell
from importing import hub
from store.places import S3Place


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a registry, data, and 1.0.0, 1.1.0 and 1.2.0 of churn trained."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "registry").mkdir()
    shutil.copytree(ROOT / "configs", folder / "configs")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    do("artreg data churn --customers 2000", folder)
    train = "artreg train -c configs/logistic.yaml --set name=churn"
    for version, strength in (("1.0.0", 0.1), ("1.1.0", 0.5), ("1.2.0", 1.0)):
        do(f"{train} --set model.C={strength} --version {version}", folder)
    return folder


@pytest.fixture
def place(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, of which 1.0.0 and then 1.1.0 was brought to prod."""
    place = shutil.copytree(trained, tmp_path / "project", symlinks=True)
    for version in ("1.0.0", "1.1.0"):
        release(place, version)
    return place


def do(command: str, folder: Path, **variables: str) -> None:
    printed = shell(command, folder, environment(ARTREG_ACTOR="bob@example.org", **variables))
    assert "[exit" not in printed, f"$ {command}\n{printed}"


def release(folder: Path, version: str) -> None:
    do(f"artreg promote churn {version} --to staging", folder)
    do(f"artreg promote churn {version} --to prod --reason 'weekly release'", folder)


@pytest.fixture
def bucket(moto_endpoint: str) -> dict[str, str]:
    """The environment of whoever has a bucket `models`."""
    store = boto3.resource("s3", endpoint_url=moto_endpoint).create_bucket(Bucket="models")
    store.objects.all().delete()
    credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return environment(**credentials, AWS_ENDPOINT_URL=moto_endpoint)


@pytest.mark.slow  # it trains
def test_the_session_of_whoever_is_on_call(place: Path) -> None:
    release(place, "1.2.0")
    assert read("docs/howto/on-call-rollback.md", place, environment()) >= 14


@pytest.mark.slow  # it trains
def test_the_session_about_moving_to_a_bucket(place: Path, bucket: dict[str, str]) -> None:
    assert read("docs/howto/disk-to-bucket.md", place, bucket) >= 9


@pytest.mark.slow
def test_the_session_about_moving_in(tmp_path: Path) -> None:
    for name, content in {
        "Fraud EU/3/trees.pkl": "trees",
        "Fraud EU/3/scaler.pkl": "scaler",
        "churn/2024-05-01/forest.joblib": "forest of May",
        "churn/2024-05-01/metrics.json": '{"roc_auc": 0.91}',
        "churn/2024-06-01/forest.joblib": "forest of June",
        "churn/2024-06-01/metrics.json": '{"roc_auc": 0.93}',
    }.items():
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "models/churn/current").symlink_to("2024-06-01")
    shutil.copytree(tmp_path / "models/churn/2024-05-01", tmp_path / "models/churn/old one")
    subprocess.run([sys.executable, hub.__file__, str(tmp_path / "hf")], check=True, capture_output=True, timeout=600)
    shutil.copytree(tmp_path / "hf/cache", tmp_path / "hub", symlinks=True)
    (tmp_path / "hf/churn").rename(tmp_path / "download")
    assert read("docs/howto/moving-in.md", tmp_path, environment(ARTREG_ACTOR="bob@example.org")) >= 9


@pytest.mark.slow  # it trains
def test_the_session_about_moving_out(place: Path) -> None:
    assert read("docs/howto/moving-out.md", place, environment()) >= 7


@pytest.mark.slow  # it trains
def test_the_session_about_cards(place: Path) -> None:
    assert read("docs/cards.md", place, environment()) >= 10


@pytest.mark.s3
def test_the_session_about_ceph(ceph_place: S3Place, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "model.txt").write_text("weights\n")
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    root = f"s3://{ceph_place.bucket}/{ceph_place.prefix}"
    sessions = [block.replace("s3://models/registry", root) for block in blocks("docs/howto/ceph.md", "console")]
    variables = environment(**{"AWS_ENDPOINT_URL": os.environ["S3_TEST_ENDPOINT"], **credentials})
    assert play(sessions, tmp_path, variables) >= 6


@pytest.mark.slow  # it trains, again and again
def test_the_pipeline_of_github(place: Path, bucket: dict[str, str]) -> None:
    document = page("model.yaml")
    given = {"GITHUB_SHA": "0a1b2c3", "GITHUB_RUN_ID": "17", "GITHUB_STEP_SUMMARY": str(place / "summary.md")}
    variables = {**bucket, **given, "ARTREG_REGISTRY": document["env"]["ARTREG_REGISTRY"], "ARTREG_ACTOR": "ada"}
    assert list(document["jobs"]) == ["try", "stage", "release"]
    before_stage(place, variables)
    for job in document["jobs"].values():
        for step in job["steps"]:
            if "run" in step and "uv sync" not in step["run"]:
                assert "[exit" not in shell(step["run"], place, variables), step["run"]
    assert "| from |" in (place / "summary.md").read_text()
    assert "run 17" in shell("artreg history churn@prod", place, variables)


def page(name: str, number: int = 0) -> dict[str, Any]:
    """Return a file that the page about CI shows, the first of a name unless told otherwise."""
    shown = [block for block in every_block("docs/howto/ci.md") if Path(block.title).name == name]
    document: dict[str, Any] = yaml.safe_load(shown[number].body)
    return document


@pytest.mark.slow  # it trains
def test_the_workflow_that_uses_the_action(place: Path, bucket: dict[str, str], tmp_path: Path) -> None:
    document = page("models.yaml")
    variables = {**bucket, "ARTREG_REGISTRY": document["env"]["ARTREG_REGISTRY"]}
    before_stage(place, variables)
    for name in ("stage", "try", "release"):  # what is tried is what is in staging by then
        job = document["jobs"][name]
        (event,) = re.findall(r"^github.event_name == '(\w+)'$", job["if"])
        known = {"github.sha": "0a1b2c3", "inputs.reason": "weekly release"}
        for step in job["steps"]:
            if step["uses"].startswith("OWNER/artreg@"):
                runner = GitHub(place, tmp_path, variables, event)
                inputs = {key: evaluated(value, known) for key, value in step["with"].items()}
                done = runner.run(install="none", **inputs)
                assert done.code == 0, done.log
                known |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in done.outputs.items()}
                assert ("| ✅ |" in done.summary) == (inputs["command"] == "check")
    history = shell("artreg history churn", place, variables)
    assert "weekly release" in history
    assert "0a1b2c3" in history


@pytest.mark.slow  # it trains
def test_the_pipeline_that_includes_the_component(place: Path, bucket: dict[str, str]) -> None:
    document = page(".gitlab-ci.yml")
    # `uv` is not asked for anything here: artreg is on the path, and the checkout has no lock that names it
    (place / "uv.lock").unlink()
    (place / "uv").write_text("#!/bin/sh\necho .\n")
    (place / "uv").chmod(0o755)
    variables = {**bucket, "ARTREG_REGISTRY": document["variables"]["ARTREG_REGISTRY"]}
    variables["PATH"] = f"{place}:{variables['PATH']}"
    before_stage(place, variables)
    jobs = [entry["inputs"] for entry in document["include"]]
    assert [job["job"] for job in jobs] == [name for name in document if name not in {"stages", "variables", "include"}]
    assert [job["stage"] for job in jobs] == ["try", "stage", "stage", "release"]
    for inputs in jobs:
        assert set(included(inputs)) == {inputs["job"]}
        source = "merge_request_event" if inputs["job"] == "try" else "push"
        done = GitLab(place, variables, source).run(**inputs)
        assert done.code == 0, done.log
        if inputs["job"] == "train":
            variables |= done.outputs
    assert shell("artreg resolve churn@prod --json", place, variables).count(variables["artreg_version"])


def test_the_pipelines_are_as_their_schemas_want_them(tmp_path: Path) -> None:
    from check_jsonschema import main as check_jsonschema  # takes seconds, which most runs can do without

    kinds = {"model.yaml": "vendor.github-workflows", "models.yaml": "vendor.github-workflows"}
    kinds |= {".gitlab-ci.yml": "vendor.gitlab-ci"}
    shown = [block for block in every_block("docs/howto/ci.md") if block.title]
    assert len(shown) == 4
    for block in shown:
        file = tmp_path / "pipeline.yaml"
        file.write_text(block.body)
        words = ["--builtin-schema", kinds[Path(block.title).name], str(file)]
        done = CliRunner().invoke(check_jsonschema, words)
        assert done.exit_code == 0, done.output


def before_stage(place: Path, variables: dict[str, str]) -> None:
    """Begin with a bucket that holds nothing: what lies on the disk is of no account here."""
    assert "is ready" in shell("artreg init", place, variables)


@pytest.mark.slow  # it trains, again and again
def test_the_pipeline_of_gitlab(place: Path, bucket: dict[str, str]) -> None:
    document = page(".gitlab-ci.yml", 1)
    given = {"CI_COMMIT_SHA": "0a1b2c3", "CI_JOB_URL": "https://gitlab.example.org/17"}
    variables = {**bucket, **given, "ARTREG_REGISTRY": document["variables"]["ARTREG_REGISTRY"], "ARTREG_ACTOR": "ada"}
    before_stage(place, variables)
    assert [name for name in document if name in document["stages"]] == document["stages"]
    for stage in document["stages"]:
        assert "[exit" not in shell("set -e\n" + "\n".join(document[stage]["script"]), place, variables), stage
    for command in blocks("docs/howto/ci.md", "bash")[0].splitlines():
        assert "[exit" not in shell(command, place, variables), command


@pytest.mark.slow
def test_the_commands_about_scale(place: Path) -> None:
    (command,) = blocks("docs/scale.md", "bash")
    do(command, place)
