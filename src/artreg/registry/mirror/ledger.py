"""What a mirror has done so far, and what it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from artreg.core.snapshot import SnapshotRef
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.progress import SILENT, Reporter


class Copied(Frozen):
    """Something that lies at the target now and did not before.

    Attributes:
        what: What it is.
        files: How many files it has.
        bytes: How many bytes these have.
    """

    what: str
    files: int
    bytes: int


class Trouble(Frozen):
    """Something that was not copied.

    Attributes:
        ref: What it is.
        problem: Why.
    """

    ref: str
    problem: str


@dataclass
class Job:
    """One run of a mirror.

    Attributes:
        source: Where from.
        target: Where to.
        dry_run: Whether nothing is to be written.
        quick: Whether what is there on both sides is taken to be the same where the listings look alike.
        reporter: Told of the bytes that were copied.
        copied: What was copied, or would be.
        present: How many versions, snapshots and chains needed nothing.
        damaged: What is damaged at the source.
        diverged: What is something else at the target.
        ahead: Chains of which the target holds more than the source.
        unfinished: Versions that somebody may be publishing just now at the source.
        data: The snapshots that were seen to, and whether with their bytes.
    """

    source: Registry
    target: Registry
    dry_run: bool = False
    quick: bool = False
    reporter: Reporter = SILENT
    copied: list[Copied] = field(default_factory=list)
    present: int = 0
    damaged: list[Trouble] = field(default_factory=list)
    diverged: list[Trouble] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    data: set[tuple[SnapshotRef, bool]] = field(default_factory=set)

    def damage(self, ref: str, problem: str) -> None:
        """Name something that is damaged at the source, once."""
        if Trouble(ref, problem) not in self.damaged:
            self.damaged.append(Trouble(ref, problem))

    def divergence(self, ref: str, problem: str) -> None:
        """Name something that is something else at the target, once."""
        if Trouble(ref, problem) not in self.diverged:
            self.diverged.append(Trouble(ref, problem))
