"""What the pages show, read and checked: pages are functions of these values and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from artreg.core.comparison.facts import section
from artreg.core.run_record import came_from
from artreg.frozen import Frozen

if TYPE_CHECKING:
    from artreg.core.names import ModelName
    from artreg.core.record import PromotionRecord
    from artreg.core.verification import Seen
    from artreg.core.version import Version
    from artreg.core.version_event import VersionEvent
    from artreg.registry.signatures import Claim


class Problem(Frozen):
    """Something that is not as it should be, or that does not belong there.

    Attributes:
        where: What it is about, such as a file, an alias or a version.
        what: What was seen, in a sentence.
    """

    where: str
    what: str


class VersionPart(Frozen):
    """A version, as far as it can be read.

    Attributes:
        model: Whose it is.
        version: The version.
        digest: Its digest; '' where there is no manifest that can be read.
        files: The sha256 of each file in the manifest.
        sizes: Bytes of each file that is there.
        documents: The small files that people read, each as the manifest pins it.
        run: The run record; empty where it cannot be read.
        published_at: When it was published, as its run record says; '' where that is not known.
        published_by: Who published it; the same.
        metrics: The metrics as they are nested, or None.
        figures: Every number among the metrics, by its dotted key.
        events: What was said of it, oldest first.
        yank: The yank that holds, or None.
        signatures: Its signatures, as they present themselves.
        verified: Its last verification that was recorded, if it was of these very bytes.
        problems: What is wrong with it.
    """

    model: ModelName
    version: Version
    digest: str
    files: Mapping[str, str]
    sizes: Mapping[str, int]
    documents: Mapping[str, bytes]
    run: Mapping[str, Any]
    published_at: str
    published_by: str
    metrics: Mapping[str, Any] | None
    figures: Mapping[str, float]
    events: tuple[VersionEvent, ...]
    yank: VersionEvent | None
    signatures: tuple[Claim, ...]
    verified: Seen | None
    problems: tuple[Problem, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all its files."""
        return sum(self.sizes.values())

    @property
    def came_from(self) -> str:
        """Where it was imported from, in a few words, or ''."""
        return came_from(self.run)

    @property
    def data_digest(self) -> str:
        """The digest of the data that it was made of, or ''."""
        digest = section(section(self.run, "axes"), "data").get("content_hash")
        return digest if isinstance(digest, str) else ""


class AliasPart(Frozen):
    """An alias with its history, as far as it can be read.

    Attributes:
        name: The alias.
        records: Its records, newest first; those before one that cannot be read are missing.
        problem: Why some are missing, or ''.
    """

    name: str
    records: tuple[PromotionRecord, ...]
    problem: str = ""

    @property
    def version(self) -> Version | None:
        """The version that it points at, or None."""
        return self.records[0].version if self.records else None

    @property
    def since(self) -> PromotionRecord | None:
        """The record that brought it to the version that it holds, or None where it holds none."""
        found = None
        for record in self.records:
            if record.version is None or record.version != self.version:
                break
            found = record
        return found


class ModelPart(Frozen):
    """A model; `model_part` makes one.

    Attributes:
        model: Its name.
        versions: Its versions, highest first.
        aliases: Its aliases: those on the way to production first.
        moves: The records of all aliases, newest first.
        problems: What is wrong with it as a whole.
        places: Where each version stands among its versions.
        held: Which aliases point at a version, of those at which any does.
        same_data: Which versions were made of the same data, by the digest of the data.
    """

    model: ModelName
    versions: tuple[VersionPart, ...]
    aliases: tuple[AliasPart, ...]
    moves: tuple[PromotionRecord, ...]
    problems: tuple[Problem, ...]
    places: Mapping[Version, int]
    held: Mapping[Version, tuple[str, ...]]
    same_data: Mapping[str, tuple[Version, ...]]

    def find(self, version: Version | None) -> VersionPart | None:
        """Return one of its versions, or None if it has none such."""
        place = None if version is None else self.places.get(version)
        return None if place is None else self.versions[place]

    def before(self, version: Version) -> VersionPart | None:
        """Return the version right before one of its versions, by number; None if that is the first."""
        place = self.places[version] + 1
        return self.versions[place] if place < len(self.versions) else None

    def aliases_of(self, version: Version) -> tuple[str, ...]:
        """Return which aliases point at a version."""
        return self.held.get(version, ())

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """What is wrong with it, and with its aliases and versions."""
        aliases = (Problem(f"alias {alias.name}", alias.problem) for alias in self.aliases if alias.problem)
        versions = (
            Problem(f"{part.version} {problem.where}", problem.what)
            for part in self.versions
            for problem in part.problems
        )
        return (*self.problems, *aliases, *versions)


def model_part(
    model: ModelName, versions: Sequence[VersionPart], aliases: Sequence[AliasPart], problems: Sequence[Problem]
) -> ModelPart:
    """Return a model with what its pages look up again and again."""
    held: dict[Version, tuple[str, ...]] = {}
    for alias in aliases:
        if alias.version is not None:
            held[alias.version] = (*held.get(alias.version, ()), alias.name)
    same_data: dict[str, tuple[Version, ...]] = {}
    for part in versions:
        if part.data_digest:
            same_data[part.data_digest] = (*same_data.get(part.data_digest, ()), part.version)
    moves = [record for alias in aliases for record in alias.records]
    moves.sort(key=lambda record: (record.time, record.alias.name, record.generation), reverse=True)
    places = {part.version: place for place, part in enumerate(versions)}
    return ModelPart(model, tuple(versions), tuple(aliases), tuple(moves), tuple(problems), places, held, same_data)
