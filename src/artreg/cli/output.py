"""The one place that prints. Results go to stdout, everything else to stderr.

Which output it is is chosen once: `JsonOutput` prints exactly one JSON document, `PlainOutput` plain lines, and
`RichOutput` what a terminal can show. All text is made printable here, wherever it came from.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat

from artreg.cli.lettering import breaks, legible, padded, width_of
from artreg.cli.view import (
    LONGEST_CELL,
    Block,
    Fields,
    Line,
    Spans,
    Table,
    Tone,
    is_visible,
    printable,
    without_credentials,
)
from artreg.errors import ArtregError, GateRejected
from artreg.protocol import Protocol
from artreg.registry.progress import SILENT, Reporter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from typing import Any, TextIO

    from rich.text import Text

    Document = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    Blocks = Sequence[Block] | Callable[[], Sequence[Block]]

_LINES = 100  # of one error


class Output(Protocol):
    """Where results, notes and errors go."""

    reporter: Reporter

    def result(self, document: Document, blocks: Blocks) -> None:
        """Show the outcome of a command, once; of what takes long to make only what is shown is made."""

    def document(self, document: Mapping[str, Any]) -> None:
        """Print a document that is the result itself, whether JSON was asked for or not."""

    def note(self, text: str) -> None:
        """Say something by the way."""

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show, where somebody is watching, that something is going on that cannot be counted."""

    def error(self, error: ArtregError) -> None:
        """Say why the command failed."""

    def in_lines(self) -> Output:
        """Return the output of a command that tells one thing after the other: of JSON each takes a line."""


def error_document(error: ArtregError) -> dict[str, Any]:
    """Return an error as `--json` prints it."""
    details = dict(error.details)
    gates = details.get("gates")
    if isinstance(gates, list):
        details["gates"] = [flat(gate) for gate in gates]
    message, hint = without_credentials(error.message), without_credentials(error.hint)
    return {"code": error.code, "message": message, "hint": hint, **details}


def flat(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict as `--json` prints it: the figures beside kind, outcome and message."""
    rest = {key: value for key, value in gate.items() if key != "figures"}
    return {**gate.get("figures", {}), **rest}


def _json(document: Mapping[str, Any], indent: int | None = 2) -> str:
    """Return a document as JSON in ASCII, that holds no control character."""
    try:
        text = json.dumps(document, indent=indent, allow_nan=False, default=str)
    except ValueError:  # a number that JSON has no word for
        text = json.dumps(_without_infinities(document), indent=indent, allow_nan=False, default=str)
    return text.replace("\x7f", "\\u007f") + "\n"


def _without_infinities(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_infinities(inner) for key, inner in value.items()}
    return [_without_infinities(inner) for inner in value] if isinstance(value, list | tuple) else value


class JsonOutput:
    """Exactly one JSON document on stdout, whatever happens."""

    reporter = SILENT

    def result(self, document: Document, blocks: Blocks) -> None:
        """Print the document."""
        sys.stdout.write(_json(document() if callable(document) else document))

    def document(self, document: Mapping[str, Any]) -> None:
        """Print the document."""
        self.result(document, ())

    def note(self, text: str) -> None:
        """Say nothing: whoever reads JSON finds it in the document."""

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show nothing."""
        return nullcontext()

    def error(self, error: ArtregError) -> None:
        """Print the error as a document."""
        self.result({"error": error_document(error)}, ())

    def in_lines(self) -> Output:
        """Return what prints a document a line."""
        return JsonLines()


class JsonLines(JsonOutput):
    """One JSON document a line, at once; an error is one too."""

    def result(self, document: Document, blocks: Blocks) -> None:
        """Print the document."""
        sys.stdout.write(_json(document() if callable(document) else document, indent=None))
        sys.stdout.flush()


class PlainOutput:
    """Plain lines, for pipes and logs."""

    reporter = SILENT

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def result(self, document: Document, blocks: Blocks) -> None:
        """Print the blocks."""
        self._show(sys.stdout, blocks() if callable(blocks) else blocks)

    def document(self, document: Mapping[str, Any]) -> None:
        """Print the document; JSON escapes whatever could disturb a terminal."""
        JsonOutput().result(document, ())

    def note(self, text: str) -> None:
        """Print a line to stderr, unless told to be quiet."""
        if not self._quiet:
            self._show(sys.stderr, [Line(text, Tone.DIM)])

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show nothing."""
        return nullcontext()

    def error(self, error: ArtregError) -> None:
        """Print the error, its hint, and what it found in detail."""
        lines = without_credentials(error.message).splitlines()
        blocks: list[Block] = [Line(f"error: {part}", Tone.BAD) for part in lines[:1]]
        blocks += [Line(f"  {part}") for part in lines[1:_LINES]]
        blocks += [Line(f"  … and {len(lines) - _LINES:,} more")] if len(lines) > _LINES else []
        if isinstance(error, GateRejected) and "gates" in error.details:
            from artreg.cli.checklist import checklist

            gates: Any = error.details["gates"]
            blocks.append(checklist(gates))
        if error.hint:
            blocks.append(Line(f"hint: {without_credentials(error.hint)}"))
        self._show(sys.stderr, blocks)

    def in_lines(self) -> Output:
        """Return itself: it prints lines."""
        return self

    def _show(self, stream: TextIO, blocks: Sequence[Block]) -> None:
        encoding = _encoding_of(stream)
        for block in blocks:
            stream.writelines(line.rstrip() + "\n" for line in _plain_lines(block, encoding))
        stream.flush()


class RichOutput(PlainOutput):
    """Colours, tables and progress bars, for a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        if not quiet and sys.stderr.isatty():
            from artreg.cli.progress import Bars

            self.reporter = Bars()

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show a spinner."""
        if self._quiet or not sys.stderr.isatty():
            return nullcontext()
        from rich.console import Console
        from rich.text import Text

        return Console(stderr=True).status(Text(printable(text)))

    def _show(self, stream: TextIO, blocks: Sequence[Block]) -> None:
        if not stream.isatty():
            super()._show(stream, blocks)
            return
        from datetime import UTC, datetime

        from rich.console import Console

        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        now, encoding, last = datetime.now(UTC), _encoding_of(stream), None
        for block in blocks:
            if isinstance(last, Fields | Table) and isinstance(block, Table):
                console.print()
            for line in _rich_lines(block, console.width, encoding, now):
                line.rstrip()
                console.print(line, soft_wrap=True)
            last = block


def choose_output(*, as_json: bool, quiet: bool) -> Output:
    """Return the output for this process."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a terminal without Unicode must not end the command
    if as_json:
        return JsonOutput()
    if sys.stdout.isatty() or sys.stderr.isatty():
        return RichOutput(quiet=quiet)
    return PlainOutput(quiet=quiet)


def _encoding_of(stream: TextIO) -> str:
    return (stream.encoding or "utf-8").lower()


def _plain_lines(block: Block, encoding: str) -> list[str]:
    match block:
        case Line():
            return [legible(block.text, encoding)]
        case Spans():
            return [legible("".join(text for text, _ in block.parts), encoding)]
        case Fields():
            width = max((width_of(name) for name, _ in block.rows), default=0)
            return [
                f"  {padded(legible(name, encoding), width)}  {legible(value, encoding)}" for name, value in block.rows
            ]
        case Table():
            return _plain_table(block, encoding)


def _plain_table(table: Table, encoding: str) -> list[str]:
    columns: list[Iterable[str]] = []
    for index, cells in enumerate(zip(table.columns, *table.rows, strict=True)):
        together = "".join(cells)
        plain = is_visible(together) and max(map(len, cells)) <= LONGEST_CELL
        if plain and together.isascii():
            width = max(map(len, cells))
            columns.append(map(str.rjust if index in table.numeric else str.ljust, cells, repeat(width)))
            continue
        shown = [legible(cell, encoding, LONGEST_CELL) for cell in cells]
        width = max(map(width_of, shown))
        columns.append([padded(cell, width, right=index in table.numeric) for cell in shown])
    lines = map("  ".join, zip(*columns, strict=True))
    return [legible(table.title, encoding), *lines] if table.title else list(lines)


def _rich_lines(block: Block, width: int, encoding: str, now: datetime) -> Iterator[Text]:
    """Yield the lines of a block for a terminal, broken between words; a longer word the terminal breaks itself."""
    from rich.text import Text

    from artreg.cli.layout import laid_out, style_of

    match block:
        case Line():
            yield from _broken(Text(legible(block.text, encoding), style=block.tone.value), width)
        case Spans():
            pieces = ((legible(text, encoding), tone.value) for text, tone in block.parts)
            lines = _broken(Text.assemble(*pieces), width, block.indent)
            yield from (Text.assemble(" " * block.indent if place else "", line) for place, line in enumerate(lines))
        case Fields():
            names = [legible(name, encoding) for name, _ in block.rows]
            room = max(map(width_of, names), default=0)
            for name, (_, value) in zip(names, block.rows, strict=True):
                head = f"  {padded(name, room)}  "
                lines = _broken(Text.assemble(*style_of(legible(value, encoding))), max(width - width_of(head), 1))
                for place, line in enumerate(lines):
                    yield Text.assemble((" " * width_of(head) if place else head, "dim"), line)
        case Table():
            yield from (Text.assemble(*line) for line in laid_out(block, width, encoding, now))


def _broken(text: Text, width: int, indent: int = 0) -> Iterator[Text]:
    return iter(text.divide(breaks(text.plain, width, indent)))
