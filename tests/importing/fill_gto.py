"""Fills a repository by gto and dvc themselves, with whose Python it is run; prints what it did as JSON."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from dvc.cli import main as dvc_main
from gto import api
from gto.index import RepoIndexManager

TOP = Path(sys.argv[1])
FILES: dict[str, dict[str, str]] = {}  # by item: sha256 of the files of the model, by their paths in it


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=TOP, check=True, capture_output=True, text=True).stdout.strip()


def dvc(*words: str) -> None:
    assert dvc_main([*words, "--quiet"]) == 0, words


def write(name: str, text: str) -> None:
    path = TOP / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def later() -> None:
    time.sleep(1.05)  # gto orders tags by their seconds


def register(model: str, version: str, path: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", f"{model} {version}")
    api.register(str(TOP), model, "HEAD", version=version, message=f"{model} {version}: it was time", author="Ada")
    whole = TOP / path
    files = [whole] if whole.is_file() else [file for file in whole.rglob("*") if file.is_file()]
    named = {file.relative_to(whole).as_posix(): file for file in files}
    FILES[f"{model}@{version}"] = {name: hashlib.sha256(it.read_bytes()).hexdigest() for name, it in named.items()}


def annotate(model: str, path: str) -> None:
    """Say where a model lies, as `gto annotate` did until gto 1.0; gto reads it still."""
    with RepoIndexManager.from_url(str(TOP)) as index:
        index.add(
            model,
            type="model",
            path=path,
            must_exist=False,
            allow_same_path=True,
            labels=["eu"],
            description="",
            custom=None,
            update=False,
        )


def churn() -> None:
    """Models that `dvc add` tracks one by one."""
    for number, version in enumerate(("v1.0.0", "v1.1.0", "v1.2.0-rc.1", "v2.0.0")):
        write("models/churn.pkl", f"churn {number}\n")
        dvc("add", "models/churn.pkl")
        if number == 0:
            annotate("churn", "models/churn.pkl")
        register("churn", version, "models/churn.pkl")
    api.assign(str(TOP), "churn", "prod", version="v1.0.0", author="Grace")
    api.assign(str(TOP), "churn", "staging", version="v1.2.0-rc.1")
    later()
    api.assign(str(TOP), "churn", "prod", version="v1.1.0", message="better")
    api.assign(str(TOP), "churn", "dev", version="v2.0.0")
    api.assign(str(TOP), "churn", "prod", version="v2.0.0", force=True)
    later()
    api.unassign(str(TOP), "churn", version="v1.2.0-rc.1", stage="staging")
    api.deregister(str(TOP), "churn", version="v2.0.0")


def fraud() -> None:
    """A folder in a monorepo, which DVC tracks as a whole; annotated in its dvc.yaml."""
    write("eu/dvc.yaml", "artifacts:\n  fraud:\n    path: big\n    type: model\n    desc: cheats\n")
    for version in ("v0.1.0", "v0.2.0"):
        write("eu/big/a.bin", f"a {version}")
        write("eu/big/deep/b.txt", "b\r\n")
        dvc("add", "eu/big")
        register("eu:fraud", version, "eu/big")
    api.assign(str(TOP), "eu:fraud", "prod", version="v0.1.0", simple=True)


def score() -> None:
    """The output of a stage, with metrics in git."""
    command = "python -c \"import sys, json; n = open('n').read(); open('score.onnx', 'w').write(n);"
    command += " json.dump({'test': {'auc': float(n)}}, open('score.json', 'w'))\""
    stage = f"  score:\n    cmd: {json.dumps(command)}\n    deps: [n]\n    outs: [score.onnx]\n"
    stage += "    metrics:\n    - score.json:\n        cache: false\n"
    write("dvc.yaml", f"stages:\n{stage}artifacts:\n  score:\n    path: score.onnx\n    type: model\n")
    for version, auc in (("v1.0.0", "0.5"), ("v1.0.1", "0.75")):
        write("n", auc)
        dvc("repro")
        register("score", version, "score.onnx")


def plain() -> None:
    """A model in git itself, and one that was given up."""
    write("weights/w.safetensors", "w")
    for name in ("plain", "old"):
        annotate(name, "weights")
        register(name, "v1.0.0", "weights")
    later()
    api.deprecate(str(TOP), "old", "HEAD")
    with RepoIndexManager.from_url(str(TOP)) as index:
        index.remove("old")  # or gto would take every later commit for a sign of life


git("init", "--quiet", "--initial-branch=main", ".")
dvc("init")
dvc("remote", "add", "-d", "there", str(TOP.parent / "remote"))
for fill in (churn, fraud, score, plain):
    fill()
dvc("push", "--all-tags")
shutil.rmtree(TOP / ".dvc/cache")
write("models/churn.pkl", "never pushed")
dvc("add", "models/churn.pkl")
register("churn", "v3.0.0", "models/churn.pkl")
shutil.rmtree(TOP / ".dvc/cache")
print(json.dumps(FILES))
