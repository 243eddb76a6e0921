"""What an inspection of a model file found: values that gates judge by, and that people read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Danger(Enum):
    """What loading a file may do, in the order of its severity."""

    NONE = "loads as data"
    PICKLE = "is a pickle, in which only known parts were found"
    TYPES = "needs types that nobody here trusts"
    MAY_RUN = "may run code when loaded"
    UNREADABLE = "cannot be read to its end"
    RUNS = "runs code when loaded"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return list(Danger).index(self)


class Finding(Frozen):
    """One thing that loading a file would make, call or stumble over.

    Attributes:
        danger: How bad it is.
        what: Its full name, such as `os.system`, or what is wrong.
        detail: How it is used, or who trusts it; '' if there is nothing to say.
        times: How often it is met.
    """

    danger: Danger
    what: str
    detail: str = ""
    times: int = 1

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"danger": self.danger.name.lower(), "what": self.what, "detail": self.detail, "times": self.times}


class FileReport(Frozen):
    """What was found in one file.

    Attributes:
        name: Its name.
        size: Its bytes.
        format: What it is by its content, such as `skops` or `joblib, packed by zlib`.
        findings: What loading it would do, the worst first.
        parts: What it holds besides: tensors and arrays by name, each with type and shape.
        opinion: What another program says of its pickles, or ''; it informs, and changes nothing.
    """

    name: str
    size: int
    format: str
    findings: tuple[Finding, ...]
    parts: Mapping[str, str]
    opinion: str = ""

    @property
    def danger(self) -> Danger:
        """The worst that was found."""
        return max((finding.danger for finding in self.findings), key=lambda danger: danger.rank, default=Danger.NONE)

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "name": self.name,
            "size": self.size,
            "format": self.format,
            "danger": self.danger.name.lower(),
            "findings": [finding.document() for finding in self.findings],
            "parts": dict(self.parts),
            "opinion": self.opinion or None,
        }


class Inspected(Frozen):
    """What was found in the files of a model."""

    files: tuple[FileReport, ...]

    @property
    def danger(self) -> Danger:
        """The worst that was found."""
        return max((file.danger for file in self.files), key=lambda danger: danger.rank, default=Danger.NONE)
