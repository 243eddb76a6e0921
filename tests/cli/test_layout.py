"""How tables and lines are laid out: in pipes, and on terminals of any width and any letters."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from artreg.cli.layout import laid_out, style_of
from artreg.cli.lettering import ago, breaks, folded, legible, width_of
from artreg.cli.main import main
from artreg.cli.output import PlainOutput
from artreg.cli.view import Table
from cli.conftest import Shell

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=60)
LETTERS = "abc XYZ/@.-_:山田モデル한é→…👍" + "e\u0301"
TEXTS = st.text(LETTERS, max_size=60)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@PROPERTY
@given(TEXTS)
def test_texts_are_as_wide_as_a_terminal_shows_them(text: str) -> None:
    assert width_of(text) == cell_len(text)


@PROPERTY
@given(TEXTS, st.integers(2, 40))
def test_what_is_folded_fits_and_is_whole(text: str, width: int) -> None:
    lines = folded(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@PROPERTY
@given(TEXTS, st.integers(6, 40), st.integers(0, 4))
def test_lines_are_broken_between_words_only(text: str, width: int, indent: int) -> None:
    places = breaks(text, width, indent)
    lines = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    rooms = [width, *[width - indent] * len(places)]
    for line, room in zip(lines, rooms, strict=True):
        assert width_of(line.rstrip(" ")) <= room or " " not in line.strip(" ")
    for line, room, place in zip(lines, rooms, places, strict=False):
        word = text[place:].split(" ", maxsplit=1)[0]
        assert width_of(line + word) > room
    assert all(text[place - 1] == " " for place in places)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(1, 5))
    columns = tuple(f"h{place}" for place in range(count))
    rows = draw(st.lists(st.tuples(*[TEXTS.map(str.strip)] * count), max_size=5))
    return Table(
        columns,
        tuple(rows),
        numeric=frozenset(draw(st.sets(st.integers(0, count - 1), max_size=1))),
        below=draw(st.none() | st.integers(1, count - 1)) if count > 1 else None,
    )


@PROPERTY
@given(tables(), st.integers(40, 200), st.sampled_from(["utf-8", "ascii"]))
def test_a_table_fits_and_every_cell_is_there(table: Table, width: int, encoding: str) -> None:
    lines = ["".join(text for text, _ in line) for line in laid_out(table, width, encoding, NOW)]
    fixed = [max(width_of(legible(cell, encoding)) for cell in column) for column in zip(*table.rows, strict=True)]
    if not any(fixed[place] > width - 40 for place in table.numeric if fixed):
        assert all(width_of(line.rstrip()) <= width for line in lines)
    shown = sorted("".join(lines).replace(" ", ""))
    for row in table.rows:
        for sign in "".join(legible(cell, encoding) for cell in row).replace(" ", ""):
            shown.remove(sign)


@PROPERTY
@given(tables(), st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_in_a_pipe_every_row_is_a_line_and_columns_are_flush(table: Table, encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    PlainOutput(quiet=False)._show(stream, [table])
    stream.seek(0)
    lines = stream.read().split("\n")[:-1]
    assert len(lines) == 1 + len(table.rows)
    widths = [
        max(width_of(legible(cell, encoding)) for cell in cells)
        for cells in zip(table.columns, *table.rows, strict=True)
    ]
    whole = sum(widths) + 2 * (len(widths) - 1)
    for row, line in zip(table.rows, lines[1:], strict=True):
        assert width_of(line) <= whole
        last = legible(row[-1], encoding).rstrip()
        if last and len(row) - 1 not in table.numeric:
            start = line.rindex(last)
            assert width_of(line[:start]) == whole - widths[-1]


def test_what_stands_beside_and_below_and_alone() -> None:
    table = Table(("when", "what", "why"), (("2026-03-01 11:00", "x" * 20, "because it is so, and no other"),))

    def lines(width: int, **more: object) -> list[str]:
        made = Table(table.columns, table.rows, times=frozenset({0}), **more)
        return ["".join(text for text, _ in line).rstrip() for line in laid_out(made, width, "utf-8", NOW)]

    assert lines(100, below=2)[1] == "2026-03-01 11:00 (60 m ago)  xxxxxxxxxxxxxxxxxxxx  because it is so, and no other"
    assert lines(65, below=2)[1:] == [
        "2026-03-01 11:00  xxxxxxxxxxxxxxxxxxxx  because it is so, and no",
        "                                        other",
    ]
    assert lines(50, below=2) == [
        "when                         what",
        "2026-03-01 11:00 (60 m ago)  xxxxxxxxxxxxxxxxxxxx",
        "  because it is so, and no other",
    ]
    why = ["why   because it is", "      so, and no", "      other"]
    assert lines(20) == ["when  2026-03-01", "      11:00", "what  xxxxxxxxxxxxxx", "      xxxxxx", *why]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-01 11:59:30", "30 s ago"),
        ("2026-03-01T09:00:00.000Z", "3 h ago"),
        ("2026-02-01 12:00", "28 d ago"),
        ("2026-03-01 12:05", "in 5 m"),
        ("soon", ""),
        ("", ""),
    ],
)
def test_how_long_ago_a_time_is(text: str, told: str) -> None:
    assert ago(text, NOW) == told


def test_colour_belongs_to_words() -> None:
    assert style_of("prod, yanked, x") == [
        ("prod", "bold"),
        (", ", ""),
        ("yanked", "bold red"),
        (", ", ""),
        ("x", ""),
    ]
    assert style_of("DAMAGED") == [("DAMAGED", "bold red")]
    assert style_of("a, b") == [("a, b", "")]


class Screen(io.TextIOWrapper):
    """A terminal of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def on_screen(monkeypatch: pytest.MonkeyPatch, words: str, encoding: str = "utf-8") -> str:
    screen = Screen(encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        assert main(words.split()) == 0
    return screen.shown()


def test_a_terminal_is_told_how_long_ago_and_what_colour_says_words_say_too(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm-256color")
    for version, auc in (("1.0.0", 0.8), ("1.1.0", 0.9)):
        shell.publish(version, roc_auc=auc)
        shell.run("promote", "churn", version, "--to", "staging", "--reason", "理由")
    shell.run("yank", "churn@1.1.0", "--reason", "leaks")
    for words in ("list churn", "history churn", ""):
        shown = on_screen(monkeypatch, words)
        assert " s ago)" in shown
        assert "\x1b[1;31myank" in shown
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[31m" not in on_screen(monkeypatch, words)
        assert "yank" in on_screen(monkeypatch, words)
        monkeypatch.delenv("NO_COLOR")
        assert " ago)" not in shell.run(*words.split()).out  # a pipe gets the same tomorrow
    shown = on_screen(monkeypatch, "history churn", "ascii")
    assert "1.0.0 -> 1.1.0" in shown
    assert r"\u7406\u7531" in shown
    assert "roc_auc  _#  0.8 -> 0.9, best 0.9 in 1.1.0" in on_screen(monkeypatch, "list churn", "ascii")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in on_screen(monkeypatch, "list churn")


def test_a_metric_of_each_version(shell: Shell) -> None:
    for version, more in (("1.0.0", {"roc_auc": 0.7}), ("1.1.0", {"test": {"rows": 5}}), ("1.2.0", {"roc_auc": 0.8})):
        shell.publish(version, **more)
    assert shell.run("list", "churn").out.splitlines()[-1] == "roc_auc  ▁█▅  0.7 → 0.8, best 0.9 in 1.1.0"
    assert shell.run("list", "churn", "--metric", "test.rows").out.splitlines()[-1] == "test.rows  ·▄·  5 → 5"
    versions = shell.run("list", "churn", "--metric", "test.rows", "--json").json["models"][0]["versions"]
    assert [(it["metric"], it["value"]) for it in versions] == [("test.rows", value) for value in (None, 5, None)]
    assert "metric" not in shell.run("list", "churn", "--json").json["models"][0]["versions"][0]
    refused = shell.run("list", "churn", "--metric", "auc")
    assert (refused.code, "did you mean roc_auc?" in refused.err) == (2, True)
    assert shell.run("list", "--metric", "auc").code == 2
    shown = shell.run("show", "churn@1.2.0").out
    assert "roc_auc    0.8  ▁█▅" in shown
    assert "up to here" not in shell.run("show", "churn@1.0.0").out


def test_of_very_many_versions_the_newest_are_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artreg.cli.trends.LONGEST_TREND", 2)
    for version, auc in (("1.0.0", 0.95), ("1.1.0", 0.8), ("1.2.0", 0.9)):
        shell.publish(version, roc_auc=auc)
    lines = shell.run("list", "churn").out.splitlines()
    assert lines[-1] == "roc_auc  ▁█  0.8 → 0.9, best 0.9 in 1.2.0"
    assert [line.split()[-1] for line in lines[2:5]] == ["0.9", "0.8", "B"]
    assert shell.run("list", "churn", "--metric", "roc_auc").out.splitlines()[-1] == (
        "roc_auc  ▁█  0.95 → 0.9, best 0.95 in 1.0.0"
    )


@pytest.mark.parametrize("damage", ["[1]", '{"roc_auc": NaN}', "{", '{"roc_auc": 0.99}', None])
def test_what_does_not_match_its_checksum_is_no_figure(shell: Shell, damage: str | None) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        shell.publish(version)
    metrics = Path("registry/demo/churn/1.1.0/metrics.json")
    metrics.unlink()
    if damage is not None:
        metrics.write_text(damage)
    assert shell.run("list", "churn").out.splitlines()[-1] == "roc_auc  ▄·▄  0.9 → 0.9, best 0.9 in 1.0.0"
    assert shell.run("show", "churn@1.2.0").code == 0
