"""A registry with everything in it that a registry can hold, and what to write into each document of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from artreg.cli.main import main
from artreg.core import canonical
from artreg.core.manifest import Manifest
from artreg.core.policy import parse_policy
from artreg.core.predictions import encode
from artreg.core.snapshot import ColumnTotals, TableDescription
from artreg.core.version import Version
from artreg.errors import EXIT_CODES
from artreg.frozen import replace
from artreg.registry.approvals import approve
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.proofs import record_proof
from artreg.registry.publish import publish
from artreg.registry.snapshot_taking import take
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import verify
from artreg.registry.yank import unyank, yank
from artreg.store.local import LocalStore
from hostile.nasty import as_json, garbage, mutated
from registry.bench import CHURN, PROD, STAGING, counting_ids, ticking_clock

ANSWERS = {0, *EXIT_CODES.values()} - {EXIT_CODES["internal"], EXIT_CODES["interrupted"]}
"""Exit codes that a command may end with."""

HANGS_AFTER_S = 60
TABLE = b"id,age\n1,2\n"
PROFILE = {
    "age": {
        "type": "number",
        "count": 3,
        "missing": 1,
        "cdf": {"knots": [1.0, 2.0, 3.5], "below": [0, 1, 2], "upto": [1, 2, 3]},
    },
    "plan": {"type": "text", "count": 4, "missing": 0, "values": {"a": 3, "b": 1}, "other": 0},
    "id": {"type": "text", "count": 4, "missing": 0},
}
DATA = {
    "format": "artreg/data/1",
    "name": "churn",
    "uri": "data/churn.csv",
    "record_count": 4,
    "content_hash": "1" * 64,
    "schema": [{"name": "age", "type": "number"}, {"name": "plan", "type": "text"}],
    "schema_hash": "2" * 64,
    "snapshot": f"churn@sha256:{hashlib.sha256(TABLE).hexdigest()}",
    "lineage": None,
    "id_column": "id",
    "target": {"column": "plan", "positive": "b"},
    "split": {"method": "crc32", "salt": "s", "test_fraction": 0.2, "train_rows": 3, "test_rows": 1},
    "profile": PROFILE,
}
RUN = {
    "axes": {
        "code": {"commit": "3" * 40, "dirty": False, "remote": "https://example.org/x.git", "folder": "."},
        "environment": {
            "python": "3.11.7",
            "platform": "linux",
            "uv_lock_sha256": "4" * 64,
            "packages": {"numpy": "2.0.0", "artreg": "0.1"},
            "blas": [{"name": "openblas", "version": "1"}],
            "variables": {"OMP_NUM_THREADS": "1"},
            "extras": ["torch"],
        },
        "config": {"sha256": "5" * 64, "document": {"seed": 1, "data": {"path": "data/churn.csv"}, "trainer": "ridge"}},
        "data": {"content_hash": "1" * 64, "record_count": 4, "uri": "data/churn.csv", "snapshot": DATA["snapshot"]},
    },
    "seeds": {"numpy": 42},
    "command": ["artreg", "train"],
    "started": "2026-03-01T12:00:00.000Z",
    "duration_seconds": 1.5,
    "nondeterministic": [],
}
LOCK = b'version = 1\n[[package]]\nname = "numpy"\nversion = "2.0.0"\nsdist = { hash = "sha256:00" }\n'
GATES = [
    {"gate": "metric", "key": "roc_auc", "min": 0.5},
    {"gate": "no_regression", "key": "roc_auc"},
    {"gate": "drift"},
    {"gate": "provenance"},
    {"gate": "reproduced"},
    {"gate": "approvals", "count": 1},
    {"gate": "soak", "alias": "staging", "at_least": "1s"},
    {"gate": "fresh", "at_most": "30d"},
    {"gate": "size", "max_bytes": 1000},
    {"gate": "rollback_plan"},
    {"gate": "model_card", "sections": ["Use"]},
    {"gate": "no_pickle"},
]
POLICY = {"aliases": {"staging": {"gates": []}, "prod": {"gates": GATES, "who": ["a*", "*"], "force": ["ada"]}}}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1qrRTjOeHXC0zS8ZJH5Jj7r1Pp8Gq0o3Jx9Qw0mZ1V"


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str


def run(*words: str) -> Ran:
    """Run a command in this process; one that hangs is an error of the test."""
    out, err = io.StringIO(), io.StringIO()
    with alarm(" ".join(words)), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return Ran(words, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def alarm(what: str, seconds: int = HANGS_AFTER_S) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise SystemError(f"{what} hangs")  # no bug of artreg's would be one

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def build(folder: Path) -> Path:
    """Make the registry in a folder, and return its root."""
    root = folder / "registry"
    store = LocalStore(root)
    store.make_root()
    registry = Registry(store, "ada", ticking_clock(), counting_ids())
    for number, version in enumerate(("1.0.0", "1.1.0", "1.2.0")):
        publish(registry, CHURN, _made(folder, number), Version.parse(version), run=RUN)
    first, second, third = (Version.parse(text) for text in ("1.0.0", "1.1.0", "1.2.0"))
    free = parse_policy({"aliases": {"staging": {}, "prod": {}}})
    for version in (first, second):
        promote(registry, CHURN, version, STAGING, free, reason="nightly")
        promote(registry, CHURN, version, PROD, free, reason="release")
    push_policy(registry, parse_policy({**POLICY, "signers": {"ada": KEY}}), reason="ours")
    for version in (second, third):
        approve(replace(registry, actor="bob"), CHURN, version, PROD, "reviewed")
        record_proof(registry, CHURN, version, {"digests": {"model.json": "0" * 64}, "same_bytes": True})
    yank(registry, CHURN, first, "leaks")
    yank(registry, CHURN, second, "slow")
    unyank(registry, CHURN, second, "not slow")
    table = folder / "table.csv"
    table.write_bytes(TABLE)
    take(registry, "churn", described(table.read_bytes()), "data/churn.csv", table)
    verify(registry, record=True)
    return root


def described(data: bytes) -> TableDescription:
    columns = (ColumnTotals("id", "text", 1, 0), ColumnTotals("age", "integer", 1, 0, 2.0, 2.0, 2.0))
    profile = {"age": {"type": "integer", "count": 1, "missing": 0}, "id": {"type": "text", "count": 1, "missing": 0}}
    sha256 = hashlib.sha256(data).hexdigest()
    return TableDescription(sha256, len(data), "csv", 1, columns, profile, 1, "id")


def _made(folder: Path, number: int) -> Path:
    made = folder / f"made-{number}"
    made.mkdir()
    (made / "model.json").write_text(f'{{"weights": [{number}, 1.5]}}')
    (made / "metrics.json").write_text(json.dumps({"roc_auc": 0.8 + number / 100, "classes": {"a": {"f1": 0.5}}}))
    (made / "data_manifest.json").write_text(json.dumps(DATA))
    (made / "README.md").write_text("# Churn\n\n## Use\n\nDaily.\n")
    (made / "uv.lock").write_bytes(LOCK)
    (made / "config.yaml").write_text("seed: 1\ndata: {path: data/churn.csv, id_column: id, target: plan}\n")
    (made / "predictions.csv.gz").write_bytes(encode(["a", "b"], [0, 1], [0.25, 0.75]))
    return made


@dataclass(frozen=True)
class Target:
    """A document of the registry, and the commands that read it.

    Attributes:
        key: Where it lies below the root.
        seal: Which key of it holds the digest of the rest, if any.
        commands: What reads it.
        around: Writes what else must agree with it, given the root, its path and its bytes.
    """

    key: str
    seal: str
    commands: tuple[str, ...]
    around: Callable[[Path, Path, bytes], None] = lambda root, path, data: path.write_bytes(data)


def _in_version(root: Path, path: Path, data: bytes) -> None:
    """Write a file of a version such that run.json and checksum.txt agree with it."""
    path.write_bytes(data)
    version = path.parent
    files = {it.name: it.read_bytes() for it in version.iterdir() if it.name not in {"run.json", "checksum.txt"}}
    content = Manifest.of({name: hashlib.sha256(each).hexdigest() for name, each in files.items()}).digest
    record = json.loads(_SAVED[str(version / "run.json")])
    record |= {"content": content, "sizes": {name: len(each) for name, each in files.items()}}
    written = data if path.name == "run.json" else canonical.dumps(record)
    (version / "run.json").write_bytes(written)
    digests = {name: hashlib.sha256(each).hexdigest() for name, each in {**files, "run.json": written}.items()}
    (version / "checksum.txt").write_bytes(Manifest.of(digests).encode())


def _in_snapshot(root: Path, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    digests = {it.name: hashlib.sha256(it.read_bytes()).hexdigest() for it in path.parent.iterdir()}
    digests.pop("checksum.txt", None)
    (path.parent / "checksum.txt").write_bytes(Manifest.of(digests).encode())


_SAVED: dict[str, bytes] = {}
_SNAPSHOT = f".artreg/data/churn/{hashlib.sha256(TABLE).hexdigest()}"
_LOOK = ("show churn@1.2.0", "show churn@1.2.0 --json", "check churn 1.2.0 --to prod")
_OF_A_VERSION = (
    *_LOOK,
    "check churn 1.2.0 --to prod --markdown",
    "diff churn@1.1.0 churn@1.2.0",
    "diff churn@1.2.0 churn@1.1.0 --json",
    "drift churn@1.1.0 churn@1.2.0",
    "export churn@1.2.0 --to cyclonedx",
    "export churn@1.2.0 --to croissant",
    "card churn@1.2.0 --draft",
    "show churn@1.2.0 --provenance slsa",
    "verify churn@1.2.0",
    "promote churn 1.2.0 --to prod --dry-run",
)
_OF_AN_ALIAS = (
    "resolve churn@staging",
    "history churn@staging --verify",
    "history staging --at 2026-03-01T12:00Z",
    "history churn --json",
    "rollback churn@staging --dry-run --reason x",
    "check churn 1.2.0 --to prod",
    "promote churn 1.2.0 --to staging --dry-run",
    "list churn",
    "verify",
    "freeze churn@staging --until 2099-01-01T00:00Z --reason x --dry-run",
    "show churn@staging --json",
    "doctor",
)
TARGETS = {
    "run.json": Target("demo/churn/1.2.0/run.json", "", _OF_A_VERSION, _in_version),
    "metrics.json": Target("demo/churn/1.2.0/metrics.json", "", _OF_A_VERSION, _in_version),
    "data_manifest.json": Target("demo/churn/1.2.0/data_manifest.json", "", _OF_A_VERSION, _in_version),
    "model.json": Target("demo/churn/1.2.0/model.json", "", _OF_A_VERSION, _in_version),
    "promotion record": Target("demo/churn/history/staging/*.json", "record_digest", _OF_AN_ALIAS),
    "record of the past": Target("demo/churn/history/staging/00000001.json", "record_digest", _OF_AN_ALIAS),
    "version event": Target(
        "demo/churn/history/1.1.0/*.json",
        "event_digest",
        (
            "approvals churn@1.1.0",
            "check churn 1.1.0 --to prod",
            "resolve churn@latest",
            "yank churn@1.1.0 --reason x --dry-run",
            "verify churn",
            "list --json",
            "approve churn@1.1.0 --to prod --dry-run",
        ),
    ),
    "approval": Target(
        "demo/churn/history/1.2.0/*.json",
        "event_digest",
        ("approvals churn@1.2.0", "check churn 1.2.0 --to prod", "verify churn", "approvals churn@1.2.0 --json"),
    ),
    "stored policy": Target(
        ".artreg/policy/00000001.json",
        "policy_digest",
        (
            "policy show",
            "policy show --json",
            "check churn 1.2.0 --to prod",
            "check churn 1.2.0 --to staging --json",
            "promote churn 1.2.0 --to prod --dry-run",
            "rollback churn@prod --dry-run --reason x",
            "approvals churn@1.2.0",
        ),
    ),
    "verifications": Target(
        ".artreg/verified/demo/churn/*.json",
        "verification_digest",
        ("show churn@1.1.0", "verify --since 1d", "show churn@1.2.0 --json"),
    ),
    "snapshot": Target(
        f"{_SNAPSHOT}/data_manifest.json",
        "",
        (
            "data list",
            "data show churn",
            "data verify",
            "data pull churn -o pulled.csv",
            "diff churn@1.0.0 churn@1.2.0",
        ),
        _in_snapshot,
    ),
}
"""Every document that artreg writes as JSON."""


class Victim:
    """A registry into which one hostile document after the other is written, and taken out again.

    Args:
        root: Its root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
        for path in self._files:
            path.chmod(0o644)
        _SAVED.update({str(path): data for path, data in self._files.items()})

    def original(self, name: str) -> bytes:
        return self._files[self.path(name)]

    def path(self, name: str) -> Path:
        target = TARGETS[name]
        if not target.key.endswith("*.json"):
            return self.root / target.key
        return max(path for path in self._files if path.match(target.key))  # the newest

    @contextlib.contextmanager
    def holding(self, name: str, data: bytes) -> Iterator[None]:
        """Write a document, and put back what was there at the end."""
        path = self.path(name)
        TARGETS[name].around(self.root, path, data)
        try:
            yield
        finally:
            for beside, content in self._files.items():
                if beside.parent == path.parent:
                    beside.write_bytes(content)

    def rewrite(self, name: str, data: bytes, **told: object) -> None:
        """Write a file of a version for good, and what its run record is to say besides."""
        path = self.path(name)
        record = str(path.parent / "run.json")
        _SAVED[record] = canonical.dumps({**json.loads(_SAVED[record]), **told})
        TARGETS[name].around(self.root, path, data)

    def hostile(self, name: str, dice: random.Random) -> bytes:
        """Return a hostile document: a changed one whose digests agree, or garbage."""
        original = self.original(name)
        if dice.random() < 0.15:
            return garbage(original, dice)
        document: Any = mutated(json.loads(original), dice)
        if isinstance(document, dict) and (seal := TARGETS[name].seal) and dice.random() < 0.95:
            body = {key: value for key, value in document.items() if key != seal}
            return as_json({**body, seal: canonical.digest(as_json(body))})
        return as_json(document)


def copied(template: Path, folder: Path) -> Path:
    """Return the root of a copy of a registry."""
    return Path(shutil.copytree(template, folder / "registry", symlinks=True))


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change what a command does."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ARTREG_", "AWS_", "_ARTREG"))}
