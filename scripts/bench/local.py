"""What is timed on a disk: start, verification, publishing and pulling, moves, and scale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from measure import Action, Result, compare, peak_memory, process
from places import ARTREG, MEBIBYTE, MODEL, PROD, folder_of, long_registry, published

from artreg.core.names import Reference
from artreg.core.policy import policy_of
from artreg.core.version import Version
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.store.local import LocalStore

CORES = os.cpu_count() or 1
FREE = policy_of({"aliases": {"prod": {}, "staging": {}}})
GIBIBYTE = 1024 * MEBIBYTE


def start(work: Path, runs: int) -> Iterator[Result]:
    """Time whole commands against a bare Python."""
    root = long_registry(work / "start", 3)
    policy = work / "start-policy.json"
    policy.write_text('{"aliases": {"staging": {}, "prod": {}}}')
    push = [ARTREG, "policy", "push", str(policy), "-r", str(root), "-q"]
    subprocess.run(push, check=True, stdout=subprocess.DEVNULL)
    bare = process([sys.executable, "-c", "pass"], work)
    line = "artreg resolve churn@p"
    completion = {"_ARTREG_COMPLETE": "bash", "ARTREG_REGISTRY": str(root)}
    timed: list[tuple[str, Action, float]] = [
        ("artreg resolve churn@prod", _artreg(root, "resolve churn@prod"), 3),
        ("artreg --version", process([ARTREG, "--version"], work), 3),
        ("completion of churn@p", process([ARTREG, " @", line], work, completion), 3),
        ("artreg list", _artreg(root, "list"), 7),
        ("artreg history churn@prod", _artreg(root, "history churn@prod"), 7),
        (
            "artreg promote churn",
            _turns(root, "promote churn 1.0.0 --to staging", "promote churn 1.1.0 --to staging"),
            7,
        ),
        ("artreg rollback prod", _turns(root, "rollback churn@prod", "promote churn 1.2.0 --to prod"), 7),
        ("artreg --help", process([ARTREG, "--help"], work), 12),
    ]
    for what, action, goal in timed:
        yield Result("Start", what, "`python -c pass`", compare(action, bare, runs), goal)


def verification(work: Path, runs: int) -> Iterator[Result]:
    """Time verification against what the machine's cores hash."""
    two = folder_of(work / "two", 1, 2 * GIBIBYTE)
    middle = folder_of(work / "middle", 2000, MEBIBYTE)
    small = folder_of(work / "small", 20_000, 4096)
    root = work / "verify"
    for folder, name in ((two, "two"), (middle, "middle"), (small, "small")):
        published(root, folder, name)
    file = next((two / "model").iterdir())
    each = f"find . -name 'part-*' -print0 | xargs -0 -P {CORES} -n"
    openssl = process(["openssl", "dgst", "-sha256", str(file)], work)
    many = process(["sh", "-c", f"{each} 250 openssl dgst -sha256"], middle)
    coreutils = process(["sh", "-c", f"{each} 5000 sha256sum"], small)
    memory = peak_memory([ARTREG, "verify", "two", "-r", str(root)], work) / MEBIBYTE
    note = f"{memory:.0f} MiB at most"
    yield Result("Verify", "one file of 2 GiB", "`openssl dgst`", _speed(root, "two", openssl, runs), 0.85, True, note)
    yield Result(
        "Verify", "2,000 × 1 MiB", "`openssl dgst` on all cores", _speed(root, "middle", many, runs), 0.95, True
    )
    yield Result(
        "Verify", "20,000 × 4 KiB", "`sha256sum` on all cores", _speed(root, "small", coreutils, runs), 1, True
    )
    for folder in (two, middle, small, root):
        shutil.rmtree(folder)


def copying(work: Path, runs: int) -> Iterator[Result]:
    """Time publishing and pulling 1 GiB against `cp`."""
    source = folder_of(work / "source", 1, GIBIBYTE)
    file = next((source / "model").iterdir())
    root, out, copy = work / "publish", work / "out", work / "copy"
    root.mkdir()

    def clean() -> None:
        for path in (root / "demo", out):
            shutil.rmtree(path, ignore_errors=True)
        copy.unlink(missing_ok=True)
        os.sync()

    cp = process(["cp", str(file), str(copy)], work)
    both = process(["sh", "-c", f"cp '{file}' '{copy}' && openssl dgst -sha256 '{copy}'"], work)
    words = f"publish {source} --model churn --version 1.0.0 -q"
    publish = _artreg(root, words)
    yield Result("Publish", "1 GiB, durable", "`cp`", compare(publish, cp, runs, between=clean), 2.5)
    yield Result(
        "Publish", "1 GiB, durable", "`cp`, then `openssl dgst`", compare(publish, both, runs, between=clean), 1.2
    )
    own = work / "pull"
    published(own, source, "churn")
    pull = _artreg(own, f"pull churn@1.0.0 -o {out} -q")
    yield Result("Pull", "1 GiB, verified, durable", "`cp`", compare(pull, cp, runs, between=clean), 2.5)
    both_again = compare(pull, both, runs, between=clean)
    yield Result("Pull", "1 GiB, verified, durable", "`cp`, then `openssl dgst`", both_again, 1.2)
    clean()
    for folder in (source, own):
        shutil.rmtree(folder)


def moves(work: Path, runs: int) -> Iterator[Result]:
    """Time moves as calls against a bare durable replace of one file."""
    root = long_registry(work / "moves", 4)
    registry = Registry(LocalStore(root), "ada")
    turn = cycle([Version(1, 0, 0), Version(1, 1, 0)])

    def there_and_back() -> None:
        promote(registry, MODEL, next(turn), PROD, FREE)

    def back() -> None:
        promote(registry, MODEL, next(turn), PROD, FREE)
        rollback(registry, MODEL, PROD, FREE)

    replace = _durable_replace(work)
    yield Result(
        "Moves", "promote, as a call", "durable replace of a file", compare(there_and_back, replace, runs * 10), 3
    )
    yield Result(
        "Moves", "promote and rollback, as calls", "two durable replaces", compare(back, _twice(replace), runs * 10), 3
    )


def scale(work: Path, runs: int) -> Iterator[Result]:
    """Time look-ups and moves among 10,000 versions and records against the same among 10."""
    few, many = long_registry(work / "few", 10), long_registry(work / "many", 10_000)
    for words, goal in (("resolve churn@prod", 1.2), ("rollback churn@prod --dry-run", 1.2)):
        ratio = compare(_artreg(many, words), _artreg(few, words), runs)
        yield Result("Scale", f"artreg {words.split()[0]}, 10,000 versions and records", "10 of each", ratio, goal)
    calls = [Registry(LocalStore(root), "ada") for root in (many, few)]
    reference = Reference(MODEL, PROD)
    one, other = (lambda registry=registry: resolve(registry, reference) for registry in calls)
    yield Result(
        "Scale", "resolve as a call, 10,000 versions and records", "10 of each", compare(one, other, runs * 5), 1.2
    )
    plain = process([sys.executable, "-c", _PLAIN, str(many / "demo/churn")], work)
    note = "plain reading: a Python that scans every folder for names and sizes"
    listed = compare(_artreg(many, "list churn"), plain, runs)
    yield Result("Scale", "artreg list of 10,000 versions", "plain reading", listed, 1.5, note=note)
    for folder in (few, many):
        shutil.rmtree(folder)


_PLAIN = """
import os, sys
for version in os.scandir(sys.argv[1]):
    if version.is_dir():
        print(version.name, sum(file.stat().st_size for file in os.scandir(version.path)))
"""


def _artreg(root: Path, words: str) -> Action:
    return process([ARTREG, *words.split(), "-r", str(root)], root.parent)


def _turns(root: Path, *lines: str) -> Action:
    """Return an action that runs one command after the other, since none can be run twice to the same effect."""
    actions = cycle([_artreg(root, line) for line in lines])
    return lambda: next(actions)()


def _speed(root: Path, model: str, other: Action, runs: int):
    return compare(_artreg(root, f"verify {model}"), other, runs, speed=True)


def _durable_replace(work: Path) -> Action:
    folder = work / "replace"
    folder.mkdir()

    def replace() -> None:
        temporary, place = folder / "temporary", folder / "place"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, b"1.0.0")
        os.fsync(descriptor)
        os.close(descriptor)
        os.replace(temporary, place)
        parent = os.open(folder, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)

    return replace


def _twice(action: Action) -> Action:
    def run() -> None:
        action()
        action()

    return run
