"""What a disk may legally hold after it lost power: a model of POSIX, weaker than any real file system.

The model is that of ALICE and CrashMonkey. Only fsync makes anything durable; what was not synced may be lost, torn, or
kept, whatever else was kept:

- **Data.** fsync of a file makes durable what was written to it before the fsync began, and its length. Of writes since
  then any part may be on the disk: none, all, a prefix, the right length with zeros or old garbage in it, any set of
  blocks.
- **Names.** fsync of a folder makes durable every name that was put into it or taken out of it before; of the changes
  since then any subset, in any order, whatever was synced elsewhere. fsync of a file does not make its name durable,
  and fsync of a folder makes durable neither the folder's own name, nor the bytes of the files in it, nor the names in
  the folders below. A name that is durable without what lies behind it shows an empty folder, or a file with any of
  the above.
- **Atomicity.** A single change of names is on the disk as a whole or not at all: after a rename, that of a link or a
  folder over another too, the old or the new is there, never neither, never half. A folder has one name: a rename of it
  is not on the disk without those before it. A symbolic link comes with its target, a file with its mode.
- **Failure.** After an fsync that failed, what it should have made durable may be lost, and no later fsync saves it:
  the kernel has forgotten that it was to be written.

Processes see none of this as long as there is power, nor does the death of one change what is in the cache.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from random import Random

TOP = 0
"""The folder above the registry; it has always been there."""

FILE, FOLDER, LINK = "file", "folder", "link"


@dataclass(frozen=True)
class Node:
    """Something that has, had, or is to have a name.

    Attributes:
        kind: FILE, FOLDER or LINK.
        target: Where a link leads.
        data: What a file held, durably, when the record began.
    """

    kind: str
    target: str = ""
    data: bytes = b""


@dataclass(frozen=True)
class Change:
    """One atomic change of names: for each place (a folder and a name) what lies there then, None for nothing."""

    places: tuple[tuple[int, str, int | None], ...]


@dataclass(frozen=True)
class Write:
    """Bytes written to a file."""

    node: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Sync:
    """An fsync that returned.

    Attributes:
        node: Of which file or folder.
        site: The line of artreg that asked for it.
        failed: Whether it returned an error.
    """

    node: int
    site: str
    failed: bool = False


@dataclass(frozen=True)
class Begin:
    """A command begins."""

    step: str


@dataclass(frozen=True)
class End:
    """A command returned; `acknowledged` unless it was killed, or said that it failed."""

    step: str
    acknowledged: bool


Event = Change | Write | Sync | Begin | End
Tree = Mapping[str, tuple[str, bytes]]
"""What lies under each path below TOP: a kind, and a file's bytes or a link's target."""


@dataclass(frozen=True)
class Trace:
    """What was done to a disk.

    Attributes:
        nodes: Everything that ever had a name, by its number.
        base: The names that were durable when the record began.
        events: What was done, in order.
    """

    nodes: Mapping[int, Node]
    base: Mapping[tuple[int, str], int]
    events: tuple[Event, ...]


class Disk:
    """A disk on which the events of a trace take effect one after the other, and its possible states.

    Args:
        trace: The trace.
        ignored: A site whose fsyncs do nothing.
    """

    def __init__(self, trace: Trace, ignored: str = "") -> None:
        self._trace = trace
        self._ignored = ignored
        self._names: list[tuple[Change, bool]] = []  # every change so far, and whether it is durable
        self._lost: set[int] = set()  # changes that no fsync saves any more
        self._data: dict[int, bytes] = {number: node.data for number, node in trace.nodes.items()}
        self._synced = dict(self._data)
        self._forgotten: set[int] = set()  # files that no fsync saves any more

    def apply(self, event: Event) -> bool:
        """Let an event take effect in the cache; return whether it may have changed what can be on the disk."""
        match event:
            case Change():
                self._names.append((event, False))
            case Write():
                held = self._data[event.node].ljust(event.offset, b"\0")
                self._data[event.node] = held[: event.offset] + event.data + held[event.offset + len(event.data) :]
            case Sync() if event.site != self._ignored:
                self._sync(event)
            case _:
                return False
        return True

    def everything(self) -> Tree:
        """What processes see: everything, as if it were durable."""
        return self._tree([change for change, _ in self._names], self._data)

    def states(self, random: Random, bound: int) -> Iterator[Tree]:
        """Yield states in which the last change of names is on the disk, if it is not durable, and some in which not.

        All of them where there are no more than `bound`; else that many, the extreme ones first, the rest at random.
        """
        pending = [place for place, (_, durable) in enumerate(self._names) if not durable]
        if 2 ** len(pending) <= bound:
            choices: Iterable[set[int]] = (
                {place for place, kept in zip(pending, bits, strict=True) if kept}
                for bits in product((False, True), repeat=len(pending))
            )
        else:
            choices = islice(_some(pending, random), bound)
        for kept in choices:
            held = self._closed(kept)
            changes = [change for place, (change, durable) in enumerate(self._names) if durable or place in held]
            yield from self._with_data(changes, random, bound)

    def _sync(self, event: Sync) -> None:
        node = event.node
        if self._trace.nodes[node].kind == FILE:
            if event.failed:
                self._forgotten.add(node)
            elif node not in self._forgotten:
                self._synced[node] = self._data[node]
            return
        for place, (change, _) in enumerate(self._names):
            if place not in self._lost and any(folder == node for folder, _, _ in change.places):
                if event.failed:
                    self._lost.add(place)
                else:
                    self._names[place] = (change, True)

    def _closed(self, kept: set[int]) -> set[int]:
        """Add what must be on the disk too, so that no folder has two names."""
        held = set(kept)
        wanted: set[int] = set()
        for place in range(len(self._names) - 1, -1, -1):
            change, durable = self._names[place]
            moved = {node for _, _, node in change.places if node and self._trace.nodes[node].kind == FOLDER}
            if durable or place in held or moved & wanted:
                held.add(place)
                wanted |= moved
        return held

    def _with_data(self, changes: list[Change], random: Random, bound: int) -> Iterator[Tree]:
        names = self._names_of(changes)
        open_ = [
            node for node in self._reachable(names) if node in self._data and self._data[node] != self._synced[node]
        ]
        variants = [list(_torn(self._synced[node], self._data[node], random)) for node in open_]
        total = 1
        for each in variants:
            total *= len(each)
        picks = product(*variants) if total <= bound else islice(_pick(variants, random), bound)
        for pick in picks:
            yield self._tree_of(names, {**self._synced, **dict(zip(open_, pick, strict=True))})

    def _names_of(self, changes: list[Change]) -> dict[int, dict[str, int]]:
        names: dict[int, dict[str, int]] = {}
        for (folder, name), node in self._trace.base.items():
            names.setdefault(folder, {})[name] = node
        for change in changes:
            for folder, name, node in change.places:
                if node is None:
                    names.setdefault(folder, {}).pop(name, None)
                else:
                    names.setdefault(folder, {})[name] = node
        return names

    def _reachable(self, names: Mapping[int, Mapping[str, int]]) -> list[int]:
        found, rest = dict.fromkeys([TOP]), [TOP]
        while rest:
            for node in names.get(rest.pop(), {}).values():
                if node not in found:
                    found[node] = None
                    rest.append(node)
        return [node for node in found if node != TOP and self._trace.nodes[node].kind == FILE]

    def _tree(self, changes: list[Change], data: Mapping[int, bytes]) -> Tree:
        return self._tree_of(self._names_of(changes), data)

    def _tree_of(self, names: Mapping[int, Mapping[str, int]], data: Mapping[int, bytes]) -> Tree:
        tree: dict[str, tuple[str, bytes]] = {}
        rest = [("", TOP)]
        while rest:
            lead, folder = rest.pop()
            for name, number in sorted(names.get(folder, {}).items()):
                node = self._trace.nodes[number]
                if node.kind == FOLDER:
                    rest.append((f"{lead}{name}/", number))
                content = data[number] if node.kind == FILE else node.target.encode()
                tree[lead + name] = (node.kind, content)
        return tree


def _some(pending: list[int], random: Random) -> Iterator[set[int]]:
    """None, all, all but one, one alone, prefixes; then others at random."""
    everything = set(pending)
    yield set()
    yield everything
    for place in pending:
        yield everything - {place}
        yield {place}
    while True:
        share = random.random()
        yield {place for place in pending if random.random() < share}


def _torn(before: bytes, after: bytes, random: Random) -> Iterator[bytes]:
    """What may be on the disk of a file whose last writes were not synced."""
    yield before
    yield after
    yield after[: len(after) // 2]
    yield before[: len(after)].ljust(len(after), b"\0")
    yield before[: len(after)] + random.randbytes(max(0, len(after) - len(before)))
    block = max(1, min(512, len(after) // 8))
    old = before.ljust(len(after), b"\0")
    yield b"".join(
        (after if random.random() < 0.5 else old)[start : start + block] for start in range(0, len(after), block)
    )


def _pick(variants: list[list[bytes]], random: Random) -> Iterator[tuple[bytes, ...]]:
    """Each way to lose data for all files at once, each for one file alone, then mixtures."""
    kinds = len(variants[0])
    for kind in range(kinds):
        yield tuple(each[kind] for each in variants)
    for place, each in enumerate(variants):
        kept = [other[1] for other in variants]
        for torn in (each[0], random.choice(each[2:])):
            yield (*kept[:place], torn, *kept[place + 1 :])
    while True:
        yield tuple(random.choice(each) for each in variants)


def digest(tree: Tree) -> bytes:
    """Return what tells trees apart."""
    seen = hashlib.sha256()
    for path in sorted(tree):
        kind, content = tree[path]
        seen.update(f"{path}\0{kind}\0{len(content)}\0".encode())
        seen.update(content)
    return seen.digest()


def lay_out(tree: Tree, folder: Path) -> None:
    """Make a folder of a tree."""
    for path in sorted(tree):
        kind, content = tree[path]
        place = os.path.join(folder, path)
        if kind == FOLDER:
            os.mkdir(place)
        elif kind == LINK:
            os.symlink(content.decode(), place)
        else:
            with open(place, "xb", buffering=0) as file:
                file.write(content)
