"""The run record: the four axes of a run, and what happened around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from artreg.core import canonical
from artreg.core.config import TrainingConfig
from artreg.core.redact import redact_command, redact_url
from artreg.errors import InvalidInput
from artreg.training.environment import machine_state
from artreg.training.git import Code
from artreg.training.seeding import SeedReport
from artreg.training.trainers import Trainer


@dataclass(frozen=True)
class Circumstances:
    """What is known of a run before it fits anything.

    Attributes:
        command: The command line.
        started: When it began, with a time zone.
        code: The code axis.
        environment: The environment axis.
        seeds: What was seeded.
        trainer: What makes the model.
    """

    command: Sequence[str]
    started: datetime
    code: Code
    environment: Mapping[str, Any]
    seeds: SeedReport
    trainer: Trainer


def run_record(
    config: TrainingConfig,
    config_file: bytes,
    data_manifest: Mapping[str, Any],
    circumstances: Circumstances,
    *,
    ended: datetime,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the run record, without what the registry adds when it publishes (names, version, write id).

    Args:
        config: The validated config.
        config_file: The bytes of `config.yaml`, whose sha256 is recorded.
        data_manifest: The data manifest; the record refers to it and repeats its hashes.
        circumstances: What was known beforehand.
        ended: When the run ended.
        warnings: What the libraries warned of.
    """
    return {
        "axes": {
            "code": circumstances.code.to_document(),
            "environment": dict(circumstances.environment),
            "config": {"document": config.model_dump(mode="json"), "sha256": canonical.digest(config_file)},
            "data": _data_axis(data_manifest),
        },
        "seeds": circumstances.seeds.to_document(),
        "nondeterministic": [entry.to_document() for entry in circumstances.trainer.nondeterministic],
        "command": redact_command(circumstances.command),
        "started": rfc3339(circumstances.started),
        "duration_seconds": round((ended - circumstances.started).total_seconds(), 3),
        "machine": machine_state(),
        "warnings": [redact_url(warning) for warning in warnings],
    }


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the millisecond.

    Raises:
        InvalidInput: It has no time zone, and so is no moment.
    """
    if moment.tzinfo is None:
        raise InvalidInput("a time without a time zone is no moment", hint="pass datetime.now(UTC)")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _data_axis(manifest: Mapping[str, Any]) -> dict[str, Any]:
    same = {key: manifest[key] for key in ("uri", "record_count", "content_hash", "schema_hash", "snapshot", "lineage")}
    return same | {"manifest_sha256": canonical.digest(canonical.dumps(manifest))}
