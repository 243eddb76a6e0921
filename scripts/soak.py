"""A soak: long-lived readers and writers on one registry, and whether anything is torn, leaks or grows.

    .venv/bin/python scripts/soak.py --minutes 30
    .venv/bin/python scripts/soak.py --minutes 30 --root s3://bucket/prefix --json

Readers use the Python API as a service would: they resolve an alias or a version, read every file of it against its
checksum, and see that all of them are of one content. Writers publish, promote, roll back, yank and collect. Each
process notes its memory and its open files; what counts is whether the last quarter of the time looks as the second one
did, when everything has been used once. The exit code is 0 if nothing was torn, nothing failed and nothing grew.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import artreg
from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Part
from artreg.errors import Conflict, GateRejected, NotFound
from artreg.registry.catalog import catalog
from artreg.registry.doctor import initialise
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.verify import verify
from artreg.registry.versions import read_file, read_manifest
from artreg.registry.yank import unyank, yank
from artreg.store.factory import open_store

MODEL = ModelName("demo", "churn")
ALIASES = ("prod", "staging")
POLICY = parse_policy({"aliases": {alias: {} for alias in ALIASES}})
SAMPLES = 400
MEMORY = 8 * 2**20
"""Bytes by which a process may have grown."""
FILES = 2
"""Open files that it may have more."""


@dataclass
class Told:
    """What one process reports.

    Attributes:
        name: Who.
        calls: How often what was done.
        torn: What was not of one piece.
        failed: What else went wrong.
        memory: Resident bytes, at even distances of time.
        files: Open files at the same moments.
    """

    name: str
    calls: Counter = field(default_factory=Counter)
    torn: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def sample(self) -> None:
        self.memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        self.files.append(len(os.listdir("/proc/self/fd")))

    def summary(self) -> dict[str, object]:
        before, after = _quarter(self.memory, 1), _quarter(self.memory, 3)
        opened, left = _quarter(self.files, 1), _quarter(self.files, 3)
        return {
            "calls": dict(self.calls),
            "memory_mib": [round(_quarter(self.memory, number) / 2**20, 1) for number in (0, 1, 3)],
            "files": [int(_quarter(self.files, number)) for number in (0, 1, 3)],
            "flat": after - before <= MEMORY and left - opened <= FILES,
        }


def reader(root: str, name: str, seconds: float, answers) -> None:
    """Read as a service does that has been running for long."""
    registry = artreg.open(root, actor=name)

    def read(chance: random.Random, told: Told) -> None:
        target = chance.choice(ALIASES) if chance.random() < 0.9 else str(chance.choice(registry.versions("churn")))
        found = registry.resolve(f"churn@{target}")
        manifest = read_manifest(registry.handle, found.model, found.version)
        if manifest.digest != found.digest:
            told.torn.append(f"{found}: the digest is not the one that was resolved")
        files = {file: read_file(registry.handle, MODEL, found.version, manifest, file) for file in manifest.files}
        words = {data.split(b"\n")[0] for file, data in files.items() if file.startswith("model/")}
        if len(words) != 1 or json.loads(files["metrics.json"])["content"] != next(iter(words)).decode():
            told.torn.append(f"{found}: its files are of several contents")
        told.calls["reads"] += 1
        told.calls["bytes"] += sum(map(len, files.values()))

    _work(name, seconds, answers, read, rest=0.0)


def writer(root: str, name: str, seconds: float, answers, rest: float) -> None:
    """Publish now and then, and move aliases all the time."""
    registry = Registry(open_store(root), name)

    def write(chance: random.Random, told: Told) -> None:
        [what] = chance.choices(["promote", "rollback", "yank", "unyank", "publish", "gc"], [60, 20, 6, 6, 6, 2])
        told.calls[what] += 1
        versions = [one.version for one in catalog(registry, MODEL)[0].versions]
        version, alias = chance.choice(versions[:20]), Alias(chance.choice(ALIASES))
        if what == "promote":
            promote(registry, MODEL, version, alias, POLICY)
        elif what == "rollback":
            rollback(registry, MODEL, alias, POLICY)
        elif what == "yank":
            yank(registry, MODEL, version, "bad")
            unyank(registry, MODEL, version, "good after all")
        elif what == "unyank":
            unyank(registry, MODEL, version, "good")
        elif what == "publish":
            _publish(registry, f"{name} {chance.getrandbits(64)}")
        else:
            collect(registry, older_than=timedelta(minutes=5))

    _work(name, seconds, answers, write, rest)


def _work(name: str, seconds: float, answers, act, rest: float) -> None:
    told, chance = Told(name), random.Random(name)
    begun = time.monotonic()
    while (spent := time.monotonic() - begun) < seconds:
        if spent >= seconds / SAMPLES * len(told.memory):
            told.sample()
        try:
            act(chance, told)
        except (Conflict, GateRejected, NotFound):
            told.calls["refused"] += 1
        except Exception as error:  # noqa: BLE001  # whatever it is, it is to be told
            told.failed.append(repr(error))
        if rest:
            time.sleep(chance.uniform(0, 2 * rest))
    answers.put(told)


def _publish(registry: Registry, content: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").mkdir()
        for number in range(3):
            (folder / "model" / f"{number}.bin").write_bytes(f"{content}\n".encode().ljust(20_000 * number + 100, b"."))
        (folder / "metrics.json").write_text(json.dumps({"content": content}))
        publish(registry, MODEL, folder, Part.PATCH)


def _quarter(samples: list[int], number: int) -> float:
    size = max(1, len(samples) // 4)
    return statistics.median(samples[number * size : (number + 1) * size] or samples[-1:] or [0])


def soak(root: str, seconds: float, readers: int, writers: int, rest: float) -> dict[str, object]:
    """Let readers and writers work, and say what came of it."""
    registry = Registry(open_store(root), "soak")
    initialise(registry)
    for number in range(5):
        _publish(registry, f"first {number}")
        for alias in ALIASES:
            promote(registry, MODEL, catalog(registry, MODEL)[0].versions[0].version, Alias(alias), POLICY)
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=reader, args=(root, f"reader {n}", seconds, answers)) for n in range(readers)]
    processes += [
        context.Process(target=writer, args=(root, f"writer {n}", seconds, answers, rest)) for n in range(writers)
    ]
    for process in processes:
        process.start()
    told = [answers.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    report = verify(registry)
    heads = {alias: list(records(registry, MODEL, Alias(alias))) for alias in ALIASES}
    summary = {
        "root": root,
        "minutes": round(seconds / 60, 2),
        "reads": sum(one.calls["reads"] for one in told),
        "bytes_read": sum(one.calls["bytes"] for one in told),
        "writes": sum(sum(one.calls.values()) for one in told if one.name.startswith("writer")),
        "records": {alias: len(found) for alias, found in heads.items()},
        "versions": len(artreg.open(root).versions("churn")),
        "torn": [text for one in told for text in one.torn][:10],
        "failed": [text for one in told for text in one.failed][:10],
        "damaged": [checked.ref for checked in report.checked if not checked.ok],
        "processes": {one.name: one.summary() for one in sorted(told, key=lambda it: it.name)},
    }
    flat = all(process["flat"] for process in summary["processes"].values())
    clean = not (summary["torn"] or summary["failed"] or summary["damaged"])
    return {"ok": bool(summary["reads"] and clean and flat), "flat": flat, **summary}


def markdown(found: dict[str, object]) -> str:
    """The summary as a person reads it."""
    lines = [
        f"{found['minutes']} minutes at {found['root']}: {found['reads']:,} verified reads "
        f"({found['bytes_read'] / 2**20:,.0f} MiB) while {found['writes']:,} writes were made; "
        f"{len(found['torn'])} torn, {len(found['failed'])} failed, {len(found['damaged'])} damaged. "
        f"At the end {found['versions']} versions; records: {found['records']}.",
        "",
        "| process | calls | MiB in memory: quarter 1, 2, 4 | open files: quarter 1, 2, 4 | flat |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in found["processes"].items():
        calls = one["calls"].get("reads") or sum(one["calls"].values())
        memory, files = (", ".join(map(str, one[key])) for key in ("memory_mib", "files"))
        lines.append(f"| {name} | {calls:,} | {memory} | {files} | {'yes' if one['flat'] else 'no'} |")
    lines += [*map(str, found["torn"]), *map(str, found["failed"]), *map(str, found["damaged"])]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--root", help="any root that holds nothing yet; by default a folder that goes at the end")
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument(
        "--rest", type=float, default=0.25, help="seconds that a writer rests after a write, on average"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.root or f"{folder}/registry"
        found = soak(root, options.minutes * 60, options.readers, options.writers, options.rest)
    with suppress(BrokenPipeError):
        print(json.dumps(found, indent=2) if options.json else markdown(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
