"""Killed at every request to a bucket; the same for a simulated and for a real one."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from artreg.registry.handle import Registry
from artreg.store.object import MARKED, MARKER
from faults import children, processes
from faults.build import assert_pointers, assert_sound, collect_everything, later, view
from faults.operations import OPERATIONS
from faults.outofband import unfinished_versions, whole_versions
from store.fakes import DictFileSystem
from store.places import GenericPlace, S3Place

BUCKET = ["publish first", "publish next", "promote first", "promote next", "rollback", "gc in a bucket"]


@dataclass(frozen=True)
class Contents:
    """What lies below a prefix: objects, and the keys of uploads that never ended."""

    objects: dict[str, bytes]
    uploads: list[str]


def kill_at_every_request(
    place: S3Place, name: str, sources: Path, folder: Path, *, changes_only: bool = False
) -> tuple[int, int]:
    """Kill an operation at every moment, before a request is sent and when it was answered.

    What is left is checked after each request that may have changed something, and the operation is run again from
    there; between two of these nothing that lies in the bucket differs.

    Returns:
        How many times it was killed, and how many different states that left.
    """
    template = _template(place, name, sources)
    before = view(in_memory(template.objects))
    trace = folder / "moments.json"
    assert _run(name, place, sources, None, trace) == 0
    moments = json.loads(trace.read_text())
    after = view(in_memory(contents(place)))
    killed, checked = 0, set()
    for point, moment in enumerate(moments, start=1):
        state = sum(_changes(earlier) for earlier in moments[:point] if earlier.endswith("was answered"))
        if changes_only and state in checked:
            continue
        print(f"{name}: killed at moment {point}, {moment}")
        fresh = type(place)(place.endpoint, place.bucket, f"{place.prefix}-{point}", place.client)
        _restore(fresh, template)
        assert _run(name, fresh, sources, point, None) == -signal.SIGKILL
        killed += 1
        if state not in checked:
            checked.add(state)
            _check_after_crash(fresh, before, after)
            OPERATIONS[name].run(later(fresh.store()), sources)
            _check_when_done(fresh, after)
        _empty(fresh)
    print(f"{name}: {killed} crash points at {place.endpoint}, which left {len(checked)} different states")
    return killed, len(checked)


def _changes(moment: str) -> bool:
    return moment.startswith(("PUT", "POST", "DELETE"))


def _run(name: str, place: S3Place, sources: Path, at: int | str | None, trace: Path | None) -> int:
    """One request at a time, so that none is on its way when the process dies."""
    root = children.Root(place.bucket, place.prefix, place.options(parallel=1))
    return processes.finish(
        processes.start(children.in_bucket, name, root, str(sources), at, str(trace) if trace else None)
    )


def _template(place: S3Place, name: str, sources: Path) -> Contents:
    calm = GenericPlace(DictFileSystem())
    calm.put(MARKER, MARKED)
    OPERATIONS[name].prepare(Registry(calm.store()), sources)
    names = calm.keys()
    put_all(place, {key: calm.get(key) for key in names})
    for crashed, moment in OPERATIONS[name].leftovers:
        assert _run(crashed, place, sources, moment, None) == -signal.SIGKILL
    return Contents(contents(place), [key for key, _ in uploads(place)])


def _restore(place: S3Place, template: Contents) -> None:
    put_all(place, template.objects)
    for key in template.uploads:
        where = {"Bucket": place.bucket, "Key": f"{place.prefix}/{key}"}
        token = place.client.create_multipart_upload(**where)["UploadId"]
        place.client.upload_part(**where, UploadId=token, PartNumber=1, Body=b"a part")


def put_all(place: S3Place, objects: dict[str, bytes]) -> None:
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(place.put, objects, objects.values()))


def in_memory(objects: dict[str, bytes]) -> Registry:
    """A copy of a bucket in memory, which can be looked at without thousands of requests."""
    place = GenericPlace(DictFileSystem())
    for key, data in objects.items():
        place.put(key, data)
    return Registry(place.store())


def _empty(place: S3Place) -> None:
    names = place.keys()
    objects = [{"Key": f"{place.prefix}/{name}"} for name in names]
    place.client.delete_objects(Bucket=place.bucket, Delete={"Objects": objects})


def contents(place: S3Place) -> dict[str, bytes]:
    """Every object below the root, read without artreg."""
    keys = place.keys()
    with ThreadPoolExecutor(8) as workers:
        return dict(zip(keys, workers.map(place.get, keys), strict=True))


def uploads(place: S3Place) -> Iterator[tuple[str, str]]:
    """Every upload below the root that never ended, read without artreg."""
    answer = place.client.list_multipart_uploads(Bucket=place.bucket, Prefix=f"{place.prefix}/")
    for item in answer.get("Uploads", ()):
        yield item["Key"].removeprefix(f"{place.prefix}/"), item["UploadId"]


def _check_after_crash(place: S3Place, before: object, after: object) -> None:
    objects = contents(place)
    registry = in_memory(objects)
    assert_sound(registry, stale_pointers=True)
    assert view(registry) in (before, after)
    assert whole_versions(objects) == {f"demo/churn/{version}" for version in view(registry)["versions"]}


def _check_when_done(place: S3Place, after: object) -> None:
    done = view(in_memory(contents(place)))
    collect_everything(place.store())
    objects = contents(place)
    registry = in_memory(objects)
    assert view(registry) == done == after
    assert_sound(registry)
    assert_pointers(registry.store)
    assert unfinished_versions(objects) == set()
    assert [key for key in objects if key.startswith(".artreg/") and key != MARKER] == []
    assert list(uploads(place)) == []
