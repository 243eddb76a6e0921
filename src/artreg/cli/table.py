"""Which commands there are, and where each is found; none of them is imported before it is wanted."""

from __future__ import annotations

from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Entry(Frozen):
    """A command.

    Attributes:
        module: The module of `artreg.cli.commands` that holds it.
        function: Its function there.
        codes: The `error.code`s that it may exit with, besides `invalid_input`.
    """

    module: str
    function: str
    codes: tuple[str, ...] = ()

    def load(self) -> Callable[..., None]:
        """Return the function."""
        name = f"artreg.cli.commands.{self.module}"
        function: Callable[..., None] = getattr(__import__(name, fromlist=[self.function]), self.function)
        return function


class Group(Frozen):
    """Commands under one name.

    Attributes:
        help: What they are about.
        entries: The commands by their names.
    """

    help: str
    entries: dict[str, Entry]


STANDING = Entry("standing", "standing", ("storage",))
"""What `artreg` alone does."""

_READS = ("integrity", "not_found", "storage")
_MOVES = ("integrity", "not_found", "conflict", "storage")
_MAKES = ("integrity", "not_found", "conflict", "already_exists", "storage")

COMMANDS: dict[str, Entry | Group] = {
    "train": Entry("making", "train", _MAKES),
    "publish": Entry("making", "publish", _MAKES),
    "data": Group(
        "Keep data under the digest of their bytes, and look at them.",
        {
            "snapshot": Entry("data", "snapshot", (*_READS, "conflict")),
            "list": Entry("data", "list_", _READS),
            "show": Entry("data", "show", _READS),
            "verify": Entry("data", "verify", _READS),
            "pull": Entry("data", "pull", (*_READS, "already_exists")),
            "churn": Entry("data", "churn"),
        },
    ),
    "check": Entry("checking", "check", ("gate_rejected", *_READS)),
    "policy": Group(
        "The policy: what a version must show before an alias may point at it.",
        {
            "show": Entry("checking", "policy_show", _READS),
            "check": Entry("checking", "policy_check"),
            "schema": Entry("checking", "policy_schema"),
            "push": Entry("checking", "policy_push", _MOVES),
        },
    ),
    "promote": Entry("moving", "promote", ("gate_rejected", *_MOVES)),
    "rollback": Entry("moving", "rollback", ("gate_rejected", *_MOVES)),
    "yank": Entry("judging", "yank", _MOVES),
    "unyank": Entry("judging", "unyank", _MOVES),
    "approve": Entry("judging", "approve", _MOVES),
    "approvals": Entry("judging", "approvals", _READS),
    "sign": Entry("signing", "sign", _MOVES),
    "freeze": Entry("judging", "freeze", _MOVES),
    "unfreeze": Entry("judging", "unfreeze", _MOVES),
    "confirm": Entry("trusting", "confirm", _MOVES),
    "forget": Entry("trusting", "forget", ("integrity", "storage")),
    "list": Entry("reading", "list_", _READS),
    "show": Entry("reading", "show", _READS),
    "resolve": Entry("reading", "resolve", _READS),
    "history": Entry("recalling", "history", _READS),
    "tree": Entry("branching", "tree", _READS),
    "watch": Entry("watching", "watch", _READS),
    "metrics": Entry("measuring", "metrics", _READS),
    "inspect": Entry("inspecting", "inspect", _READS),
    "verify": Entry("keeping", "verify", _READS),
    "pull": Entry("keeping", "pull", ("integrity", "not_found", "already_exists", "storage")),
    "lock": Entry("pinning", "lock", (*_READS, "conflict")),
    "sync": Entry("syncing", "sync", ("gate_rejected", "integrity", "not_found", "already_exists", "storage")),
    "outdated": Entry("pinning", "outdated", (*_READS, "conflict")),
    "cache": Group(
        "The cache of this machine: files that were fetched, by their digest.",
        {
            "list": Entry("caching", "list_", ("storage",)),
            "prune": Entry("caching", "prune", ("storage",)),
            "clear": Entry("caching", "clear", ("storage",)),
            "verify": Entry("caching", "verify", ("storage",)),
            "path": Entry("caching", "path"),
        },
    ),
    "repair": Entry("mirroring", "repair", _READS),
    "mirror": Entry("mirroring", "mirror", ("integrity", "not_found", "already_exists", "storage")),
    "gc": Entry("keeping", "gc", _READS),
    "init": Entry("keeping", "init", ("not_found", "storage")),
    "doctor": Entry("keeping", "doctor", ("not_found", "storage")),
    "access": Entry("granting", "access"),
    "diff": Entry("comparing", "diff", _READS),
    "drift": Entry("comparing", "drift", _READS),
    "reproduce": Entry("reproducing", "reproduce", (*_READS, "not_reproduced")),
    "ui": Entry("serving", "ui", ("not_found", "storage")),
    "site": Entry("showing", "site", ("not_found", "already_exists", "storage")),
    "export": Entry("exporting", "export", ("integrity", "not_found", "already_exists", "storage")),
    "import": Group(
        "Bring models, versions and aliases in from elsewhere.",
        {
            "mlflow": Entry("importing", "mlflow", ("gate_rejected", *_MAKES)),
            "gto": Entry("importing", "gto", ("gate_rejected", *_MAKES)),
            "pins": Entry("importing", "pins", ("gate_rejected", *_MAKES)),
            "huggingface": Entry("importing", "huggingface", ("gate_rejected", *_MAKES)),
            "dir": Entry("importing", "dir_", ("gate_rejected", *_MAKES)),
        },
    ),
    "card": Entry("exporting", "card", ("integrity", "not_found", "already_exists", "storage")),
    "hooks": Group(
        "Programs and web servers that are told when an alias moves.",
        {
            "list": Entry("hooking", "list_", _READS),
            "test": Entry("hooking", "try_out", _READS),
            "flush": Entry("hooking", "flush", _READS),
            "skip": Entry("hooking", "skip", _READS),
        },
    ),
    "config": Group(
        "Settings: what holds, and where it comes from.", {"show": Entry("configuring", "config_show", ("storage",))}
    ),
    "help": Entry("helping", "help_"),
    "man": Entry("helping", "man", ("storage",)),
    "completion": Entry("helping", "completion", ("storage",)),
}
"""Every command."""

SECTIONS: dict[str, str] = {
    "Make versions": "train publish import data reproduce",
    "Judge them, and say where they go": "check promote rollback policy approve approvals freeze unfreeze yank unyank",
    "Look": "list show tree resolve history watch metrics diff drift inspect site ui",
    "Use": "pull lock sync outdated cache card export",
    "Trust": "verify sign confirm forget",
    "Keep a registry": "init hooks doctor repair mirror gc access",
    "This program": "help config completion man",
}
"""Which commands the help shows together, in its order."""
