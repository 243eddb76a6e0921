"""What is timed in a bucket, against whatever else moves bytes to the same endpoint and is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
from measure import Action, Result, compare, process, timed
from places import ARTREG, MEBIBYTE, folder_of

BUCKET = os.environ.get("S3_TEST_BUCKET", "")
ENDPOINT = os.environ.get("S3_TEST_ENDPOINT", "")
SIZE = 512 * MEBIBYTE  # a server for tests keeps everything in memory, and what was deleted for a while too
Peer = tuple[str, Callable[[Path, str], Action], Callable[[str, Path], Action]]


def bucket(work: Path, runs: int) -> Iterator[Result]:
    """Time look-ups, uploads, downloads and verification."""
    prefix = f"bench-{uuid.uuid4().hex}"
    root = f"s3://{BUCKET}/{prefix}"
    try:
        yield from _look_up(work, root, runs)
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


def _bytes(work: Path, root: str, prefix: str, runs: int) -> Iterator[Result]:
    source = folder_of(work / "source-s3", 1, SIZE)
    file = next((source / "model").iterdir())
    out, copy = work / "out-s3", work / "copy-s3"
    runs = max(3, runs // 3)

    def clean() -> None:
        shutil.rmtree(out, ignore_errors=True)
        copy.unlink(missing_ok=True)

    def publish() -> None:
        command = [ARTREG, "publish", str(source), "--model", "large", "--version", "1.0.0", "-r", root, "-q"]
        process(command, work)()

    def cleared() -> None:
        clean()
        _empty(f"{prefix}/demo/large")
        _empty(f"{prefix}/peer")

    peers = list(_peers(prefix))
    up = {name: min(timed(put(file, name), cleared) for _ in range(1)) for name, put, _ in peers}
    name, put, _ = next(peer for peer in peers if up[peer[0]] == min(up.values()))
    ratio = compare(publish, put(file, name), runs, between=cleared, speed=True)
    yield Result("S3", "publish of 512 MiB", f"the fastest of {', '.join(up)}: {name}", ratio, 0.9, True)
    cleared()
    publish()
    for _, put, _ in peers:
        put(file, "down")()
        break
    down = {name: min(timed(get("down", copy), clean) for _ in range(1)) for name, _, get in peers}
    name, _, get = next(peer for peer in peers if down[peer[0]] == min(down.values()))
    pull = process([ARTREG, "pull", "large@1.0.0", "-o", str(out), "-r", root, "-q"], work)
    ratio = compare(pull, get("down", copy), runs, between=clean, speed=True)
    yield Result(
        "S3", "pull of 512 MiB, verified, durable", f"the fastest of {', '.join(down)}: {name}", ratio, 0.9, True
    )
    verify = process([ARTREG, "verify", "large", "-r", root], work)
    ratio = compare(verify, pull, runs, between=clean)
    yield Result("S3", "verify of 512 MiB", "pull of the same", ratio, 1)
    cleared()
    shutil.rmtree(source)


def _peers(prefix: str) -> Iterator[Peer]:
    client = boto3.client("s3", endpoint_url=ENDPOINT)

    def key(name: str) -> str:
        return f"{prefix}/peer/{name}"

    yield (
        "boto3",
        lambda file, name: lambda: client.upload_file(str(file), BUCKET, key(name)),
        lambda name, copy: lambda: client.download_file(BUCKET, key(name), str(copy)),
    )
    if shutil.which("rclone"):
        yield (
            "rclone",
            lambda file, name: _rclone(str(file), key(name), up=True),
            lambda name, copy: _rclone(str(copy), key(name), up=False),
        )
    try:
        import obstore
        from obstore.store import S3Store
    except ImportError:
        return
    store = S3Store(BUCKET, endpoint=ENDPOINT, client_options={"allow_http": True}, virtual_hosted_style_request=False)

    def put(file: Path, name: str) -> Action:
        def run() -> None:
            with open(file, "rb") as source:
                obstore.put(store, key(name), source)

        return run

    def get(name: str, copy: Path) -> Action:
        def run() -> None:
            with open(copy, "wb") as target:
                target.writelines(obstore.get(store, key(name)).stream(min_chunk_size=8 * MEBIBYTE))

        return run

    yield "obstore", put, get


def _rclone(file: str, key: str, *, up: bool) -> Action:
    remote = f':s3,provider=Other,env_auth=true,endpoint="{ENDPOINT}":{BUCKET}/{key}'
    ends = [file, remote] if up else [remote, file]
    command = ["env", "-u", "AWS_CA_BUNDLE", "rclone", "copyto", *ends, "--s3-no-check-bucket", "--log-level", "ERROR"]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _empty(prefix: str) -> None:
    client = boto3.client("s3", endpoint_url=ENDPOINT)
    while found := client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents"):
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": item["Key"]} for item in found]})
