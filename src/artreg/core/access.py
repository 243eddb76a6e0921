"""What each role must be allowed in a bucket, as policies in the language of S3: pure text, made of the keys' layout.

Whoever reads a registry lists all of it, since S3 tells a listing's prefix apart but not what it will show. A version's
number has two dots and an alias's name has none, so that one pattern tells their keys apart.

Nothing but pointers is ever overwritten (and what a probe left). Where a service can demand a condition of every write
it can thus make the registry append-only by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from artreg.core.names import Alias
from artreg.errors import InvalidInput
from artreg.frozen import Frozen

_LANGUAGE = "2012-10-17"
_VERSION = "*.*.*"
_SPECIAL = "*?$"

Statement = dict[str, object]


class Role(Enum):
    """Who works with a registry."""

    CONSUMER = "consumer"
    PUBLISHER = "publisher"
    PROMOTER = "promoter"
    AUDITOR = "auditor"
    GC = "gc"
    OPERATOR = "operator"


class Service(Enum):
    """Whose policies differ."""

    AWS = "aws"
    CEPH = "ceph"
    MINIO = "minio"


class Scope(Frozen):
    """What a policy is about.

    Attributes:
        bucket: The bucket.
        prefix: The registry's prefix in it, without slashes at its ends; may be empty.
        project: The project, '*' for all.
        model: The model, '*' for all.
        aliases: The aliases that may be moved.
    """

    bucket: str
    prefix: str
    project: str = "*"
    model: str = "*"
    aliases: tuple[Alias, ...] = ()

    def __post_init__(self) -> None:
        if any(sign in self.prefix for sign in _SPECIAL):
            raise InvalidInput(
                f"the prefix {self.prefix!r} holds one of {_SPECIAL}, which mean something else in a policy",
                hint="keep the registry under another prefix",
            )

    @property
    def bucket_arn(self) -> str:
        """The name of the bucket."""
        return f"arn:aws:s3:::{self.bucket}"

    @property
    def lead(self) -> str:
        """What all keys of the registry begin with."""
        return f"{self.prefix}/" if self.prefix else ""

    def own(self, *patterns: str) -> list[str]:
        """Return the names of what lies in the registry's own folder."""
        return [f"{self.bucket_arn}/{self.lead}.artreg/{pattern}" for pattern in patterns]

    def models(self, *patterns: str) -> list[str]:
        """Return the names of what belongs to the models."""
        return [f"{self.bucket_arn}/{self.lead}{self.project}/{self.model}/{pattern}" for pattern in patterns]

    def pointers(self) -> list[str]:
        """Return the names of the pointers of the aliases."""
        return self.models(*(alias.name for alias in self.aliases))


def role_policy(role: Role, scope: Scope, principals: Sequence[str] = ()) -> dict[str, object]:
    """Return what a role must be allowed, and no more.

    Args:
        role: The role.
        scope: What it is about.
        principals: Who has the role, for the policy of a bucket; none for one that is attached to a user or a role.

    Raises:
        InvalidInput: Nobody can say which pointers are meant.
    """
    if role in {Role.PROMOTER, Role.GC} and not scope.aliases:
        raise InvalidInput(
            f"a {role.value} sets pointers, which are named like aliases", hint="name them: --alias prod"
        )
    statements = [*_reading(role, scope), *_ROLES[role](scope)]
    who: Statement = {"Principal": {"AWS": list(principals)}} if principals else {}
    return _policy([{**statement, **who} for statement in statements])


def append_only_policy(service: Service, scope: Scope, collectors: Sequence[str] = ()) -> dict[str, object]:
    """Return what nobody may do: overwrite what is never overwritten, delete what only garbage collection deletes.

    Args:
        service: Amazon can demand a condition of every write; Ceph and MinIO only refuse to delete. MinIO has no bucket
            policies for users, so that it is one to attach to each of them.
        scope: What it is about; projects and models play no part.
        collectors: Who collects garbage, by name; nobody may if none is named.
    """
    everything = Scope(scope.bucket, scope.prefix)
    everybody: Statement = {} if service is Service.MINIO else {"Principal": "*"}
    but_collectors: Statement = everybody
    condition: Statement = {}
    if collectors and service is Service.CEPH:
        but_collectors = {"NotPrincipal": {"AWS": list(collectors)}}
    elif collectors and service is Service.AWS:
        condition = {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(collectors)}}}
    erase = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    kept = [*everything.models("history/*"), *everything.own("policy/*", "data/*", "conditional-writes")]
    statements = [
        {**_deny("NobodyRemovesHistory", erase, kept), **everybody},
        {**_deny("OnlyCollectorsRemove", erase, everything.models(f"{_VERSION}/*")), **but_collectors, **condition},
    ]
    if service is Service.AWS:
        created = [*everything.models("*/*"), *everything.own("policy/*", "data/*", "conditional-writes")]
        unconditional = {
            "Null": {"s3:if-none-match": "true"},
            "Bool": {"s3:ObjectCreationOperation": "true"},  # parts of an upload are no objects yet
        }
        statements.append(
            {**_deny("NobodyOverwrites", ["s3:PutObject"], created), **everybody, "Condition": unconditional}
        )
    return _policy(statements)


def _reading(role: Role, scope: Scope) -> list[Statement]:
    listing = _allow("List", ["s3:ListBucket"], [scope.bucket_arn])
    if scope.prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{scope.lead}*"]}}
    narrow = role not in {Role.GC, Role.OPERATOR} and scope.project != "*"
    read = [*scope.models("*"), *scope.own("*")] if narrow else [f"{scope.bucket_arn}/{scope.lead}*"]
    return [listing, _allow("Read", ["s3:GetObject"], read)]


def _consumer(_scope: Scope) -> list[Statement]:
    return []


def _publisher(scope: Scope) -> list[Statement]:
    places = [*scope.models(f"{_VERSION}/*"), *scope.own("data/*")]
    return [_allow("Publish", ["s3:PutObject", "s3:AbortMultipartUpload"], places)]


def _promoter(scope: Scope) -> list[Statement]:
    records = scope.models(*(f"history/{alias}/*.json" for alias in scope.aliases))
    told = scope.own(*(f"hooks/*/{scope.project}/{scope.model}/{alias}/*" for alias in scope.aliases))
    return [
        _allow("Move", ["s3:PutObject"], [*records, *scope.pointers()]),
        _allow("SayOfVersions", ["s3:PutObject"], scope.models(f"history/{_VERSION}/*")),
        _allow("TellOfMoves", ["s3:PutObject", "s3:DeleteObject"], told),
    ]


def _auditor(scope: Scope) -> list[Statement]:
    return [_allow("Remember", ["s3:PutObject", "s3:DeleteObject"], scope.own("verified/*"))]


def _gc(scope: Scope) -> list[Statement]:
    everything = Scope(scope.bucket, scope.prefix, aliases=scope.aliases)
    return [
        _allow("Bury", ["s3:PutObject"], everything.models(f"{_VERSION}/checksum.txt")),
        _allow("Heal", ["s3:PutObject"], [*everything.models("history/*"), *everything.pointers()]),
        _allow("Remove", ["s3:DeleteObject"], [*everything.models(f"{_VERSION}/*"), *everything.own("probe-*")]),
        _deny("KeepHistory", ["s3:DeleteObject"], everything.models("history/*")),
        _allow(
            "EndUploads",
            ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [f"{scope.bucket_arn}/{scope.lead}*"],
        ),
        _allow("FindUploads", ["s3:ListBucketMultipartUploads"], [scope.bucket_arn]),
    ]


def _operator(scope: Scope) -> list[Statement]:
    return [
        _allow("Prepare", ["s3:PutObject"], scope.own("conditional-writes", "policy/*")),
        _allow("Probe", ["s3:PutObject", "s3:DeleteObject"], scope.own("probe-*")),
        _allow("FindUploads", ["s3:ListBucketMultipartUploads", "s3:GetBucketVersioning"], [scope.bucket_arn]),
        _allow("MeasureUploads", ["s3:ListMultipartUploadParts"], [f"{scope.bucket_arn}/{scope.lead}*"]),
    ]


_ROLES = {
    Role.CONSUMER: _consumer,
    Role.PUBLISHER: _publisher,
    Role.PROMOTER: _promoter,
    Role.AUDITOR: _auditor,
    Role.GC: _gc,
    Role.OPERATOR: _operator,
}


def _allow(name: str, actions: list[str], places: list[str]) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": places}


def _deny(name: str, actions: list[str], places: list[str]) -> Statement:
    return {"Sid": name, "Effect": "Deny", "Action": actions, "Resource": places}


def _policy(statements: list[Statement]) -> dict[str, object]:
    return {"Version": _LANGUAGE, "Statement": statements}
