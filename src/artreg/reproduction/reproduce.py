"""Trains a version again from its records alone, and says on which axis it differs if it does."""

from __future__ import annotations

import platform
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from artreg.core.comparison import Axis, Comparison, Difference, Facts, Likeness, Outcome, compare_axes, compare_outcome
from artreg.core.comparison.facts import UNKNOWN, section
from artreg.core.manifest import CARD
from artreg.core.names import ModelName
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound, NotReproduced
from artreg.frozen import Frozen, replace
from artreg.registry.check import verified
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.proofs import record_proof
from artreg.reproduction.checkout import changed_files, check_out, is_commit
from artreg.reproduction.data import compare_tables, provide_data
from artreg.reproduction.environment import build_environment
from artreg.reproduction.parts import first_differences
from artreg.reproduction.recorded import CONFIG_FILE, LOCK_FILE, Recorded, read_recorded
from artreg.reproduction.training import train_again

# A record could hold anything, an option of uv's or the path of a program too.
_PYTHON = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}(?:(?:a|b|rc)[0-9]+)?\+?")
_EXTRA = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

NEAR = 1e-6
"""How far metrics may be off for the hint to say that they agree."""


class Wish(Frozen):
    """How a version is to be trained again.

    Attributes:
        folder: The present folder.
        here: In the present environment and work tree, instead of rebuilding both.
        remote: Where to clone the code from, instead of the repository that the folder lies in.
        config: The config to use instead of the stored one: the bytes of a file.
        overrides: `key=value` texts that win over the config.
        tolerance: How far metrics may be off, absolutely, where the bytes differ; None to insist on the bytes.
        dry_run: Record no proof.
    """

    folder: Path
    here: bool = False
    remote: str | None = None
    config: bytes | None = None
    overrides: tuple[str, ...] = ()
    tolerance: float | None = None
    dry_run: bool = False


class Reproduction(Frozen):
    """What training again came to.

    Attributes:
        model: The model.
        version: The version.
        digest: The version's digest.
        axes: How the two trainings compare on each axis.
        outcome: How what came out compares.
        parts: The first part in which each differing file differs.
        tolerance: How far metrics were allowed to be off; None if the bytes had to be the same.
        proof: The number of the proof in the version's log, or None if none was recorded.
    """

    model: ModelName
    version: Version
    digest: str
    axes: tuple[Comparison, ...]
    outcome: Outcome
    parts: tuple[Difference, ...]
    tolerance: float | None
    proof: int | None = None

    @property
    def same_bytes(self) -> bool:
        """Whether model and metrics came out the same to the byte."""
        return self.outcome.files is Likeness.SAME

    @property
    def reproduced(self) -> bool:
        """Whether it came out as was asked for."""
        return self.same_bytes or (self.tolerance is not None and self.outcome.within(self.tolerance))


Stage = Callable[[str], object]
"""Told what is being done now."""


def reproduce(
    registry: Registry,
    model: ModelName,
    version: Version,
    wish: Wish,
    *,
    stage: Stage = lambda text: None,
    reporter: Reporter = SILENT,
) -> Reproduction:
    """Train a version again, compare, and record a proof where it came out the same.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        wish: How it is to be done.
        stage: Told what is being done now.
        reporter: Told of the bytes that were verified.

    Raises:
        NotFound: There is no such version; or its code, its lock file or its data cannot be had.
        IntegrityError: It, or its data, is damaged.
        NotReproduced: Training it again failed.
        StorageError: Something cannot be fetched or written.
    """
    stage(f"verifying {model}@{version}")
    verified(registry, model, version, reporter=reporter)
    before = read_recorded(registry, model, version)
    with tempfile.TemporaryDirectory(prefix="artreg-reproduce-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        after = _train(before, wish, work, stage)
        stage("comparing")
        result = _compare(before, after, wish)
    return _proven(registry, result, before.facts, wish)


def require_reproduced(result: Reproduction) -> None:
    """Return if a training came out as was asked for.

    Raises:
        NotReproduced: It did not; the message names what differs.
    """
    if result.reproduced:
        return
    axes = [comparison.axis.value for comparison in result.axes if comparison.likeness is Likeness.DIFFERENT]
    verb = "differs" if len(axes) == 1 else "differ"
    where = f"{_listed(axes)} {verb}" if axes else "no axis is known to differ"
    raise NotReproduced(
        f"{result.model}@{result.version} was not reproduced: {where}", hint=_hint(axes, result.outcome)
    )


def _train(before: Recorded, wish: Wish, work: Path, stage: Stage) -> Recorded:
    config = wish.config or before.read(CONFIG_FILE)
    if config is None:
        raise NotFound(
            f"{before} has no {CONFIG_FILE}: it was made elsewhere, and artreg does not know how",
            hint="only what artreg train has made can be trained again; or name a config with --config",
        )
    python, base = (Path(sys.executable), wish.folder) if wish.here else _rebuild(before, wish, work, stage)
    root = work / "registry"
    root.mkdir()
    (work / CONFIG_FILE).write_bytes(config)
    stage("fetching the data")
    moved = provide_data(before, root, base, work / "data", here=wish.folder)
    moved += () if wish.config else _provide_card(before, work / CARD)
    stage("training")
    after = train_again(
        python,
        base,
        config=work / CONFIG_FILE,
        root=root,
        version=before.version,
        overrides=(*moved, *wish.overrides),
        actor=before.registry.actor,
    )
    return replace(after, facts=_as_configured(before.facts, after.facts)) if moved else after


def _provide_card(before: Recorded, place: Path) -> tuple[str, ...]:
    """Put the version's own card where the training finds it, whether a commit holds one or not."""
    card = before.read(CARD) if section(before.facts.axis(Axis.CONFIG), "document").get("card") else None
    if card is None:
        return ()
    place.write_bytes(card)
    return (f"card={place}",)


def _rebuild(before: Recorded, wish: Wish, work: Path, stage: Stage) -> tuple[Path, Path]:
    """Check out the code and rebuild the environment; return its Python, and the folder to train in."""
    code, environment = before.facts.axis(Axis.CODE), before.facts.axis(Axis.ENVIRONMENT)
    commit = code.get("commit")
    if not is_commit(commit):
        raise NotFound(
            f"{before} does not say from which commit it was made ({commit or UNKNOWN})",
            hint="use the present work tree with --here",
        )
    lock = before.read(LOCK_FILE)
    if lock is None:
        raise NotFound(
            f"{before} has no {LOCK_FILE}, so its environment cannot be rebuilt",
            hint="use the present environment with --here",
        )
    stage(f"checking out {str(commit)[:12]}")
    checkout = work / "checkout"
    check_out(str(commit), checkout, here=wish.folder, remote=wish.remote)
    base = _inside(checkout, code.get("folder"))
    python, extras = environment.get("python"), environment.get("extras")
    stage("rebuilding the environment")
    rebuilt = build_environment(
        base,
        lock,
        work / "environment",
        python=python if isinstance(python, str) and _PYTHON.fullmatch(python) else None,
        extras=[extra for extra in extras if isinstance(extra, str) and _EXTRA.fullmatch(extra)]
        if isinstance(extras, list)
        else [],
        here=wish.folder,
    )
    return rebuilt, base


def _inside(checkout: Path, folder: object) -> Path:
    """Return the folder of a checkout that a record names; a record may not lead out of it."""
    base = checkout / str(folder or "")
    if not base.resolve().is_relative_to(checkout.resolve()) or not base.is_dir():
        raise IntegrityError(f"the run record names a folder {folder!r} that its commit does not have")
    return base


def _compare(before: Recorded, after: Recorded, wish: Wish) -> Reproduction:
    axes = {comparison.axis: comparison for comparison in compare_axes(before.facts, after.facts)}
    axes[Axis.CODE] = _code(axes[Axis.CODE], before.facts, wish)
    if axes[Axis.DATA].likeness is Likeness.DIFFERENT:
        rows = compare_tables(before, after)
        axes[Axis.DATA] = replace(axes[Axis.DATA], differences=(*rows, *axes[Axis.DATA].differences))
    outcome = compare_outcome(before.facts, after.facts)
    return Reproduction(
        before.model,
        before.version,
        before.manifest.digest,
        tuple(axes.values()),
        outcome,
        first_differences(before, after, outcome.differing),
        wish.tolerance,
    )


def _code(compared: Comparison, before: Facts, wish: Wish) -> Comparison:
    """Say of the code what is known better than from two records: what was checked out, or which files differ here."""
    code = before.axis(Axis.CODE)
    commit = code.get("commit")
    changed = _changed(wish, commit)
    if changed is None:
        return compared
    made = Difference("the version was made", note="from a work tree with changes that no commit holds")
    differences = (*changed, *((made,) if code.get("dirty") is True else ()))
    likeness = Likeness.DIFFERENT if differences else Likeness.SAME
    return Comparison(Axis.CODE, likeness, f"commit {str(commit)[:12]}", differences)


def _changed(wish: Wish, commit: object) -> tuple[Difference, ...] | None:
    if not wish.here:
        return ()  # it was checked out
    return changed_files(wish.folder, str(commit)) if is_commit(commit) else None


def _as_configured(before: Facts, after: Facts) -> Facts:
    """Return what is known of a training as if data and card had lain where the config says: their place is no axis."""
    axes = section(after.run, "axes")
    config = section(axes, "config")
    document = section(config, "document")
    told = section(before.axis(Axis.CONFIG), "document")
    places = {key: section(told, "data").get(key) for key in ("path", "name")}
    document = {**document, "data": {**section(document, "data"), **places}, "card": told.get("card")}
    return replace(after, run={**after.run, "axes": {**axes, "config": {**config, "document": document}}})


def _proven(registry: Registry, result: Reproduction, before: Facts, wish: Wish) -> Reproduction:
    if not result.reproduced or wish.dry_run or wish.config is not None or wish.overrides:
        return result
    event, _ = record_proof(registry, result.model, result.version, _payload(result, before, wish))
    return replace(result, proof=event.number)


def _payload(result: Reproduction, before: Facts, wish: Wish) -> Mapping[str, object]:
    return {
        "digests": dict(before.compared_files),
        "same_bytes": result.same_bytes,
        "tolerance": None if result.same_bytes else result.tolerance,
        "rebuilt": not wish.here,
        "axes": {comparison.axis.value: comparison.likeness.value for comparison in result.axes},
        "machine": {"hostname": platform.node(), "platform": platform.platform()},
    }


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _hint(axes: Sequence[str], outcome: Outcome) -> str:
    if outcome.within(NEAR):
        return f"the metrics agree within {NEAR:g}: --tolerance {NEAR:g} accepts that"
    if axes:
        return "what differs there is the first place to look"
    return "look for chance that is not seeded; run.json names under nondeterministic what is known of"
