"""Settings: flag, then `ARTREG_*` in the environment, then `configs/artreg.yaml`, then the default.

This file is read by every command, so it is checked by hand: pydantic would cost more than a whole `artreg resolve`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from artreg.errors import InvalidInput
from artreg.yamldoc import read_yaml

SETTINGS_FILE = Path("configs/artreg.yaml")
POLICY_FILE = Path("configs/policy.yaml")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command goes by unless told otherwise.

    Attributes:
        registry: The root: a path or a URL.
        project: Where a model without a project lies.
        model: Which model is meant where none is named, if that is set.
        policy: The policy file, if one is named.
        actor: Who acts; by default user@host.
        endpoint_url: Where an S3 service other than Amazon's answers, if not in AWS_ENDPOINT_URL.
    """

    registry: str = "registry"
    project: str = "demo"
    model: str | None = None
    policy: str | None = None
    actor: str | None = None
    endpoint_url: str | None = None


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], folder: Path) -> Settings:
    """Put the settings together.

    Args:
        flags: What the command line said; None where it said nothing.
        environment: The environment; `ARTREG_REGISTRY` and so on; an empty value counts as none.
        folder: Where `configs/artreg.yaml` is looked for.

    Raises:
        InvalidInput: The file cannot be read, or says something unknown.
    """
    values: dict[str, str] = dict(_from_file(folder / SETTINGS_FILE))
    for field in fields(Settings):
        for value in (environment.get(f"ARTREG_{field.name.upper()}"), flags.get(field.name)):
            if value:
                values[field.name] = value
    return Settings(**values)


def default_actor() -> str:
    """Return user@host as far as the system knows them."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def _from_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    known = [field.name for field in fields(Settings)]
    document = read_yaml(path, "settings file")
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InvalidInput(f"{path} is not a mapping", hint=f"it may hold {', '.join(known)}")
    for key, value in document.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            raise InvalidInput(
                f"{path}: {key!r} is an unknown key",
                hint=f"did you mean {near[0]}?" if near else f"it may hold {', '.join(known)}",
            )
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"{path}: {key} must be text")
    return document
