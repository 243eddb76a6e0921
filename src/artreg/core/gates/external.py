"""Gates of others: `command`, a program of one's own; `plugin`, a Python function that a package offers."""

from __future__ import annotations

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import NO_OPTIONS, Gate
from artreg.core.names import Alias
from artreg.core.record import Verdict
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Any

    from pydantic import Field


class Answer(Frozen):
    """What a gate of others said.

    Attributes:
        passed: Whether the candidate may pass.
        message: Why, in one line.
        figures: What it judged by; representable in JSON.
    """

    passed: bool
    message: str
    figures: dict[str, Any]


class ExternalGate(Gate):
    """A gate whose answer comes from outside."""

    def needs(self, alias: Alias) -> Needs:
        """Ask for the answer, and for what the alias holds."""
        return Needs(incumbents=frozenset({alias}), measured=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass what the other side passes; no answer is a refusal."""
        if not isinstance(measured, Answer):
            return self.verdict(False, f"{self.title()}: no answer: {measured or 'nothing can ask it here'}")
        return self.verdict(measured.passed, f"{self.title()}: {measured.message}", **measured.figures)

    def title(self) -> str:
        """Return what to call it."""
        return str(self.gate)


class CommandGate(ExternalGate):
    """A program decides: exit code 0 passes, and its last line of output says why.

    It gets the folders of candidate and incumbent in ARTREG_CANDIDATE and ARTREG_INCUMBENT (empty if there is none),
    and a JSON document about both on its standard input. It runs without a shell.

    Attributes:
        name: What to call it.
        command: The program and its arguments.
        timeout_s: Seconds after which it is ended, and the gate fails.
    """

    name: Annotated[str, Field(min_length=1)]
    command: Annotated[list[str], Field(min_length=1)]
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60

    def title(self) -> str:
        """Return its name."""
        return self.name


class PluginGate(ExternalGate):
    """A function decides that an installed package offers under the entry point group `artreg.gates`.

    It is called as `function(candidate_folder, incumbent_folder_or_None, context, **options)` and returns
    `(passed, message, figures)`. It runs in a process of its own.

    Attributes:
        name: The entry point's name.
        options: Keyword arguments for it.
        timeout_s: Seconds after which it is ended, and the gate fails.
    """

    name: Annotated[str, Field(min_length=1)]
    options: dict[str, Any] = NO_OPTIONS
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60

    def title(self) -> str:
        """Return its name."""
        return self.name
