"""The examples that help, man page and reference show are run, each in a copy of one folder as users have them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from artreg.cli.main import main
from artreg.cli.manual import pages
from cli.conftest import Shell
from keys import allow, make_key

pytestmark = pytest.mark.slow  # some of them train

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "artreg mirror s3://models/r /mnt/copy churn other/": "buckets",
    "artreg mirror registry s3://backup/registry": "a bucket",
    "artreg repair --from s3://backup/registry --apply": "a bucket",
    "artreg init --registry s3://models/registry": "a bucket",
    "artreg doctor --registry s3://models/registry --json": "a bucket",
    "artreg data snapshot s3://lake/big.parquet --name events --reference": "a bucket",
    "artreg verify --all --backend dask --scheduler tcp://host:8786": "a cluster: tests/workers",
    "artreg train --config 'configs/sweep/*.yaml' --jobs 4": "an interpreter for each: tests/workers",
    "artreg data churn --customers 100000 --out data/large.csv": "many seconds",
    "artreg sign churn@1.2.1 --attach model.sig": "a bundle of another program: tests/registry/test_model_signing.py",
    "artreg reproduce churn@prod": "git and a package index: tests/reproduction",
    "artreg reproduce --config mine.yaml": "two interpreters: tests/training/test_reproduce.py",
    "artreg reproduce churn@1.2.1 --here": "another: tests/reproduction",
    "artreg import mlflow": "MLflow: tests/importing",
    "artreg import gto": "a repository: tests/importing",
    "artreg import pins": "a board: tests/importing",
    "artreg ui": "a browser: it serves until it is stopped",
    "artreg hooks": "a hooks file, and somebody who is told: tests/hooks",
    "artreg watch": "time: it follows until it is stopped",
}
"""Examples that are run elsewhere, by what they take: all that begin so."""

REFUSED = {
    "artreg data show churn@sha256:0a1b2c3d --json": 5,  # nobody has this digest
    "artreg data pull churn@sha256:0a1b2c3d -o old.csv": 5,
    "artreg import dir models --dry-run": 2,  # it asks what `current` becomes
}
"""Examples that end otherwise than well here."""

EXAMPLES = [example for page in pages() for example in page.examples]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four trained versions, two of which are in staging and in prod, a lock, and keys in its home."""
    world = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "configs", world / "configs")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, world)
    for name in ("registry", "out", "home/.ssh"):
        (world / name).mkdir(parents=True)
    (world / "configs" / "policy.yaml").write_text("aliases: {staging: {}, prod: {}}\n")
    (world / "release.yaml").write_text("moves:\n  - {model: churn, version: 1.2.1, to: prod}\n")
    (world / "out" / "model.bin").write_text("m")
    hub = Path("home/.cache/huggingface/hub/models--acme--churn")
    write(
        world,
        {
            "models/fraud/3/forest.onnx": "m",
            "distilbert/model.safetensors": "m",
            f"{hub}/refs/v1.0.0": "a" * 40,
            f"{hub}/snapshots/{'a' * 40}/model.onnx": "m",
        },
    )
    (world / "models/fraud/current").symlink_to("3")
    (world / "model.joblib").write_bytes(b"\x80\x04N.")
    carol, alice = make_key(world, "carol"), make_key(world, "alice")
    allow(world, carol=carol, alice=alice).rename(world / "signers")
    shutil.copy(carol, world / "home" / ".ssh" / "id_ed25519")
    shutil.copy(f"{carol}.pub", world / "home" / ".ssh" / "id_ed25519.pub")
    make_key(world, "key.pem", "ecdsa", "PEM")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world)
        patch.setenv("ARTREG_ACTOR", "ada")
        patch.setenv("ARTREG_CACHE", str(world / "cache"))
        lines = ["data churn --customers 400"]
        versions = ("1.0.0", "1.1.0", "1.2.0", "1.2.1")
        lines += [f"train --version {it} --set model.max_iter={number}" for number, it in enumerate(versions, 5)]
        targets = ("1.1.0 --to prod", "1.2.0 --to prod", "1.2.1 --to staging")
        lines += [f"promote churn {target} --sign-key carol --actor carol@example.com" for target in targets]
        lines.append("sign churn@1.2.0 --key alice --identity alice@example.com")
        lines += ["publish out --model risk/score --version 1.0.0", "lock churn@prod"]
        for line in lines:
            assert main([*shlex.split(line), "-q"]) == 0, line
    return world


@pytest.mark.parametrize("example", [one for one in EXAMPLES if not one.startswith(tuple(ELSEWHERE))])
def test_an_example_does_what_it_says(example: str, world: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(world, shell.folder, symlinks=True, dirs_exist_ok=True)
    monkeypatch.setenv("HOME", str(shell.folder / "home"))
    monkeypatch.setenv("ARTREG_CACHE", str(world / "cache"))
    if " forget " in example:
        monkeypatch.setenv("ARTREG_SEEN", "seen")
    if " --offline" in example:
        shell.run("pull", "churn@prod", "-o", "before")
    words = [os.path.expanduser(word) for word in shlex.split(re.split(r" [|>] ", example)[0])]
    ran = shell.run(*words[1:])
    assert ran.code == REFUSED.get(example, 0), ran.out + ran.err
    assert ran.out or ran.err.startswith("error: ")


def test_what_is_run_elsewhere_is_told_rightly() -> None:
    assert set(REFUSED) <= set(EXAMPLES)
    assert len([one for one in EXAMPLES if one.startswith(tuple(ELSEWHERE))]) < len(EXAMPLES) / 4
