"""A version's provenance as an in-toto Statement v1 with the predicate SLSA Provenance v1.

See https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.1/provenance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from artreg.core.lineage.origin import ARTREG_URI, Origin

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = f"{ARTREG_URI}:training:v1"


def slsa_statement(origin: Origin) -> dict[str, Any]:
    """Return the statement: every file of the version is a subject; what is not known is left out."""
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": sha256}} for name, sha256 in sorted(origin.manifest.files.items())
        ],
        "predicateType": PREDICATE,
        "predicate": {"buildDefinition": _definition(origin), "runDetails": _details(origin)},
    }


def _definition(origin: Origin) -> dict[str, Any]:
    environment = origin.axis("environment")
    config = origin.axis("config").get("document")
    internal = {
        "seeds": origin.run.get("seeds"),
        "python": environment.get("python"),
        "platform": environment.get("platform"),
        "containerImage": environment.get("container_image"),
        "command": origin.run.get("command"),
    }
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "model": str(origin.model),
            "version": str(origin.version),
            "config": config if isinstance(config, Mapping) else {},
        },
        "internalParameters": {key: value for key, value in internal.items() if value is not None},
        "resolvedDependencies": list(_dependencies(origin)),
    }


def _dependencies(origin: Origin) -> Iterator[dict[str, Any]]:
    if origin.commit is not None:
        code: dict[str, Any] = {"name": "code", "digest": {"gitCommit": origin.commit}}
        if origin.repository is not None:
            code["uri"] = f"git+{origin.repository}@{origin.commit}"
        if origin.axis("code").get("dirty"):
            code["annotations"] = {"dirty": True}
        yield code
    if "uv.lock" in origin.manifest.files:
        yield {"name": "environment", "uri": "uv.lock", "digest": {"sha256": origin.manifest.files["uv.lock"]}}
    data = origin.axis("data")
    if isinstance(data.get("content_hash"), str):
        found: dict[str, Any] = {"name": "data", "digest": {"sha256": data["content_hash"]}}
        where = data.get("snapshot") or data.get("uri")
        yield found | ({"uri": str(where)} if where else {})


def _details(origin: Origin) -> dict[str, Any]:
    metadata = {
        "invocationId": origin.run.get("write_id"),
        "startedOn": _moment(origin.run.get("started")),
        "finishedOn": _moment(origin.run.get("started"), origin.run.get("duration_seconds")),
    }
    return {
        "builder": {"id": f"{ARTREG_URI}:train", "version": {"artreg": origin.artreg}},
        "metadata": {key: value for key, value in metadata.items() if value is not None},
    }


def _moment(started: object, seconds: object = 0) -> str | None:
    try:
        moment = datetime.fromisoformat(str(started)) + timedelta(seconds=float(str(seconds)))
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment.tzinfo else None
