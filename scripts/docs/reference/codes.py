"""Exit codes, of the one table of errors."""

from __future__ import annotations

from artreg.cli.manual import exit_codes, pages
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
    "storage": "The error says what was and was not done. The same command run again finishes it, but for `rollback`, "
    'which then needs `--to`. `"outcome": "unknown"` says that a write may or may not have been done.',
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
    rows = [
        (str(it.status), f"`{it.code}`" if it.code else "", plain(it.meaning), WHAT_TO_DO.get(it.code, "Go on."))
        for it in exit_codes()
    ]
    by_command = [
        (f"`{it.name}`", ", ".join(f"{code.status} `{code.code}`" for code in it.codes if code.code)) for it in pages()
    ]
    return whole(
        "Exit codes",
        "A command says by its exit code how it went, and never by text alone. Under `--json` a failure is a document "
        "too, with `error.code`, `error.message` and `error.hint`, and what else is known of it:\n",
        fence("json", EXAMPLE),
        table(("exit code", "`error.code`", "means", "what to do"), rows),
        "## By command\n",
        "Any command may also exit with 0, 1 and 130.\n",
        table(("command", "may exit with"), by_command),
    )
