"""`artreg reproduce REF`: what comes out the same is proven, and what does not is explained by axis."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from reproduction.conftest import Project, told


@pytest.fixture
def changed(project: Project):
    """The project with a line of code and a row of data changed, for as long as a test runs."""
    data, code = project.folder / "data" / "churn.csv", project.folder / "features.py"
    whole = data.read_text()
    lines = whole.splitlines()
    cells = lines[17].split(",")
    cells[2] = str(int(cells[2]) + 1)
    data.write_text("\n".join([*lines[:17], ",".join(cells), *lines[18:], ""]))
    code.write_text("LIMIT = 2\n")
    yield project
    data.write_text(whole)
    code.write_text("LIMIT = 1\n")


def likeness(document) -> dict[str, str]:
    return {axis["axis"]: axis["likeness"] for axis in document["axes"]}


def test_other_threads_give_the_same_bytes_and_a_proof(project: Project) -> None:
    ran = project.run(
        "reproduce", "churn@1.0.0", "--here", "--json", OMP_NUM_THREADS="2", PYTHONHASHSEED="7", TZ="Asia/Tokyo"
    )
    assert ran.code == 0, ran.out + ran.err
    document = ran.json
    assert (document["reproduced"], document["same_bytes"]) == (True, True)
    assert likeness(document) == {"code": "same", "environment": "different", "config": "same", "data": "same"}
    assert "OMP_NUM_THREADS" in told(document, "environment")
    assert document["proof"] == 1
    event = (project.folder / "registry/demo/churn/history/1.0.0/00000001.json").read_text()
    assert '"kind": "reproduced"' in event
    assert '"who": "ada"' in event
    assert project.here("verify").code == 0


def test_each_axis_that_was_broken_is_named(changed: Project) -> None:
    ran = changed.here("reproduce", "churn@1.0.0", "--here", "--set", "model.C=2.0", "--json")  # but for the training
    assert ran.code == 9, ran.out + ran.err
    document = ran.json
    assert document["error"]["code"] == "not_reproduced"
    assert "code, config and data differ" in document["error"]["message"]
    assert told(document, "code") == ["features.py"]
    assert told(document, "config") == ["model.C"]
    assert told(document, "data")[0] == "1 row changed"
    assert "C0000017" in ran.out
    assert "age" in ran.out
    assert {"metrics.json"} < set(document["outcome"]["differing"])
    assert any(metric["what"] == "roc_auc" for metric in document["outcome"]["metrics"])
    assert document["outcome"]["parts"][0]["what"].startswith("model")
    assert document["proof"] is None


@pytest.mark.slow  # it needs nothing but time
def test_the_table_is_for_people_and_a_tolerance_accepts(changed: Project) -> None:
    ran = changed.run("reproduce", "churn@1.0.0", "--here", "--tolerance", "0.5", "--dry-run")
    assert ran.code == 0, ran.out + ran.err
    first, *rest = ran.out.splitlines()
    assert first == "demo/churn@1.0.0 came out with other bytes; its metrics agree within 0.5"
    assert any(line.startswith("data         different  1 row changed") for line in rest)
    assert any(line.startswith("first difference: model") for line in rest)
    assert "proof" not in ran.out


def test_what_cannot_be_rebuilt_is_refused_with_the_way_on(project: Project, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.bin").write_text("m")
    elsewhere = ("--registry", str(tmp_path))
    assert project.here("publish", str(made), "--model", "other", "--version", "1.0.0", *elsewhere).code == 0
    ran = project.here("reproduce", "other@1.0.0", *elsewhere)
    assert ran.code == 5
    assert "has no config.yaml: it was made elsewhere" in ran.err
    ran = project.here("reproduce", "churn@1.0.0")  # it was trained where there is no uv.lock
    assert ran.code == 5
    assert "its environment cannot be rebuilt" in ran.err
    assert "--here" in ran.err


def test_a_damaged_version_is_not_trained_again(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert project.here("pull", "churn@1.0.0", "-o", str(copy)).code == 0
    root = tmp_path / "registry"
    assert project.here("publish", str(copy), "--model", "churn", "--version", "1.0.0", "-r", str(tmp_path)).code == 0
    with (tmp_path / "demo/churn/1.0.0/config.yaml").open("a") as file:
        file.write("#")
    assert not root.exists()
    assert project.here("reproduce", "churn@1.0.0", "--here", "-r", str(tmp_path)).code == 4


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("churn@1.0.0", "--here", "--remote", "x"), "exclude each other"),
        (("--here",), "--here needs a version"),
        (("--tolerance", "0"), "--tolerance needs a version"),
        (("--dry-run",), "--dry-run needs a version"),
    ],
)
def test_options_that_make_no_sense_together(project: Project, words: tuple[str, ...], problem: str) -> None:
    ran = project.here("reproduce", *words)
    assert ran.code == 2
    assert problem in ran.err


@pytest.mark.slow
def test_diff_tells_what_separates_two_versions(changed: Project) -> None:
    trained = changed.run("train", "--set", "model.C=2.0", "--version", "2.0.0")
    assert trained.code == 0, trained.err
    ran = changed.here("diff", "churn@1.0.0", "churn@2.0.0", "--json")
    assert ran.code == 0, ran.out
    document = ran.json
    assert likeness(document) == {
        "code": "different",
        "environment": "same",
        "config": "different",
        "data": "different",
    }
    assert told(document, "config") == ["model.C"]
    assert told(document, "data")[0] == "1 row changed"
    assert {"before", "after", "axes", "commits", "drift", "metrics", "files", "same_files"} <= set(document)
    auc = next(metric for metric in document["metrics"] if metric["what"] == "roc_auc")
    assert auc["note"].endswith(("better", "worse"))
    shown = changed.here("diff", "churn@1.0.0", "churn@2.0.0").out
    assert shown.startswith("demo/churn@1.0.0 → demo/churn@2.0.0\n")
    assert "model.C 0.5 → 2.0" in shown
    same = changed.here("diff", "churn@1.0.0", "churn@1.0.0")
    assert "0 not" in same.out


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["absolute", "dvc", "snapshot"])
def test_data_that_are_gone_come_from_the_registry(project: Project, tmp_path: Path, kind: str) -> None:
    made = Project(tmp_path / "project")
    shutil.copytree(project.folder, made.folder, ignore=shutil.ignore_patterns("registry"))
    (made.folder / "registry").mkdir()
    data = made.folder / "data" / "churn.csv"
    if kind == "absolute":
        data = data.rename(tmp_path / "elsewhere.csv")
        words = ["--set", f"data.path={data}"]
    elif kind == "dvc":
        md5 = hashlib.md5(data.read_bytes()).hexdigest()
        (made.folder / "churn.csv.dvc").write_text(f"outs:\n- md5: {md5}\n  path: data/churn.csv\n")
        words = ["--set", "data.path=churn.csv.dvc"]
    else:
        ref = made.here("data", "snapshot", "data/churn.csv", "--json").json["snapshot"]
        words = ["--set", "data.path=null", "--set", f"data.snapshot={ref}"]
    made.done("train", *words)
    data.unlink()
    ran = made.run("reproduce", "churn@1.0.0", "--here", "--json")
    assert ran.code == 0, ran.out + ran.err
    axes = likeness(ran.json)
    assert (axes["config"], axes["data"]) == ("same", "same")


@pytest.mark.slow
def test_a_card_is_not_looked_for_where_it_lay(project: Project, tmp_path: Path) -> None:
    """What a version's card was made of may be gone: the version has its card."""
    registry = shutil.copytree(project.folder / "registry", tmp_path / "registry", symlinks=True)
    project.done("card", "churn@1.0.0", "-o", str(tmp_path / "card.md"), "-r", str(registry))
    project.done("train", "--set", f"card={tmp_path / 'card.md'}", "--version", "9.0.0", "-r", str(registry))
    (tmp_path / "card.md").unlink()
    ran = project.run("reproduce", "churn@9.0.0", "--here", "--json", "-r", str(registry))
    assert ran.code == 0, ran.err
    assert likeness(ran.json)["config"] == "same"
    assert (registry / "demo/churn/9.0.0/README.md").is_file()
