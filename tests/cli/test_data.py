"""The commands for data, as people use them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from artreg.training.churn import write_churn
from cli.conftest import Shell


@pytest.fixture
def data(shell: Shell) -> Path:
    shell.run("init")
    return write_churn(shell.folder / "data" / "churn.csv", 300)


def test_a_table_is_kept_once_listed_shown_and_pulled(shell: Shell, data: Path) -> None:
    made = shell.run("data", "snapshot", "data/churn.csv", "--id-column", "customer_id", "--json")
    assert made.code == 0, made.out
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    assert made.json["snapshot"] == f"churn@sha256:{sha256}"
    assert (made.json["created"], made.json["record_count"], made.json["source"]) == (True, 300, "data/churn.csv")
    again = shell.run("data", "snapshot", "data/churn.csv", "--json")
    assert (again.code, again.json["created"]) == (0, False)
    listed = shell.run("data", "list", "--json").json["snapshots"]
    assert [each["snapshot"] for each in listed] == [f"churn@sha256:{sha256}"]
    shown = shell.run("data", "show", f"churn@sha256:{sha256[:8]}", "--json").json
    assert (shown["format"], shown["profile_rows"], shown["id_column"]) == ("artreg/snapshot/1", 300, "customer_id")
    assert {"schema_hash", "content_hash", "uri", "created_at", "columns", "profile"} <= set(shown)
    text = shell.run("data", "show", "churn").out
    assert "support_tickets" in text
    assert "bank-transfer" in text
    pulled = shell.run("data", "pull", "churn", "-o", "out/copy.csv")
    assert pulled.code == 0
    assert (shell.folder / "out" / "copy.csv").read_bytes() == data.read_bytes()
    assert shell.run("data", "verify").code == 0
    assert shell.run("verify").code == 0


def test_a_dry_run_keeps_nothing(shell: Shell, data: Path) -> None:
    assert shell.run("data", "snapshot", str(data), "--dry-run").code == 0
    assert "no snapshots yet" in shell.run("data", "list").out


def test_a_reference_that_changed_is_refused_by_name(shell: Shell, data: Path) -> None:
    made = shell.run("data", "snapshot", "data/churn.csv", "--reference", "--json").json
    assert (made["copied"], made["source"]) == (False, str(data))
    assert shell.run("data", "verify", "churn").code == 0
    assert shell.run("data", "pull", "churn", "-o", "copy.csv").code == 0
    data.write_bytes(data.read_bytes() + b"\n")
    short = f"churn@sha256:{made['content_hash'][:12]}"
    for words in (("data", "verify"), ("data", "pull", "churn", "-o", "other.csv")):
        refused = shell.run(*words)
        assert refused.code == 4
        assert f"{short}" in refused.out + refused.err
        assert "churn.csv" in refused.out + refused.err
    assert not (shell.folder / "other.csv").exists()
    assert shell.run("verify").code == 0  # what the registry holds itself is whole


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("data", "snapshot", "missing.csv"), 2),
        (("data", "snapshot", "data"), 2),
        (("data", "snapshot", "https://me:pw@example.org/x.csv"), 2),
        (("data", "snapshot", "data/churn.csv", "--name", "Bad Name"), 2),
        (("data", "snapshot", "data/churn.csv", "--id-column", "nope"), 2),
        (("data", "show", "churn"), 5),
        (("data", "show", "churn@1.0.0"), 2),
        (("data", "pull", "churn@sha256:00000000", "-o", "x"), 5),
    ],
)
def test_what_is_wrong_is_told(shell: Shell, data: Path, words: tuple[str, ...], code: int) -> None:
    refused = shell.run(*words, "--json")
    assert refused.code == code, refused.out
    assert refused.json["error"]["message"]
    assert "pw" not in refused.json["error"]["message"]


def test_training_keeps_its_data_or_where_they_lie_and_takes_them_back(shell: Shell, data: Path) -> None:
    config = {
        "trainer": "logistic_regression",
        "data": {"path": "data/churn.csv", "id_column": "customer_id", "target": "churned", "keep": "reference"},
    }
    (shell.folder / "c.yaml").write_text(json.dumps(config))
    assert shell.run("train", "-c", "c.yaml", "--dry-run").code == 0
    assert shell.run("data", "list", "--json").json["snapshots"] == []
    assert shell.run("train", "-c", "c.yaml").code == 0
    (known,) = shell.run("data", "list", "--json").json["snapshots"]
    assert (known["copied"], known["source"]) == (False, str(data))
    run = shell.run("show", "churn@1.0.0", "--json").json["run"]
    assert run["axes"]["data"]["snapshot"] == known["snapshot"]

    assert shell.run("train", "-c", "c.yaml", "--set", "data.keep=copy").code == 0
    (kept,) = shell.run("data", "list", "--json").json["snapshots"]
    assert (kept["copied"], kept["snapshot"]) == (True, known["snapshot"])
    data.unlink()
    config["data"] = {key: value for key, value in config["data"].items() if key not in ("path", "keep")}
    config["data"]["snapshot"] = kept["snapshot"]
    (shell.folder / "c.yaml").write_text(json.dumps(config))
    again = shell.run("train", "-c", "c.yaml", "--json")
    assert again.code == 0, again.out
    first = shell.run("show", "churn@1.0.0", "--json").json
    assert again.json["metrics"] == first["metrics"]


def test_the_traceback_behind_an_error_is_shown_on_demand(
    shell: Shell, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "mine.py").write_text(
        "from pydantic import BaseModel\n"
        "class P(BaseModel):\n    pass\n"
        "def fit(data, params: P, seed):\n    return 1 / 0\n"
    )
    config = {
        "trainer": {"kind": "mine:fit"},
        "data": {"path": "data/churn.csv", "id_column": "customer_id", "target": "churned"},
    }
    (shell.folder / "c.yaml").write_text(json.dumps(config))
    monkeypatch.syspath_prepend(shell.folder)
    quiet, loud = shell.run("train", "-c", "c.yaml"), shell.run("train", "-c", "c.yaml", "-v")
    assert (quiet.code, loud.code) == (2, 2)
    assert "the trainer mine:fit failed: ZeroDivisionError" in quiet.err
    assert "Traceback" not in quiet.err
    assert "return 1 / 0" in loud.err
