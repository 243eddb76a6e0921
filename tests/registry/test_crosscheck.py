"""A deep look crosses what a registry says in one place with what it says in others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core import canonical, keys
from artreg.core.names import Alias
from artreg.core.record import Action, PromotionRecord, parse_record
from artreg.core.version import Version
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.verify import verify
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from registry.bench import CHURN, POLICY, PROD, STAGING
from registry.keepsake import on_disk


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(tmp_path_factory.mktemp("keepsake"))


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "registry", symlinks=True)


def found(root: Path) -> list[tuple[str, str, str]]:
    """What only the deep look sees: for a glance at the rest there are other tests."""
    registry = Registry(LocalStore(root))
    glance = {(one.ref, problem) for one in verify(registry).checked for problem in one.problems}
    deep = verify(registry, deep=True).checked
    return [
        (one.ref, problem.file, problem.problem)
        for one in deep
        for problem in one.problems
        if (one.ref, problem) not in glance
    ]


def resealed(root: Path, alias: Alias, change: Callable[[PromotionRecord], PromotionRecord], generation: int) -> None:
    """Change a record, and fit all later ones to it: every chain is whole."""
    folder = root / keys.history_prefix(CHURN, alias)
    before = None
    for path in sorted(folder.iterdir()):
        number = int(path.stem)
        record = parse_record(path.read_bytes(), CHURN, alias, number)
        if number == generation:
            record = change(record)
        if before is not None:
            record = replace(record, previous_record=canonical.digest(before))
        before = record.encode()
        path.unlink()
        path.write_bytes(before)


def _cut_log(root: Path) -> None:
    """The log of a version loses its end, a yank among it, such that no chain shows it."""
    folder = root / keys.log_prefix(CHURN, Version(1, 2, 0))
    for path in sorted(folder.iterdir())[1:]:
        if path.suffix == ".json":
            path.unlink()


def _mark(root: Path) -> None:
    (root / keys.yank_mark_key(CHURN, Version(1, 0, 0))).touch()


def _unmark(root: Path) -> None:
    yank(Registry(LocalStore(root)), CHURN, Version(1, 0, 0), "leaks")
    (root / keys.yank_mark_key(CHURN, Version(1, 0, 0))).unlink()


def _unsaid(root: Path) -> None:
    """A yank that no record of the alias tells of, as when its writer died before that."""
    registry = Registry(LocalStore(root))
    heads = list((root / keys.history_prefix(CHURN, PROD)).iterdir())
    yank(registry, CHURN, Version(1, 1, 0), "leaks")
    for path in (root / keys.history_prefix(CHURN, PROD)).iterdir():
        if path not in heads:
            path.unlink()


def _fallback(root: Path) -> None:
    resealed(root, PROD, lambda record: replace(record, fallback=99), 3)


def _freeze_moves(root: Path) -> None:
    def move(record: PromotionRecord) -> PromotionRecord:
        assert record.action is Action.FREEZE
        first = parse_record((root / keys.record_key(CHURN, PROD, 1)).read_bytes(), CHURN, PROD, 1)
        return replace(record, version=first.version, digest=first.digest)

    resealed(root, PROD, move, 5)


def _rollback_to_new(root: Path) -> None:
    def claim(record: PromotionRecord) -> PromotionRecord:
        return replace(record, action=Action.ROLLBACK)

    resealed(root, PROD, claim, 2)


CROSSED = "demo/churn, crossed"


@pytest.mark.parametrize(
    ("damage", "ref", "file", "problem"),
    [
        (_cut_log, CROSSED, "history/prod/00000003.json", "it lost its end"),
        (_cut_log, CROSSED, "history/1.2.0/yanked", "marks a yank of which the log knows nothing"),
        (_mark, CROSSED, "history/1.0.0/yanked", "marks a yank of which the log knows nothing"),
        (_unmark, CROSSED, "history/1.0.0/yanked", "missing"),
        (_unsaid, CROSSED, "history/prod", "does not say yet"),
        (_fallback, CROSSED, "history/prod/00000003.json", "falls back on record 99"),
        (_freeze_moves, CROSSED, "history/prod/00000005.json", "points elsewhere"),
        (_rollback_to_new, CROSSED, "history/prod/00000002.json", "never held"),
    ],
)
def test_a_contradiction_is_named(
    root: Path, damage: Callable[[Path], None], ref: str, file: str, problem: str
) -> None:
    damage(root)
    assert any(one[:2] == (ref, file) and problem in one[2] for one in found(root)), found(root)


def test_what_may_surprise_is_said_and_is_no_damage(root: Path) -> None:
    registry = Registry(LocalStore(root))
    late = replace(registry, now=lambda: registry.now() - timedelta(days=3650))
    promote(late, CHURN, Version(1, 1, 0), STAGING, replace(POLICY, signers={"ada": "ssh-ed25519 AAAA"}))
    (root / "README.md").write_text("a note")
    (root / "demo/churn/notes.txt").write_text("a note")
    (root / "demo/churn/history/prod/00000001.json.bak").write_text("{}")
    shutil.rmtree(root / ".artreg/data/churn")
    report = verify(registry, deep=True)
    assert report.ok
    said = "\n".join(report.notes)
    for words in (
        "README.md is nothing",
        "demo/churn/notes.txt is nothing",
        "history/prod/00000001.json.bak is nothing",
        "judged by policies that were never pushed",
        "is older than the one before it",
        "which the registry does not keep",
    ):
        assert words in said
    assert len(report.notes) == 7
