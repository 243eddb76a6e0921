"""A registry of 100,000 versions on a disk, and what every command takes there in seconds and memory."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from places import ARTREG, PROD, folder_of, write_record, write_version

from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.core.version_event import EventKind, Standing, VersionEvent

MODELS = 1000
VERSIONS = 100
ONE = 505
"""The model that is moved and looked at."""

STAGING = Alias("staging")
MOVES = ((STAGING, range(86, 99)), (PROD, range(90, 96)))
"""Which versions each alias of each model held, one after the other."""

POLICY = '{"aliases": {"staging": {}, "prod": {}}}'
TITLE = f"Every command among {MODELS * VERSIONS:,} versions"


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        words: The command line.
        seconds: How long it took.
        memory: The most bytes that it held.
    """

    words: str
    seconds: float
    memory: int


def large_registry(root: Path, models: int = MODELS, versions: int = VERSIONS) -> Path:
    """Write a registry with so many models in ten projects, and aliases that have moved, as artreg would have."""
    root.mkdir()
    (root / "model.bin").write_bytes(b"a model")
    sha256 = hashlib.sha256(b"a model").hexdigest()
    for number in range(models):
        model = ModelName(f"project-{number % 10}", f"model-{number:04d}")
        place = root / model.project / model.model
        place.mkdir(parents=True)
        numbers = [Version(1, minor, 0) for minor in range(versions)]
        digests = [write_version(root, place, model, version, sha256) for version in numbers]
        logs: dict[Version, tuple[int, str | None, Standing]] = {}
        for alias, held in MOVES:
            (place / "history" / alias.name).mkdir(parents=True)
            before: tuple[Version, str] | None = None
            for generation, minor in enumerate((minor for minor in held if minor < versions), 1):
                version, digest = numbers[minor], digests[minor]
                past = logs.get(version, (0, None, Standing()))
                logs[version] = _intent(place, model, version, digest, alias, generation, past)
                before = write_record(place, model, alias, version, digest, generation, before)
            if before is not None:
                (place / alias.name).symlink_to(str(before[0]))
    return root


def _intent(
    place: Path,
    model: ModelName,
    version: Version,
    digest: str,
    alias: Alias,
    generation: int,
    past: tuple[int, str | None, Standing],
) -> tuple[int, str, Standing]:
    """Write the intent that comes before a move into the version's log."""
    number, previous, standing = past[0] + 1, past[1], past[2]
    event = VersionEvent(
        model=model,
        version=version,
        digest=digest,
        number=number,
        kind=EventKind.INTENT,
        alias=alias,
        generation=generation,
        who="ada",
        why="",
        time="2026-01-01T00:00:00.000Z",
        write_id=f"{generation:032x}",
        payload={},
        previous=previous,
        standing=standing.after(EventKind.INTENT, number, "ada", alias, generation),
    )
    data = event.encode()
    (place / f"history/{version}").mkdir(exist_ok=True)
    (place / f"history/{version}/{number:08d}.json").write_bytes(data)
    return number, hashlib.sha256(data).hexdigest(), event.standing


def commands(work: Path) -> Iterator[str]:
    """Yield the command lines; the first finds out whether the registry is whole."""
    one = f"project-{ONE % 10}/model-{ONE:04d}"
    yield "verify --all"
    yield "verify --all --quick"
    yield "verify --subset 3/7 --quick"
    yield "verify --sample 1%"
    yield f"verify {one}"
    yield f"verify {one}@prod"
    yield f"verify {one} --record"
    yield "list"
    yield "list --json"
    yield f"list {one}"
    yield f"show {one}@prod"
    yield f"show {one}@prod --provenance slsa"
    yield f"export {one}@prod --to cyclonedx"
    yield f"resolve {one}@prod"
    yield f"resolve {one}@latest"
    yield f"history {one}@prod"
    yield f"history {one} --verify"
    yield f"diff {one}@prod {one}@staging"
    yield f"policy push {work / 'policy.json'}"
    yield "policy show"
    yield f"check {one} 1.97.0 --to prod"
    yield f"promote {one} 1.97.0 --to prod"
    yield f"rollback {one}@prod"
    yield f"approve {one}@1.97.0 --to prod"
    yield f"approvals {one}@1.97.0"
    yield f"yank {one}@1.97.0 --reason slow"
    yield f"unyank {one}@1.97.0 --reason again"
    yield f"freeze {one}@prod --until 2099-01-01T00:00Z --reason holidays"
    yield f"unfreeze {one}@prod --reason over"
    yield f"publish {work / 'folder'} --model {one} --bump minor"
    yield f"pull {one}@prod -o {work / 'pulled'}"
    yield f"data snapshot {work / 'table.csv'} --name table"
    yield "data list"
    yield "data verify"
    yield "gc --dry-run"
    yield "gc"
    yield "doctor"


def costs(work: Path) -> Iterator[Cost]:
    """Make the registry in a folder, and yield what each command takes there."""
    began = time.perf_counter()
    root = large_registry(work / "registry")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield Cost("(making the registry, not by artreg)", time.perf_counter() - began, peak)
    folder_of(work / "folder", 3, 4096)
    (work / "policy.json").write_text(POLICY)
    (work / "table.csv").write_text("id,age\n1,2\n")
    for words in commands(work):
        yield _cost(words, [ARTREG, *words.split(), "-r", str(root)], work)


_LAUNCHER = """
import os, sys, time
began = time.perf_counter()
silent = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - began, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts a command from a process that is small itself: what a process held before it became another counts as well."""


def _cost(words: str, command: Sequence[str], folder: Path) -> Cost:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    said = subprocess.run(launcher, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds, kibibytes = said.split()
    return Cost(words.replace(f"{folder}/", ""), float(seconds), int(kibibytes) * 1024)


def table(found: Sequence[Cost]) -> str:
    """Return the section of the page, under its title."""
    rows = [f"| {it.words} | {it.seconds:.2f} s | {it.memory / 2**20:.0f} MiB |" for it in found]
    words = (
        f"{MODELS:,} models of {VERSIONS} versions on a disk, each with a history of staging and prod; "
        "made by `make bench SECTIONS=large`. Each command was run once, as a whole process."
    )
    return "\n".join([TITLE, "", words, "", "| artreg … | time | memory |", "| --- | ---: | ---: |", *rows, ""])


def main() -> str:
    """Run every command, print each as it comes, and return the section of the page."""
    found: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="artreg-large-") as folder:
        for cost in costs(Path(folder)):
            found.append(cost)
            print(f"{cost.seconds:8.2f} s  {cost.memory / 2**20:6.0f} MiB  {cost.words}", flush=True)
    return table(found)


if __name__ == "__main__":
    sys.stdout.write(main())
