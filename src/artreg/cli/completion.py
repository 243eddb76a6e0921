"""Shell completion: commands, options, models, versions and aliases; whatever goes wrong, it offers nothing.

Typer writes the script that a shell loads (`artreg --install-completion`); what that script asks at each key stroke is
answered here without loading Typer, in the form that the script expects.
"""

from __future__ import annotations

import contextlib
import os
import re

from artreg.cli.declare import COMMON, COMMON_FLAGS, Argument, Option, Parameter, parameters_of
from artreg.cli.session import Session, open_session
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.core.names import ModelName
from artreg.errors import ArtregError
from artreg.registry.versions import list_aliases, list_models, list_numbers, list_projects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

_HARMLESS = r"[A-Za-z0-9][A-Za-z0-9@:/._-]*"
"""Words that mean nothing to a shell; what else a registry holds is not offered, for zsh runs what it is told."""

Offer = tuple[str, str]
"""A word, and what it means, or ''."""


def answer(shell: str, environment: Mapping[str, str]) -> tuple[str, int] | None:
    """Return what the completion script of a shell is to be told, and the exit code; None of a shell not known here."""
    import shlex

    if shell not in {"bash", "zsh", "fish"}:
        return None
    line = environment.get("COMP_WORDS" if shell == "bash" else "_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:
        return "", 0
    if shell == "bash":
        told = environment.get("COMP_CWORD", "")
        cursor = int(told) if re.fullmatch("[0-9]{1,6}", told) else 0
        before, incomplete = words[1:cursor], words[cursor] if cursor < len(words) else ""
    else:
        open_word = len(words) > 1 and not line.endswith(" ")
        before, incomplete = (words[1:-1], words[-1]) if open_word else (words[1:], "")
    offers = offers_for(before, incomplete)
    if shell == "fish" and environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return "", 0 if offers else 1
    return _FORMS[shell](offers), 0


def offers_for(before: list[str], incomplete: str) -> list[Offer]:
    """Return what may stand where the cursor is.

    Args:
        before: The words before it, without the program's name.
        incomplete: What of the word in question is there already.
    """
    level: Mapping[str, Entry | Group] = COMMANDS
    common: dict[str, Any] = {}
    rest = before[::-1]
    while rest:
        word = rest.pop()
        if word.startswith("-"):
            key = _common_with_value(word)
            if key and not rest:
                return _values(COMMON[key].complete, common, {}, incomplete)
            if key:
                common[key] = rest.pop()
            continue
        entry = level.get(word)
        if isinstance(entry, Entry):
            return _inside(parameters_of(entry.load()), rest, common, incomplete)
        if entry is None:
            return []
        level = entry.entries
    options = [*COMMON.values(), *COMMON_FLAGS.values()]
    if incomplete.startswith("-"):
        return _starting(_named(options), incomplete)
    return _starting([(name, _about(entry)) for name, entry in level.items()], incomplete)


def offered(name: str, common: dict[str, Any], params: Mapping[str, Any], incomplete: str) -> list[str]:
    """Return the words that a function of this module offers.

    Args:
        name: The function.
        common: What the common options say.
        params: What the command was given so far.
        incomplete: What the words must begin with.
    """
    return [word for word, _ in _values(name, common, params, incomplete)]


def projects(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer projects."""
    yield from list_projects(session.registry.store)


def models(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer models: those of the configured project by their short names too."""
    return (name for name, _ in _names(session))


def versions(session: Session, params: Mapping[str, Any]) -> Iterator[str]:
    """Offer the versions and aliases of the model named before."""
    return _targets(session, session.model(params["model"]))


def aliases(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer the aliases of every model."""
    for model in list_models(session.registry.store):
        yield from list_aliases(session.registry.store, model)


def policy_aliases(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer the aliases that the policy names."""
    return iter(session.policy.aliases)


def references(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer `model@version` and `model@alias`."""
    for name, model in _names(session):
        yield from (f"{name}@{target}" for target in _targets(session, model))


def snapshots(session: Session, _: Mapping[str, Any]) -> Iterator[str]:
    """Offer the data snapshots, and the names of datasets."""
    from artreg.registry.snapshots import list_snapshots

    for snapshot in list_snapshots(session.registry):
        yield snapshot.name
        yield snapshot.ref.short


_OFFERS: Mapping[str, Callable[[Session, Mapping[str, Any]], Iterator[str]]] = {
    "projects": projects,
    "models": models,
    "versions": versions,
    "aliases": aliases,
    "policy_aliases": policy_aliases,
    "references": references,
    "snapshots": snapshots,
}


def _values(name: str, common: dict[str, Any], params: Mapping[str, Any], incomplete: str) -> list[Offer]:
    with contextlib.suppress(ArtregError, OSError, KeyError):
        words = {word for word in _OFFERS[name](open_session(common), params) if word.startswith(incomplete)}
        return [(word, "") for word in sorted(words) if re.fullmatch(_HARMLESS, word)]
    return []


def _inside(parameters: list[Parameter], rest: list[str], common: dict[str, Any], incomplete: str) -> list[Offer]:
    """Return what may stand after a command's name and the words of `rest`, the last of which comes first."""
    options = {name: it for it in parameters if isinstance(it.marker, Option) for name in it.marker.names}
    positional = [it for it in parameters if isinstance(it.marker, Argument)]
    params: dict[str, Any] = {}
    while rest:
        word = rest.pop()
        key, option = _common_with_value(word), options.get(word)
        if key and rest:
            common[key] = rest.pop()
        elif key:
            return _values(COMMON[key].complete, common, params, incomplete)
        elif option is not None and option.kind is not bool:
            if not rest:
                return _choices(option, common, params, incomplete)
            params[option.name] = rest.pop()
        elif not word.startswith("-") and positional:
            params[positional.pop(0).name] = word
    if incomplete.startswith("-"):
        own = [it.marker for it in options.values() if isinstance(it.marker, Option)]
        return _starting(_named([*own, *COMMON.values(), *COMMON_FLAGS.values()]), incomplete)
    return _choices(positional[0], common, params, incomplete) if positional else []


def _choices(parameter: Parameter, common: dict[str, Any], params: Mapping[str, Any], incomplete: str) -> list[Offer]:
    members = getattr(parameter.kind, "__members__", {})
    if members:
        return _starting([(str(member.value), "") for member in members.values()], incomplete)
    return _values(parameter.marker.complete, common, params, incomplete)


def _common_with_value(word: str) -> str:
    return next((key for key, option in COMMON.items() if word in option.names), "")


def _named(options: list[Option]) -> list[Offer]:
    return [("--help", "Show this message and exit."), *((it.name, it.help) for it in options)]


def _about(entry: Entry | Group) -> str:
    """The first line of what help says; loading every command for it would take too long."""
    return entry.help if isinstance(entry, Group) else ""


def _starting(offers: list[Offer], incomplete: str) -> list[Offer]:
    return list(dict.fromkeys(offer for offer in offers if offer[0].startswith(incomplete)))


def _names(session: Session) -> Iterator[tuple[str, ModelName]]:
    for model in list_models(session.registry.store):
        yield str(model), model
        if model.project == session.settings.project:
            yield model.model, model


def _targets(session: Session, model: ModelName) -> Iterator[str]:
    store = session.registry.store
    yield from list_aliases(store, model)
    yield from (str(number) for number in list_numbers(store, model))


def _for_bash(offers: list[Offer]) -> str:
    return "\n".join(word for word, _ in offers)


def _for_zsh(offers: list[Offer]) -> str:
    shown = [f'"{_escaped(word)}"' + (f':"{_escaped(meaning)}"' if meaning else "") for word, meaning in offers]
    return f"_arguments '*: :(({os.linesep.join(shown)}))'" if shown else "_files"


def _escaped(text: str) -> str:
    for plain, escaped in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", "\\\\:")):
        text = text.replace(plain, escaped)
    return text


def _for_fish(offers: list[Offer]) -> str:
    return "\n".join(f"{word}\t{meaning}" if meaning else word for word, meaning in offers)


_FORMS: Mapping[str, Callable[[list[Offer]], str]] = {"bash": _for_bash, "zsh": _for_zsh, "fish": _for_fish}
