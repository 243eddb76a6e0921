"""Results as the JSON documents that `--json` prints; their keys are a promise (more may come, none changes)."""

from __future__ import annotations

from typing import Any

from artreg.registry.catalog import ModelSummary, VersionDetails
from artreg.registry.check import Checked
from artreg.registry.gc import Collected
from artreg.registry.move import Moved
from artreg.registry.publish import Published
from artreg.registry.pull import Pulled
from artreg.registry.resolve import Resolved
from artreg.registry.verify import Report
from artreg.store.interface import Finding


def published(result: Published, *, dry_run: bool = False) -> dict[str, Any]:
    """Return what `train` and `publish` print."""
    return {
        "project": result.model.project,
        "model": result.model.model,
        "version": str(result.version),
        "digest": result.digest,
        "path": result.path,
        "created": result.created,
        "metrics": dict(result.metrics),
        "dry_run": dry_run,
    }


def moved(result: Moved) -> dict[str, Any]:
    """Return what `promote` and `rollback` print."""
    record = result.record
    return {
        "project": record.model.project,
        "model": record.model.model,
        "alias": str(record.alias),
        "version": str(record.version),
        "previous_version": None if record.previous_version is None else str(record.previous_version),
        "generation": record.generation,
        "digest": record.digest,
        "action": record.action.value,
        "gates": [{**verdict.figures, **_head(verdict.document())} for verdict in record.gates],
        "changed": result.changed,
        "dry_run": result.dry_run,
    }


def _head(verdict: dict[str, Any]) -> dict[str, Any]:
    return {key: verdict[key] for key in ("gate", "passed", "message")}


def resolved(result: Resolved) -> dict[str, Any]:
    """Return what `resolve` prints."""
    return {
        "project": result.model.project,
        "model": result.model.model,
        "alias": None if result.alias is None else str(result.alias),
        "version": str(result.version),
        "generation": result.generation,
        "digest": result.digest,
        "path": result.path,
    }


def verified(report: Report) -> dict[str, Any]:
    """Return what `verify` prints."""
    return {
        "ok": report.ok,
        "files": sum(checked.files for checked in report.checked),
        "bytes": sum(checked.bytes for checked in report.checked),
        "checked": [_checked(checked) for checked in report.checked],
        "unfinished": list(report.unfinished),
    }


def _checked(checked: Checked) -> dict[str, Any]:
    problems = [{"file": problem.file, "problem": problem.problem} for problem in checked.problems]
    return {"ref": checked.ref, "ok": checked.ok, "files": checked.files, "bytes": checked.bytes, "problems": problems}


def model_summary(model: ModelSummary) -> dict[str, Any]:
    """Return one of the `models` that `list` prints."""
    return {
        "project": model.model.project,
        "model": model.model.model,
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "versions": [
            {
                "version": str(version.version),
                "created": version.created.isoformat(timespec="seconds"),
                "files": version.files,
                "bytes": version.bytes,
                "aliases": list(version.aliases),
            }
            for version in model.versions
        ],
    }


def version_details(result: VersionDetails) -> dict[str, Any]:
    """Return what `show` prints."""
    return {
        **resolved(result.found),
        "aliases": list(result.aliases),
        "files": dict(result.files),
        "metrics": None if result.metrics is None else dict(result.metrics),
        "run": result.run.document(),
    }


def pulled(result: Pulled, *, dry_run: bool) -> dict[str, Any]:
    """Return what `pull` prints."""
    return {
        **resolved(result.source),
        "path": result.path,
        "files": result.files,
        "bytes": result.bytes,
        "created": result.created,
        "dry_run": dry_run,
    }


def collected(result: Collected) -> dict[str, Any]:
    """Return what `gc` prints."""
    return {
        "removed": [{"what": removed.what, "bytes": removed.bytes} for removed in result.removed],
        "healed": list(result.healed),
        "bytes": sum(removed.bytes for removed in result.removed),
        "dry_run": result.dry_run,
    }


def finding(result: Finding) -> dict[str, Any]:
    """Return one of the `findings` that `doctor` prints."""
    return {"check": result.check, "ok": result.ok, "message": result.message, "hint": result.hint}
