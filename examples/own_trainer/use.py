"""Trains through the command line's own functions, reads the registry as a library, and uses the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import skops.io

import artreg

HERE = Path(__file__).parent


def main(root: str) -> None:
    train = [sys.executable, "-m", "artreg", "train", "--config", "configs/iris.yaml", "--registry", root, "--quiet"]
    subprocess.run(train, cwd=HERE, check=True)
    registry = artreg.open(root)
    found = registry.resolve("flowers/iris@latest")
    folder = Path(root) / "served"
    registry.pull(f"flowers/iris@{found.version}", str(folder))
    # skops loads no type but those that it knows and those that are named here.
    model = skops.io.load(folder / "model.skops", trusted=["numpy.dtype"])
    print(f"iris@{found.version} has {len(model.classes_)} classes")


if __name__ == "__main__":
    main(sys.argv[1])
