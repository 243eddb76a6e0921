"""From URL to store."""

import os
import subprocess
import sys

import pytest

from artreg.errors import InvalidInput
from artreg.store.factory import open_store
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.store.object import ObjectStore


@pytest.mark.parametrize("url", ["registry/", "/tmp/x", "a b", "a?b", "~/registry", "file:///tmp/a%20b", "C:x", "a::b"])
def test_paths_are_folders(url):
    assert isinstance(open_store(url), LocalStore)


def test_file_url_is_its_path():
    assert open_store("file:///tmp/a%20b").url == "/tmp/a b"
    assert open_store("file://localhost/tmp/a").url == "/tmp/a"


def test_home_is_known(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert open_store("~/registry").url == "/home/somebody/registry"


def test_path_objects_are_taken(tmp_path):
    assert open_store(tmp_path).url == os.fspath(tmp_path)


def test_memory_is_shared_by_name():
    assert isinstance(open_store("memory://shared"), MemoryStore)
    open_store("memory://shared").make_root()
    open_store("memory://shared/").create("a", b"x")
    assert open_store("memory://shared").read("a") == b"x"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("S3://bucket/a/b/", "s3://bucket/a/b"),
    ],
)
def test_buckets_are_not_reached_before_they_are_used(url, shown):
    store = open_store(url)
    assert isinstance(store, ObjectStore)
    assert store.url == shown


@pytest.mark.parametrize(("url", "package"), [("gs://bkt/x", "gcsfs"), ("gcs://bkt", "gcsfs"), ("az://bkt", "adlfs")])
def test_missing_package_is_named(url, package):
    with pytest.raises(InvalidInput) as caught:
        open_store(url)
    assert package in caught.value.message
    assert f"pip install {package}" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a\0b",
        "s3a://bucket/x",
        "http://host/x",
        "ftp://host/x",
        "simplecache::s3://bucket/x",
        "zip://a.zip::s3://bucket/x",
        "s3://",
        "s3:///x",
        "s3://b",
        "s3://bucket/../x",
        "s3://bucket/a//b",
        "s3://bucket/a\nb",
        "s3://bucket/x?versionId=1",
        "s3://bucket/x#y",
        "s3://bucket/" + "x" * 200,
        "s3://buc ket/x",
        "file://host/x",
        "file:x://y",
        "memory://../x",
    ],
)
def test_what_cannot_hold_a_registry_is_refused(url):
    with pytest.raises(InvalidInput):
        open_store(url)


@pytest.mark.parametrize("scheme", ["s3", "s3a", "gs", "abfs", "ftp"])
def test_credentials_are_refused_and_not_repeated(scheme):
    with pytest.raises(InvalidInput) as caught:
        open_store(f"{scheme}://AKIAKEY:hunter2@bucket/x")
    assert "hunter2" not in caught.value.message + caught.value.hint
    with pytest.raises(InvalidInput) as caught:
        open_store(f"simplecache::{scheme}://AKIAKEY:hunter2@bucket/x")
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_local_store_is_light():
    heavy = "fsspec", "s3fs", "asyncio", "botocore", "concurrent.futures", "shutil", "json.tool", "ssl"
    script = (
        "import sys\n"
        "from artreg.store.factory import open_store\n"
        "store = open_store(sys.argv[1]); store.require_root(); list(store.walk('')); store.pointer('a')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", script, "."], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
