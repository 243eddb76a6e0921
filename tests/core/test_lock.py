"""The lock file: what is written is read again, what is altered is refused, and nothing hostile is believed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core.lock import LARGEST, Lock, Pin, PinnedFile, parse_lock
from artreg.core.manifest import RUN, Manifest
from artreg.core.names import Reference
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound
from core.test_manifest import digests, file_names

quietly = settings(derandomize=True, deadline=None, database=None, max_examples=60)
GOLDEN = Path(__file__).parents[1] / "golden" / "artreg-1.lock"

files = st.builds(PinnedFile, st.integers(0, 2**63 - 1), digests)
contents = st.dictionaries(file_names, files, max_size=4).flatmap(
    lambda some: files.map(lambda run: dict(sorted({**some, RUN: run}.items())))
)
targets = st.sampled_from(["prod", "staging", "latest", "1.2.1", "2.0.0-rc.1"])
models = st.sampled_from(["demo/churn", "demo/fraud", "a.b/c-d"])


@st.composite
def pins(draw: st.DrawFn) -> Pin:
    target, there = draw(targets), draw(contents)
    alias = target in {"prod", "staging"}
    return Pin(
        Reference.parse(f"{draw(models)}@{target}", "-"),
        Version.parse("1.2.1" if alias or target == "latest" else target),
        draw(st.integers(1, 2**63 - 1)) if alias else None,
        Manifest.of({name: file.sha256 for name, file in there.items()}).digest,
        there,
    )


roots = st.text(st.characters(codec="utf-8"), max_size=30)
locks = st.builds(lambda root, some: Lock(root).having(some), roots, st.lists(pins(), max_size=4))


@quietly
@given(locks)
def test_what_is_written_is_read_again(lock: Lock) -> None:
    assert parse_lock(lock.encode(), "a") == lock
    assert tomllib.loads(lock.encode().decode())["registry"] == lock.registry


@quietly
@given(locks, st.randoms())
def test_the_order_in_which_it_was_made_does_not_show(lock: Lock, random) -> None:
    shuffled = list(lock.pins)
    random.shuffle(shuffled)
    one_by_one = Lock(lock.registry)
    for pin in shuffled:
        one_by_one = one_by_one.having([pin])
    assert one_by_one.encode() == lock.encode()


@quietly
@given(locks.filter(lambda lock: lock.pins), st.data())
def test_no_flipped_bit_changes_what_is_fetched(lock: Lock, data: st.DataObject) -> None:
    """A bit of a comment or a root may go unseen, or make another version of it; never other bytes of that digest."""
    encoded = bytearray(lock.encode())
    position = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[position // 8] ^= 1 << position % 8
    try:
        flipped = parse_lock(bytes(encoded), "a")
    except (InvalidInput, IntegrityError):
        return
    for pin in flipped.pins:
        assert pin.manifest.digest == pin.digest
    assert {pin.digest for pin in flipped.pins} <= {pin.digest for pin in lock.pins}


@quietly
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_noise_is_refused_by_name(noise: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^a "):
        parse_lock(noise, "a")


def golden(old: str = "", new: str = "") -> bytes:
    text = GOLDEN.read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1).encode() if old else text.encode()


def test_people_may_lay_it_out_as_they_like() -> None:
    plain = parse_lock(golden(), "a")
    assert len(plain.pins) == 3
    assert parse_lock(golden().replace(b"\n", b"\r\n"), "a") == plain
    head, first, *rest = golden().split(b"[[pin]]")
    turned = b"[[pin]]".join([head + b"# kept back until QA is done\n", *rest, first])
    assert parse_lock(turned, "a") == plain
    assert parse_lock(turned, "a").encode() == golden()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("artreg/lock/1", "artreg/lock/2", r"format 'artreg/lock/2', which this artreg does not know"),
        ("format = ", "# format = ", r"format 'None'"),
        ("registry = ", "root = ", r"'root' is an unknown key"),
        ("registry = ", "# registry = ", r"registry is missing"),
        ("[[pin]]", '[[pin]]\nwhy = "x"', r"'why' is an unknown key"),
        ("generation = 3\n", "", r"no generation"),
        ("generation = 3", "generation = -3", r"out of range"),
        ("generation = 3", "generation = true", r"wrong type"),
        ("generation = 3", f"generation = 1{'0' * 19}", r"out of range"),
        ("generation = 3", f"generation = 1{'0' * 4090}", r"line is longer"),
        ("generation = 3", "generation = 3\ngeneration = 3", r"no lock: Cannot overwrite"),
        ("registry-4", 'registry-4"\nregistry = "b', r"no lock: Cannot overwrite"),
        ('"demo/churn@1.1.0"', '"churn@1.1.0"', r"is not a project name|not written in full"),
        ('"demo/churn@1.1.0"', '"models:/demo/churn@1.1.0"', r"not written in full"),
        ('"demo/churn@1.1.0"', '"demo/../churn@1.1.0"', r"is not a"),
        ('"demo/churn@1.1.0"', '"demo/churn@1.0.0"', r"cannot be 1\.1\.0"),
        ('"demo/churn@1.1.0"', '"demo/churn@latest"', r"twice"),
        ('version = "1.1.0"', 'version = "v1.1.0"', r"not written in full"),
        ('name = "metrics.json"', 'name = "../metrics.json"', r"cannot be the name"),
        ('name = "metrics.json"', 'name = "/etc/passwd"', r"cannot be the name"),
        ('name = "metrics.json"', 'name = "checksum.txt"', r"cannot be the name"),
        ('name = "metrics.json"', 'name = "a\\u0000b"', r"cannot be the name"),
        ('name = "metrics.json"', 'name = "model.bin"', r"twice"),
        ('name = "run.json"', 'name = "runs.json"', r"no run\.json"),
        ("size = ", "size = -", r"out of range"),
        ("size = ", "size = 0.", r"wrong type|no lock"),
        ('sha256 = "', 'sha256 = "A', r"is no sha256"),
        ("files = [", "files = [\n[],", r"no lock"),
        ("files = [", "files = 3\nmore = [", r"unknown key|wrong type"),
        ("[[pin]]", "<<<<<<< HEAD\n[[pin]]", r"no lock"),
    ],
)
def test_what_no_lock_says_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_lock(golden(old, new), "a")


def test_a_merge_by_halves_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_lock(golden("[[pin]]", "<<<<<<< HEAD\n[[pin]]"), "artreg.lock")
    assert "merge" in refused.value.hint
    first, second = re.findall(r'digest = "(\w+)"', GOLDEN.read_text())[:2]
    assert first == second, "the golden lock pins 1.1.0 twice"
    other = re.findall(r'digest = "(\w+)"', GOLDEN.read_text())[2]
    with pytest.raises(IntegrityError, match="do not give its digest"):
        parse_lock(golden(first, other), "a")


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 4000,
        b"a = " + b"[" * 4000,
        b"a = " + b"[\n" * 100_000,
        b"a = " + b"{b=" * 1300,
        b".".join([b"a"] * 2000) + b" = 1",
        b"[" + b".".join([b"a"] * 2000) + b"]",
        b"a" * LARGEST,
        b'a = """' + b"\n" * 100_000,
    ],
)
def test_nothing_hostile_takes_long(bomb: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_lock(bomb, "a")


def test_a_root_that_no_file_can_hold_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        Lock("r\udcff").encode()


def test_what_is_not_pinned_is_not_found() -> None:
    lock = parse_lock(golden(), "a")
    prod = Reference.parse("demo/churn@prod", "-")
    assert lock.without([prod]).pins == tuple(pin for pin in lock.pins if pin.reference != prod)
    with pytest.raises(NotFound, match="does not pin demo/churn@staging") as missing:
        lock.find(Reference.parse("demo/churn@staging", "-"))
    assert "demo/churn@prod" in missing.value.hint
