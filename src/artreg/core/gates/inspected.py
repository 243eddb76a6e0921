"""A gate about what loading a model would do: `inspected`."""

from __future__ import annotations

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import NONE, Gate
from artreg.core.inspection import Danger, Inspected
from artreg.core.names import Alias
from artreg.core.record import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

_SHOWN = 5


class InspectedGate(Gate):
    """The model's files, looked through without loading them, must show nothing that runs code.

    It informs, and is never the only line: whoever knows what is looked for may hide from it. What keeps code from
    running is that nobody loads formats that can run it, except by trust.

    Attributes:
        allow: What a file may be: `data` loads without running code; `pickle` also lets pickles pass in which only
            known parts are found.
        types: Full names of skops types that those who load it trust.
    """

    allow: Literal["data", "pickle"] = "data"
    types: list[str] = NONE

    def needs(self, alias: Alias) -> Needs:
        """Ask for an inspection."""
        return Needs(measured=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a model in which nothing worse was found than is allowed."""
        if not isinstance(measured, Inspected) or not measured.files:
            return self.verdict(False, f"the model was not inspected: {measured or 'nothing can do it here'}", found=[])
        limit = Danger.PICKLE if self.allow == "pickle" else Danger.NONE
        worse = [
            f"{file.name} {finding.danger.value}: {finding.what}"
            for file in measured.files
            for finding in file.findings
            if finding.danger.rank > limit.rank
        ]
        figures = {"formats": {file.name: file.format for file in measured.files}, "allow": self.allow}
        if worse:
            more = f"; and {len(worse) - _SHOWN} more" if len(worse) > _SHOWN else ""
            return self.verdict(False, f"{'; '.join(worse[:_SHOWN])}{more}", **figures, found=worse[: 4 * _SHOWN])
        formats = ", ".join(sorted({file.format for file in measured.files}))
        return self.verdict(True, f"{formats}: nothing was found that runs code", **figures, found=[])
