"""Settings: flag, then `ARTREG_*` in the environment, then `configs/artreg.yaml`, then the default.

This file is read by every command, so it is checked by hand: pydantic would cost more than a whole `artreg resolve`,
and so would a YAML parser, which is why lines that need none are read without.
"""

from __future__ import annotations

import os
import re

from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.plainfile import is_trouble, read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_FILE = "configs/artreg.yaml"
POLICY_FILE = "configs/policy.yaml"
HOOKS_FILE = "configs/hooks.yaml"

_PLAIN_LINE = r"(?P<key>[a-z_]+): +(?P<value>[A-Za-z/][A-Za-z0-9_/.-]*(?::[A-Za-z0-9_/.-]+)*) *(?: #.*)?"
_SMALL = 4096  # bytes; a longer file is not worth the shortcut
_NO_TEXT = {"null", "true", "false"}
_USER_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")


class Settings(Frozen):
    """What a command goes by unless told otherwise.

    Attributes:
        registry: The root: a path or a URL.
        project: Where a model without a project lies.
        model: Which model is meant where none is named, if that is set.
        policy: The policy file, if one is named.
        actor: Who acts; by default user@host.
        endpoint_url: Where an S3 service other than Amazon's answers, if not in AWS_ENDPOINT_URL.
        signing_key: The SSH key that signs: versions, and moves of aliases.
        allowed_signers: The OpenSSH allowed signers file that says whose signatures count.
        seen: Where to remember which records of aliases were seen, so that none can go back: a folder, or auto.
        moved_by: Who must have signed the move of an alias for it to be believed, with commas between several.
        max_age: How long ago an alias may have been moved or confirmed at most: 24h, 7d.
        storage_timeout: How long a bucket may stay silent, such as 30s.
        storage_budget: How long a bucket that gives no proper answer is asked again, such as 2m.
        cache: Where files that were fetched are kept: a folder, auto (one of the user's own), or off.
        cache_size: How much the cache is to hold at most, such as 20GiB.
        offline: Whether the registry is not to be asked where the cache can answer: yes or no.
        hooks: The file that says who is told of moves, if another than configs/hooks.yaml.
    """

    registry: str = "registry"
    project: str = "demo"
    model: str | None = None
    policy: str | None = None
    actor: str | None = None
    endpoint_url: str | None = None
    signing_key: str | None = None
    allowed_signers: str | None = None
    seen: str | None = None
    moved_by: str | None = None
    max_age: str | None = None
    storage_timeout: str | None = None
    storage_budget: str | None = None
    cache: str = "auto"
    cache_size: str = "20GiB"
    offline: str = "no"
    hooks: str | None = None


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], folder: str = "") -> Settings:
    """Put the settings together.

    Args:
        flags: What the command line said; None where it said nothing.
        environment: The environment; `ARTREG_REGISTRY` and so on; an empty value counts as none.
        folder: Where `configs/artreg.yaml` is looked for; by default the present one.

    Raises:
        InvalidInput: The file cannot be read, or says something unknown.
    """
    values = _from_file(os.path.join(folder, SETTINGS_FILE))
    for name in Settings.__match_args__:
        for value in (environment.get(f"ARTREG_{name.upper()}"), flags.get(name)):
            if value:
                values[name] = value
    return Settings(**values)


def origin(name: str, flags: Mapping[str, str | None], environment: Mapping[str, str], folder: str = "") -> str:
    """Return what said what a setting is: the flag, the variable, the file, or `default`; the same arguments."""
    if flags.get(name):
        return f"--{name}"
    if environment.get(variable := f"ARTREG_{name.upper()}"):
        return variable
    return SETTINGS_FILE if name in _from_file(os.path.join(folder, SETTINGS_FILE)) else "default"


def described() -> list[tuple[str, str, str]]:
    """Return each setting with its default, or '', and what it is."""
    told = re.findall(r"^ +([a-z_]+): (.+)$", Settings.__doc__ or "", re.MULTILINE)
    defaults = Settings()
    return [(name, getattr(defaults, name) or "", meaning) for name, meaning in told]


def default_actor() -> str:
    """Return user@host as far as the system knows them."""
    user = next((os.environ[name] for name in _USER_VARIABLES if os.environ.get(name)), "") or _account()
    if hasattr(os, "uname"):
        return f"{user}@{os.uname().nodename}"
    import socket

    return f"{user}@{socket.gethostname()}"


def _account() -> str:
    """Return the name of the account that runs this process, as `getpass.getuser` finds it."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def plain_settings(text: str) -> dict[str, str] | None:
    """Return what a settings file says whose every line is `key: word`; None if it takes a YAML parser to tell."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip(" ") or line.startswith("#"):
            continue
        match = re.fullmatch(_PLAIN_LINE, line)
        if match is None or match["key"] in values or match["value"].lower() in _NO_TEXT:
            return None
        values[match["key"]] = match["value"]
    return values


def _from_file(path: str) -> dict[str, str]:
    try:
        plain = plain_settings(read_plain(path, _SMALL).decode("ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and is_trouble(error):
            raise
        plain = None
    if plain is None or not set(plain) <= set(Settings.__match_args__):
        return _from_yaml(path)
    return plain


def _from_yaml(path: str) -> dict[str, str]:
    """Read what people write in all its forms, and say what is wrong with it."""
    from pathlib import Path

    from artreg.core.near import did_you_mean, near
    from artreg.yamldoc import read_yaml

    known = Settings.__match_args__
    document = read_yaml(Path(path), "settings file")
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InvalidInput(f"{path} is not a mapping", hint=f"it may hold {', '.join(known)}")
    for key, value in document.items():
        if key not in known:
            found = near(str(key), known)
            raise InvalidInput(
                f"{path}: {key!r} is an unknown key",
                hint=did_you_mean(found) or f"it may hold {', '.join(known)}",
                suggestions=found,
            )
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"{path}: {key} must be text")
    return document
