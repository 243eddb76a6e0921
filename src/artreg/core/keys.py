"""Where everything lies below a registry's root; nobody else puts a key together."""

from __future__ import annotations

from artreg.core.manifest import MANIFEST
from artreg.core.names import Alias, ModelName
from artreg.core.version import Version

HISTORY = "history"

YANKED = "yanked"
"""The name of the mark of a version that was yanked; its log says whether it still is."""

SIGNATURES = "signatures"
"""The name of the folder of a version's signatures, in the folder of its log."""

REFERENCE = "-reference"
"""How the folder's name ends of a snapshot whose bytes are kept elsewhere."""

_DIGITS = 8


def model_prefix(model: ModelName) -> str:
    """Return the folder of a model."""
    return f"{model.project}/{model.model}"


def version_prefix(model: ModelName, version: Version) -> str:
    """Return the folder of a version."""
    return f"{model_prefix(model)}/{version}"


def version_file(model: ModelName, version: Version, name: str) -> str:
    """Return the key of one file of a version."""
    return f"{version_prefix(model, version)}/{name}"


def manifest_key(model: ModelName, version: Version) -> str:
    """Return the key whose presence makes a version exist."""
    return version_file(model, version, MANIFEST)


def pointer_key(model: ModelName, alias: Alias) -> str:
    """Return the key of the pointer that people and other tools read."""
    return f"{model_prefix(model)}/{alias}"


def histories_prefix(model: ModelName) -> str:
    """Return the folder that holds a history for each alias, and a log for each version of which anything was said."""
    return f"{model_prefix(model)}/{HISTORY}"


def history_prefix(model: ModelName, alias: Alias) -> str:
    """Return the folder of an alias's promotion records."""
    return f"{histories_prefix(model)}/{alias}"


def record_key(model: ModelName, alias: Alias, generation: int) -> str:
    """Return the key of a promotion record."""
    return f"{history_prefix(model, alias)}/{record_name(generation)}"


def log_prefix(model: ModelName, version: Version) -> str:
    """Return the folder of a version's events; no alias can be named like a version, so that none is in the way."""
    return f"{histories_prefix(model)}/{version}"


def event_key(model: ModelName, version: Version, number: int) -> str:
    """Return the key of a version event."""
    return f"{log_prefix(model, version)}/{record_name(number)}"


def yank_mark_key(model: ModelName, version: Version) -> str:
    """Return the key of the empty file that lets a listing tell which versions were ever yanked."""
    return f"{log_prefix(model, version)}/{YANKED}"


def signatures_prefix(model: ModelName, version: Version) -> str:
    """Return the folder of a version's signatures; as its name is no number, it is in no log's way."""
    return f"{log_prefix(model, version)}/{SIGNATURES}"


def record_name(generation: int) -> str:
    """Return the file name of a promotion record, or of an event; names sort as their numbers do."""
    return f"{generation:0{_DIGITS}d}.json"


def parse_record_name(name: str) -> int | None:
    """Return the generation that a file name of a history stands for, or None if it stands for none."""
    number = name.removesuffix(".json")
    if number == name or len(number) != _DIGITS or not (number.isascii() and number.isdigit()):
        return None
    return int(number) or None


def policies_prefix() -> str:
    """Return the folder of the policies that were pushed into the registry."""
    return ".artreg/policy"


def policy_key(number: int) -> str:
    """Return the key of a pushed policy."""
    return f"{policies_prefix()}/{record_name(number)}"


def verifications_prefix(model: ModelName) -> str:
    """Return the folder of what is remembered of a model's verifications."""
    return f".artreg/verified/{model_prefix(model)}"


def hook_prefix(hook: str) -> str:
    """Return the folder of what a hook was told."""
    return f".artreg/hooks/{hook}"


def told_prefix(hook: str, model: ModelName, alias: Alias) -> str:
    """Return the folder of what a hook was told of an alias."""
    return f"{hook_prefix(hook)}/{model_prefix(model)}/{alias}"


def snapshots_prefix(name: str = "") -> str:
    """Return the folder of the data snapshots, or of those of one dataset."""
    return ".artreg/data" + (f"/{name}" if name else "")


def snapshot_prefix(name: str, sha256: str, *, copied: bool) -> str:
    """Return the folder of a snapshot.

    One that is only a reference lies beside the place for the bytes, so that these can still be taken in later.
    """
    return f"{snapshots_prefix(name)}/{sha256}" + ("" if copied else REFERENCE)
