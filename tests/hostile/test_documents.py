"""Documents that somebody who may write into a registry made up: what is wrong with them is said, and no more."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from artreg.card import draft_card
from artreg.core import canonical
from artreg.core.comparison import Facts, compare_axes, compare_outcome
from artreg.core.drift.profile import parse_profile
from artreg.core.lineage import croissant, cyclonedx_bom, slsa_statement
from artreg.core.lineage.origin import Origin, locked
from artreg.core.manifest import Manifest
from artreg.core.policy import policy_of
from artreg.core.policy_record import parse_policy_record
from artreg.core.record import parse_record
from artreg.core.run_record import parse_run
from artreg.core.snapshot import SnapshotRef, parse_snapshot
from artreg.core.verification import parse_verifications
from artreg.core.version import Version
from artreg.core.version_event import parse_event
from artreg.errors import ArtregError
from artreg.exporting.sklearn_config import sklearn_config
from artreg.store.pointers import decode
from hostile.nasty import as_json, garbage, invisible, mutated
from hostile.tripwire import watching
from hostile.victim import ANSWERS, DATA, LOCK, POLICY, RUN, TARGETS, Ran, Victim, run
from registry.bench import CHURN, STAGING
from sizes import FULL

READ = 800 if FULL else 60
"""Documents in the place of each that are read by the rules of its kind."""
RUN_OF = 10
"""Of so many documents one is read by a whole command too."""

V = Version(1, 2, 0)
METRICS = {"roc_auc": 0.8, "classes": {"a": {"f1": 0.5}}}


def problems(ran: Ran) -> list[str]:
    """What is wrong with how a command ended, whatever it was told."""
    found = [] if ran.code in ANSWERS else [f"exit code {ran.code}"]
    found += [f"prints {sign!r}" for sign in invisible(ran.out + ran.err)[:3]]
    found += ["a traceback"] if "Traceback" in ran.err else []
    if ran.code and not re.match(r"error:\s+\S", ran.err) and "--json" not in ran.words and not ran.out:
        found.append("no word of what is wrong")
    return [f"{' '.join(ran.words)}: {it}: {(ran.err or ran.out)[:150]!r}" for it in found]


def facts(**documents: Any) -> Facts:
    parts = {"run": RUN, "data": DATA, "metrics": METRICS, **documents}
    return Facts(parts["run"], parts["data"], parts["metrics"], {"model.json": "0" * 64}, {"numpy": "2"})


def told(**documents: Any) -> None:
    """Say of documents all that pure rules can say of them, beside documents as they should be."""
    there, here = facts(), facts(**documents)
    manifest = Manifest.of({"model.json": "0" * 64, "uv.lock": "0" * 64})
    origin = Origin(CHURN, here.run, here.metrics, here.data, V, manifest, locked(LOCK))
    said = [[it.document() for it in compare_axes(*pair)] for pair in ((there, here), (here, there))]
    said += [compare_outcome(there, here).document(), slsa_statement(origin), cyclonedx_bom(origin)]
    json.dumps([*said, croissant(origin), draft_card(origin), sklearn_config(origin, documents)])


READERS: dict[str, Callable[[bytes], object]] = {
    "run.json": lambda data: told(run=parse_run(data, CHURN, V).document()),
    "metrics.json": lambda data: told(metrics=canonical.loads(data, "metrics")),
    "data_manifest.json": lambda data: (told(data=(it := canonical.loads(data, "data"))), parse_profile(it)),
    "model.json": lambda data: canonical.loads(data, "model"),
    "promotion record": lambda data: parse_record(data, CHURN, STAGING, 3),
    "record of the past": lambda data: parse_record(data, CHURN, STAGING, 1),
    "version event": lambda data: parse_event(data, CHURN, Version(1, 1, 0), 5),
    "approval": lambda data: parse_event(data, CHURN, V, 2),
    "stored policy": lambda data: policy_of(parse_policy_record(data, 1).policy),
    "verifications": lambda data: parse_verifications(data, CHURN, "x"),
    "snapshot": lambda data: parse_snapshot(data, SnapshotRef.parse(DATA["snapshot"])),
}


@pytest.mark.parametrize("name", TARGETS)
def test_no_document_of_a_registry_breaks_a_command_or_leads_it_astray(name: str, root: Path, tmp_path: Path) -> None:
    victim, dice, wrong, codes = Victim(root), random.Random(f"documents of {name}"), list[str](), Counter[str]()
    commands = TARGETS[name].commands
    with watching(tmp_path, Path(os.path.realpath("/tmp"))) as wire:
        for number in range(READ):
            data = victim.hostile(name, dice)
            try:
                READERS[name](data)
                codes["read"] += 1
            except ArtregError as error:
                codes[f"refused as {error.code}"] += 1
            except Exception as error:
                wrong.append(f"{number}: {error!r}: {data[:200]!r}")
            if number % RUN_OF == 0:
                with victim.holding(name, data):
                    ran = run(*commands[number // RUN_OF % len(commands)].split())
                codes[f"exit code {ran.code}"] += 1
                wrong += [f"{number}: {it}: {data[:200]!r}" for it in [*problems(ran), *wire.touched]]
                wire.touched.clear()
    print(f"{READ} hostile documents in the place of {name}: {dict(sorted(codes.items()))}")
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text


@pytest.mark.parametrize(
    "time", ["", "soon", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "9999-12-31T23:59:59+14:00"]
)
def test_a_time_that_is_none_is_damage_and_no_bug(time: str, root: Path) -> None:
    """A gate asks since when; the document's digests agree, so that nothing else finds it."""
    victim = Victim(root)
    for name in ("promotion record", "verifications"):
        document = json.loads(victim.original(name))
        body = {key: value for key, value in document.items() if key != TARGETS[name].seal}
        body |= {"time": time, "digest": "0" * 64} if "time" in body else {"write_id": time}
        with victim.holding(name, as_json({**body, TARGETS[name].seal: canonical.digest(as_json(body))})):
            ran = run("check", "churn", "1.2.0", "--to", "prod")
        assert ran.code in {3, 4}
        assert problems(ran) == []


FILES = {
    "checksum.txt": ("demo/churn/1.2.0/checksum.txt", ("show churn@1.2.0", "verify churn@1.2.0", "pull churn@1.2.0")),
    "uv.lock": ("demo/churn/1.2.0/uv.lock", ("diff churn@1.1.0 churn@1.2.0", "verify churn@1.2.0")),
    "yank mark": ("demo/churn/history/1.2.0/yanked", ("list churn", "resolve churn@latest", "gc --dry-run")),
    "stray file": ("demo/churn/history/staging/99999999.json", ("resolve churn@staging", "history staging", "verify")),
}
"""Files of a registry that are not JSON."""


@pytest.mark.parametrize("name", FILES)
def test_no_file_of_a_registry_does_either(name: str, root: Path, tmp_path: Path) -> None:
    key, commands = FILES[name]
    path, dice, wrong = root / key, random.Random(f"files {name}"), list[str]()
    original = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)
    with watching(tmp_path, Path(os.path.realpath("/tmp"))) as wire:
        for number in range(100 if FULL else 10):
            data = garbage(original, dice)
            if name == "checksum.txt" and dice.random() < 0.5:
                evil = dice.choice(
                    ("../x", "/etc/passwd", "a/../../b", "model.json\n" + "0" * 64 + "  x", "\x1b[2J", "run.json")
                )
                data = original + f"{'0' * 64}  {evil}\n".encode()
            path.write_bytes(data)
            ran = run(*commands[number % len(commands)].split())
            wrong += [f"{number}: {it}: {data[:100]!r}" for it in [*problems(ran), *wire.touched]]
            wire.touched.clear()
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text


def test_no_pointer_is_followed_to_where_it_leads(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "1.2.0").mkdir(parents=True)
    (secret / "1.2.0" / "checksum.txt").write_text("CANARY")
    targets = [
        "..",
        "../..",
        str(secret),
        "/etc/passwd",
        "../../../secret",
        "prod",
        "1.2.0/model.json",
        "\x1b[2J",
        "a" * 250,
    ]
    pointer, wrong = root / "demo/churn/staging", list[str]()
    with watching(root.parent) as wire:
        for target in targets:
            pointer.unlink()
            pointer.symlink_to(target)
            for words in (
                "resolve churn@staging",
                "list",
                "verify churn",
                "gc --dry-run",
                "doctor",
                "show churn@staging",
            ):
                ran = run(*words.split())
                wrong += [f"{target!r}: {it}" for it in [*problems(ran), *wire.touched]]
                wrong += [f"{target!r}: {words} shows it"] if "CANARY" in ran.out + ran.err else []
                wire.touched.clear()
        pointer.unlink()
        dice = random.Random("pointers")
        document = {"format": "artreg/pointer/1", "generation": 3, "target": "1.1.0"}
        for number in range(2_000 if FULL else 100):
            data = as_json(mutated(document, dice)) if dice.random() < 0.7 else garbage(as_json(document), dice)
            found = decode(data)
            assert found.target == "" or "/" not in found.target
            if number % 50 == 0:
                pointer.write_bytes(data)
                wrong += problems(run("resolve", "churn@staging"))
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text


PLAN = {"moves": [{"model": "churn", "version": "1.2.0", "to": "staging"}], "reason": "x"}
CONFIG = {
    "seed": 1,
    "data": {"path": "no.csv", "id_column": "id", "target": "y", "salt": "s"},
    "trainer": "ridge",
    "model": {"alpha": 1.0},
}
SETTINGS = {"registry": "registry", "project": "demo", "model": "churn", "actor": "ada", "policy": "p.yaml"}
DVC = {"outs": [{"md5": "0" * 32, "size": 3, "hash": "md5", "path": "table.csv"}]}
CHECKED = ("policy check p.yaml", "policy push p.yaml --dry-run", "check churn 1.2.0 --to prod --policy p.yaml")
TRAINED = ("train --config c.yaml --dry-run", "train --config c.yaml --set data.salt=[1 --dry-run")
WRITTEN = {
    "policy": (POLICY, "p.yaml", CHECKED),
    "plan": (PLAN, "plan.yaml", ("promote --plan plan.yaml --dry-run",)),
    "config": (CONFIG, "c.yaml", TRAINED),
    "settings": (SETTINGS, "configs/artreg.yaml", ("list", "resolve staging", "policy show")),
    "dvc": (DVC, "t.dvc", ("data snapshot t.dvc --name t",)),
}
"""What people write as YAML, each with where it lies and what reads it."""


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_that_people_write_breaks_a_command_or_leads_it_astray(name: str, root: Path, tmp_path: Path) -> None:
    document, place, commands = WRITTEN[name]
    path, dice, wrong, codes = Path(place).absolute(), random.Random(f"written {name}"), list[str](), Counter[int]()
    path.parent.mkdir(exist_ok=True)
    Path("table.csv").write_text("id,y\n1,2\n")
    plain = yaml.safe_dump(document).encode()
    run(*commands[0].split())  # loads what it needs
    with watching(root.parent, Path(os.path.realpath("/tmp"))) as wire:
        for number in range(160 if FULL else 12):
            changed = mutated(document, dice)
            data = (
                as_json(changed)
                if dice.random() < 0.5
                else yaml.dump(changed, allow_unicode=True).encode("utf-8", "replace")
            )
            data = garbage(plain, dice) if dice.random() < 0.2 else data[: 400 * 1024]
            path.write_bytes(data)
            ran = run(*commands[number % len(commands)].split())
            codes[ran.code] += 1
            touched = [it for it in wire.touched if not it.startswith("socket")]  # a config may name a URL
            wrong += [f"{number}: {it}: {data[:300]!r}" for it in [*problems(ran), *touched]]
            wire.touched.clear()
    print(f"hostile documents in the place of {name}: exit codes {dict(sorted(codes.items()))}")
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text
