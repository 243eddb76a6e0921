"""Results as the JSON documents that `--json` prints; their keys are a promise (more may come, none changes)."""

from __future__ import annotations

from artreg.cli.output import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from artreg.core.drift import ColumnDrift, DriftReport, SchemaChange
    from artreg.core.inspection import Inspected
    from artreg.core.version import Version
    from artreg.core.version_event import VersionEvent
    from artreg.exporting.folder import Exported
    from artreg.exporting.mlflow_registration import Registered
    from artreg.registry.approvals import Approval, Given
    from artreg.registry.assess import Assessment
    from artreg.registry.catalog import ModelSummary, VersionDetails
    from artreg.registry.check import Checked
    from artreg.registry.gc import Collected
    from artreg.registry.mirror import Mirrored
    from artreg.registry.move import Moved
    from artreg.registry.publish import Published
    from artreg.registry.pull import Pulled
    from artreg.registry.repair import Repaired
    from artreg.registry.resolve import Resolved
    from artreg.registry.signatures import Claim, Signed
    from artreg.registry.verify import Report
    from artreg.registry.yank import Yanked
    from artreg.reproduction.diff import VersionDiff
    from artreg.reproduction.reproduce import Reproduction
    from artreg.site import Built
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
        "gates": [flat(verdict.document()) for verdict in record.gates],
        "changed": result.changed,
        "dry_run": result.dry_run,
    }


def assessed(result: Assessment) -> dict[str, Any]:
    """Return what `check` prints."""
    return {
        "project": result.model.project,
        "model": result.model.model,
        "alias": str(result.alias),
        "version": str(result.version),
        "digest": result.digest,
        "passed": not result.refusals,
        "gates": [flat(verdict.document()) for verdict in result.verdicts],
        "policy": result.policy,
    }


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
        "warning": result.warning,
    }


def verified(report: Report) -> dict[str, Any]:
    """Return what `verify` prints."""
    return {
        "ok": report.ok,
        "files": sum(checked.files for checked in report.checked),
        "bytes": sum(checked.bytes for checked in report.checked),
        "checked": [_checked(checked) for checked in report.checked],
        "unfinished": list(report.unfinished),
        "left_out": report.left_out,
        "notes": list(report.notes),
    }


def _checked(checked: Checked) -> dict[str, Any]:
    problems = [{"file": problem.file, "problem": problem.problem} for problem in checked.problems]
    return {"ref": checked.ref, "ok": checked.ok, "files": checked.files, "bytes": checked.bytes, "problems": problems}


def model_summary(model: ModelSummary, values: tuple[str, Mapping[Version, float | None]] | None) -> dict[str, Any]:
    """Return one of the `models` that `list` prints, with a metric of each version if one was asked for."""
    key, numbers = values or ("", {})
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
                "yanked": version.yanked or None,
                **({"metric": key, "value": numbers.get(version.version)} if key else {}),
            }
            for version in model.versions
        ],
    }


def version_details(result: VersionDetails, signatures: Sequence[Claim]) -> dict[str, Any]:
    """Return what `show` prints."""
    return {
        **resolved(result.found),
        "aliases": list(result.aliases),
        "files": dict(result.files),
        "metrics": None if result.metrics is None else dict(result.metrics),
        "run": result.run.document(),
        "verified": None if result.verified is None else result.verified.document(),
        "signatures": [claim(one) for one in signatures],
    }


def pulled(result: Pulled, *, dry_run: bool) -> dict[str, Any]:
    """Return what `pull` prints."""
    return {
        **resolved(result.source),
        "path": result.path,
        "files": result.files,
        "bytes": result.bytes,
        "created": result.created,
        "fetched": result.fetched,
        "notes": list(result.notes),
        "dry_run": dry_run,
    }


def exported(result: Exported) -> dict[str, Any]:
    """Return what `export` prints of a folder, besides which version it holds."""
    return {
        "path": result.path,
        "format": result.format,
        "files": result.files,
        "bytes": result.bytes,
        **result.details,
        "notes": list(result.notes),
    }


def registered(result: Registered) -> dict[str, Any]:
    """Return what `export` prints of a version that it registered at a tracking server."""
    return {
        "tracking_uri": result.tracking_uri,
        "name": result.name,
        "version": result.version,
        "run_id": result.run_id,
        "created": result.created,
        "alias": result.alias,
    }


def collected(result: Collected) -> dict[str, Any]:
    """Return what `gc` prints."""
    return {
        "removed": [{"what": removed.what, "bytes": removed.bytes} for removed in result.removed],
        "healed": list(result.healed),
        "bytes": sum(removed.bytes for removed in result.removed),
        "dry_run": result.dry_run,
    }


def mirrored(result: Mirrored) -> dict[str, Any]:
    """Return what `mirror` prints."""
    return {
        "ok": not result.damaged and not result.diverged,
        "copied": [{"what": one.what, "files": one.files, "bytes": one.bytes} for one in result.copied],
        "bytes": sum(one.bytes for one in result.copied),
        "present": result.present,
        "damaged": [{"ref": one.ref, "problem": one.problem} for one in result.damaged],
        "diverged": [{"ref": one.ref, "problem": one.problem} for one in result.diverged],
        "ahead": list(result.ahead),
        "unfinished": list(result.unfinished),
        "dry_run": result.dry_run,
    }


def repaired(result: Repaired) -> dict[str, Any]:
    """Return what `repair` prints."""
    return {
        "ok": not result.hopeless,
        "faults": [
            {
                "ref": fault.ref,
                "file": fault.file,
                "problem": fault.problem,
                "remedy": fault.remedy or None,
                "hint": fault.hint,
                "healed": fault.healed,
            }
            for fault in result.faults
        ],
        "removed": [{"what": removed.what, "bytes": removed.bytes} for removed in result.removed],
        "applied": result.applied,
    }


def finding(result: Finding) -> dict[str, Any]:
    """Return one of the `findings` that `doctor` prints."""
    return {"check": result.check, "ok": result.ok, "message": result.message, "hint": result.hint}


def inspected(result: Inspected) -> dict[str, Any]:
    """Return what `inspect` prints of a model's files."""
    return {"danger": result.danger.name.lower(), "files": [file.document() for file in result.files]}


def drift(reference: Resolved, candidate: Resolved, report: DriftReport) -> dict[str, Any]:
    """Return what `drift` prints."""
    return {
        "reference": resolved(reference),
        "candidate": resolved(candidate),
        "mean_psi": report.mean_psi,
        "columns": [column_drift(column) for column in report.columns],
        "schema_changes": [schema_change(change) for change in report.schema_changes],
    }


def column_drift(column: ColumnDrift) -> dict[str, Any]:
    """Return one of the `columns` that `drift` prints."""
    return {
        "column": column.name,
        "kind": column.kind,
        "target": column.target,
        "psi": column.psi,
        "psi_range": column.psi_range,
        "psi_by_chance": column.psi_by_chance,
        "measure": column.measure,
        "distance": column.distance,
        "distance_range": column.distance_range,
        "missing_before": column.missing_before,
        "missing_after": column.missing_after,
    }


def schema_change(change: SchemaChange) -> dict[str, Any]:
    """Return one of the `schema_changes` that `drift` prints."""
    return {"column": change.column, "change": change.change, "kind": change.kind.value, "detail": change.detail}


def yanked(result: Yanked) -> dict[str, Any]:
    """Return what `yank` and `unyank` print."""
    return {
        "project": result.model.project,
        "model": result.model.model,
        "version": str(result.version),
        "yanked": None if result.yank is None else version_event(result.yank),
        "held_by": [str(alias) for alias in result.held_by],
        "stopped": [str(alias) for alias in result.fenced],
        "changed": result.changed,
        "dry_run": result.dry_run,
    }


def given(result: Given) -> dict[str, Any]:
    """Return what `approve` prints."""
    return {
        "project": result.log.model.project,
        "model": result.log.model.model,
        "version": str(result.log.version),
        "alias": str(result.alias),
        "approval": None if result.approval is None else version_event(result.approval),
        "stopped": [str(result.alias)] if result.fenced else [],
        "changed": result.changed,
        "dry_run": result.dry_run,
    }


def approval(result: Approval) -> dict[str, Any]:
    """Return one of the `approvals` that `approvals` prints."""
    return {
        **version_event(result.event),
        "alias": str(result.event.alias),
        "signed": result.signed,
        "counted": result.counted,
    }


def signed(result: Signed) -> dict[str, Any]:
    """Return what `sign` prints."""
    there = result.signature
    return {
        "project": result.model.project,
        "model": result.model.model,
        "version": str(result.version),
        "digest": result.digest,
        "who": result.who,
        "format": result.kind.value,
        "signature": None if there is None else there.id,
        "changed": result.changed,
        "dry_run": result.dry_run,
    }


def claim(result: Claim) -> dict[str, Any]:
    """Return one of the `signatures` that `show` prints."""
    return {
        "who": result.who,
        "key": result.key,
        "time": result.time,
        "format": result.kind.value,
        "valid": result.valid,
    }


def version_event(event: VersionEvent) -> dict[str, Any]:
    """Return who said something of a version, when and why."""
    return {"number": event.number, "digest": event.digest, "who": event.who, "why": event.why, "time": event.time}


def frozen(result: Moved) -> dict[str, Any]:
    """Return what `freeze` and `unfreeze` print."""
    there = result.record.frozen
    return {**moved(result), "frozen": None if there is None else there.document()}


def reproduction(result: Reproduction) -> dict[str, Any]:
    """Return what `reproduce` prints of a version."""
    return {
        "project": result.model.project,
        "model": result.model.model,
        "version": str(result.version),
        "digest": result.digest,
        "reproduced": result.reproduced,
        "same_bytes": result.same_bytes,
        "tolerance": result.tolerance,
        "axes": [comparison.document() for comparison in result.axes],
        "outcome": {**result.outcome.document(), "parts": [part.document() for part in result.parts]},
        "proof": result.proof,
    }


def version_diff(result: VersionDiff) -> dict[str, Any]:
    """Return what `diff` prints."""
    log = result.commits
    return {
        "before": resolved(result.before),
        "after": resolved(result.after),
        "axes": [comparison.document() for comparison in result.axes],
        "commits": None if log is None else {"forward": log.forward, "subjects": list(log.subjects)},
        "drift": None if result.drift is None else [column_drift(column) for column in result.drift.columns],
        "metrics": [one.document() for one in result.outcome.metrics],
        "files": [one.document() for one in result.files],
        "same_files": result.same_files,
    }


def site(result: Built) -> dict[str, Any]:
    """Return what `site` prints."""
    return {
        "path": result.path,
        "models": result.models,
        "versions": result.versions,
        "files": result.files,
        "bytes": result.bytes,
        "problems": list(result.problems),
    }
