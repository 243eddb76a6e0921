"""A work place as a team has it: a git checkout with data and a policy, a registry, and people who type commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from artreg.cli.main import main
from artreg.training.churn import write_churn
from artreg.training.source import read_source

CUSTOMERS = 2000

POLICY: Mapping[str, Any] = {
    "aliases": {
        "staging": {
            "gates": [
                {"gate": "metric", "key": "roc_auc", "min": 0.6},
                {"gate": "provenance"},
                {"gate": "drift", "against": "prod", "max_psi": 0.2, "max_distance": 0.2},
            ]
        },
        "prod": {
            "require_reason": True,
            "who": ["ada", "*@example.org"],
            "gates": [
                {"gate": "from", "alias": "staging"},
                {"gate": "metric", "key": "roc_auc", "min": 0.6},
                {"gate": "no_regression", "key": "roc_auc", "relative": 0.05},
                {"gate": "significant", "metric": "log_loss", "claim": "not_worse", "margin": 0.02, "resamples": 500},
                {"gate": "drift"},
                {"gate": "provenance"},
                {"gate": "approvals", "count": 2, "of": ["bob", "cid", "dan"]},
                {"gate": "soak", "alias": "staging", "at_least": "0s"},
                {"gate": "fresh", "at_most": "1d"},
                {"gate": "size", "max_bytes": 20_000_000},
                {"gate": "rollback_plan"},
            ],
        },
        "champion": {
            "gates": [
                {"gate": "significant", "metric": "log_loss", "against": "prod", "first": False, "resamples": 500}
            ]
        },
    }
}
PROD_GATES = ["integrity", *(gate["gate"] for gate in POLICY["aliases"]["prod"]["gates"])]


@dataclass(frozen=True)
class Told:
    """What a command left: its exit code, and its one JSON document."""

    code: int
    json: Any

    @property
    def gates(self) -> dict[str, Any]:
        """The verdicts by kind, each with its figures."""
        found = self.json.get("gates") or self.json["error"]["gates"]
        return {verdict["gate"]: {"figures": verdict, **verdict} for verdict in found}

    @property
    def refusals(self) -> list[str]:
        return [kind for kind, verdict in self.gates.items() if not verdict["passed"]]


def artreg(*words: str, actor: str = "ada") -> Told:
    """Type a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([*words, "--actor", actor, "--json"])
    return Told(code, json.loads(out.getvalue()))


def git(*words: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *identity, *words], check=True, capture_output=True, env=environment)


def churn(table: pd.DataFrame) -> None:
    """Move two columns of the customers, and let a few pay in a way that nobody paid before."""
    table["tenure_months"] += 30
    table.loc[table.index % 2 == 0, "contract"] = "two-year"
    table.loc[table.index % 100 == 0, "payment_method"] = "voucher"


def biopsies(table: pd.DataFrame) -> None:
    """Measure two features by another instrument, and leave out a third."""
    table["mean radius"] *= 1.3
    table["worst texture"] += 12
    del table["symmetry error"]


@dataclass(frozen=True)
class Model:
    """A model of the story.

    Attributes:
        name: Its name.
        id_column: The column that names the rows.
        target: What is to be predicted.
        positive: The label that counts as positive, where there is no telling.
        drift: What happens to its data.
        moved: The columns that have moved by then.
        changes: What is then to be said of the schema.
    """

    name: str
    id_column: str
    target: str
    positive: str | None
    drift: Callable[[pd.DataFrame], None]
    moved: frozenset[str]
    changes: tuple[str, ...]

    def config(self, data: str) -> dict[str, Any]:
        section = {"path": data, "id_column": self.id_column, "target": self.target, "salt": "s", "test_fraction": 0.4}
        model = {"learning_rate": 0.1, "max_iter": 30, "max_depth": 3, "min_samples_leaf": 10}
        positive = {} if self.positive is None else {"positive": self.positive}
        return {"name": self.name, "data": {**section, **positive}, "model": model}


CHURN = Model(
    "churn",
    "customer_id",
    "churned",
    None,
    churn,
    frozenset({"tenure_months", "contract"}),
    ("payment_method: category 'voucher' is new",),
)
CANCER = Model(
    "breast-cancer",
    "sample_id",
    "diagnosis",
    "malignant",
    biopsies,
    frozenset({"mean radius", "worst texture"}),
    ("symmetry error: gone",),
)


def set_up(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the work place in an empty folder, go there, and train five versions of each model.

    1.0.0 has hardly learned anything, 1.1.0 is what it should be, 1.1.1 is 1.1.0 again, 1.1.2 is all but the same,
    2.0.0 is of drifted data.
    """
    for name in [name for name in os.environ if name.startswith(("ARTREG_", "GITHUB_"))]:
        patch.delenv(name)
    patch.chdir(folder)
    for name in ("registry", "configs", "data"):
        Path(name).mkdir()
    write_churn(Path("data/churn.csv"), CUSTOMERS)
    Path("data/breast-cancer.csv").write_bytes(read_source("sklearn:breast_cancer", folder).data)
    Path(".gitignore").write_text("registry/\n")
    Path("uv.lock").write_text("version = 1\n")
    Path("configs/policy.yaml").write_text(yaml.safe_dump(dict(POLICY)))
    for model in (CHURN, CANCER):
        table = pd.read_csv(f"data/{model.name}.csv")
        model.drift(table)
        table.to_csv(f"data/{model.name}-later.csv", index=False)
        for data in (model.name, f"{model.name}-later"):
            Path(f"configs/{data}.yaml").write_text(yaml.safe_dump(model.config(f"data/{data}.csv")))
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "everything")
    for model in (CHURN, CANCER):
        for version, config, *more in (
            ("1.0.0", model.name, "--set", "model.max_iter=1"),
            ("1.1.0", model.name),
            ("1.1.1", model.name),
            ("1.1.2", model.name, "--set", "model.min_samples_leaf=13"),
            ("2.0.0", f"{model.name}-later"),
        ):
            told = artreg("train", "--config", f"configs/{config}.yaml", "--version", version, *more)
            assert told.code == 0, told.json
