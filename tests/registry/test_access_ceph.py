"""Policies on a real S3 server, which enforces what it knows: for a bucket, and attached to a user."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from artreg.core.access import Role, Scope, Service, append_only_policy, role_policy
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.publish import publish
from artreg.registry.verify import verify
from artreg.store.object import MARKED, MARKER, ObjectStore
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.build import MODEL, POLICY, PROD, STAGING, V1, collect_everything, make_source
from registry.access_contract import KINDS, AccessContract, refused
from registry.test_access import connection_of
from store.places import PART, S3Place

pytestmark = pytest.mark.s3

GUEST, KEY, SECRET = (
    os.environ.get(f"S3_TEST_GUEST{name}", "") for name in ("", "_ACCESS_KEY_ID", "_SECRET_ACCESS_KEY")
)
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def place() -> Iterator[S3Place]:
    """A bucket of its own, since policies hold for a bucket, or for a user wherever it goes."""
    endpoint = os.environ.get("S3_TEST_ENDPOINT")
    if not endpoint or not GUEST:
        pytest.fail("S3_TEST_GUEST names no second user of this server; scripts/s3-server makes one")
    place = S3Place.make(endpoint, f"access-{uuid.uuid4().hex}", prefix="")
    lay(place, [])
    yield place
    pages = place.client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket)
    for key in [item["Key"] for page in pages for item in page.get("Contents", ())]:
        place.client.delete_object(Bucket=place.bucket, Key=key)
    place.client.delete_bucket(Bucket=place.bucket)


def lay(place: S3Place, statements: list[dict[str, Any]]) -> None:
    """Give the bucket a policy; its owner may always read, since objects belong to whoever wrote them here."""
    owner = f"arn:aws:iam:::user/{place.client.list_buckets()['Owner']['ID']}"
    everything = [f"arn:aws:s3:::{place.bucket}", f"arn:aws:s3:::{place.bucket}/*"]
    own = {"Effect": "Allow", "Principal": {"AWS": [owner]}, "Action": "s3:*", "Resource": everything}
    policy = {"Version": "2012-10-17", "Statement": [own, *statements]}
    place.client.put_bucket_policy(Bucket=place.bucket, Policy=json.dumps(policy))


class Ceph:
    """The real server, with a fresh prefix in the bucket.

    Args:
        place: The bucket.
        attached: Whether policies are attached to the guest, rather than to the bucket.
    """

    large = PART + 1

    def __init__(self, place: S3Place, *, attached: bool) -> None:
        self._place = place
        self._attached = attached
        self._guest, self._owner = connection_of(KEY, SECRET), connect
        self.scope = Scope(place.bucket, f"test-{uuid.uuid4().hex}", aliases=(PROD, STAGING))

    def owner(self, prefix: str = "") -> S3Bucket:
        return S3Bucket(self.scope.bucket, self.scope.prefix + prefix, self._place.options(), self._owner)

    def guest(self, prefix: str = "") -> S3Bucket:
        return S3Bucket(self.scope.bucket, self.scope.prefix + prefix, self._place.options(), self._guest)

    def principal(self) -> list[str]:
        return [] if self._attached else [f"arn:aws:iam:::user/{GUEST}"]

    @contextmanager
    def grant(self, policy: dict[str, Any]) -> Iterator[None]:
        with self.attach(policy) if self._attached else self.lay(policy):
            yield

    @contextmanager
    def attach(self, policy: dict[str, Any]) -> Iterator[None]:
        iam = boto3.client("iam", endpoint_url=self._place.endpoint)
        iam.put_user_policy(UserName=GUEST, PolicyName="artreg", PolicyDocument=json.dumps(policy))
        try:
            yield
        finally:
            iam.delete_user_policy(UserName=GUEST, PolicyName="artreg")

    @contextmanager
    def lay(self, policy: dict[str, Any]) -> Iterator[None]:
        lay(self._place, policy["Statement"])
        try:
            yield
        finally:
            lay(self._place, [])

    def furnish(self, make: Callable[[], object]) -> None:
        make()

    def begin_upload(self, key: str) -> None:
        where = {"Bucket": self.scope.bucket, "Key": f"{self.scope.prefix}/{key}"}
        token = self._place.client.create_multipart_upload(**where)["UploadId"]
        self._place.client.upload_part(**where, UploadId=token, PartNumber=1, Body=b"a part")


class TestRealServer(AccessContract):
    @pytest.fixture(params=["of the bucket", "of the user"])
    def land(self, place: S3Place, request: pytest.FixtureRequest) -> Ceph:
        return Ceph(place, attached=request.param == "of the user")


def removable(land: Ceph, bucket: S3Bucket) -> set[str]:
    return {kind for kind, key in KINDS.items() if not refused(lambda: bucket.remove(key))}  # noqa: B023


@pytest.mark.parametrize("service", [Service.CEPH, Service.AWS])
def test_append_only_holds_for_who_may_do_anything(place: S3Place, service: Service) -> None:
    """Amazon's form does no harm here, but this server does not know the conditions, so that it demands none."""
    land = Ceph(place, attached=True)
    for key in KINDS.values():
        land.owner().put(key, b"x")
    with land.attach(ANYTHING), land.lay(append_only_policy(service, land.scope)):
        free = {"memory", "probe", "pointer", "stray"}
        assert removable(land, land.guest()) == free
        assert removable(land, land.owner()) == free
        land.guest().put(KINDS["record"], b"overwritten")
    assert land.owner().get(KINDS["record"], 0, 99).data == b"overwritten"


def test_who_collects_garbage_goes_on_collecting(place: S3Place, tmp_path: Path) -> None:
    land = Ceph(place, attached=True)
    owner = Registry(ObjectStore(land.owner()), "owner")
    land.owner().put(MARKER, MARKED)
    land.owner().put("demo/churn/8.0.0/run.json", b"a claim")
    collectors = [f"arn:aws:iam:::user/{GUEST}"]
    policy = role_policy(Role.GC, land.scope)
    with land.attach(policy), land.lay(append_only_policy(Service.CEPH, land.scope, collectors)):
        assert publish(owner, MODEL, make_source(tmp_path / "one", "one"), V1).created
        promote(owner, MODEL, V1, PROD, POLICY)
        done = collect_everything(ObjectStore(land.guest()))
        assert [it.what for it in done.removed] == ["unfinished version demo/churn@8.0.0"]
        assert refused(lambda: land.owner().remove("demo/churn/1.0.0/metrics.json"))
        assert refused(lambda: land.guest().remove("demo/churn/history/prod/00000001.json"))
    assert verify(owner).ok
