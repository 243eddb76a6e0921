"""What every command works with: settings, output, the registry, and the options that all commands share."""

from __future__ import annotations

import os
from functools import cached_property

from artreg.cli.output import Output, choose_output
from artreg.cli.settings import HOOKS_FILE, POLICY_FILE, Settings, default_actor, load_settings
from artreg.core.names import Alias, ModelName, Reference
from artreg.errors import InvalidInput, NotFound
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.store.factory import open_store
from artreg.store.options import StorageOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path
    from typing import Any

    from artreg.consuming.cache import Cache
    from artreg.consuming.handle import Consumer
    from artreg.core.allowed_signers import SignedBy
    from artreg.core.policy import Policy
    from artreg.core.record import PromotionRecord
    from artreg.registry.demands import Demands
    from artreg.registry.seen import Memory

_MODELS_ASKED = 100
"""For an alias that somebody may have meant; there may be very many."""


_YES, _NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}


class Session:
    """One run of the command line.

    Args:
        flags: What the command line says of the settings.
        output: Where it prints.

    Attributes:
        moves: The records that it has committed, of which the hooks are to be told.
    """

    def __init__(self, flags: dict[str, str | None], output: Output) -> None:
        self.flags = flags
        self.output = output
        self.moves: list[PromotionRecord] = []

    @cached_property
    def settings(self) -> Settings:
        """What it goes by."""
        return load_settings(self.flags, os.environ)

    @property
    def named_root(self) -> str | None:
        """The registry's root, where the command line or the environment names one."""
        return self.flags.get("registry") or os.environ.get("ARTREG_REGISTRY")

    @cached_property
    def registry(self) -> Registry:
        """The registry, opened."""
        return self.open(self.settings.registry)

    def work_on(self, root: str) -> None:
        """Let the registry be another one than in the settings, before it is first asked for."""
        self.settings = replace(self.settings, registry=root)

    def open(self, url: str) -> Registry:
        """Return the registry at a root, reached as the settings say."""
        actor, key = self.settings.actor or default_actor(), self.settings.signing_key
        own = url == self.settings.registry  # what is remembered is of that one, and hooks are told of it alone
        demands, moves = (self._demands(), self.moves) if own else (None, None)
        store = open_store(url, _storage_options(self.settings))
        return Registry(store, actor, signing_key=key, demands=demands, noted=moves)

    @cached_property
    def memory(self) -> Memory | None:
        """What was seen of the registry, if it is remembered."""
        if not self.settings.seen:
            return None
        from artreg.registry.seen import memory

        return memory(self.settings.seen, self.settings.registry, self.settings.endpoint_url)

    @property
    def hooks_file(self) -> str | None:
        """The file that says which hooks there are; None if there is none."""
        return self.settings.hooks or (HOOKS_FILE if os.path.exists(HOOKS_FILE) else None)

    @property
    def place(self) -> str:
        """What the registry is called on this machine."""
        from artreg.registry.seen import place_of

        return place_of(self.settings.registry, self.settings.endpoint_url)

    def cache(self) -> Cache | None:
        """Return the cache of the settings, None if there is to be none for this registry."""
        from artreg.consuming.cache import find_cache

        local = self.registry.store.local_path("x") is not None
        return find_cache(self.settings.cache, self._cache_size(), local=local)

    def any_cache(self, size: str | None = None) -> Cache:
        """Return the cache of the settings, whatever the registry.

        Args:
            size: How much it is to hold, if not what the settings say.

        Raises:
            InvalidInput: The settings say that there is to be none.
        """
        from artreg.consuming.cache import find_cache

        found = find_cache(self.settings.cache, self._cache_size() if size is None else _bytes("--max-size", size))
        if found is None:
            raise InvalidInput("there is no cache: it is off, or you have no home", hint="name one: ARTREG_CACHE")
        return found

    def _cache_size(self) -> int:
        return _bytes("cache_size", self.settings.cache_size)

    def outside(self, path: Path) -> Path:
        """Return a path that something is to be written to, if it does not lie in the registry.

        Raises:
            InvalidInput: It does: what lies there would be taken for a part of it.
        """
        inside = self.registry.store.local_path("x")
        if inside is not None and os.path.realpath(path).startswith(f"{os.path.realpath(inside.parent)}{os.sep}"):
            raise InvalidInput(
                f"{path} lies in the registry, where only what is published may lie", hint="name a place outside of it"
            )
        return path

    def consumer(self, *, no_cache: bool = False, offline: bool = False) -> Consumer:
        """Return the registry with what is kept of it on this machine."""
        from artreg.consuming.handle import Consumer

        return Consumer(
            self.registry,
            None if no_cache else self.cache(),
            self.place,
            offline or _is_yes("offline", self.settings.offline),
        )

    def _demands(self) -> Demands | None:
        settings = self.settings
        if not (settings.seen or settings.moved_by or settings.max_age):
            return None
        from artreg.registry.demands import Demands

        names = [name.strip() for name in (settings.moved_by or "").split(",") if name.strip()]
        return Demands(
            self.memory,
            self.signed_by(names, None),
            _duration("max_age", settings.max_age, "24h or 7d") if settings.max_age else None,
        )

    @cached_property
    def policy(self) -> Policy:
        """The policy that holds: the registry's own if it has one, else the local one."""
        stored = self._stored_policy()
        if stored is None:
            return self.local_policy()
        if self.settings.policy and self.local_policy().digest != stored.digest:
            self.output.note(f"the registry's own policy holds, not {self.settings.policy}; see artreg policy show")
        return stored

    def policy_now(self) -> str:
        """Return the digest of the policy that holds at this moment, read anew."""
        return (self._stored_policy() or self.local_policy()).digest

    def local_policy(self) -> Policy:
        """Return the policy that is named, else that of `configs/policy.yaml`, else the built-in one."""
        from artreg.core.policy import DEFAULT_POLICY, parse_policy, policy_of

        file = self.settings.policy or (POLICY_FILE if os.path.isfile(POLICY_FILE) else "")
        if not file:
            return policy_of(DEFAULT_POLICY)
        from pathlib import Path

        from artreg.yamldoc import read_yaml

        return parse_policy(read_yaml(Path(file), "policy file"), file)

    def _stored_policy(self) -> Policy | None:
        from artreg.registry.stored_policy import stored_policy

        stored = stored_policy(self.registry)
        return None if stored is None else stored.policy

    def sign_with(self, key: Path | None) -> None:
        """Let the actor sign moves with a key, if one is given, instead of the one in the settings."""
        if key is not None:
            self.settings = replace(self.settings, signing_key=str(key))

    def signed_by(self, names: list[str], file: Path | str | None, public_key: Path | None = None) -> SignedBy | None:
        """Return whose signature is demanded: of the names given, else of anybody in the file given; None of nobody.

        Args:
            names: Whose.
            file: An allowed signers file.
            public_key: The one key that counts, whosesoever it is.

        Raises:
            InvalidInput: Nothing says by which keys the names are known.
        """
        if not names and file is None and public_key is None:
            return None
        from artreg.core.allowed_signers import AllowedSigners, SignedBy
        from artreg.registry.signing import read_public_key, read_signed_by

        if public_key is None:
            return read_signed_by(names, file or self.settings.allowed_signers)
        if names or file is not None:
            raise InvalidInput("--public-key stands alone", hint="an allowed signers file can name its owner")
        return SignedBy(AllowedSigners((f"* {read_public_key(public_key)}",)))

    def model(self, text: str) -> ModelName:
        """Return the model that a person means by `text`."""
        name, at, version = text.partition("@")
        if at:
            hint = f"write {name[:100]}, and {version[:100]} apart where a version is asked for"
            raise InvalidInput(f"{text[:200]!r} is a reference; a model stands here alone", hint=hint)
        return ModelName.parse(text, self.settings.project)

    def reference(self, text: str, consumer: Consumer | None = None) -> Reference:
        """Return the reference that a person means by `text`; a bare alias is that of the one model that has it.

        Args:
            text: The reference.
            consumer: Who asks, where that may be somebody who goes by the cache alone.
        """
        if "@" not in text and not text.startswith("models:/"):
            return Reference(self.model_with(Alias(text), consumer), Alias(text))
        return Reference.parse(text, self.settings.project)

    def model_with(self, alias: Alias, consumer: Consumer | None = None) -> ModelName:
        """Return the model that is meant where only an alias is named: the configured one, or the only one.

        Raises:
            InvalidInput: Several models have such an alias; the error lists them.
            NotFound: None has.
        """
        if self.settings.model:
            return self.model(self.settings.model)
        if consumer is not None and consumer.offline:
            from artreg.consuming.remembering import remembered_models

            candidates = remembered_models(consumer, alias)
        else:
            candidates = self._models_with(alias)
        own = [model for model in candidates if model.project == self.settings.project]
        if len(own or candidates) == 1:
            return (own or candidates)[0]
        names = ", ".join(str(model) for model in candidates)
        raise InvalidInput(
            f"several models have an alias {alias}: {names}",
            hint=f"name one: --model {candidates[0]}, or {candidates[0]}@{alias}",
            candidates=[str(model) for model in candidates],
        )

    def _models_with(self, alias: Alias) -> list[ModelName]:
        from artreg.registry.versions import list_aliases, list_models

        store = self.registry.store
        store.require_root()
        found = [model for model in list_models(store) if alias.name in list_aliases(store, model)]
        if not found:
            raise self._no_such_alias(alias)
        return found

    def _no_such_alias(self, alias: Alias) -> NotFound:
        from itertools import islice

        from artreg.core.near import did_you_mean_or, near
        from artreg.registry.versions import list_aliases, list_models

        store = self.registry.store
        models = list(islice(list_models(store), _MODELS_ASKED))
        found = near(alias.name, [name for model in models for name in list_aliases(store, model)])
        how = "write model@alias or model@version, such as churn@prod; artreg list shows what there is"
        return NotFound(
            f"no model in {store.url} has an alias {alias}",
            hint=did_you_mean_or(found, how),
            suggestions=found,
        )


def _storage_options(settings: Settings) -> StorageOptions:
    options = StorageOptions(endpoint_url=settings.endpoint_url)
    if settings.storage_timeout:
        timeout = _seconds("storage_timeout", settings.storage_timeout)
        options = replace(options, read_timeout=timeout, connect_timeout=min(options.connect_timeout, timeout))
    if settings.storage_budget:
        options = replace(options, budget=_seconds("storage_budget", settings.storage_budget))
    return options


def _is_yes(name: str, text: str) -> bool:
    if text.lower() not in {*_YES, *_NO}:
        raise InvalidInput(f"{name} is {text[:20]!r}", hint="write yes or no")
    return text.lower() in _YES


def _bytes(name: str, text: str) -> int:
    from artreg.core.byte_counts import parse_bytes

    try:
        return parse_bytes(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}", hint="such as 20GiB") from error


def _seconds(name: str, text: str) -> float:
    seconds = _duration(name, text, "30s or 2m").total_seconds()
    if not seconds:
        raise InvalidInput(f"{name} is no time at all", hint="such as 30s")
    return seconds


def _duration(name: str, text: str, such_as: str) -> timedelta:
    from artreg.core.ages import parse_age

    try:
        return parse_age(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}", hint=f"write it as {such_as}") from error


def open_session(common: dict[str, Any]) -> Session:
    """Return the session that the shared options ask for."""
    output = choose_output(as_json=bool(common.get("json")), quiet=bool(common.get("quiet")))
    flags = {name: common.get(name) for name in ("registry", "project", "model", "policy", "actor")}
    return Session(flags, output)


def carry_out(function: Callable[..., None], common: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Run a command, and let the hooks be told of what it moved, even where something failed after that.

    Args:
        function: The command.
        common: The options that all commands share.
        arguments: Its own.
    """
    session = open_session(common)
    try:
        function(session, **arguments)
    finally:
        if session.moves:
            from artreg.cli.telling import tell

            tell(session)
