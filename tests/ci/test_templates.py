"""The action and the component: as their schemas want them, and doing what they say, whatever is put into them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from artreg.core.names import Alias
from artreg.core.policy import parse_policy
from artreg.registry.history import require_head
from artreg.store.local import LocalStore
from ci.runners import ACTION, COMPONENT, ROOT, GitHub, GitLab, Outcome, Refused, bare, included
from docs.sessions import newcomer
from peers import UV
from registry.bench import CHURN, FREE, PROD, STAGING, Bench

BIN = Path(sys.executable).parent
RUNNERS = ["github", "gitlab"]
RULES = {
    "aliases": {
        "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}]},
        "prod": {"gates": [{"gate": "from", "alias": "staging"}, {"gate": "metric", "key": "roc_auc", "min": 0.8}]},
        "free": {},
    }
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git project whose registry has 1.0.0 in staging and prod, and 1.1.0, which is good enough for staging alone."""
    folder = tmp_path_factory.mktemp("released")
    (folder / "project" / "registry").mkdir(parents=True)
    bench = Bench(LocalStore(str(folder / "project" / "registry")), folder, parse_policy(RULES))
    bench.publish("1.0.0")
    bench.publish("1.1.0", roc_auc=0.78)
    bench.promote("1.0.0", STAGING)
    bench.promote("1.0.0", PROD)
    bench.promote("1.1.0", STAGING)
    (folder / "project" / "configs").mkdir()
    (folder / "project" / "configs" / "policy.yaml").write_text(yaml.safe_dump(RULES))
    subprocess.run(["git", "init", "--quiet", folder / "project"], check=True)
    return folder / "project"


@pytest.fixture
def project(released: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released, tmp_path / "project", symlinks=True)


def run(runner: str, project: Path, event: str = "", **inputs: str) -> Outcome:
    """Run artreg by the action or by the component, with the same words for what comes out."""
    if runner == "github":
        (project.parent / "temporary").mkdir(exist_ok=True)
        return GitHub(project, project.parent / "temporary", event=event or "push").run(install="none", **inputs)
    stub(project.parent / "bin", "uv", f'if [ "$1 $2" = "tool dir" ]; then echo {BIN}; fi')
    path = f"{project.parent / 'bin'}:{bare()['PATH']}"
    done = GitLab(project, bare(PATH=path), event.replace("pull_request", "merge_request_event")).run(**inputs)
    return Outcome(done.code, done.log, {name.removeprefix("artreg_"): it for name, it in done.outputs.items()})


def stub(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def holds(project: Path, alias: Alias) -> tuple[str, int, str, str]:
    """What an alias holds: version, generation, who moved it there, and why."""
    record = require_head(Bench(LocalStore(str(project / "registry")), project).registry, CHURN, alias).record
    return str(record.version), record.generation, record.who, record.why


@pytest.mark.slow  # check-jsonschema takes seconds to be imported
def test_the_schemas_accept_them(tmp_path: Path) -> None:
    from check_jsonschema import main as check_jsonschema

    header, body = yaml.safe_load_all(COMPONENT.read_text())
    files = {"header": header, "body": body, "made": included({"command": "check"})}
    for name, document in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    made = [str(tmp_path / f"{name}.json") for name in files]
    for schema, names in (("vendor.gitlab-ci", made), ("vendor.github-actions", [str(ACTION)])):
        done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, *names])
        assert done.exit_code == 0, done.output


def test_no_expression_stands_in_a_script() -> None:
    steps = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
    assert [step for step in steps if "${{" in step.get("run", "")] == []
    assert all(re.search("@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)
    _, body = yaml.safe_load_all(COMPONENT.read_text())
    (job,) = body.values()
    assert "$[[" not in "".join([*job["before_script"], *job["script"]])


def test_both_make_the_same_words() -> None:
    (action,) = (step["run"] for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if step.get("id"))
    _, body = yaml.safe_load_all(COMPONENT.read_text())
    (job,) = body.values()
    same = re.compile(r"^set -- --json\n.*?^esac\n.*?^esac\n", re.MULTILINE | re.DOTALL)
    assert same.findall(action) == same.findall(*job["script"]) != []


@pytest.mark.slow  # it needs shellcheck
def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.fail("shellcheck is not installed; apt-get install shellcheck")
    scripts = [step["run"] for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "run" in step]
    _, body = yaml.safe_load_all(COMPONENT.read_text())
    (job,) = body.values()
    scripts.append("\n".join(["set -e", *job["before_script"], *job["script"]]))
    for script in scripts:
        words = ["shellcheck", "--shell", "bash", "-"]
        done = subprocess.run(words, input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_move_says_what_it_moved(runner: str, project: Path) -> None:
    found = run(runner, project, command="promote", model="churn", version="1.1.0", to="free", reason="it's 5 % better")
    assert found.code == 0, found.log
    assert (found.outputs["version"], found.outputs["generation"], found.outputs["changed"]) == ("1.1.0", "1", "true")
    assert re.fullmatch("[0-9a-f]{64}", found.outputs["digest"])
    assert holds(project, FREE) == ("1.1.0", 1, "ada", "it's 5 % better")


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_refusal_is_told_in_every_way_there_is(runner: str, project: Path) -> None:
    found = run(runner, project, "pull_request", command="check", model="churn", version="staging", to="prod")
    assert found.code == 3
    assert (found.outputs["version"], found.outputs["passed"]) == ("1.1.0", "false")
    refusal = "demo/churn@1.1.0 may not become prod: roc_auc is 0.78, which is not ≥ 0.8"
    if runner == "github":
        assert "\n| ❌ | metric | roc_auc is 0.78, which is not ≥ 0.8 | 0.02 |\n" in found.summary
        assert f"\n::error title=artreg::{refusal}\n" in found.log
    moved = run(runner, project, command="promote", model="churn", version="1.1.0", to="prod", reason="100 %")
    assert (moved.code, set(moved.outputs.values()) <= {""}) == (3, True)
    if runner == "github":
        (told,) = (line for line in moved.log.splitlines() if line.startswith("::error"))
        hint = "nothing was changed; the policy says what a version must show"
        assert told == f"::error title=artreg::{refusal}%0A{hint}"


def test_a_run_that_is_started_again_is_of_whoever_did_that(project: Path) -> None:
    variables = bare(GITHUB_ACTOR="ada", GITHUB_TRIGGERING_ACTOR="bob")
    words = {"command": "promote", "model": "churn", "version": "1.1.0", "to": "free"}
    assert GitHub(project, project.parent, variables).run(install="none", **words).code == 0
    assert holds(project, FREE)[2] == "bob"


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_check_that_passes(runner: str, project: Path) -> None:
    found = run(runner, project, command="check", model="churn", version="1.1.0", to="staging")
    assert (found.code, found.outputs["passed"]) == (0, "true"), found.log
    assert found.summary.count("| ✅ |") == (2 if runner == "github" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_pull_request_changes_nothing_unless_it_is_said(runner: str, project: Path) -> None:
    words = {"command": "promote", "model": "churn", "version": "1.0.0", "to": "staging"}
    before = holds(project, STAGING)
    assert run(runner, project, "pull_request", **words).outputs["generation"] == "3"
    assert run(runner, project, dry_run="true", **words).outputs["changed"] == "true"
    if runner == "github":
        assert run(runner, project, "merge_group", **words).outputs["changed"] == "true"
    assert holds(project, STAGING) == before
    assert run(runner, project, "pull_request", dry_run="false", **words).code == 0
    assert holds(project, STAGING)[:2] == ("1.0.0", 3)


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
def test_exit_codes_pass_through(runner: str, project: Path) -> None:
    words = {"command": "promote", "model": "churn", "version": "staging", "to": "prod"}
    for code, more in (
        (3, {}),
        (6, {"expect": "9.0.0"}),
        (5, {"version": "7.0.0"}),
        (5, {"registry": "elsewhere"}),
        (2, {"config": "configs/default.yaml"}),
        (2, {"bump": "minor"}),
        (2, {"command": "train"}),
        (2, {"model": ""}),
        (2, {"to": ""}),
    ):
        found = run(runner, project, **{**words, **more})
        assert (found.code, found.outputs.get("generation", "")) == (code, ""), (more, found.log)
    assert holds(project, PROD)[:2] == ("1.0.0", 1)


HOSTILE = [
    "$(touch x)",
    "`touch x`",
    "; touch x #",
    "'; touch x; '",
    "${IFS}touch${IFS}x",
    "--registry=elsewhere",
    "--force",
    "-h",
    "*",
    "%0A::set-env name=PATH::/evil",
    "::add-path::/evil",
]
BREAKING = ['"; touch x; "', "one\nversion=6.6.6", "one\n::stop-commands::x", "\\", '"\n  script: [touch x]\n  x: "']


@pytest.mark.slow
@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_is_a_value_and_nothing_else(runner: str, text: str, project: Path) -> None:
    words = {"command": "promote", "model": "churn", "version": "1.1.0", "to": "free"}
    for name in ("model", "version", "to", "expect", "registry", "config") if runner == "github" else ("version",):
        found = run(runner, project, **{**words, name: text})
        assert found.code in {2, 5}, (name, found.log)
        assert set(found.outputs.values()) <= {""}
    _nothing_else(project)
    found = run(runner, project, reason=text, **words)
    assert (found.code, found.outputs["version"]) == (0, "1.1.0"), found.log
    assert holds(project, FREE) == ("1.1.0", 1, "ada", text)
    _nothing_else(project)


def _nothing_else(project: Path) -> None:
    assert not list(project.rglob("x"))
    assert not list(project.rglob("elsewhere"))


@pytest.mark.slow
@pytest.mark.parametrize("text", BREAKING)
def test_what_would_break_out_of_a_line(text: str, project: Path) -> None:
    words = {"command": "promote", "model": "churn", "version": "1.1.0", "to": "free"}
    for name in ("command", "version", "registry", "dry_run"):
        found = run("github", project, **{**words, name: text})
        assert found.code in {2, 5}, (name, found.log)
        assert set(found.outputs.values()) <= {""}
        with pytest.raises(Refused):
            run("gitlab", project, **{**words, name: text})
    with pytest.raises(Refused):
        run("gitlab", project, reason=text, **words)
    found = run("github", project, reason=text, **words)
    assert (found.code, found.outputs["version"]) == (0, "1.1.0"), found.log
    assert holds(project, FREE) == ("1.1.0", 1, "ada", text)
    _nothing_else(project)


@pytest.mark.parametrize("inputs", [{}, {"command": "gc"}, {"command": "promote", "nonsense": "1"}])
def test_a_component_is_not_included_with_other_inputs(inputs: dict[str, str]) -> None:
    with pytest.raises(Refused):
        included(inputs)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["", "gc", "yank", "-h", "promote --force"])
def test_no_other_command_is_run(command: str, project: Path) -> None:
    found = run("github", project, command=command, model="churn", version="1.0.0", to="free")
    assert (found.code, set(found.outputs.values())) == (2, {""}), found.log


def test_what_artreg_prints_is_no_command_of_the_runner(project: Path) -> None:
    stub(project.parent / "fake", "artreg", "printf '::add-path::/evil'; echo ' ##[add-path]/evil' >&2; exit 4")
    path = f"{project.parent / 'fake'}:{bare()['PATH']}"
    found = GitHub(project, project.parent, bare(PATH=path)).run(install="none", command="check")
    assert found.code == 4
    opened, *printed, closed = found.log.splitlines()
    assert opened.startswith("::stop-commands::")
    assert closed == f"::{opened.removeprefix('::stop-commands::')}::"
    assert len(closed) >= 36
    assert [line.strip() for line in printed] == ["##[add-path]/evil", "::add-path::/evil"]


@pytest.mark.slow  # it trains
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_training_says_what_it_published(runner: str, project: Path) -> None:
    subprocess.run([BIN / "artreg", "data", "churn", "--customers", "500"], cwd=project, check=True)
    shutil.copytree(ROOT / "configs", project / "configs", dirs_exist_ok=True)
    words = {"command": "train", "config": "configs/logistic.yaml", "version": "3.0.0"}
    tried = run(runner, project, "pull_request", **words)
    assert (tried.code, tried.outputs["version"], tried.outputs["changed"]) == (0, "3.0.0", "true"), tried.log
    assert not list(project.glob("registry/demo/*/3.0.0"))
    done = run(runner, project, **words)
    assert (done.code, done.outputs) == (0, tried.outputs | {"digest": done.outputs["digest"]}), done.log
    assert len(list(project.glob("registry/demo/*/3.0.0"))) == 1
    again = run(runner, project, **words)
    assert again.outputs == {**done.outputs, "changed": "false"}


PYPROJECT = """[project]
name = "churn"
version = "1"
requires-python = ">=3.11"
dependencies = ["artreg"]
[tool.uv.sources]
artreg = {{ path = "{root}" }}
"""


@pytest.mark.slow  # it needs uv and a package index
@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("locked", [True, False])
def test_artreg_is_installed_as_the_lock_says_or_else_as_the_action_does(
    runner: str, locked: bool, project: Path, tmp_path: Path
) -> None:
    variables = newcomer() | {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "programs")}
    without = [folder for folder in variables["PATH"].split(":") if not Path(folder, "artreg").exists()]
    variables["PATH"] = ":".join([str(Path(UV).parent), *without])
    assert shutil.which("artreg", path=variables["PATH"]) is None
    if locked:
        (project / "pyproject.toml").write_text(PYPROJECT.format(root=ROOT))
        subprocess.run([UV, "lock", "--quiet"], cwd=project, env=variables, check=True)
    words = {"command": "promote", "model": "churn", "version": "1.1.0", "to": "free"}
    if runner == "github":
        (tmp_path / "temporary").mkdir()
        found = GitHub(project, tmp_path / "temporary", variables).run(**words)
    else:
        found = GitLab(project, variables).run(requirement=str(ROOT), **words)
    assert found.code == 0, found.log
    assert holds(project, FREE)[:2] == ("1.1.0", 1)
    elsewhere = tmp_path / ("temporary/artreg" if runner == "github" else "programs")
    assert ((project / ".venv" / "bin" / "artreg").exists(), (elsewhere).exists()) == (locked, not locked)


@pytest.mark.slow
def test_it_is_not_installed_in_any_other_way(project: Path, tmp_path: Path) -> None:
    found = GitHub(project, tmp_path).run(install="nightly", command="check", model="churn", version="1.0.0", to="prod")
    assert (found.code, found.log) == (2, "::error::install is to be auto or none\n")
