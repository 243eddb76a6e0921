"""The entry point: runs a command, and turns whatever ends it into an exit code."""

from __future__ import annotations

import gc
import os
import sys

from artreg import __version__
from artreg.cli.declare import Exit
from artreg.cli.output import choose_output
from artreg.cli.session import carry_out
from artreg.cli.table import Group
from artreg.cli.view import printable, without_credentials
from artreg.cli.words import Words, understand
from artreg.errors import EXIT_CODES, ArtregError, Interrupted, InvalidInput, exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer._click.exceptions import NoSuchOption

_GARBAGE = 100_000
"""Objects after which Python looks for cycles; at its own 700 it takes a tenth of the time of whatever lists much."""

_HELP = frozenset(("--help", "-h"))
_ASKED_TO_COMPLETE = "_ARTREG_COMPLETE"
_COMPLETIONS = {"--install-completion": ("completion", "--install"), "--show-completion": ("completion",)}
"""How other programs of this kind are told to complete."""


class InternalError(ArtregError):
    """A bug in artreg."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name; by default the process's own.

    Returns:
        The exit code, from the one table in `artreg.errors`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
        if arguments is None and os.environ.get(_ASKED_TO_COMPLETE):
            os._exit(code)  # for a storage that does not answer nobody waits
        return code
    except ArtregError as error:
        if _is_verbose(words) and error.__cause__ is not None:
            _show_traceback(error.__cause__)
        return _fail(words, error)
    except KeyboardInterrupt:
        return _fail(words, Interrupted("interrupted; nothing half-done is visible", hint="run the command again"))
    except BrokenPipeError:
        _say_nothing_more()
        return 0
    except OSError as error:
        return _fail(words, _as_trouble(error))
    except Exception as error:  # noqa: BLE001  # the last resort: a bug must give an answer too
        return _fail(words, _as_bug(error, verbose=_is_verbose(words)))


def _run(words: list[str]) -> int:
    if shell := os.environ.get(_ASKED_TO_COMPLETE):
        return _complete(shell, words)
    if words == ["--version"]:
        sys.stdout.write(f"artreg {__version__}\n")
        return 0
    if words and words[0] in _COMPLETIONS:
        words = [*_COMPLETIONS[words[0]], *words[1:]]
    gc.set_threshold(_GARBAGE)
    call = understand(words)
    try:
        if call is None:
            return _explain(words)
        carry_out(call.function, call.common, call.arguments)
    except Exit as end:
        return end.code
    return 0


def _explain(words: list[str]) -> int:
    """Show the help that is asked for, or say what is wrong with the words."""
    _require_encodable(words)
    options = words[: words.index("--")] if "--" in words else words  # after it all are values
    named = Words([word for word in options if word not in _HELP]).named()
    if named.unknown:
        from artreg.cli.help import no_command

        raise no_command(named.path, named.unknown)
    if not words or not _HELP.isdisjoint(options):
        from artreg.cli.help import show_help

        show_help(choose_output(as_json="--json" in words, quiet=False), named.path)
        return 0
    if isinstance(named.entry, Group):
        name, commands = " ".join(("artreg", *named.path)), list(named.entry.entries)
        raise InvalidInput(f"which command of {name}?", hint=f"{', '.join(commands)}: see {name} --help")
    return _run_typer(words)


def _require_encodable(words: list[str]) -> None:
    """Refuse what no argument of a process can be: Typer asks the system for files of such names."""
    for word in words:
        try:
            os.fsencode(word)
        except UnicodeEncodeError:
            raise InvalidInput(f"{word!r} is no text", hint="write it as UTF-8") from None


def _run_typer(words: list[str]) -> int:
    """Let Typer say what is wrong with the words."""
    from typer._click.exceptions import ClickException, NoSuchOption, UsageError
    from typer.main import get_command

    from artreg.cli.app import make_app

    try:
        result = get_command(make_app()).main(args=words, prog_name="artreg", standalone_mode=False)
    except NoSuchOption as error:
        raise _no_option(error) from None
    except UsageError as error:
        path = error.ctx.command_path if error.ctx else "artreg"
        raise InvalidInput(error.format_message(), hint=f"see {path} --help") from None
    except ClickException as error:
        raise InvalidInput(error.format_message()) from None
    if result == EXIT_CODES[Interrupted.code]:
        raise KeyboardInterrupt  # Typer has made an exit code of it
    return result if isinstance(result, int) else 0


def _no_option(error: NoSuchOption) -> InvalidInput:
    from artreg.core.near import did_you_mean, near

    context = error.ctx
    known = [name for it in context.command.params for name in it.opts if name.startswith("--")] if context else []
    path = context.command_path if context else "artreg"
    found = near(error.option_name, [*known, "--help"])
    hint = did_you_mean(found) or f"see {path} --help"
    return InvalidInput(f"{path} has no option {error.option_name}", hint=hint, suggestions=found)


def _complete(shell: str, words: list[str]) -> int:
    """Answer a shell that asks what may come next."""
    from artreg.cli.completion import answer

    sys.stdout.write(answer(shell, words))
    return 0


def _is_verbose(words: list[str]) -> bool:
    return "-v" in words or "--verbose" in words


def _fail(words: list[str], error: ArtregError) -> int:
    try:
        choose_output(as_json="--json" in words, quiet=False).error(error)
        sys.stdout.flush()
    except OSError:  # nobody can be told but by the exit code
        _say_nothing_more()
    return exit_code(error)


def _say_nothing_more() -> None:
    """See that Python does not complain, when it flushes at exit, that its output cannot be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _show_traceback(error: BaseException) -> None:
    import traceback

    for line in "".join(traceback.format_exception(error)).splitlines():
        sys.stderr.write(f"{printable(without_credentials(line))}\n")


def _as_trouble(error: OSError) -> ArtregError:
    from artreg.store.disk import translate

    if error.filename is None:
        return translate(error, "what the command says or reads", "written or read")
    return translate(error, os.fsdecode(error.filename), "used")


def _as_bug(error: Exception, *, verbose: bool) -> ArtregError:
    if verbose:
        _show_traceback(error)
    return InternalError(
        f"a bug in artreg: {type(error).__name__}: {error}",
        hint="run it again with -v and report what it shows"
        if not verbose
        else "please report it with the traceback above",
    )


if __name__ == "__main__":
    sys.exit(main())
