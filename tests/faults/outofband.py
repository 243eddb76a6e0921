"""A look at a registry's bytes that knows nothing of artreg: what `sha256sum -c` would say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

TOMBSTONE = b"artreg tombstone: this number is spent\n"


def whole_versions(files: Mapping[str, bytes]) -> set[str]:
    """The folders that hold a checksum.txt; each must hold exactly the files that this lists, with their digests."""
    folders = {
        key.removesuffix("/checksum.txt")
        for key, data in files.items()
        if key.endswith("/checksum.txt") and data != TOMBSTONE
    }
    for folder in folders:
        listed = _listed(files[f"{folder}/checksum.txt"])
        lead = f"{folder}/"
        there = {key.removeprefix(lead): data for key, data in files.items() if key.startswith(lead)}
        del there["checksum.txt"]
        assert {name: hashlib.sha256(data).hexdigest() for name, data in there.items()} == listed, folder
        assert "run.json" in listed
        assert any(name.startswith("model") for name in listed)
    return folders


def unfinished_versions(files: Mapping[str, bytes]) -> set[str]:
    """The folders below a model that hold files but neither a checksum.txt nor a tombstone alone."""
    found = set()
    for key in files:
        segments = key.split("/")
        if len(segments) > 3 and segments[2][0].isdigit():
            folder = "/".join(segments[:3])
            inside = {name for name in files if name.startswith(f"{folder}/")}
            seal = files.get(f"{folder}/checksum.txt")
            if seal is None or (seal == TOMBSTONE and len(inside) > 1):
                found.add(folder)
    return found


def _listed(manifest: bytes) -> dict[str, str]:
    lines = manifest.decode().splitlines()
    return {line[66:]: line[:64] for line in lines if line[64:66] == "  "}
