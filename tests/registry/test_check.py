"""What a look at one version finds, to the letter: counts, sizes, and each thing that can be wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from artreg.core import canonical
from artreg.core.manifest import DOCUMENTS
from artreg.core.version import Version
from artreg.errors import IntegrityError
from artreg.frozen import replace
from artreg.registry.check import Checked, Problem, check_version, verified
from artreg.registry.handle import Registry
from artreg.store.interface import Entry, Kind, Progress
from registry.bench import CHURN, Bench
from registry.test_verify import overwrite
from store.faults import Wrapper

V1 = Version(1, 0, 0)
HERE = "demo/churn/1.0.0"
FILES = ("metrics.json", "model.bin", "run.json")


@pytest.fixture
def one(bench: Bench) -> Bench:
    bench.publish("1.0.0")
    return bench


def size(bench: Bench, *names: str) -> int:
    return sum(len(bench.store.read(f"{HERE}/{name}")) for name in names)


def look(bench: Bench, *, quick: bool = False) -> Checked:
    return check_version(bench.registry, CHURN, V1, quick=quick)


def said(checked: Checked) -> list[tuple[str, str]]:
    return [(problem.file, problem.problem) for problem in checked.problems]


def alter(bench: Bench, name: str, data: bytes, *, told: bool = True) -> None:
    """Change a file, and the manifest with it if that is to tell."""
    overwrite(bench.store, f"{HERE}/{name}", data)
    if told:
        lines = bench.store.read(f"{HERE}/checksum.txt").decode().splitlines()
        lines = [f"{canonical.digest(data)}  {name}" if line.endswith(f"  {name}") else line for line in lines]
        overwrite(bench.store, f"{HERE}/checksum.txt", ("\n".join(lines) + "\n").encode())


@pytest.mark.parametrize("quick", [False, True])
def test_whole_files_are_counted(one: Bench, quick: bool) -> None:
    found = look(one, quick=quick)
    assert (found.files, found.bytes, said(found)) == (3, size(one, *FILES), [])


@pytest.mark.parametrize("quick", [False, True])
def test_what_is_missing_or_extra_is_not_counted(one: Bench, quick: bool) -> None:
    one.store.delete([f"{HERE}/model.bin"])
    one.store.create(f"{HERE}/extra.bin", b"more")
    found = look(one, quick=quick)
    assert (found.files, found.bytes) == (2, size(one, "metrics.json", "run.json"))
    assert said(found) == [("extra.bin", "extra: it is not in the manifest"), ("model.bin", "missing")]


def test_what_was_read_is_handed_on(one: Bench) -> None:
    found = verified(one.registry, CHURN, V1)
    assert found.documents == {name: one.store.read(f"{HERE}/{name}") for name in FILES if name in DOCUMENTS}
    assert found.sizes == {name: size(one, name) for name in FILES}
    assert (found.checked.files, found.checked.digest) == (3, found.manifest.digest)


def test_whoever_waits_knows_how_much_there_is(one: Bench) -> None:
    told: list[tuple[str, int]] = []
    done: list[int] = []

    class Counting:
        def advance(self, amount: int) -> None:
            done.append(amount)

    class Heard:
        def step(self, what: str, total: int, unit: str = "bytes") -> Progress:
            told.append((what, total))
            return Counting()

    check_version(one.registry, CHURN, V1, reporter=Heard())
    assert told == [("verify demo/churn@1.0.0", size(one, *FILES))]
    assert sum(done) == size(one, *FILES)


def test_a_version_that_is_damaged_is_refused_with_the_first_of_what_is_wrong(one: Bench) -> None:
    for number in range(7):
        one.store.create(f"{HERE}/extra-{number}", b"more")
    with pytest.raises(IntegrityError) as told:
        verified(one.registry, CHURN, V1)
    extra = "extra: it is not in the manifest"
    first = "; ".join(f"extra-{number}: {extra}" for number in range(5))
    assert told.value.message == f"demo/churn@1.0.0 is damaged: {first}"
    assert told.value.hint == "restore it from a copy, or use another version; nothing was changed"
    assert told.value.details["problems"] == [{"file": f"extra-{number}", "problem": extra} for number in range(7)]


class _Refusing(Wrapper):
    """A store in which a document is no plain file, or too large to be one."""

    def read(self, key: str, limit: int = 0) -> bytes:
        if key == f"{HERE}/run.json":
            raise IntegrityError("run.json is too large")
        return self.inner.read(key)


def test_a_document_that_is_refused_unread_is_named_and_not_counted(one: Bench) -> None:
    registry = Registry(_Refusing(one.store), "ada", one.registry.now)
    found = check_version(registry, CHURN, V1)
    assert said(found) == [("run.json", "run.json is too large")]
    assert (found.files, found.bytes) == (2, size(one, "metrics.json", "model.bin"))


class _Misshapen(Wrapper):
    """A store in which the model is no plain file."""

    kind = Kind.LINK

    def walk(self, prefix: str, *, sized: bool = True) -> Iterator[Entry]:
        for entry in self.inner.walk(prefix, sized=sized):
            yield replace(entry, kind=self.kind) if entry.name == "model.bin" else entry


@pytest.mark.parametrize(("kind", "problem"), [(Kind.LINK, "is a link"), (Kind.OTHER, "is not a plain file")])
def test_what_is_no_plain_file_is_not_counted_whatever_it_leads_to(one: Bench, kind: Kind, problem: str) -> None:
    store = _Misshapen(one.store)
    store.kind = kind
    found = check_version(Registry(store, "ada", one.registry.now), CHURN, V1)
    assert said(found) == [("model.bin", problem)]
    assert (found.files, found.bytes) == (2, size(one, "metrics.json", "run.json"))


def test_a_run_record_of_other_content_is_named_beside_what_else_is_wrong(one: Bench) -> None:
    run = json.loads(one.store.read(f"{HERE}/run.json"))
    alter(one, "run.json", canonical.dumps({**run, "content": "0" * 64}))
    one.store.create(f"{HERE}/extra.bin", b"more")
    assert said(look(one)) == [
        ("extra.bin", "extra: it is not in the manifest"),
        ("run.json", "names another content than the manifest"),
    ]


def test_of_a_run_record_that_was_altered_only_that_is_said(one: Bench) -> None:
    run = json.loads(one.store.read(f"{HERE}/run.json"))
    alter(one, "run.json", canonical.dumps({**run, "content": "0" * 64}), told=False)
    assert said(look(one)) == [("run.json", "does not match its checksum")]


def test_a_run_record_that_is_none_is_said_to_be_that(one: Bench) -> None:
    alter(one, "run.json", b"scribble")
    ((file, problem),) = said(look(one))
    assert file == "run.json"
    assert "is not valid JSON" in problem


def test_a_version_needs_a_run_record(one: Bench) -> None:
    lines = one.store.read(f"{HERE}/checksum.txt").decode().splitlines()
    kept = [line for line in lines if not line.endswith("  run.json")]
    overwrite(one.store, f"{HERE}/checksum.txt", ("\n".join(kept) + "\n").encode())
    one.store.delete([f"{HERE}/run.json"])
    assert said(look(one)) == [("run.json", "missing")]


def test_sizes_that_the_run_record_tells_are_compared(one: Bench) -> None:
    run = json.loads(one.store.read(f"{HERE}/run.json"))
    assert run["sizes"]["model.bin"] == 5
    alter(one, "run.json", canonical.dumps({**run, "sizes": {**run["sizes"], "model.bin": 6}}))
    assert said(look(one)) == [("model.bin", "has 5 bytes instead of 6")]
    assert look(one, quick=True).problems == (Problem("model.bin", "has 5 bytes instead of 6"),)
