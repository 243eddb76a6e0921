"""The reference of the command line as Markdown, made of the commands themselves."""

from __future__ import annotations

import re

from artreg.cli.manual import TITLE, ExitCode, Item, Page, always, common_options, exit_codes, group_of, pages
from artreg.cli.settings import SETTINGS_FILE, described

_SPECIAL = r"([\\`*_{}\[\]<>#|~])"


def reference() -> dict[str, str]:
    """Return the reference: the name of each file with its Markdown.

    There is `index.md` with every command, `NAME.md` of each command or group, `exit-codes.md` and `settings.md`.
    Links between them are relative, and each command of a group has its own heading.
    """
    found = pages()
    names = dict.fromkeys(page.words[0] for page in found)
    files = {f"{name}.md": _file(name, [page for page in found if page.words[0] == name]) for name in names}
    return {"index.md": _index(found), **files, "exit-codes.md": _exit_codes(), "settings.md": _settings()}


def _index(found: list[Page]) -> str:
    rows = [[f"[`{page.name}`]({page.words[0]}.md{_anchor(page)})", _text(page.summary)] for page in found]
    return _join(
        "# Commands",
        _text(TITLE),
        _table(["command", "what it does"], rows),
        "## Options of every command",
        "They may stand before the command's name or after it. "
        "[Settings](settings.md) says what holds where they are not given.",
        _items(common_options()),
        "With `--json` stdout is exactly one JSON document, on failure too: "
        '`{"error": {"code": …, "message": …, "hint": …}}`. [Exit codes](exit-codes.md) has what the codes mean.',
    )


def _anchor(page: Page) -> str:
    return f"#{'-'.join(('artreg', *page.words))}" if len(page.words) > 1 else ""


def _file(name: str, of_name: list[Page]) -> str:
    group = group_of(name)
    if group is None:
        return _page(of_name[0], 1)
    rows = [[f"[`{page.name}`]({_anchor(page)})", _text(page.summary)] for page in of_name]
    table = _table(["command", "what it does"], rows)
    return _join(f"# artreg {name}", _text(group.help), table, *(_page(page, 2) for page in of_name))


def _page(page: Page, level: int) -> str:
    under = f"{'#' * (level + 1)} "
    parts = [f"{'#' * level} {page.name}", _text(page.summary), _code(page.usage), *map(_text, page.paragraphs)]
    if page.examples:
        parts += [f"{under}Examples", _code("\n".join(page.examples))]
    if page.arguments:
        parts += [f"{under}Arguments", _items(page.arguments)]
    if page.options:
        parts += [f"{under}Options", _items(page.options)]
    parts.append("It also takes the [options of every command](index.md#options-of-every-command).")
    return _join(*parts, f"{under}Exit codes", _codes(page.codes))


def _exit_codes() -> str:
    words = f"Every command may also end with {' and '.join(f'{it.status} ({_text(it.meaning)})' for it in always())}."
    return _join("# Exit codes", _codes(exit_codes()), words)


def _settings() -> str:
    rows = [
        [f"`{name}`", f"`ARTREG_{name.upper()}`", f"`{default}`" if default else "", _text(meaning)]
        for name, default, meaning in described()
    ]
    return _join(
        "# Settings",
        f"What the command line says comes first, then the environment, then `{SETTINGS_FILE}` in the present folder, "
        "then the default. An empty variable counts as none.",
        _table(["setting", "variable", "default", "what it is"], rows),
    )


def _items(items: tuple[Item, ...] | list[Item]) -> str:
    return _table(["name", "what it is"], [[_name(item), _about(item)] for item in items])


def _name(item: Item) -> str:
    if not item.names[0].startswith("-"):
        return f"`{item.usage}`"
    return ", ".join(f"`{f'{name} {item.metavar}'.strip()}`" for name in item.names)


def _about(item: Item) -> str:
    notes = ["required"] if item.required else []
    notes += ["may be repeated"] if item.many else []
    notes += [f"one of {', '.join(f'`{choice}`' for choice in item.choices)}"] if item.choices else []
    notes += [f"default `{item.default}`"] if item.default else []
    notes += [f"environment `{item.environment}`"] if item.environment else []
    return _text(item.help) + (f" ({'; '.join(notes)})" if notes else "")


def _codes(codes: tuple[ExitCode, ...]) -> str:
    rows = [[str(it.status), f"`{it.code}`" if it.code else "", _text(it.meaning)] for it in codes]
    return _table(["exit code", "`error.code`", "means"], rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)


def _code(text: str) -> str:
    return f"```bash\n{text}\n```"


def _text(text: str) -> str:
    """Return plain text as Markdown that shows just that; what stands between backquotes stays code."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(_SPECIAL, r"\\\1", part) for part in parts)


def _join(*parts: str) -> str:
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
