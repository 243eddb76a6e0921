"""Trains once more in a process of its own, by the command that everybody uses, into a registry of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import NotReproduced
from artreg.registry.handle import Registry
from artreg.reproduction.programs import Done, run_program
from artreg.reproduction.recorded import Recorded, read_recorded
from artreg.store.factory import open_store

_KEPT_OUT = ("ARTREG_REGISTRY", "ARTREG_PROJECT", "ARTREG_MODEL", "ARTREG_POLICY", "MLFLOW_", "OPENLINEAGE_")


def train_again(
    python: Path, base: Path, *, config: Path, root: Path, version: Version, overrides: Sequence[str], actor: str
) -> Recorded:
    """Train with a given Python in a given folder, and publish into the registry at `root`.

    It goes by way of the command line because that is what every release of artreg has: the code that is checked out
    may be older than this one.

    Args:
        python: The Python, which has artreg installed.
        base: The folder that the config's paths are relative to.
        config: The config file.
        root: The registry's root: an empty folder, or one with the snapshots that the config names.
        version: The number to publish under.
        overrides: `key=value` texts that win over the config.
        actor: Who publishes.

    Returns:
        What came out, in that registry.

    Raises:
        NotReproduced: The training failed; the message says why.
    """
    # -P keeps what lies in the folder from standing in for installed packages.
    command = [str(python), "-P", "-m", "artreg", "train", "--json", "--config", str(config), "--actor", actor]
    command += ["--registry", str(root), "--version", str(version)]
    command += [part for override in overrides for part in ("--set", override)]
    done = run_program(command, base, without=_KEPT_OUT)
    document = _document(done)
    if done.code:
        raise _failed(done, document)
    model = ModelName(str(document["project"]), str(document["model"]))
    return read_recorded(Registry(open_store(str(root)), actor), model, version)


def _failed(done: Done, document: Mapping[str, object]) -> NotReproduced:
    error = document.get("error")
    told = error if isinstance(error, Mapping) else {}
    message = told.get("message") or done.complaint.splitlines()[-1:] or f"exit code {done.code}"
    return NotReproduced(
        f"training it again failed: {message if isinstance(message, str) else message[0]}",
        hint=str(told.get("hint") or "run artreg train in the same place to see more"),
    )


def _document(done: Done) -> Mapping[str, object]:
    try:
        document = json.loads(done.output)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
