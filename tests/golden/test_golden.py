"""The formats, byte for byte; and registries of the past, which every artreg to come must still read.

`registry-4` was written by the story below, `registry-3` before there were signatures, `registry-2` before yanks left
marks, `registry-1` before versions had logs. A change of format adds a folder beside them; none is ever rewritten.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import Alias, Reference
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.frozen import replace
from artreg.registry.approvals import approve, revoke
from artreg.registry.confirm import confirm
from artreg.registry.freeze import freeze, unfreeze
from artreg.registry.handle import Registry
from artreg.registry.history import records
from artreg.registry.proofs import record_proof
from artreg.registry.pull import pull
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.signatures import sign_version
from artreg.registry.signed_moves import move_fault
from artreg.registry.verify import verify
from artreg.registry.yank import unyank, yank
from artreg.store.factory import open_store
from artreg.store.local import LocalStore
from keys import needs_openssh
from registry.bench import CHURN, POLICY, PROD, STAGING, Bench

# OpenSSH signs with a key of this kind the same way each time. It is used here alone, and no secret.
KEY = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACAXSAcinEC1/3wtK4bHHRUmuoxUAdCl5SHAruDTcXQsggAAAIjY+MMA2PjD
AAAAAAtzc2gtZWQyNTUxOQAAACAXSAcinEC1/3wtK4bHHRUmuoxUAdCl5SHAruDTcXQsgg
AAAEDpi74KzVrXqbIHhQhtDosGnmdIZ7O72xT6xAMyPwEuQBdIByKcQLX/fC0rhscdFSa6
jFQB0KXlIcCu4NNxdCyCAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
"""
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdIByKcQLX/fC0rhscdFSa6jFQB0KXlIcCu4NNxdCyC"
SIGNED_POLICY = parse_policy({"aliases": {"staging": {"signed_moves": ["promote"]}}, "signers": {"carol": PUBLIC}})

HERE = Path(__file__).parent
REGISTRIES = sorted(path.name for path in HERE.glob("registry-*"))


def story(bench: Bench) -> None:
    for version in ("1.0.0", "1.1.0", "2.0.0-rc.1"):
        bench.publish(version)
    for version in ("1.0.0", "1.1.0"):
        bench.promote(version, STAGING, reason="nightly")
        bench.promote(version, PROD, reason="release «é»")
    rollback(bench.registry, CHURN, PROD, POLICY, reason="slow")
    since_versions_have_logs(bench.registry)
    since_yanks_leave_marks(bench.registry)
    since_there_are_signatures(bench)


def since_versions_have_logs(registry: Registry) -> None:
    first, second, candidate = (Version.parse(text) for text in ("1.0.0", "1.1.0", "2.0.0-rc.1"))
    approve(registry, CHURN, second, PROD, "reviewed")
    approve(replace(registry, actor="bob"), CHURN, second, PROD, "reviewed")
    revoke(registry, CHURN, second, PROD, "it is slow")
    record_proof(registry, CHURN, first, {"digests": {"model.bin": "0" * 64}, "machine": "x86_64"})
    yank(registry, CHURN, candidate, "leaks the label")
    unyank(registry, CHURN, candidate, "«no»")
    freeze(registry, CHURN, STAGING, datetime(2026, 12, 1, tzinfo=UTC), "sales")
    unfreeze(registry, CHURN, STAGING, "over")


def since_yanks_leave_marks(registry: Registry) -> None:
    second = Version.parse("1.1.0")
    yank(registry, CHURN, second, "it is slow")
    unyank(registry, CHURN, second, "it is not")


def since_there_are_signatures(bench: Bench) -> None:
    key = bench.folder / "key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    acting = Bench(bench.store, bench.folder, SIGNED_POLICY)
    acting.registry = replace(bench.registry, actor="carol", signing_key=str(key))
    sign_version(acting.registry, CHURN, Version.parse("1.0.0"), key)
    acting.promote("1.0.0", STAGING, reason="signed")
    confirm(acting.registry, CHURN, STAGING, SIGNED_POLICY, "still so")


def contents(root: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = b"-> " + os.fsencode(os.readlink(path))
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@needs_openssh
def test_the_formats_are_what_they_were(local_store: LocalStore, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    story(Bench(local_store, made))
    assert contents(Path(local_store.url)) == contents(HERE / "registry-4")


@pytest.mark.parametrize("name", REGISTRIES)
def test_old_registries_stay_readable_and_go_on(name: str, tmp_path: Path) -> None:
    root = tmp_path / "registry"
    shutil.copytree(HERE / name, root, symlinks=True)
    (tmp_path / "made").mkdir()
    bench = Bench(open_store(root), tmp_path / "made")
    assert verify(bench.registry).ok
    assert str(resolve(bench.registry, Reference.parse("churn@prod", "demo")).version) == "1.0.0"
    assert [head.record.why for head in records(bench.registry, CHURN, Alias("prod"))] == [
        "slow",
        "release «é»",
        "release «é»",
    ]
    assert pull(bench.registry, Reference.parse("churn@latest", "demo"), open_store(tmp_path), "out").created
    bench.publish("1.2.0")
    bench.promote("1.2.0", STAGING)
    bench.promote("1.2.0", PROD)
    assert verify(bench.registry).ok


@needs_openssh
def test_signatures_of_the_past_stay_good(tmp_path: Path) -> None:
    root = Path(shutil.copytree(HERE / "registry-4", tmp_path / "registry", symlinks=True))
    carol = SignedBy(AllowedSigners((f"carol {PUBLIC}",)), ("carol",))
    registry = Registry(open_store(root))
    assert verify(registry, Reference.parse("churn@staging", "demo"), signed_by=carol).ok
    assert move_fault((head.record for head in records(registry, CHURN, STAGING)), carol) == ""
