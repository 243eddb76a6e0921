"""Signatures by SSH keys, made and verified by OpenSSH's own `ssh-keygen -Y`; it works without a network."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from artreg.core import canonical
from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.core.version_event import VersionEvent
from artreg.errors import InvalidInput

NAMESPACE = "artreg"
"""What a signature is for; one that was made for something else does not count."""

SIGNATURE = "signature"
"""Where a signature lies in the payload of an event."""

_LARGEST_KEY = 2**16  # bytes
_TIMEOUT_S = 60.0  # a key may lie in a token that waits for a finger


def statement(model: ModelName, version: Version, digest: str, alias: Alias, *, who: str, why: str, time: str) -> bytes:
    """Return the bytes that whoever approves a version signs."""
    return canonical.dumps(
        {
            "project": model.project,
            "model": model.model,
            "version": str(version),
            "digest": digest,
            "alias": str(alias),
            "who": who,
            "why": why,
            "time": time,
        }
    )


def sign(data: bytes, key: Path) -> str:
    """Return a signature of `data` by a private key, or by the key in the agent that a public one names.

    Raises:
        InvalidInput: There is no ssh-keygen, or it cannot sign with that key.
    """
    if not key.is_file() or key.stat().st_size > _LARGEST_KEY:
        raise InvalidInput(f"there is no key {key}", hint="name a private SSH key, or a public one of an agent")
    done = _ssh_keygen(["sign", "-n", NAMESPACE, "-f", str(key)], data)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or "ssh-keygen failed"
        raise InvalidInput(
            f"cannot sign with {key}: {said}", hint="name a private SSH key, or a public one of an agent"
        )
    return done.stdout.decode("ascii", "replace")


def verify_signature(event: VersionEvent, allowed_signers: Iterable[str]) -> bool:
    """Return whether an approval is signed by a key that is allowed to sign for whoever gave it.

    Args:
        event: The approval.
        allowed_signers: Lines of an OpenSSH allowed signers file: a name, then a public key.

    Raises:
        InvalidInput: There is no ssh-keygen.
    """
    signature = event.payload.get(SIGNATURE)
    if not isinstance(signature, str) or not signature.isascii() or event.alias is None:
        return False
    if not event.who or not event.who.isprintable():  # no line of an allowed signers file names such a person
        return False
    data = statement(
        event.model, event.version, event.digest, event.alias, who=event.who, why=event.why, time=event.time
    )
    with tempfile.TemporaryDirectory() as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text("".join(f"{line}\n" for line in allowed_signers), encoding="utf-8")
        signed.write_text(signature, encoding="ascii")
        options = ["-f", str(allowed), "-I", event.who, "-n", NAMESPACE, "-s", str(signed)]
        return _ssh_keygen(["verify", *options], data).returncode == 0


def allowed_signer(who: str, public_key: str) -> str:
    """Return the line of an allowed signers file that lets `who`, and nobody else, sign with a public key.

    Raises:
        InvalidInput: The name or the key cannot stand in such a line.
    """
    # Names are patterns there, several with commas between them, and a backslash or a quote has a meaning of its own.
    if not who.isprintable() or set(who) & set('*?!,"\\#') or who != who.strip() or not who:
        raise InvalidInput(f"{who!r} cannot be the name of a signer", hint="use a name without * ? ! , # and quotes")
    key = public_key.split()
    if len(key) < 2 or "\n" in public_key.strip() or not public_key.isascii():  # noqa: PLR2004  # the type and the key; a comment may follow
        raise InvalidInput(f"the key of {who} is no public SSH key", hint="put in what stands in a file such as id.pub")
    return f'"{who}" namespaces="{NAMESPACE}" {key[0]} {key[1]}'


def _ssh_keygen(arguments: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise InvalidInput("there is no ssh-keygen here, which signs and verifies", hint="install OpenSSH")
    try:
        return subprocess.run(  # noqa: S603  # a list of arguments, no shell
            [program, "-Y", *arguments], input=data, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput("ssh-keygen did not answer in time", hint="try the key with ssh-keygen -Y sign") from error
