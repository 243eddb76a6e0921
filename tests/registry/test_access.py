"""Policies: what each role may do, on a simulated service that enforces them to the letter, as Amazon's does."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from artreg.core import keys
from artreg.core.access import Role, Scope, Service, append_only_policy, role_policy
from artreg.core.names import Alias
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.store.interface import OWN
from artreg.store.object import MARKER
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.build import MODEL, PROD, STAGING
from registry.access_contract import KINDS, AccessContract
from registry.policy_language import asked, is_allowed, is_denied
from store.proxy import Answer
from store.s3_fake import BUCKET, FakeS3, Lying, said

SCOPE = Scope(BUCKET, "pre/fix", aliases=(PROD, STAGING))


def connection_of(name: str, secret: str = "secret") -> Callable[[StorageOptions], Any]:
    """Connections with credentials of somebody's own."""

    @functools.cache
    def make(options: StorageOptions) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", name)
            patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            client = connect(options)
            client._session.get_credentials().get_frozen_credentials()
        return client

    return make


class Enforcing(FakeS3):
    """Refuses the guest whatever the policy does not allow, as Amazon does where its documentation is read strictly."""

    policy: Mapping[str, Any] = {"Statement": []}

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if "Credential=guest/" in headers.get("Authorization", ""):
            action, place, known = asked(method, path)
            if not is_allowed(self.policy, action, place, known):
                return said(403, "AccessDenied")
            answer = super().pass_on(method, path, headers, body)
            # Whoever may not list the bucket without more ado is not told what is not there.
            listing = is_allowed(self.policy, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {})
            hidden = action == "s3:GetObject" and answer[0] == 404 and not listing
            return said(403, "AccessDenied") if hidden else answer
        return super().pass_on(method, path, headers, body)


class Letter:
    """The simulated service."""

    scope = SCOPE
    large = 2**20 + 1

    def __init__(self, service: Enforcing) -> None:
        self._service = service
        self._guest, self._owner = connection_of("guest"), connection_of("owner")
        self._furniture: Lying | None = None

    def owner(self, prefix: str = "") -> S3Bucket:
        return S3Bucket(BUCKET, SCOPE.prefix + prefix, self._options(), self._owner)

    def guest(self, prefix: str = "") -> S3Bucket:
        return S3Bucket(BUCKET, SCOPE.prefix + prefix, self._options(), self._guest)

    def _options(self) -> StorageOptions:
        return StorageOptions(endpoint_url=self._service.url, attempts=1, part_size=2**20)

    def principal(self) -> list[str]:
        return []

    @contextmanager
    def grant(self, policy: dict[str, Any]) -> Iterator[None]:
        self._service.policy = policy
        yield
        self._service.policy = Enforcing.policy

    def furnish(self, make: Callable[[], object]) -> None:
        if self._furniture is None:
            make()
            self._furniture = self._service.lying()
        self._service.restore(self._furniture)

    def begin_upload(self, key: str) -> None:
        self._service.uploads["left"] = (f"{SCOPE.prefix}/{key}", {1: b"a part"})


@pytest.fixture(scope="module")
def letter() -> Iterator[Letter]:
    with Enforcing() as service:
        yield Letter(service)


class TestToTheLetter(AccessContract):
    @pytest.fixture
    def land(self, letter: Letter) -> Letter:
        letter._service.restore(Lying())
        return letter


def test_policies_speak_of_the_keys_that_there_are() -> None:
    version = Version(9, 0, 0)
    assert KINDS["version"].startswith(keys.version_prefix(MODEL, version))
    assert KINDS["record"] == keys.record_key(MODEL, PROD, 99)
    assert KINDS["event"] == keys.event_key(MODEL, Version(1, 0, 0), 99)
    assert KINDS["pointer"] == keys.pointer_key(MODEL, PROD)
    assert KINDS["policy"] == keys.policy_key(99)
    assert KINDS["snapshot"].startswith(keys.snapshot_prefix("table", "a" * 64, copied=True))
    assert KINDS["memory"].startswith(keys.verifications_prefix(MODEL))
    assert KINDS["marker"] == MARKER
    assert KINDS["probe"].startswith(f"{OWN}/probe-")
    marked = role_policy(Role.PROMOTER, SCOPE)
    place = f"{SCOPE.bucket_arn}/{SCOPE.lead}{keys.yank_mark_key(MODEL, version)}"
    assert is_allowed(marked, "s3:PutObject", place, {})


UNCONDITIONAL = {"s3:ObjectCreationOperation": "true"}
CREATED = {**UNCONDITIONAL, "s3:if-none-match": "*"}
PART = {"s3:ObjectCreationOperation": "false"}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_pointers_is_overwritten_where_the_service_knows_conditions(kind: str) -> None:
    """By the documentation of Amazon; no service that knows these conditions was at hand."""
    policy = append_only_policy(Service.AWS, SCOPE)
    place = f"{SCOPE.bucket_arn}/{SCOPE.lead}{KINDS[kind]}"
    assert is_denied(policy, "s3:PutObject", place, UNCONDITIONAL) is (kind not in {"pointer", "probe", "stray"})
    assert not is_denied(policy, "s3:PutObject", place, CREATED)
    assert not is_denied(policy, "s3:PutObject", place, PART)
    assert not is_denied(policy, "s3:PutObject", f"{SCOPE.bucket_arn}/elsewhere/a/b/c/d", UNCONDITIONAL)


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_removes_what_lasts(service: Service, kind: str) -> None:
    policy = append_only_policy(service, SCOPE)
    place = f"{SCOPE.bucket_arn}/{SCOPE.lead}{KINDS[kind]}"
    assert is_denied(policy, "s3:DeleteObject", place, {}) is (kind not in {"memory", "probe", "pointer", "stray"})


def test_only_who_collects_garbage_removes_versions() -> None:
    policy = append_only_policy(Service.AWS, SCOPE, ["arn:gc"])
    for kind, expected in (("version", False), ("record", True), ("event", True), ("policy", True)):
        place = f"{SCOPE.bucket_arn}/{SCOPE.lead}{KINDS[kind]}"
        assert is_denied(policy, "s3:DeleteObject", place, {"aws:PrincipalArn": "arn:gc"}) is expected
        assert is_denied(policy, "s3:DeleteObject", place, {"aws:PrincipalArn": "arn:other"})


def test_a_role_may_be_bound_to_a_model() -> None:
    narrow = Scope(BUCKET, "pre/fix", "demo", "churn", (Alias("prod"),))
    for role, key, allowed in (
        (Role.PUBLISHER, "demo/churn/1.0.0/a", True),
        (Role.PUBLISHER, "demo/other/1.0.0/a", False),
        (Role.PROMOTER, "demo/churn/prod", True),
        (Role.PROMOTER, "demo/churn/staging", False),
        (Role.PROMOTER, "demo/churn/history/staging/00000001.json", False),
        (Role.PROMOTER, "demo/other/prod", False),
        (Role.PROMOTER, "demo/churn/1.0.0/history/prod/00000001.json", False),
    ):
        place = f"{narrow.bucket_arn}/pre/fix/{key}"
        assert is_allowed(role_policy(role, narrow), "s3:PutObject", place, {}) is allowed, (role, key)
    reads = role_policy(Role.CONSUMER, narrow)
    assert not is_allowed(reads, "s3:GetObject", f"{narrow.bucket_arn}/pre/fix/demo/other/1.0.0/a", {})


def test_registry_may_be_a_whole_bucket() -> None:
    policy = role_policy(Role.CONSUMER, Scope(BUCKET, ""))
    assert is_allowed(policy, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {})
    assert is_allowed(policy, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/demo/churn/1.0.0/a", {})


@pytest.mark.parametrize("prefix", ["a*", "a?", "${aws:username}"])
def test_prefix_that_would_be_a_pattern_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidInput, match="mean something else"):
        Scope(BUCKET, prefix)


def test_who_sets_pointers_must_name_the_aliases() -> None:
    with pytest.raises(InvalidInput, match="pointers"):
        role_policy(Role.PROMOTER, Scope(BUCKET, "a"))


@pytest.mark.parametrize("role", Role)
def test_a_policy_is_short_enough_for_every_service(role: Role) -> None:
    """MinIO takes 2,048 characters by its documentation, Amazon as many for what is attached to a user."""
    policy = role_policy(role, Scope("b" * 30, "p" * 40, aliases=(PROD, STAGING)))
    assert len(json.dumps(policy, separators=(",", ":"))) < 2048
