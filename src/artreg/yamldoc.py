"""YAML that people write, read strictly, and written so that it reads back the same.

Only YAML 1.2's plain scalars are known (`core.scalars`), so `1e-3` is a number, `no` is text, and nothing turns into a
date. Aliases, duplicate keys, tags and oversized files are refused. What other tools write goes by YAML 1.1, since that
is what they read it back by; all else is refused there too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from artreg.core.scalars import PLAIN_SCALARS, parse_scalar
from artreg.errors import InvalidInput
from artreg.plainfile import is_trouble, read_plain

MAX_BYTES = 256 * 1024
"""No file that a person writes for artreg is larger; one that is was meant for something else."""

_MOST_NODES = 20_000  # values and keys; PyYAML takes a second for some ten thousand
_MOST_LEVELS = 64

_FIRST_CHARACTERS = {
    "null": ["~", "n", "N", ""],
    "bool": list("tTfF"),
    "int": list("-+0123456789"),
    "float": list("-+.0123456789"),
}  # PyYAML looks resolvers up by the first character


def read_yaml(path: Path, what: str) -> object:
    """Read one YAML file into plain values.

    Args:
        path: The file.
        what: What kind of file it is, for errors.

    Raises:
        InvalidInput: It cannot be read, is too large, or is no YAML.
    """
    try:
        data = read_plain(path, MAX_BYTES)
    except FileNotFoundError:
        raise InvalidInput(f"there is no {what} {path}", hint=_nearby(path), path=str(path)) from None
    except OSError as error:
        if is_trouble(error):
            raise
        reason = error.strerror or type(error).__name__
        raise InvalidInput(f"{what} {path} cannot be read: {reason}", hint=f"name a readable {what}") from None
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes, name: str, *, by_others: bool = False) -> object:
    """Read one YAML document into plain values.

    Args:
        data: The document.
        name: What errors call it.
        by_others: Whether another tool wrote it, and so by YAML 1.1: there `1e3` is text, as such a tool's ids may be.

    Raises:
        InvalidInput: With the line and the column.
    """
    return _parse(data, name, _Older if by_others else _Loader)


def parse_texts(data: bytes, name: str) -> object:
    """Read one YAML document in which every scalar is text, whatever it looks like (YAML's failsafe schema).

    For what another tool wrote by YAML 1.1, which leaves `12e4567` without quotes.

    Raises:
        InvalidInput: With the line and the column.
    """
    return _parse(data, name, _TextLoader)


def _parse(data: bytes, name: str, loader: type[_Bounded]) -> object:
    try:
        return yaml.load(data.decode("utf-8"), Loader=loader)  # noqa: S506 (SafeLoaders)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        line = {"line": mark.line + 1} if mark else {}
        raise InvalidInput(f"{name}{where}: {error.problem}", hint="correct the YAML there", **line) from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name} is not YAML: {error}", hint="remove characters that do not print") from None
    except (ValueError, OverflowError):  # PyYAML's own: a sign or a number of a version that cannot be
        raise InvalidInput(f"{name} is not YAML: an escape names no sign", hint="correct the YAML there") from None
    except RecursionError:
        raise InvalidInput(f"{name} is nested too deeply", hint="a config has two levels") from None


def key_lines(data: bytes) -> dict[str, int]:
    """Return the line on which each key of a document's outermost mapping stands; the document can be read."""
    node = yaml.compose(data.decode("utf-8"), Loader=_Loader)
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: key.start_mark.line + 1 for key, _ in pairs}


def dump_yaml(document: object) -> bytes:
    """Write plain values as YAML in the order in which they stand; what it gives reads back the same."""
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=False, default_flow_style=False, width=10_000
    )
    return text.encode("ascii")


def dump_portable_yaml(document: object) -> bytes:
    """Write plain values as YAML that readers of YAML 1.1 and of 1.2 understand alike, in the order of the keys."""
    text = yaml.dump(
        document, Dumper=_PortableDumper, sort_keys=False, allow_unicode=False, default_flow_style=False, width=10_000
    )
    return text.encode("ascii")


def _nearby(path: Path) -> str:
    try:
        found = sorted(name for name in os.listdir(path.parent) if name.endswith(".yaml"))[:5]
    except OSError:
        found = []
    return f"{path.parent} holds {', '.join(found)}" if found else "name a file that is there"


_MEANT_ELSEWHERE = {"tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"}  # PyYAML gives keys of these tags a meaning


class _Bounded(yaml.SafeLoader):
    _nodes = _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._nodes, self._depth = self._nodes + 1, self._depth + 1
        if self.check_event(yaml.AliasEvent):
            self._refuse("aliases are not allowed here")
        if self._depth > _MOST_LEVELS:
            self._refuse(f"this is nested too deeply: {_MOST_LEVELS} levels are enough")
        if self._nodes > _MOST_NODES:
            self._refuse(f"no file that a person writes has more than {_MOST_NODES:,} values")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _refuse(self, problem: str) -> NoReturn:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML has no types for it
        raise yaml.composer.ComposerError(None, None, problem, mark)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag in _MEANT_ELSEWHERE:
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Loader(_Bounded):
    """YAML 1.2's plain scalars, set below."""


class _Older(_Bounded):
    """YAML 1.1's plain scalars, but no dates."""


class _TextLoader(_Loader):
    """Texts alone, set below."""


_Older.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _PortableDumper(yaml.SafeDumper):  # with the resolvers of YAML 1.1, besides those below
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> object:
    return parse_scalar(str(loader.construct_scalar(node)))


# None of YAML 1.1's; and a dumper that knows the loader's resolvers quotes exactly what would not come back as text.
_Loader.yaml_implicit_resolvers = {}
_Dumper.yaml_implicit_resolvers = {}
_TextLoader.yaml_implicit_resolvers = {}
_Loader.yaml_constructors = {
    tag: make
    for tag, make in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in ("str", "seq", "map")
}
for _name, _pattern in PLAIN_SCALARS.items():
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    for _class in (_Loader, _Dumper, _PortableDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _whole, _FIRST_CHARACTERS[_name])
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _scalar)
