"""Where the stores under test keep their bytes, looked at without them."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from artreg.store import memory
from artreg.store.generic import FsspecBucket
from artreg.store.interface import Store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.store.object import ObjectStore
from artreg.store.options import StorageOptions
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from store.fakes import DictFileSystem

PART = 5 * 2**20  # the smallest part that S3 allows
OPTIONS = StorageOptions(part_size=PART, parallel=4, backoff=0.01, connect_timeout=5, read_timeout=20)


_connection = functools.cache(connect)  # making one takes longer than most tests, and it holds no state


@functools.cache
def _client(endpoint: str):
    config = Config(max_pool_connections=32, s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return boto3.client("s3", endpoint_url=endpoint, config=config)


class Place(Protocol):
    """One root, its stores, and a way round them."""

    def store(self) -> Store:
        """A further store on the root."""

    def missing(self) -> Store:
        """A store on a root that is not there."""

    def get(self, key: str) -> bytes | None:
        """The bytes under a key."""

    def put(self, key: str, data: bytes) -> None:
        """Put bytes under a key, whatever is there."""

    def put_many(self, keys: list[str]) -> None:
        """Put something under each key."""

    def keys(self) -> list[str]:
        """All keys below the root, sorted."""


class LocalPlace:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def store(self) -> LocalStore:
        return LocalStore(self.root)

    def missing(self) -> LocalStore:
        return LocalStore(self.root / "missing")

    def get(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.is_file() else None

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)

    def put_many(self, keys: list[str]) -> None:
        for key in keys:
            self.put(key, b"x")

    def keys(self) -> list[str]:
        return sorted(
            os.path.relpath(os.path.join(folder, name), self.root)
            for folder, _, names in os.walk(self.root)
            for name in names
        )


class MemoryPlace:
    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        MemoryStore(self._name).make_root()
        self._root = memory._roots[self._name]

    def store(self) -> MemoryStore:
        return MemoryStore(self._name)

    def missing(self) -> MemoryStore:
        return MemoryStore(f"{self._name}-missing")

    def get(self, key: str) -> bytes | None:
        return self._root.files[key].data if key in self._root.files else None

    def put(self, key: str, data: bytes) -> None:
        self._root.put(key, data)

    def put_many(self, keys: list[str]) -> None:
        for key in keys:
            self.put(key, b"x")

    def keys(self) -> list[str]:
        return sorted(self._root.files)


class GenericPlace:
    """A bucket behind fsspec whose `create` is atomic, as Google's and Azure's are."""

    def __init__(self, fs: DictFileSystem) -> None:
        self.fs = fs
        fs.objects["bucket/other"] = b"not below the root"

    def store(self) -> ObjectStore:
        return ObjectStore(FsspecBucket(lambda: self.fs, "bucket/root", OPTIONS, "dict://bucket/root"))

    def missing(self) -> ObjectStore:
        return ObjectStore(FsspecBucket(lambda: self.fs, "missing/root", OPTIONS, "dict://missing/root"))

    def get(self, key: str) -> bytes | None:
        return self.fs.objects.get(f"bucket/root/{key}")

    def put(self, key: str, data: bytes) -> None:
        self.fs.objects[f"bucket/root/{key}"] = data

    def put_many(self, keys: list[str]) -> None:
        for key in keys:
            self.put(key, b"x")

    def keys(self) -> list[str]:
        lead = "bucket/root/"
        return sorted(key[len(lead) :] for key in self.fs.objects if key.startswith(lead))


class S3Place:
    def __init__(self, endpoint: str, bucket: str, prefix: str, client) -> None:
        self.endpoint = endpoint
        self.bucket = bucket
        self.prefix = prefix
        self.client = client

    @classmethod
    def make(cls, endpoint: str, bucket: str, prefix: str) -> S3Place:
        client = _client(endpoint)
        with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=bucket)
        return cls(endpoint, bucket, prefix, client)

    def options(self, **changes: object) -> StorageOptions:
        settings = {name: getattr(OPTIONS, name) for name in OPTIONS.__slots__}
        return StorageOptions(**{**settings, "endpoint_url": self.endpoint, **changes})

    def store(self, **changes: object) -> ObjectStore:
        return ObjectStore(self.s3(**changes))

    def s3(self, **changes: object) -> S3Bucket:
        return S3Bucket(self.bucket, self.prefix, self.options(**changes), _connection)

    def missing(self) -> ObjectStore:
        return ObjectStore(S3Bucket(f"missing-{uuid.uuid4().hex}", self.prefix, self.options(), _connection))

    def get(self, key: str) -> bytes | None:
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
        with answer["Body"] as body:
            return body.read()

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}", Body=data)

    def put_many(self, keys: list[str]) -> None:
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(lambda key: self.put(key, b"x"), keys))

    def keys(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        return [item["Key"][len(self.prefix) + 1 :] for page in pages for item in page.get("Contents", ())]


class MotoPlace(S3Place):
    """A bucket of the simulated server, which runs in this process, looked at without asking it."""

    @classmethod
    def make(cls, endpoint: str, bucket: str, prefix: str) -> MotoPlace:
        _simulated().create_bucket(bucket, "us-east-1")
        return cls(endpoint, bucket, prefix, _client(endpoint))

    def get(self, key: str) -> bytes | None:
        found = _simulated().get_object(self.bucket, f"{self.prefix}/{key}")
        return None if found is None else found.value

    def put(self, key: str, data: bytes) -> None:
        _simulated().put_object(self.bucket, f"{self.prefix}/{key}", data)

    def put_many(self, keys: list[str]) -> None:
        for key in keys:
            self.put(key, b"x")

    def keys(self) -> list[str]:
        lead = f"{self.prefix}/"
        return sorted(
            key[len(lead) :] for key in list(_simulated().get_bucket(self.bucket).keys) if key.startswith(lead)
        )


def _simulated():
    from moto.s3.models import s3_backends

    return s3_backends["123456789012"]["aws"]


def at_once(count: int, action) -> list[object]:
    """What `count` threads that start together return or raise."""
    start = threading.Barrier(count)

    def run(number: int) -> object:
        start.wait()
        try:
            return action(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as workers:
        return list(workers.map(run, range(count)))
