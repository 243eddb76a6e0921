"""`tree`: what a registry holds, as a tree."""

from __future__ import annotations

from itertools import groupby

from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Block, Line, Spans, Tone
from artreg.core.wording import human_bytes, plural
from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.registry.branches import Branch, branches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Annotated, Any

    from artreg.registry.catalog import VersionSummary

    Parts = tuple[tuple[str, Tone], ...]

_MODELS, _VERSIONS, _FILES = 2, 3, 4


class Node(Frozen):
    """A thing in the tree: what is said of it, and what is below it."""

    parts: Parts
    below: tuple[Node, ...] = ()


def tree(
    session: Session,
    model: Annotated[str | None, Argument(help="[PROJECT/]MODEL; all by default", complete="models")] = None,
    depth: Annotated[
        int | None,
        Option("--depth", "-d", least=1, help="1 projects, 2 models, 3 versions, 4 files; by default 3 or 4"),
    ] = None,
) -> None:
    """Draw projects, models, versions and files as a tree, with aliases, sizes, and what is yanked or damaged.

    Of one model its files are drawn too. Damaged is what the last verification found that was recorded
    (artreg verify --record).

    Examples: artreg tree; artreg tree churn; artreg tree --depth 2; artreg tree churn --json
    """
    deep = depth or (_VERSIONS if model is None else _FILES)
    if deep > _FILES:
        raise InvalidInput(f"{deep} is too deep: below files there is nothing", hint=f"{_FILES} shows files")
    found = branches(session.registry, None if model is None else session.model(model), deep=deep >= _VERSIONS)
    url = session.registry.store.url
    session.output.result(
        lambda: {"registry": url, "projects": [_project_document(*pair, deep) for pair in _by_project(found)]},
        lambda: _view(url, found, deep),
    )


def drawn(nodes: Sequence[Node], lead: str = "") -> Iterator[Parts]:
    """Yield the lines of nodes and of all that is below them."""
    for node in nodes:
        last = node is nodes[-1]
        yield ((f"{lead}{'└─ ' if last else '├─ '}", Tone.DIM), *node.parts)
        yield from drawn(node.below, lead + ("   " if last else "│  "))


def _view(url: str, found: Sequence[Branch], deep: int) -> list[Block]:
    nodes = [
        Node(((project, Tone.STRONG),), tuple(_model(one, deep) for one in models) if deep >= _MODELS else ())
        for project, models in _by_project(found)
    ]
    versions = [version for one in found for version in one.summary.versions]
    size = human_bytes(sum(version.bytes for version in versions))
    total = f"{plural(len(found), 'model')}, {plural(len(versions), 'version')}, {size}"
    return [Line(url), *(Spans(line) for line in drawn(nodes)), Line(total, Tone.DIM)]


def _by_project(found: Sequence[Branch]) -> Iterator[tuple[str, list[Branch]]]:
    for project, models in groupby(found, lambda one: one.summary.model.project):
        yield project, list(models)


def _model(branch: Branch, deep: int) -> Node:
    summary = branch.summary
    size = human_bytes(sum(version.bytes for version in summary.versions))
    about = f"  {plural(len(summary.versions), 'version')}, {size}"
    held = "".join(f"  @{alias} {version}" for alias, version in summary.aliases.items()) if deep == _MODELS else ""
    parts = ((summary.model.model, Tone.STRONG), (about, Tone.DIM), (held, Tone.GOOD))
    if deep < _VERSIONS:
        return Node(parts)
    below = [_version(branch, version, deep) for version in summary.versions]
    below += [
        Node(((number, Tone.PLAIN), ("  unfinished", Tone.CARE)), _files(files) if deep == _FILES else ())
        for number, files in branch.unfinished.items()
    ]
    return Node(parts, tuple(below))


def _version(branch: Branch, version: VersionSummary, deep: int) -> Node:
    number = str(version.version)
    parts: list[tuple[str, Tone]] = [(number, Tone.PLAIN), (f"  {human_bytes(version.bytes)}", Tone.DIM)]
    parts += [(f"  @{alias}", Tone.GOOD) for alias in version.aliases]
    found = branch.damaged.get(number)
    parts += [("  DAMAGED", Tone.BAD), (f" as of {found}", Tone.PLAIN)] if found else []
    parts += [("  yanked", Tone.BAD), (f": {version.yanked}", Tone.PLAIN)] if version.yanked else []
    return Node(tuple(parts), _files(branch.files.get(number, {})) if deep == _FILES else ())


def _files(files: Mapping[str, int]) -> tuple[Node, ...]:
    return tuple(Node(((name, Tone.PLAIN), (f"  {human_bytes(size)}", Tone.DIM))) for name, size in files.items())


def _project_document(project: str, models: Sequence[Branch], deep: int) -> dict[str, Any]:
    below = {"models": [_model_document(one, deep) for one in models]} if deep >= _MODELS else {}
    return {"project": project, **below}


def _model_document(branch: Branch, deep: int) -> dict[str, Any]:
    summary = branch.summary
    document: dict[str, Any] = {
        "model": summary.model.model,
        "bytes": sum(version.bytes for version in summary.versions),
        "aliases": {alias: str(version) for alias, version in summary.aliases.items()},
    }
    if deep >= _VERSIONS:
        document["versions"] = [_version_document(branch, version, deep) for version in summary.versions]
        document["unfinished"] = list(branch.unfinished)
    return document


def _version_document(branch: Branch, version: VersionSummary, deep: int) -> dict[str, Any]:
    number = str(version.version)
    files = branch.files.get(number, {})
    return {
        "version": number,
        "bytes": version.bytes,
        "aliases": list(version.aliases),
        "yanked": version.yanked or None,
        "damaged": branch.damaged.get(number),
        **({"files": dict(files)} if deep == _FILES else {}),
    }
