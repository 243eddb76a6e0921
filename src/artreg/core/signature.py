"""Signatures of versions: what is signed, and by which names the files of a signature lie beside the version.

A signature is made of standard files, so that nobody needs artreg to check one. By `ssh-keygen -Y` that is a statement
and its signature, `ID.json` and `ID.json.sig`; in the OpenSSF model signing format it is one bundle,
`ID.sigstore.json`. ID is the sha256 of their bytes, so that an altered file shows without a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from artreg.core import canonical
from artreg.core.names import ModelName
from artreg.core.strict import parse_strictly, typed
from artreg.core.version import Version
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/signature/1"
STATEMENT = ".json"
SSH = ".json.sig"
BUNDLE = ".sigstore.json"


class SignatureKind(Enum):
    """Which tools make and check a signature."""

    SSH = "ssh"
    MODEL_SIGNING = "model-signing"


class Statement(Frozen):
    """What is signed by an SSH key: that this version has this digest.

    Attributes:
        model: The model.
        version: The version.
        digest: The version's digest, which stands for its every byte.
        who: Who signs; a key counts only if it is allowed to sign for that name.
        time: When, RFC 3339 in UTC, by the signer's clock.
    """

    model: ModelName
    version: Version
    digest: str
    who: str
    time: str

    def encode(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical.dumps(
            {
                "format": FORMAT,
                "project": self.model.project,
                "model": self.model.model,
                "version": str(self.version),
                "digest": self.digest,
                "who": self.who,
                "time": self.time,
            }
        )


def parse_statement(data: bytes, what: str) -> Statement:
    """Read a statement strictly.

    Raises:
        IntegrityError: It is none, or not as artreg wrote it.
    """
    return parse_strictly(data, what, FORMAT, _from_document)


class Signature(Frozen):
    """A signature as it lies beside a version; whether it is worth anything only a key tells.

    Attributes:
        kind: Which tools it is for.
        data: The statement, or the whole bundle.
        signature: The signature of the statement; of a bundle, which holds its own, ''.
    """

    kind: SignatureKind
    data: bytes
    signature: str = ""

    @property
    def id(self) -> str:
        """The sha256 of its bytes, by which its files are named."""
        return canonical.digest(self.data + self.signature.encode())

    def files(self) -> dict[str, bytes]:
        """Return its files by their names; the signature is there when the last of them is."""
        if self.kind is SignatureKind.MODEL_SIGNING:
            return {f"{self.id}{BUNDLE}": self.data}
        return {f"{self.id}{STATEMENT}": self.data, f"{self.id}{SSH}": self.signature.encode()}


def _from_document(document: Mapping[str, Any]) -> Statement:
    return Statement(
        model=ModelName(typed(document, "project", str), typed(document, "model", str)),
        version=Version.parse(typed(document, "version", str)),
        digest=typed(document, "digest", str),
        who=typed(document, "who", str),
        time=typed(document, "time", str),
    )
