"""What is timed in a bucket, against whatever else moves bytes to the same endpoint and is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from measure import Result, compare, process, timed
from places import ARTREG, MEBIBYTE, MODEL, PROD, folder_of, long_registry

from artreg.core.keys import pointer_key
from artreg.store.factory import open_store
from artreg.store.interface import Pointer
from artreg.store.options import StorageOptions

BUCKET = os.environ.get("S3_TEST_BUCKET", "")
ENDPOINT = os.environ.get("S3_TEST_ENDPOINT", "")
SIZE = 512 * MEBIBYTE  # a server for tests keeps everything in memory, and what was deleted for a while too
THREADS = 16
"""That peers work with where there are many files."""


def bucket(work: Path, runs: int) -> Iterator[Result]:
    """Time look-ups, uploads, downloads and verification."""
    prefix = f"bench-{uuid.uuid4().hex}"
    root = f"s3://{BUCKET}/{prefix}"
    try:
        yield from _look_up(work, root, runs)
        yield from _scale(work, root, prefix, runs)
        yield from _bytes(work, root, prefix, runs)
    finally:
        _empty(prefix)


def _look_up(work: Path, root: str, runs: int) -> Iterator[Result]:
    small = folder_of(work / "small-s3", 1, 100)
    policy = work / "s3-policy.json"
    policy.write_text('{"aliases": {"prod": {}}}')
    for line in (f"publish {small} --model churn --version 1.0.0", f"promote churn 1.0.0 --to prod --policy {policy}"):
        subprocess.run([ARTREG, *line.split(), "-r", root, "-q"], check=True, stdout=subprocess.DEVNULL)
    key = f"{root.removeprefix('s3://')}/demo/churn/history/prod/00000001.json"
    read = process([sys.executable, "-c", f"import s3fs; s3fs.S3FileSystem().cat_file({key!r})"], work)
    resolve = process([ARTREG, "resolve", "churn@prod", "-r", root], work)
    note = "artreg sends two requests, s3fs one"
    yield Result(
        "S3", "artreg resolve churn@prod", "a bare read with s3fs", compare(resolve, read, runs), 1.15, note=note
    )


def _scale(work: Path, root: str, prefix: str, runs: int) -> Iterator[Result]:
    """Time a look-up and a move among 10,000 versions and records against the same among 10."""
    for name, count in (("few", 10), ("many", 10_000)):
        _stored(long_registry(work / f"{name}-s3", count), f"{prefix}/{name}")
        pointer = Pointer(f"1.{count - 1}.0", count)
        open_store(f"{root}/{name}", StorageOptions(endpoint_url=ENDPOINT)).point(pointer_key(MODEL, PROD), pointer)
    for words in ("resolve churn@prod", "rollback churn@prod --dry-run"):
        many, few = (process([ARTREG, *words.split(), "-r", f"{root}/{name}"], work) for name in ("many", "few"))
        what = f"artreg {words.split()[0]}, 10,000 versions and records"
        yield Result("S3", what, "10 of each", compare(many, few, runs), 1.2)
    _empty(f"{prefix}/few")
    _empty(f"{prefix}/many")


def _stored(folder: Path, prefix: str) -> None:
    """Put every file of a registry on a disk into the bucket, and remove it there."""
    client = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(max_pool_connections=THREADS))
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]

    def put(path: Path) -> None:
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.relative_to(folder)}", Body=path.read_bytes())

    with ThreadPoolExecutor(THREADS) as workers:
        list(workers.map(put, files))
    shutil.rmtree(folder)


def _bytes(work: Path, root: str, prefix: str, runs: int) -> Iterator[Result]:
    peers = list(_peers(prefix))
    large = Load("512 MiB", folder_of(work / "large-s3", 1, SIZE), work, root, prefix)
    yield from _moved(large, peers, max(3, runs // 3))
    verify = process([ARTREG, "verify", "large", "-r", root], work)
    ratio = compare(verify, large.pull, max(3, runs // 3), between=large.clean)
    yield Result("S3", f"verify of {large.what}", "pull of the same", ratio, 1)
    large.clear()
    many = Load("1,000 × 16 KiB", folder_of(work / "many-s3", 1000, 16 * 2**10), work, root, prefix)
    yield from _moved(many, peers, max(3, runs // 2))
    many.clear()


class Load:
    """A folder that goes into a bucket and back.

    Args:
        what: What to call it.
        source: The folder.
        work: Where copies go.
        root: The registry.
        prefix: What its keys begin with.
    """

    def __init__(self, what: str, source: Path, work: Path, root: str, prefix: str) -> None:
        self.what = what
        self.files = source / "model"
        self.out, self.copy = work / "out-s3", work / "copy-s3"
        self._prefix = prefix
        line = f"publish {source} --model large --version 1.0.0 -r {root} -q"
        self.publish = process([ARTREG, *line.split()], work)
        line = f"pull large@1.0.0 -o {self.out} -r {root} -q"
        self.pull = process([ARTREG, *line.split(), "--no-cache"], work)
        self.cache = work / "cache-s3"
        self.pull_cached = process([ARTREG, *line.split()], work, {"ARTREG_CACHE": str(self.cache)})

    def clean(self) -> None:
        """Remove what was pulled."""
        for folder in (self.out, self.copy):
            shutil.rmtree(folder, ignore_errors=True)
        self.copy.mkdir()

    def pull_from_empty_cache(self) -> None:
        """Pull what the cache has not."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.pull_cached()

    def clear(self) -> None:
        """Remove what was published, too."""
        self.clean()
        _empty(f"{self._prefix}/demo/large")
        _empty(f"{self._prefix}/peer")


def _moved(load: Load, peers: list[Peer], runs: int) -> Iterator[Result]:
    """Time publish and pull against the peer that is fastest at each; the load is there at the end."""
    names = ", ".join(peer.name for peer in peers)
    up = min(peers, key=lambda peer: timed(lambda: peer.put(load.files), load.clear))
    ratio = compare(load.publish, lambda: up.put(load.files), runs, between=load.clear, speed=True)
    yield Result("S3", f"publish of {load.what}", f"the fastest of {names}: {up.name}", ratio, 0.9, True)
    load.clear()
    load.publish()
    peers[0].put(load.files)
    down = min(peers, key=lambda peer: timed(lambda: peer.get(load.copy), load.clean))
    ratio = compare(load.pull, lambda: down.get(load.copy), runs, between=load.clean, speed=True)
    what = f"pull of {load.what}, verified, durable"
    yield Result("S3", what, f"the fastest of {names}: {down.name}", ratio, 0.9, True)
    ratio = compare(load.pull_from_empty_cache, load.pull, max(3, runs // 3), between=load.clean)
    yield Result("S3", f"pull of {load.what} from an empty cache", "pull without a cache", ratio, 1.5)
    ratio = compare(load.pull_cached, load.pull, max(3, runs // 3), between=load.clean)
    yield Result("S3", f"pull of {load.what} from a full cache", "pull without a cache", ratio, 0.7)
    shutil.rmtree(load.cache)


@dataclass(frozen=True)
class Peer:
    """What else moves folders to a bucket and back.

    Attributes:
        name: What it is called.
        put: Stores the files of a folder under a prefix.
        get: Fetches them into another folder.
    """

    name: str
    put: Callable[[Path], object]
    get: Callable[[Path], object]


def _peers(prefix: str) -> Iterator[Peer]:
    client = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(max_pool_connections=4 * THREADS))
    folder = f"{prefix}/peer"

    def by_threads(action: Callable[[str], object], names: Iterable[str]) -> None:
        with ThreadPoolExecutor(THREADS) as workers:
            list(workers.map(action, names))

    def stored() -> list[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{folder}/")
        return [item["Key"].rpartition("/")[2] for page in pages for item in page.get("Contents", ())]

    yield Peer(
        "boto3",
        lambda source: by_threads(
            lambda name: client.upload_file(str(source / name), BUCKET, f"{folder}/{name}"), os.listdir(source)
        ),
        lambda target: by_threads(
            lambda name: client.download_file(BUCKET, f"{folder}/{name}", str(target / name)), stored()
        ),
    )
    if shutil.which("rclone"):
        yield Peer(
            "rclone",
            lambda source: _rclone(str(source), _remote(folder)),
            lambda target: _rclone(_remote(folder), str(target)),
        )
    try:
        import obstore
        from obstore.store import S3Store
    except ImportError:
        return
    store = S3Store(BUCKET, endpoint=ENDPOINT, client_options={"allow_http": True}, virtual_hosted_style_request=False)

    def put(path: Path) -> None:
        with open(path, "rb") as source:
            obstore.put(store, f"{folder}/{path.name}", source)

    def get(path: Path) -> None:
        with open(path, "wb") as target:
            target.writelines(obstore.get(store, f"{folder}/{path.name}").stream(min_chunk_size=8 * MEBIBYTE))

    yield Peer(
        "obstore",
        lambda source: by_threads(lambda name: put(source / name), os.listdir(source)),
        lambda target: by_threads(lambda name: get(target / name), stored()),
    )


def _remote(folder: str) -> str:
    return f':s3,provider=Other,env_auth=true,endpoint="{ENDPOINT}":{BUCKET}/{folder}'


def _rclone(source: str, target: str) -> None:
    settings = f"--transfers {THREADS} --checkers {THREADS} --s3-no-check-bucket --log-level ERROR"
    command = ["env", "-u", "AWS_CA_BUNDLE", "rclone", "copy", source, target, *settings.split()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _empty(prefix: str) -> None:
    client = boto3.client("s3", endpoint_url=ENDPOINT)
    while found := client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents"):
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": item["Key"]} for item in found]})
