"""`import` on the command line: what it prints, and how it exits."""

from __future__ import annotations

from pathlib import Path

import pytest

from artreg.cli import arrivals
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import EXIT_CODES, ArtregError, GateRejected, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.importing.bring import Arrival, Brought
from artreg.importing.source import Trouble
from cli.conftest import Shell


@pytest.fixture
def models(shell: Shell) -> Path:
    """A folder with two versions of churn, of which a link names one, and one of another model."""
    for name in ("churn/1.2.0", "churn/v1.3.0", "Fraud EU/3"):
        folder = shell.folder / "models" / name
        folder.mkdir(parents=True)
        (folder / "forest.joblib").write_text(name)
        (folder / "metrics.json").write_text('{"roc_auc": 0.9}')
    (shell.folder / "models/churn/current").symlink_to("v1.3.0")
    return shell.folder / "models"


def test_a_dry_run_says_what_would_come(shell: Shell, models: Path) -> None:
    told = shell.run("import", "dir", "models", "--dry-run", "--alias", "current=staging")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == [
        "of the source  would come           size",
        "Fraud EU/3     demo/fraud-eu@3.0.0  26 B",
        "churn/1.2.0    demo/churn@1.2.0     27 B",
        "churn/v1.3.0   demo/churn@1.3.0     28 B",
        "churn/current: demo/churn@staging would become 1.3.0",
        "3 versions would come, 0 were here already",
    ]
    assert list((shell.folder / "registry").iterdir()) == []


def test_everything_comes_and_says_where_from(shell: Shell, models: Path) -> None:
    ran = shell.run("import", "dir", "models", "--alias", "current=staging", "--json")
    assert ran.code == 0
    made = ran.json
    assert {key: made[key] for key in ("ok", "from", "location", "present", "troubles", "dry_run")} == {
        "ok": True,
        "from": "dir",
        "location": str(models),
        "present": [],
        "troubles": [],
        "dry_run": False,
    }
    shown = shell.run("show", "churn@staging", "--json").json
    assert [it for it in made["imported"] if it["item"] == "churn/v1.3.0"] == [
        {
            "item": "churn/v1.3.0",
            "project": "demo",
            "model": "churn",
            "version": "1.3.0",
            "digest": shown["digest"],
            "bytes": 28,
            "to_compare": False,
        }
    ]
    [alias] = made["aliases"]
    assert (alias["alias"], alias["version"], alias["generation"], alias["changed"]) == ("staging", "1.3.0", 1, True)
    assert f"imported from  dir {models}, as churn/v1.3.0" in shell.run("show", "churn@staging").out
    [record] = shell.run("history", "churn@staging", "--json").json["records"]
    assert (record["why"], record["who"]) == ("imported from dir: churn/current", "ada")
    again = shell.run("import", "dir", "models", "--alias", "current=staging")
    assert again.out.splitlines() == [
        "churn/current: demo/churn@staging is already 1.3.0",
        "0 versions came, 3 were here already",
    ]
    assert shell.run("verify", "--deep").code == 0
    assert shell.run("site", "--out", "public").code == 0
    pages = [path.read_text() for path in (shell.folder / "public").rglob("*.html")]
    assert [f"Imported from dir {models}, as churn/v1.3.0." in page for page in pages].count(True) == 1


def test_troubles_are_listed_and_the_exit_code_says_so(shell: Shell, models: Path) -> None:
    (models / "churn/final").mkdir()
    ran = shell.run("import", "dir", "models", "--json")
    assert (ran.code, ran.json["ok"], ran.json["error"]["code"]) == (2, False, "invalid_input")
    assert [(it["item"], it["code"]) for it in ran.json["troubles"]] == [
        ("churn/final", "invalid_input"),
        ("churn/current", "invalid_input"),
    ]
    assert "--alias 'current=ALIAS'" in ran.json["troubles"][1]["hint"]
    assert len(ran.json["imported"]) == 3
    told = shell.run("import", "dir", "models", "--no-aliases")
    assert told.code == 2
    assert told.out.splitlines() == [
        "churn/final: 'final' is no version, and cannot become one",
        "  hint: versions are 1.2.0, v1.2.0, 1.2, 3 or 2024-05-01",
        "0 versions came, 3 were here already; 1 trouble",
    ]


def test_a_gate_that_says_no_gives_its_verdicts(shell: Shell, models: Path) -> None:
    (models / "churn/v1.3.0/metrics.json").write_text('{"roc_auc": 0.1}')
    ran = shell.run("import", "dir", "models", "--alias", "current=prod", "--json")
    assert ran.code == 3
    [trouble] = ran.json["troubles"]
    assert [(gate["gate"], gate["passed"]) for gate in trouble["gates"]] == [("integrity", True), ("metric", False)]


def test_models_can_be_chosen_and_renamed(shell: Shell, models: Path) -> None:
    ran = shell.run("import", "dir", "models", "--only", "Fraud EU", "--map", "Fraud EU=risk/fraud", "--json")
    assert ran.code == 0
    assert [f"{it['project']}/{it['model']}@{it['version']}" for it in ran.json["imported"]] == ["risk/fraud@3.0.0"]
    ran = shell.run("import", "dir", "models", "--only", "chrn", "--json")
    assert (ran.code, ran.json["troubles"][0]["hint"].partition("?")[0]) == (5, "did you mean churn")
    one = shell.run("import", "dir", "models/churn/1.2.0", "-m", "risk/score", "--version", "2.0.0", "--json")
    assert (one.code, one.json["imported"][0]["version"]) == (0, "2.0.0")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere",), 5),
        (("models", "--registry", "nowhere"), 5),
        (("models", "--map", "churn"), 2),
        (("models", "--alias", "current=No"), 2),
        (("models", "--map", "churn=No Name"), 2),
        (("models/churn/1.2.0",), 2),
    ],
)
def test_what_cannot_be_tried_is_an_error(shell: Shell, models: Path, words: tuple[str, ...], code: int) -> None:
    ran = shell.run("import", "dir", *words, "--json")
    assert (ran.code, list(ran.json)) == (code, ["error"])


def test_names_are_escaped(shell: Shell) -> None:
    folder = shell.folder / "models" / "evil\x1b[31m\u202e"
    (folder / "1").mkdir(parents=True)
    (folder / "1/x.pkl").touch()
    ran = shell.run("import", "dir", "models")
    assert ran.code == 2
    assert "\x1b" not in ran.out + ran.err
    assert "\u202e" not in ran.out + ran.err


def arrived(*errors: ArtregError, stopped: ArtregError | None = None) -> Brought:
    one = Arrival("a/1", ModelName("demo", "a"), Version(1, 0, 0), None, None, to_compare=True)
    troubles = tuple(Trouble(str(number), error) for number, error in enumerate(errors))
    return Brought("dir", "x", (one,), (), (), (), troubles, stopped, True)


def test_a_dry_run_names_the_gates_that_it_could_not_ask(shell: Shell, models: Path) -> None:
    gates = "[{gate: metric, key: roc_auc, min: 0.8}, {gate: size, max_bytes: 9}, {gate: inspected}]"
    (shell.folder / "policy.yaml").write_text(f"aliases: {{staging: {{gates: {gates}}}, prod: {{}}}}\n")
    command = ("import", "dir", "models", "--policy", "policy.yaml", "--alias", "current=staging")
    told = shell.run(*command, "--dry-run")
    line = "churn/current: demo/churn@staging would become 1.3.0, unless size or inspected refuses it then"
    assert (told.code, told.out.splitlines()[-2]) == (0, line)
    [alias] = shell.run(*command, "--dry-run", "--json").json["aliases"]
    assert alias["unasked"] == ["size", "inspected"]
    assert shell.run(*command).code == 3


def test_what_becomes_an_alias_that_another_one_takes_is_named(shell: Shell, models: Path) -> None:
    (models / "churn/best").symlink_to("1.2.0")
    told = shell.run("import", "dir", "models", "--dry-run", "--alias", "current=staging", "--alias", "best=staging")
    assert "churn/current: demo/churn@staging would become 1.3.0, over churn/best" in told.out.splitlines()


def test_of_several_troubles_the_gravest_gives_the_code() -> None:
    kinds = [GateRejected, InvalidInput, NotFound, StorageError, IntegrityError]
    for place, kind in enumerate(kinds):
        error = arrivals.error(arrived(*(it("x") for it in kinds[: place + 1])))
        assert error is not None
        assert error.code == kind.code
    assert {it.code for it in arrivals.GRAVEST} == set(EXIT_CODES) - {"internal", "not_reproduced", "interrupted"}
    stopped = StorageError("full", hint="free some")
    assert arrivals.error(arrived(GateRejected("x"), stopped=stopped)) is stopped
    many = arrivals.error(arrived(*(NotFound("x"),) * 8))
    assert str(many) == "would not come: 0, 1, 2, 3, 4 and 3 more"


def test_what_is_to_be_compared_is_told() -> None:
    blocks = arrivals.blocks(arrived())
    assert blocks[0].rows == (("a/1", "demo/a@1.0.0", "", "compared first"),)


def test_one_revision_of_the_hub_is_asked_for(shell: Shell) -> None:
    cache = shell.folder / "models--acme--churn"
    for number, ref in enumerate(("v1.0.0", "v1.1.0")):
        commit = f"{number}" * 40
        blob = cache / "blobs" / ("ab"[number] * 40)
        snapshot = cache / "snapshots" / commit
        snapshot.mkdir(parents=True)
        blob.parent.mkdir(exist_ok=True)
        blob.write_text(ref)
        (snapshot / "model.joblib").symlink_to(f"../../blobs/{blob.name}")
        (cache / "refs").mkdir(exist_ok=True)
        (cache / "refs" / ref).write_text(commit)
    words = ("import", "huggingface", "models--acme--churn", "--model", "churn", "--dry-run", "--json")
    assert len(shell.run(*words).json["imported"]) == 2
    (only,) = shell.run(*words, "--revision", "v1.1.0").json["imported"]
    assert (only["version"], only["bytes"]) == ("1.1.0", 6)
