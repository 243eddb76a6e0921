"""Delivering to several hooks at a time, so that one whose receiver hangs keeps no other waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from artreg.errors import ArtregError
from artreg.frozen import Frozen
from artreg.hooks.config import Hook
from artreg.hooks.flush import Delivered, Patience, flush
from artreg.hooks.sending import sender
from artreg.hooks.turns import Turns
from artreg.registry.handle import Registry


class Flushed(Frozen):
    """What a flush did for a hook.

    Attributes:
        hook: The hook.
        delivered: What was done for each alias of which anything was due.
        problem: Why nothing could be delivered at all, or ''.
        left: Whether it was left to another process that waits for its turn.
    """

    hook: Hook
    delivered: tuple[Delivered, ...]
    problem: str = ""
    left: bool = False

    @property
    def ok(self) -> bool:
        """Whether all was delivered that was due."""
        return not self.problem and not any(one.problem for one in self.delivered)


class Flusher(Frozen):
    """Who delivers.

    Attributes:
        registry: The registry.
        source: What it is called in events.
        environment: Where secrets are.
        turns: Where the processes of this machine take turns.
        leave: Whether a hook is left to a process that waits for its turn already, as by a move, which is in a hurry.
        patience: How long to wait between attempts.
        waits: Is told of a hook that is another process's turn.
    """

    registry: Registry
    source: str
    environment: Mapping[str, str]
    turns: Turns
    leave: bool = False
    patience: Patience = Patience()
    waits: Callable[[Hook], None] = lambda _: None

    def flush(self, hooks: Sequence[Hook]) -> list[Flushed]:
        """Deliver to each hook what is due."""
        done: dict[str, Flushed | BaseException] = {}

        def run(hook: Hook) -> None:
            try:
                done[hook.name] = self._flush(hook)
            except BaseException as error:  # noqa: BLE001  # raised again where somebody hears of it
                done[hook.name] = error

        threads = [threading.Thread(target=run, args=(hook,), daemon=True) for hook in hooks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [_result(done[hook.name]) for hook in hooks]

    def _flush(self, hook: Hook) -> Flushed:
        try:
            send = sender(hook, self.environment)
            with self.turns.taken(hook.name, leave=self.leave, waits=partial(self.waits, hook)) as mine:
                if not mine:
                    return Flushed(hook, (), left=True)
                done = flush(self.registry, hook, self.source, send, self.patience, thorough=not self.leave)
                flushed = Flushed(hook, tuple(done))
                self.turns.take_down(hook.name, failed=not flushed.ok)
                return flushed
        except ArtregError as error:
            self.turns.take_down(hook.name, failed=True)
            return Flushed(hook, (), error.message)


def _result(found: Flushed | BaseException) -> Flushed:
    if isinstance(found, BaseException):
        raise found
    return found
