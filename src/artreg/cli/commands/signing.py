"""Commands about signatures: `sign`, and what `verify` needs to know whose count."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.commands.reading import warn
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.errors import InvalidInput
from artreg.store.interface import READ_LIMIT

if TYPE_CHECKING:
    from artreg.registry.signatures import Signed


class Format(Enum):
    """The formats of signatures."""

    SSH = "ssh"
    MODEL_SIGNING = "model-signing"


def sign(
    session: Session,
    reference: Annotated[str, Argument(help="[PROJECT/]MODEL@VERSION or @ALIAS", complete="references")],
    key: Annotated[
        Path | None,
        Option("--key", metavar="FILE", help="The SSH key; a public one's other half is in the agent"),
    ] = None,
    identity: Annotated[
        str, Option("--identity", metavar="NAME", help="In whose name; by default whoever acts (--actor)")
    ] = "",
    format_: Annotated[
        Format, Option("--format", help="ssh, or model-signing with an elliptic curve key in PEM")
    ] = Format.SSH,
    attach: Annotated[
        Path | None, Option("--attach", metavar="FILE", help="Lay a signature there that model_signing made")
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be signed, but write nothing")] = False,
) -> None:
    """Sign a version's very bytes; the signature lies beside the version, and `ssh-keygen -Y verify` can check it.

    Without --key the setting signing_key names it [ARTREG_SIGNING_KEY]. Whose signatures count is for whoever verifies
    to say: artreg verify --signed-by. The format model-signing is that of the OpenSSF, for `model_signing verify key`;
    it names no person, so whoever verifies says whose the key is.

    Examples: artreg sign churn@1.2.1 --key ~/.ssh/id_ed25519 --identity alice@example.com;
    artreg sign churn@1.2.1 --format model-signing --key key.pem; artreg sign churn@1.2.1 --attach model.sig
    """
    from artreg.registry.resolve import resolve
    from artreg.registry.signatures import attach_bundle, sign_version, sign_version_bundle

    if identity and (attach or format_ is Format.MODEL_SIGNING):
        raise InvalidInput("only an SSH signature names who signed", hint="leave out --identity")
    if attach and key:
        raise InvalidInput("what is attached is signed already", hint="leave out --key")
    found = resolve(session.registry, session.reference(reference))
    warn(session, found)
    version = (session.registry, found.model, found.version)
    if attach is not None:
        result = attach_bundle(*version, _bytes(attach), dry_run=dry_run)
    elif format_ is Format.MODEL_SIGNING:
        result = sign_version_bundle(*version, _key(session, key), dry_run=dry_run)
    else:
        result = sign_version(*version, _key(session, key), who=identity, dry_run=dry_run)
    session.output.result(documents.signed(result), [Line(_said(result), Tone.GOOD)])


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > READ_LIMIT:
            raise InvalidInput(f"{file} is too large for a signature", hint=f"at most {READ_LIMIT} bytes are read")
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}", hint="name a file") from error


def _key(session: Session, key: Path | None) -> Path:
    named = key or (Path(session.settings.signing_key) if session.settings.signing_key else None)
    if named is None:
        raise InvalidInput("which key is to sign?", hint="add --key ~/.ssh/id_ed25519, or set signing_key")
    return named.expanduser()


def _said(result: Signed) -> str:
    what, name = f"{result.model}@{result.version}", f" by {result.who}" if result.who else ""
    if result.dry_run:
        return f"{what} would be signed{name}"
    return f"{what} is signed{name}" if result.changed else f"{what} is signed{name} already: nothing to do"
