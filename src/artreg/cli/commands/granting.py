"""Commands about who may do what: `access`."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from artreg.cli.declare import Argument, Option
from artreg.cli.session import Session
from artreg.core.access import Role, Scope, Service, append_only_policy, role_policy
from artreg.core.names import Alias, ModelName
from artreg.errors import InvalidInput

APPEND_ONLY = "append-only"

Policy = Enum("Policy", {**{role.name: role.value for role in Role}, "APPEND_ONLY": APPEND_ONLY})  # type: ignore[misc]  # made of values


def access(
    session: Session,
    policy: Annotated[Policy, Argument(help="The role, or append-only: what nobody may do")],
    what: Annotated[
        str | None, Argument(help="[PROJECT/]MODEL or PROJECT/; every model by default", complete="models")
    ] = None,
    aliases: Annotated[
        list[str] | None,
        Option("--alias", metavar="ALIAS", help="What may be moved; by default the aliases of the policy file"),
    ] = None,
    principals: Annotated[
        list[str] | None,
        Option("--principal", metavar="ARN", help="Who it is for: prints a bucket policy; with append-only, the gc"),
    ] = None,
    service: Annotated[Service, Option("--for", help="Whose language, for append-only")] = Service.AWS,
) -> None:
    """Print what a role must be allowed in a bucket, as an S3 policy to attach to a user, a role or the bucket.

    Nothing is read or changed. docs/s3.md says how to apply it at each service, and what each leaves open.

    Examples: artreg access consumer -r s3://models/registry; artreg access promoter churn --alias prod -r s3://models;
    artreg access append-only --principal arn:aws:iam::111122223333:role/gc -r s3://models/registry
    """
    from artreg.store.factory import s3_place

    bucket, prefix = s3_place(session.settings.registry)
    project, model = _scope(session, what)
    named = aliases or sorted(session.local_policy().aliases)
    scope = Scope(bucket, prefix, project, model, tuple(Alias(name) for name in named))
    if policy.value == APPEND_ONLY:
        if what is not None or aliases:
            raise InvalidInput("append-only holds for the whole registry", hint="leave out the model and --alias")
        document = append_only_policy(service, scope, principals or ())
    else:
        document = role_policy(Role(policy.value), scope, principals or ())
    session.output.document(document)


def _scope(session: Session, what: str | None) -> tuple[str, str]:
    if what is None:
        return "*", "*"
    if what.endswith("/"):
        return ModelName.parse("model", what.removesuffix("/")).project, "*"
    name = session.model(what)
    return name.project, name.model
