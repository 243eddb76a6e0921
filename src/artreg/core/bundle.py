"""Bundles of the OpenSSF model signing format, as far as they can be read without a key.

A bundle holds an in-toto statement that lists files with their digests. It speaks of a version if `checksum.txt` is
among them with the version's digest, which stands for every file, and nothing else in it says otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from artreg.core import canonical
from artreg.core.manifest import MANIFEST, Manifest
from artreg.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GIT_FILES = (".git", ".gitattributes", ".github", ".gitignore")
"""What the tools of that format leave out by themselves."""

_PREDICATE = "https://model_signing/signature/v1.0"


def signed_files(manifest: Manifest) -> dict[str, str]:
    """Return the files that a bundle of a version lists, with their sha256; the manifest stands for the rest."""
    files = {name: sha256 for name, sha256 in manifest.files.items() if name.partition("/")[0] not in GIT_FILES}
    return {**files, MANIFEST: manifest.digest}


def bundle_problem(data: bytes, manifest: Manifest) -> str:
    """Say why a bundle does not speak of a version, or '' if it does; who signed it, only a key tells."""
    try:
        listed = _listed(data)
    except (IntegrityError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return f"it is no bundle of a model's signature: {error}"
    known = {**manifest.files, MANIFEST: manifest.digest}
    others = sorted(name for name, sha256 in listed.items() if known.get(name) != sha256)
    if others:
        return f"it speaks of other files: {', '.join(others[:5])}"
    return "" if MANIFEST in listed else f"it does not list {MANIFEST}, which stands for every file"


def key_hint(data: bytes) -> str:
    """Return the sha256 of the public key (as PEM) that a bundle names as its own, or '' if it names none."""
    try:
        hint = canonical.loads(data, "the bundle")["verificationMaterial"]["publicKey"]["hint"]
    except (IntegrityError, KeyError, TypeError):
        return ""
    return hint if isinstance(hint, str) else ""


def _listed(data: bytes) -> Mapping[str, str]:
    envelope = canonical.loads(data, "the bundle")["dsseEnvelope"]
    statement = canonical.loads(base64.b64decode(envelope["payload"], validate=True), "its statement")
    predicate: Mapping[str, Any] = statement["predicate"]
    if statement["predicateType"] != _PREDICATE or predicate["serialization"]["method"] != "files":
        raise ValueError(f"only {_PREDICATE} by whole files is known here")
    resources = predicate["resources"]
    listed = {one["name"]: one["digest"] for one in resources if one["algorithm"] == "sha256"}
    if len(listed) != len(resources):
        raise ValueError("it lists a file twice, or by another digest than sha256")
    return listed
