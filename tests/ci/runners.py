"""What a runner does with a composite action and with a component, as far as a machine without one can do it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "artreg.yml"
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
"""What GitHub's documentation says that `shell: bash` means."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str = ""


def bare(**more: str) -> dict[str, str]:
    """The variables of a runner on which artreg is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "AWS_", "GITHUB_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "ARTREG_CACHE": "off", "PATH": path, **more}


@dataclass
class GitHub:
    """A runner of GitHub's, with a job in a workspace."""

    workspace: Path
    temporary: Path
    variables: dict[str, str] = field(default_factory=bare)
    event: str = "workflow_dispatch"
    action: Path = ROOT

    def run(self, **given: str) -> Outcome:
        """Do what `uses: …` with some inputs does, `-` in their names written as `_`."""
        document = yaml.safe_load(ACTION.read_text())
        inputs = {name: str(it.get("default", "")) for name, it in document["inputs"].items()}
        values = {name.replace("_", "-"): value for name, value in given.items()}
        assert values.keys() <= inputs.keys(), "GitHub would warn of an unknown input"
        inputs |= values
        known = {f"inputs.{name}": value for name, value in inputs.items()}
        variables = {"GITHUB_ACTOR": "ada", **self.variables, "GITHUB_EVENT_NAME": self.event}
        files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        for name, path in files.items():
            path.write_text("")
            variables[name] = str(path)
        variables |= {"RUNNER_TEMP": str(self.temporary), "GITHUB_ACTION_PATH": str(self.action)}
        logs, outputs, code = [], {}, 0
        for step in document["runs"]["steps"]:
            if code or "uses" in step or not _condition(step.get("if"), known):
                continue
            own = {name: evaluated(value, known) for name, value in step.get("env", {}).items()}
            script = self.temporary / "script.sh"
            script.write_text(step["run"])
            assert step["shell"] == "bash"
            done = subprocess.run(
                [*BASH, str(script)],
                cwd=self.workspace / evaluated(step["working-directory"], known),
                env={**variables, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            logs.append(done.stdout)
            code = done.returncode
            outputs[step.get("id", "")] = _outputs(files["GITHUB_OUTPUT"].read_text())
            variables["PATH"] = ":".join([*files["GITHUB_PATH"].read_text().split("\n")[::-1], variables["PATH"]])
        named = {
            name: outputs.get(step, {}).get(output, "")
            for name, it in document["outputs"].items()
            for step, output in re.findall(r"^\${{ steps\.(\w+)\.outputs\.(\w+) }}$", it["value"])
        }
        assert set(outputs.get("artreg", {})) <= set(named), "an output that nobody declared"
        return Outcome(code, "".join(logs), named, files["GITHUB_STEP_SUMMARY"].read_text())


def evaluated(text: str, known: Mapping[str, str]) -> str:
    """Return a text with what its expressions stand for."""
    return re.sub(r"\${{ ([\w.-]+) }}", lambda found: known[found[1]], text)


def _condition(text: str | None, known: Mapping[str, str]) -> bool:
    if text is None:
        return True
    found = re.fullmatch(r"([\w.-]+) != '(\w*)'", text)
    assert found, f"no test knows what {text!r} means"
    return known[found[1]] != found[2]


def _outputs(text: str) -> dict[str, str]:
    """Read the file of outputs as a runner does: `name=value`, or `name<<end`, lines, `end`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        head = re.match(r"(?P<name>[^=<]+)(?:=(?P<value>.*)|<<(?P<end>.+))$", line)
        assert head, f"a runner refuses {line!r}"
        rest = "\n".join(iter(lambda head=head: next(lines), head["end"])) if head["end"] else ""
        found[head["name"]] = rest if head["end"] else head["value"]
    return found


class Refused(Exception):
    """The pipeline was not made, because of an input."""


@dataclass
class GitLab:
    """A runner of GitLab's, with a pipeline for a checkout."""

    checkout: Path
    variables: dict[str, str] = field(default_factory=bare)
    source: str = "web"

    def run(self, **given: str) -> Outcome:
        """Do what an `include: component` with some inputs does, `-` in their names written as `_`."""
        (job,) = included({name.replace("_", "-"): value for name, value in given.items()}).values()
        variables = {**self.variables, "CI_PROJECT_DIR": str(self.checkout), "CI_PIPELINE_SOURCE": self.source}
        variables |= {"GITLAB_USER_LOGIN": "ada"}
        variables |= {name: _expanded(value, variables) for name, value in job["variables"].items()}
        report = self.checkout / job["artifacts"]["reports"]["dotenv"]
        report.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-c", "set -eo pipefail\n" + "\n".join([*job["before_script"], *job["script"]])],
            cwd=self.checkout,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = report.read_text().splitlines() if report.exists() else []
        assert all(re.fullmatch(r"\w+=[^\n]*", line) for line in lines), "GitLab refuses the report"
        return Outcome(done.returncode, done.stdout, dict(line.split("=", 1) for line in lines))


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: variables.get(found[1], found[0]), text)


def included(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the pipeline that a component makes of some inputs.

    Raises:
        Refused: An input is missing, unknown, or not as its specification wants it.
    """
    header, _, text = COMPONENT.read_text().partition("\n---\n")
    spec = yaml.safe_load(header)["spec"]["inputs"]
    if not given.keys() <= spec.keys():
        raise Refused("unknown")
    for name, rules in spec.items():
        value = given.get(name, rules.get("default"))
        if value is None or value not in rules.get("options", [value]):
            raise Refused(name)
        if not re.search(rules.get("regex", "").replace("$", r"\Z"), value):  # RE2's $ is the very end
            raise Refused(name)
        text = text.replace(f"$[[ inputs.{name} ]]", value)
    assert "$[[" not in text
    pipeline: dict[str, Any] = yaml.safe_load(text)
    return pipeline
