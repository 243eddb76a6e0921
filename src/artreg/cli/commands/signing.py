"""Commands about signatures: `sign`, and what `verify` needs to know whose count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from artreg.cli import documents
from artreg.cli.commands.reading import warn
from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.cli.view import Line, Tone
from artreg.errors import InvalidInput

if TYPE_CHECKING:
    from artreg.registry.signatures import Signed


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
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would be signed, but write nothing")] = False,
) -> None:
    """Sign a version's very bytes; the signature lies beside the version, and `ssh-keygen -Y verify` can check it.

    Without --key the setting signing_key names it [ARTREG_SIGNING_KEY]. Whose signatures count is for whoever verifies
    to say: artreg verify --signed-by.

    Examples: artreg sign churn@1.2.1 --key ~/.ssh/id_ed25519 --identity alice@example.com
    """
    from artreg.registry.resolve import resolve
    from artreg.registry.signatures import sign_version

    found = resolve(session.registry, session.reference(reference))
    warn(session, found)
    result = sign_version(
        session.registry, found.model, found.version, _key(session, key), who=identity, dry_run=dry_run
    )
    session.output.result(documents.signed(result), [Line(_said(result), Tone.GOOD)])


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
