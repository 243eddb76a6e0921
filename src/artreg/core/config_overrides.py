"""Overrides of a training config, such as `--set model.max_iter=50`, laid over what the file says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from artreg.core.scalars import parse_scalar
from artreg.core.validation import invalid
from artreg.errors import InvalidInput

HINT = "correct the config or the --set that says so"


def with_overrides(document: Mapping[str, object], overrides: Sequence[str]) -> dict[str, object]:
    """Return a config document with other values in some places.

    Args:
        document: The document; it stays as it is.
        overrides: `dotted.key=value` texts; a value is a YAML scalar, or a JSON list.

    Raises:
        InvalidInput: One is not of that form, or leads through what is no section.
    """
    result = dict(document)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not all(key.split(".")):
            raise InvalidInput(
                "an override must look like section.key=value", hint="for example --set model.max_iter=50"
            )
        _set(result, key, _override_value(key, text))
    return result


def _set(target: dict[str, object], key: str, value: object) -> None:
    *sections, last = key.split(".")
    for depth, section in enumerate(sections):
        inner = target.get(section, {})
        if not isinstance(inner, Mapping):
            raise invalid([f"{'.'.join(sections[: depth + 1])}: is not a section, so {key} cannot be set"], hint=HINT)
        target[section] = target = dict(inner)
    target[last] = value


def _override_value(key: str, text: str) -> object:
    text = text.strip()
    if text[:1] not in ('"', "["):
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "'" else parse_scalar(text)
    try:
        return json.loads(text)
    except ValueError:
        raise invalid([f"{key}: the value after = is not a closed string or list"], hint=HINT) from None
