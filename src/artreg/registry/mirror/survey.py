"""What one listing tells of a model: its versions, how long its chains are, which versions bear the mark of a yank."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from artreg.core import keys
from artreg.core.manifest import MANIFEST
from artreg.core.names import ModelName, is_alias
from artreg.core.version import is_version
from artreg.registry.handle import Registry
from artreg.store.interface import Kind

_DEPTH = 2  # slashes in front of a file's name inside a history


@dataclass
class Tally:
    """What a listing tells of a version."""

    sealed: bool = False
    files: int = 0
    bytes: int = 0


@dataclass
class Survey:
    """What a listing tells of a model.

    Attributes:
        versions: The versions, finished or not, by their numbers.
        newest: The highest number in each history and log, by the name of its folder.
        marked: The versions that bear the mark of a yank.
        signatures: The files of each version's signatures.
        strange: What is neither a file nor a pointer, where only files belong.
    """

    versions: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    newest: dict[str, int] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    signatures: dict[str, set[str]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)


def survey(registry: Registry, model: ModelName) -> Survey:
    """List a model."""
    found = Survey()
    for entry in registry.store.walk(keys.model_prefix(model)):
        match entry.name.split("/", _DEPTH):
            case [keys.HISTORY, of, name] if entry.kind is Kind.FILE:
                number = keys.parse_record_name(name)
                if number is not None:
                    found.newest[of] = max(number, found.newest.get(of, 0))
                elif name == keys.YANKED:
                    found.marked.add(of)
                elif name.startswith(f"{keys.SIGNATURES}/"):
                    found.signatures.setdefault(of, set()).add(name.removeprefix(f"{keys.SIGNATURES}/"))
            case [version, name, *rest] if is_version(version):
                tally = found.versions[version]
                tally.files += 1
                tally.bytes += entry.size
                tally.sealed = tally.sealed or (name == MANIFEST and not rest)
            case [version] if is_version(version):
                found.versions[version].sealed = False
            case [name] if is_alias(name):
                pass  # a pointer, which is set by the history
            case _:
                if entry.kind is not Kind.FILE:
                    found.strange.append(entry.name)
    return found
