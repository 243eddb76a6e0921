"""The entry point: runs a command, and turns whatever ends it into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from artreg.cli.output import Output, choose_output
from artreg.errors import EXIT_CODES, ArtregError, Interrupted, InvalidInput, exit_code


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
    verbose = bool({"-v", "--verbose"} & set(words))
    output = choose_output(as_json="--json" in words, quiet=False)
    try:
        return _run(words)
    except ArtregError as error:
        if verbose and error.__cause__ is not None:
            _show_traceback(error.__cause__)
        return _fail(output, error)
    except KeyboardInterrupt:
        return _fail(output, Interrupted("interrupted; nothing half-done is visible", hint="run the command again"))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at exit
        return 0
    except Exception as error:  # noqa: BLE001  # the last resort: a bug must give an answer too
        return _fail(output, _as_bug(error, verbose=verbose))


def _run(words: list[str]) -> int:
    from typer._click.exceptions import ClickException, UsageError
    from typer.main import get_command

    from artreg.cli.app import app

    try:
        result = get_command(app).main(args=words, prog_name="artreg", standalone_mode=False)
    except UsageError as error:
        path = error.ctx.command_path if error.ctx else "artreg"
        raise InvalidInput(error.format_message(), hint=f"see {path} --help") from None
    except ClickException as error:
        raise InvalidInput(error.format_message()) from None
    if result == EXIT_CODES[Interrupted.code]:
        raise KeyboardInterrupt  # Typer has made an exit code of it
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _fail(output: Output, error: ArtregError) -> int:
    output.error(error)
    return exit_code(error)


def _show_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)


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
