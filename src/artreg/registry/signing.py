"""Signatures by SSH keys, made and verified by OpenSSH's own `ssh-keygen -Y`; it works without a network.

Whoever verifies loads this, signatures or not, so that what runs programs is loaded only when one is run.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from artreg.core import canonical
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import Alias, ModelName
from artreg.core.version import Version
from artreg.core.version_event import VersionEvent
from artreg.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from subprocess import CompletedProcess

NAMESPACE = "artreg"
"""What a signature is for; one that was made for something else does not count."""

SIGNATURE = "signature"
"""Where a signature lies in the payload of an event."""

_MAGIC = b"SSHSIG\0\0\0\1"  # and its version; the public key follows
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
    if not _is_key(key):
        raise InvalidInput(
            f"cannot sign with {key}: no key lies there", hint="name a private SSH key, or a public one of an agent"
        )
    done = _ssh_keygen(["sign", "-n", NAMESPACE, "-f", str(key)], data)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or "ssh-keygen failed"
        raise InvalidInput(
            f"cannot sign with {key}: {said}", hint="name a private SSH key, or a public one of an agent"
        )
    return done.stdout.decode("ascii", "replace")


def _is_key(path: Path) -> bool:
    """Return whether a file that could be a key lies there; ssh-keygen would wait for a FIFO for ever."""
    try:
        return path.is_file() and path.stat().st_size <= _LARGEST_KEY
    except (OSError, ValueError):  # the latter for names that no file can have
        return False


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
    return is_signature(data, signature, event.who, allowed_signers)


def is_signature(data: bytes, signature: str, who: str, allowed_signers: Iterable[str]) -> bool:
    """Return whether `data` was signed by a key that is allowed to sign for `who`, and is so still.

    Args:
        data: What was signed.
        signature: The signature, as `ssh-keygen -Y sign` writes it.
        who: In whose name.
        allowed_signers: Lines of an OpenSSH allowed signers file.

    Raises:
        InvalidInput: There is no ssh-keygen.
    """
    if not who or not who.isprintable() or not signature.isascii():  # nobody's name, no signature of anybody's
        return False
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text("".join(f"{line}\n" for line in allowed_signers), encoding="utf-8")
        signed.write_text(signature, encoding="ascii")
        options = ["-f", str(allowed), "-I", who, "-n", NAMESPACE, "-s", str(signed)]
        return _ssh_keygen(["verify", *options], data).returncode == 0


def public_key(signature: str) -> str:
    """Return the public key that a signature names as its own, as it stands in a file such as id.pub; '' if none.

    It proves nothing: `is_signature` tells whether it made the signature.
    """
    body = "".join(line for line in signature.split("\n") if not line.startswith("-----"))
    try:
        blob = base64.b64decode(body, validate=True)
        size = int.from_bytes(blob[10:14])
        key = blob[14 : 14 + size]
        kind = key[4 : 4 + int.from_bytes(key[:4])].decode("ascii")
    except ValueError:
        return ""
    whole = blob.startswith(_MAGIC) and len(key) == size and kind.isprintable() and kind
    return f"{kind} {base64.b64encode(key).decode()}" if whole else ""


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public key as OpenSSH shows it."""
    digest = bytes.fromhex(canonical.digest(base64.b64decode(key.split()[1])))
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def known_signers(signers: Mapping[str, str]) -> AllowedSigners:
    """Return the signers whose public keys a policy names.

    Raises:
        InvalidInput: A name or a key makes no sense.
    """
    return AllowedSigners(tuple(allowed_signer(who, key) for who, key in signers.items()))


@cache
def pem_of(key: str) -> bytes:
    """Return a public ECDSA key as other tools read it, in PEM; b'' if there is no such form.

    Args:
        key: The key as it stands in a file such as id.pub.

    Raises:
        InvalidInput: There is no ssh-keygen.
    """
    return _converted(key, "-e")


def key_of_pem(pem: str) -> str:
    """Return a public key in PEM as OpenSSH writes it; '' if it is none.

    Raises:
        InvalidInput: There is no ssh-keygen.
    """
    return _converted(pem, "-i").decode("ascii", "replace").strip()


def read_signed_by(names: Iterable[str], file: str | PathLike[str] | None) -> SignedBy:
    """Return whose signature is wanted, by the keys that an allowed signers file names.

    The registry's own policy is not asked: whoever can write there could let anybody count.

    Args:
        names: One of these must have signed; none: anybody whom the file names.
        file: The file.

    Raises:
        InvalidInput: No file is named, it cannot be read, or it names nobody.
    """
    if not file:
        raise InvalidInput("nothing says whose keys count", hint="add --allowed-signers FILE, or set allowed_signers")
    from pathlib import Path

    try:
        text = Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", hint="name an allowed signers file") from error
    return SignedBy(AllowedSigners.parse(text, str(file)), tuple(names))


def read_public_key(file: Path) -> str:
    """Return the public key that a file holds, as OpenSSH writes it or in PEM.

    Raises:
        InvalidInput: It cannot be read, or holds none; or there is no ssh-keygen.
    """
    try:
        text = file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", hint="name a public key") from error
    key = (key_of_pem(text) if text.startswith("-----BEGIN") else text).split()
    if len(key) < 2 or ("\n" in text and not text.startswith("-----BEGIN")):  # noqa: PLR2004  # the type and the key
        raise InvalidInput(f"{file} holds no public key", hint="name a file such as id.pub, or a public key in PEM")
    return f"{key[0]} {key[1]}"


def _converted(key: str, way: str) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "key.pub")
        file.write_text(f"{key.strip()}\n", encoding="utf-8")
        done = _run([way, "-m", "PKCS8", "-f", str(file)])
    return b"" if done.returncode else done.stdout


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


def _ssh_keygen(arguments: Sequence[str], data: bytes) -> CompletedProcess[bytes]:
    return _run(["-Y", *arguments], data)


def _run(arguments: Sequence[str], data: bytes = b"") -> CompletedProcess[bytes]:
    import shutil
    import subprocess

    program = shutil.which("ssh-keygen")
    if program is None:
        raise InvalidInput("there is no ssh-keygen here, which signs and verifies", hint="install OpenSSH")
    try:
        return subprocess.run(  # noqa: S603  # a list of arguments, no shell
            [program, *arguments], input=data, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput("ssh-keygen did not answer in time", hint="try the key with ssh-keygen -Y sign") from error
