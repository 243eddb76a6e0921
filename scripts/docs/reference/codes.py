"""Exit codes, of the one table of errors."""

from __future__ import annotations

from artreg import errors
from reference import docstrings
from reference.commands import named
from reference.markdown import fence, plain, table
from reference.markdown import page as whole

WHAT_TO_DO = {
    "internal": "Run it again with `-v` and report the traceback.",
    "invalid_input": "The hint names what would be right. Nothing was begun.",
    "gate_rejected": "Every gate's verdict is in the output, with how far off it was. Nothing moved.",
    "integrity": "Do not use what is named. `artreg verify` says what is damaged, "
    "[`artreg repair`](../backup.md#repairing) heals what can be.",
    "not_found": "The hint names what there is.",
    "conflict": "Look again, decide again, run it again.",
    "already_exists": "Publish under another number, or pull into another folder.",
    "storage": 'The error says what was and was not done. The same command run again finishes it; `"outcome": '
    '"unknown"` '
    "says that a write may or may not have been done.",
    "not_reproduced": "The table names the axis that differs.",
    "interrupted": "Run it again when you like.",
}
"""What to do about each kind of error."""

EXAMPLE = """\
{
  "error": {
    "code": "not_found",
    "hint": "…",
    "message": "…"
  }
}"""


def page() -> str:
    """Return the page."""
    kinds = {kind.code: kind for kind in _kinds(errors.ArtregError)}
    rows = [("0", "", "Done.", "Go on.")]
    for code, number in errors.EXIT_CODES.items():
        words = "A bug in artreg." if code == "internal" else docstrings.parse(kinds[code].__doc__).text
        rows.append((str(number), f"`{code}`", plain(words), WHAT_TO_DO[code]))
    return whole(
        "Exit codes",
        "A command says by its exit code how it went, and never by text alone. Under `--json` a failure is a document "
        "too, with `error.code`, `error.message` and `error.hint`, and what else is known of it:\n",
        fence("json", EXAMPLE),
        table(("exit code", "`error.code`", "means", "what to do"), rows),
        "Any command may exit with 0, 1, 2 and 130; a command that looks at a registry also with those below.\n",
        "## By command\n",
        table(("command", "may also exit with"), _by_command()),
    )


def _kinds(kind: type[errors.ArtregError]) -> list[type[errors.ArtregError]]:
    below = [each for child in kind.__subclasses__() for each in _kinds(child)]
    return [*below, kind]


def _by_command() -> list[tuple[str, str]]:
    return [
        (f"`{name}`", ", ".join(f"{errors.EXIT_CODES[code]} `{code}`" for code in entry.codes) or "nothing else")
        for name, entry in named()
    ]
