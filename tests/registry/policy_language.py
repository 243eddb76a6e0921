"""The language of S3 policies as far as artreg speaks it: who may do what, for services that do not enforce it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def is_allowed(policy: Mapping[str, Any], action: str, place: str, known: Mapping[str, str]) -> bool:
    """Whether a policy allows an action; `known` is what a service knows of the request."""
    effects = {it["Effect"] for it in policy["Statement"] if _speaks_of(it, action, place, known)}
    return effects == {"Allow"}


def is_denied(policy: Mapping[str, Any], action: str, place: str, known: Mapping[str, str]) -> bool:
    return any(it["Effect"] == "Deny" and _speaks_of(it, action, place, known) for it in policy["Statement"])


def asked(method: str, path: str) -> tuple[str, str, dict[str, str]]:
    """The action, the place and the condition keys of a request."""
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    place = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    if not key:
        if "uploads" in query:
            return "s3:ListBucketMultipartUploads", place, {}
        if "versioning" in query:
            return "s3:GetBucketVersioning", place, {}
        return "s3:ListBucket", place, {"s3:prefix": query["prefix"]} if "prefix" in query else {}
    if "uploadId" in query and method in {"GET", "DELETE"}:
        return {"GET": "s3:ListMultipartUploadParts", "DELETE": "s3:AbortMultipartUpload"}[method], place, {}
    return {"GET": "s3:GetObject", "DELETE": "s3:DeleteObject"}.get(method, "s3:PutObject"), place, {}


def _speaks_of(statement: Mapping[str, Any], action: str, place: str, known: Mapping[str, str]) -> bool:
    return (
        action in statement["Action"]
        and any(_is_like(place, pattern) for pattern in statement["Resource"])
        and all(
            _holds(kind, key, value, known)
            for kind, it in statement.get("Condition", {}).items()
            for key, value in it.items()
        )
    )


def _holds(kind: str, key: str, value: Any, known: Mapping[str, str]) -> bool:
    if kind == "Null":
        return (key not in known) == (value == "true")
    if kind == "Bool":
        return known.get(key) == value
    if kind == "ArnNotEquals":
        return known.get(key) not in value
    assert kind == "StringLike"
    return key in known and any(_is_like(known[key], pattern) for pattern in value)


def _is_like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL) is not None
