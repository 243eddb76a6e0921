"""Ways to damage a registry on a disk, each with what must be named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from artreg.core import canonical
from artreg.core.record import parse_record
from artreg.frozen import replace
from faults.build import MODEL, PROD, V1

WEIGHTS = "model/weights.bin"


@dataclass(frozen=True)
class Damage:
    """One way to damage a registry.

    Attributes:
        name: What it is called.
        do: Does it to the folder of the model.
        ref: What `verify` must find fault with: a version or an alias.
        file: What it must name there.
    """

    name: str
    do: Callable[[Path], object]
    ref: str
    file: str


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _truncate(name: str):
    return lambda model: _write(model / name, (model / name).read_bytes()[:-1])


def _swap(first: str, second: str):
    def swap(model: Path) -> None:
        (model / first).rename(model / "aside")
        (model / second).rename(model / first)
        (model / "aside").rename(model / second)

    return swap


def _link(name: str, target: str):
    """Put the thing itself elsewhere, and a link to it in its place: the bytes that a reader sees are the same."""

    def link(model: Path) -> None:
        elsewhere = model.parent.parent.parent / "elsewhere"
        (model / name).rename(elsewhere)
        (model / name).symlink_to(elsewhere if target == "itself" else target)

    return link


def _point(target: str):
    def point(model: Path) -> None:
        (model / "prod").unlink()
        (model / "prod").symlink_to(target)

    return point


def _drop_line(model: Path) -> None:
    """Remove a file and its line from the manifest, so that the two agree."""
    manifest = model / "1.1.0/checksum.txt"
    lines = manifest.read_text().splitlines(keepends=True)
    _write(manifest, "".join(line for line in lines if WEIGHTS not in line).encode())
    (model / "1.1.0" / WEIGHTS).unlink()


def _refit(model: Path) -> None:
    """Change a file and its line in the manifest, so that the two agree."""
    _write(model / "1.1.0" / WEIGHTS, b"other weights")
    manifest = model / "1.1.0/checksum.txt"
    lines = manifest.read_text().splitlines(keepends=True)
    digest = hashlib.sha256(b"other weights").hexdigest()
    _write(manifest, "".join(f"{digest}{line[64:]}" if WEIGHTS in line else line for line in lines).encode())


def _forge(generation: int, *, sealed: bool):
    """Let a record say that another person moved the alias; sealed with a digest that fits, or not."""

    def forge(model: Path) -> None:
        path = model / f"history/prod/{generation:08d}.json"
        record = replace(parse_record(path.read_bytes(), MODEL, PROD, generation), who="mallory")
        document = record.document()
        if not sealed:
            document["record_digest"] = json.loads(path.read_bytes())["record_digest"]
        _write(path, canonical.dumps(document))

    return forge


def _forge_version(model: Path) -> None:
    """Let the newest record, sealed anew, point at another version than it pins."""
    path = model / "history/prod/00000003.json"
    record = parse_record(path.read_bytes(), MODEL, PROD, 3)
    assert record.version == V1
    other = replace(record, version=type(V1)(1, 1, 0))
    _write(path, other.encode())


def _from_another(model: Path) -> None:
    """A record of another model, sealed as it should be there."""
    path = model / "history/prod/00000003.json"
    record = parse_record(path.read_bytes(), MODEL, PROD, 3)
    _write(path, replace(record, model=type(MODEL)("demo", "other")).encode())


def _remove_tree(name: str):
    return lambda model: shutil.rmtree(model / name)


VERSION_DAMAGE = [
    Damage("file changed", lambda m: _write(m / "1.1.0" / WEIGHTS, b"twO"), "1.1.0", WEIGHTS),
    Damage("file truncated", _truncate(f"1.1.0/{WEIGHTS}"), "1.1.0", WEIGHTS),
    Damage("file emptied", lambda m: _write(m / "1.1.0" / WEIGHTS, b""), "1.1.0", WEIGHTS),
    Damage("file missing", lambda m: (m / "1.1.0" / WEIGHTS).unlink(), "1.1.0", WEIGHTS),
    Damage("metrics missing", lambda m: (m / "1.1.0/metrics.json").unlink(), "1.1.0", "metrics.json"),
    Damage("run record missing", lambda m: (m / "1.1.0/run.json").unlink(), "1.1.0", "run.json"),
    Damage("run record truncated", _truncate("1.1.0/run.json"), "1.1.0", "run.json"),
    Damage("two files swapped", _swap(f"1.1.0/{WEIGHTS}", "1.1.0/model/words.txt"), "1.1.0", WEIGHTS),
    Damage("two versions swapped", _swap("1.1.0", "1.2.0"), "1.1.0", "checksum.txt"),
    Damage("manifest truncated", _truncate("1.1.0/checksum.txt"), "1.1.0", "checksum.txt"),
    Damage("manifest emptied", lambda m: _write(m / "1.1.0/checksum.txt", b""), "1.1.0", "checksum.txt"),
    Damage("manifest missing", lambda m: (m / "1.1.0/checksum.txt").unlink(), "1.1.0", "checksum.txt"),
    Damage("manifest without a file that is gone", _drop_line, "1.1.0", "checksum.txt"),
    Damage("manifest fitted to a changed file", _refit, "1.1.0", "checksum.txt"),
    Damage("link instead of a file", _link(f"1.1.0/{WEIGHTS}", "itself"), "1.1.0", WEIGHTS),
    Damage("link instead of the manifest", _link("1.1.0/checksum.txt", "itself"), "1.1.0", "checksum.txt"),
    Damage("link instead of a folder", _link("1.1.0/model", "itself"), "1.1.0", WEIGHTS),
    Damage("link instead of a version", _link("1.1.0", "itself"), "1.1.0", "checksum.txt"),
    Damage("link from a version to another", _link("1.1.0", "1.0.0"), "1.1.0", "checksum.txt"),
    Damage("FIFO instead of a file", lambda m: _fifo(m / "1.1.0" / WEIGHTS), "1.1.0", WEIGHTS),
    Damage("version missing", _remove_tree("1.1.0"), "1.1.0", "checksum.txt"),
]
"""What can be done to version 1.1.0, which prod held and staging held; nobody may be given it afterwards."""

EXTRA_DAMAGE = [
    Damage("extra file", lambda m: (m / "1.1.0/extra.txt").write_text("x"), "1.1.0", "extra.txt"),
    Damage("extra file in a folder", lambda m: (m / "1.1.0/model/x").write_text("x"), "1.1.0", "model/x"),
    Damage("extra link", lambda m: (m / "1.1.0/extra").symlink_to("/etc/passwd"), "1.1.0", "extra"),
]
"""What can be added to version 1.1.0; whoever pulls it gets what the manifest lists."""

HISTORY_DAMAGE = [
    Damage("gap", lambda m: (m / "history/prod/00000002.json").unlink(), "prod", "history/prod"),
    Damage("oldest record removed", lambda m: (m / "history/prod/00000001.json").unlink(), "prod", "history/prod"),
    Damage("newest record truncated", _truncate("history/prod/00000003.json"), "prod", "history/prod"),
    Damage("newest record emptied", lambda m: _write(m / "history/prod/00000003.json", b""), "prod", "history/prod"),
    Damage("newest record forged", _forge(3, sealed=False), "prod", "history/prod"),
    Damage("record of another model", _from_another, "prod", "history/prod"),
    Damage("histories swapped", _swap("history/prod", "history/staging"), "prod", "history/prod"),
    Damage(
        "newest two records swapped",
        _swap("history/prod/00000002.json", "history/prod/00000003.json"),
        "prod",
        "history/prod",
    ),
    Damage("link instead of a record", _link("history/prod/00000003.json", "itself"), "prod", "history/prod"),
]
"""What can be done to the history of prod such that nobody can say where it points."""

QUIET_DAMAGE = [
    Damage("older record forged and sealed", _forge(1, sealed=True), "prod", "history/prod"),
    Damage("older record forged", _forge(2, sealed=False), "prod", "history/prod"),
    Damage("newest record forged and pointed elsewhere", _forge_version, "1.1.0", "checksum.txt"),
    Damage("newest record removed", lambda m: (m / "history/prod/00000003.json").unlink(), "prod", "prod"),
    Damage("pointer set by hand", _point("1.2.0"), "prod", "prod"),
    Damage("pointer out of the registry", _point("/etc"), "prod", "prod"),
    Damage("pointer removed", lambda m: (m / "prod").unlink(), "prod", "prod"),
    Damage("whole history removed", _remove_tree("history/prod"), "prod", "prod"),
    Damage("link instead of a history", _link("history/prod", "itself"), "prod", "prod"),
    Damage("link instead of all histories", _link("history", "itself"), "prod", "prod"),
    Damage("unpinned version linked to another", _link("1.3.0", "1.0.0"), "1.3.0", "checksum.txt"),
]
"""What only `verify` can find: the newest record is sound, or the pointer alone was touched."""


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
