"""How many requests a bucket gets: counted, since each costs the time of a journey there and back, and money."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from artreg.core.names import Reference
from artreg.core.selection import Selection
from artreg.core.version import Version
from artreg.registry.catalog import catalog
from artreg.registry.follow import Follower, Subject
from artreg.registry.gc import collect
from artreg.registry.handle import Registry
from artreg.registry.mirror import mirror
from artreg.registry.promote import promote
from artreg.registry.resolve import resolve
from artreg.registry.rollback import rollback
from artreg.registry.standing import survey
from artreg.registry.stored_policy import stored_policy
from artreg.registry.verify import verify
from artreg.registry.vitals import take_vitals
from artreg.registry.yank import yank
from artreg.store.object import MARKED, MARKER, ObjectStore
from artreg.store.s3 import S3Bucket
from registry.bench import CHURN, FREE, Bench
from sizes import size
from store.fakes import DictFileSystem
from store.places import GenericPlace, MotoPlace

Request = tuple[str, str]
MORE = size(5, 8, 8)  # the number after that of the last version


class CountedBucket(S3Bucket):
    """Remembers each request."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.requests: list[Request] = []

    def _call(self, method: str, **parameters: object) -> object:
        place = str(parameters.get("Key", parameters.get("Prefix", "")))
        self.requests.append((method, place.partition("demo/churn/")[2] or place))
        return super()._call(method, **parameters)


class Counter:
    """A registry in a bucket, of which every process opens a store of its own."""

    def __init__(self, place: MotoPlace, folder: Path) -> None:
        self._place = place
        self.bench = Bench(place.store(), folder)

    def count(self, act: Callable[[Registry], object]) -> list[Request]:
        known = self._place.store()._bucket
        bucket = CountedBucket(known._bucket, known._lead.rstrip("/"), known._options, known._make)
        act(Registry(ObjectStore(bucket), "ada"))
        return bucket.requests


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Two versions, both promoted, in a bucket that nobody needs to send requests to."""
    place = GenericPlace(DictFileSystem())
    place.put(MARKER, MARKED)
    bench = Bench(place.store(), tmp_path_factory.mktemp("template"))
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
        bench.promote(version)
    return bench


@pytest.fixture
def counter(moto_place: MotoPlace, tmp_path: Path, template: Bench) -> Counter:
    counter = Counter(moto_place, tmp_path)
    for entry in template.store.walk(""):
        moto_place.put(entry.name, template.store.read(entry.name))
    counter.bench.registry = Registry(moto_place.store(), "ada", template.registry.now, template.registry.new_id)
    return counter


def test_resolving_an_alias_takes_two_requests(counter: Counter) -> None:
    assert counter.count(lambda registry: resolve(registry, Reference(CHURN, FREE))) == [
        ("list_objects_v2", "history/free/"),
        ("get_object", "history/free/00000002.json"),
    ]


def test_resolving_takes_two_more_only_where_the_version_was_yanked(counter: Counter) -> None:
    yank(counter.bench.registry, CHURN, Version(1, 1, 0), "leaks")
    requests = counter.count(lambda registry: resolve(registry, Reference(CHURN, FREE)))
    assert [place.rpartition("/")[0] for _, place in requests] == ["history/free"] * 2 + ["history/1.1.0"] * 2


def besides_verification(requests: list[Request], version: str) -> list[Request]:
    """Leave out what verifies the candidate: reading its files, and what was said of it since."""
    own = (f"{version}/", f"history/{version}/")
    return [(method, place) for method, place in requests if method.startswith("put_") or not place.startswith(own)]


def test_a_promotion_takes_eight_requests_besides_the_verification(counter: Counter) -> None:
    counter.bench.publish("1.2.0")
    policy = counter.bench.policy

    def act(registry: Registry) -> None:
        stored_policy(registry)  # as the command line looks for it

        def now() -> str:
            stored_policy(registry)
            return policy.digest

        promote(registry, CHURN, Version(1, 2, 0), FREE, policy, policy_now=now)

    requests = counter.count(act)
    marker = [place for method, place in requests if place.endswith("conditional-writes")]
    assert len(marker) == 1
    told = [
        (method.partition("_")[0], place.rpartition("artreg/")[2] if "artreg/" in place else place)
        for method, place in besides_verification(requests, "1.2.0")
    ]
    assert [(method, place) for method, place in told if place.startswith(("history", "free"))] == [
        ("list", "history/free/"),
        ("get", "history/free/00000002.json"),
        ("put", "history/1.2.0/00000001.json"),
        ("put", "history/free/00000003.json"),
        ("put", "free"),
        ("list", "history/free/"),
    ]
    policies = [place for _, place in told if place.endswith("policy/")]
    assert len(told) - len(policies) <= 8
    assert len(policies) == 2


def test_a_promotion_reads_nothing_of_the_version_twice(counter: Counter) -> None:
    counter.bench.publish("1.2.0")
    policy = counter.bench.policy
    requests = counter.count(lambda registry: promote(registry, CHURN, Version(1, 2, 0), FREE, policy))
    own = [request for request in requests if request[1].startswith("1.2.0/")]
    assert sorted(own) == sorted(set(own))
    assert len(own) == 1 + len(list(counter.bench.store.walk("demo/churn/1.2.0")))


def test_a_rollback_takes_as_many_however_long_the_history_is(counter: Counter) -> None:
    def act(registry: Registry) -> None:
        rollback(registry, CHURN, FREE, counter.bench.policy, dry_run=True)

    before = counter.count(act)
    for _ in range(5):
        counter.bench.promote("1.0.0")
        counter.bench.promote("1.1.0")
    assert len(counter.count(act)) == len(before)


def test_where_things_stand_takes_as_many_however_many_versions_there_are(counter: Counter) -> None:
    before = counter.count(survey)
    for minor in range(2, MORE):
        counter.bench.publish(f"1.{minor}.0")
        counter.bench.promote(f"1.{minor}.0")
    assert len(counter.count(survey)) == len(before)
    own = [(method.partition("_")[0], place) for method, place in before[2:]]
    assert own == [
        ("list", "history/"),
        ("list", "pre/fix/demo/churn/"),
        ("get", "1.1.0/checksum.txt"),
        ("get", "history/1.1.0/yanked"),
        ("list", "history/free/"),
        ("get", "history/free/00000002.json"),
        ("get", "free"),
    ]


def test_figures_for_whoever_watches_take_as_many_however_many_versions_there_are(counter: Counter) -> None:
    before = counter.count(take_vitals)
    for minor in range(2, MORE):
        counter.bench.publish(f"1.{minor}.0")
        counter.bench.promote(f"1.{minor}.0")
    assert len(counter.count(take_vitals)) == len(before)
    # The root, what is remembered of verifications, and of what an alias holds the manifest and the run record.
    assert len(before) == len(counter.count(survey)) + 4
    assert [place for _, place in before].count("1.1.0/run.json") == 1


def test_following_takes_a_request_an_alias_and_look(counter: Counter) -> None:
    follower: list[Follower] = []

    def begin(registry: Registry) -> None:
        follower.append(Follower(registry, Subject(CHURN)))
        follower[0].begin()
        bucket = registry.store._bucket  # type: ignore[attr-defined]
        bucket.requests.clear()
        assert list(follower[0].look()) == []
        assert bucket.requests == [("get_object", "history/free/00000003.json")]
        for _ in range(4):
            list(follower[0].look())
        assert len(bucket.requests) == 5 + 3  # the root, what was told, and which aliases there are

    counter.count(begin)


def test_a_listing_takes_no_more_requests_for_more_versions(counter: Counter) -> None:
    before = counter.count(catalog)
    for minor in range(2, MORE):
        counter.bench.publish(f"1.{minor}.0")
        counter.bench.promote(f"1.{minor}.0")
    after = counter.count(catalog)
    assert len(after) == len(before)
    assert sum(method == "get_object" for method, _ in after) == 1
    summary = catalog(counter.bench.registry)[0]
    assert summary.aliases == {"free": Version(1, MORE - 1, 0)}


def test_a_version_that_is_not_drawn_is_not_read(counter: Counter) -> None:
    for version in ("1.1.0", "1.2.0"):
        counter.bench.publish(version)
    requests = counter.count(lambda registry: verify(registry, only=Selection(sample=0.0, salt="")))
    assert [place for _, place in requests if place.startswith(("1.1.0/", "1.2.0/"))] == []


def test_gc_reads_no_version_that_is_whole(counter: Counter) -> None:
    for version in ("1.2.0", "1.3.0"):
        counter.bench.publish(version)
    requests = counter.count(lambda registry: collect(registry, older_than=timedelta(0), dry_run=True))
    assert [place for method, place in requests if method == "get_object" and place.startswith("1.")] == []


@pytest.mark.parametrize("quick", [False, True])
def test_mirroring_again_takes_listings_and_what_is_new(counter: Counter, moto_endpoint: str, quick: bool) -> None:
    """Of what is there on both sides a manifest or a newest document is read on each side, or nothing."""
    copy = Counter(MotoPlace.make(moto_endpoint, f"bucket-{uuid.uuid4().hex}", prefix="copy"), counter.bench.folder)

    def run() -> tuple[list[str], list[str]]:
        wrote: list[Request] = []

        def into(target: Registry) -> None:
            wrote.extend(counter.count(lambda source: mirror(source, target, quick=quick)))

        return [method for method, _ in copy.count(into)], [method for method, _ in wrote]

    run()
    theirs, ours = run()
    # Two versions, two logs and a history; the pointer is looked at in any case, and quickly the record that it shows.
    assert ours.count("get_object") == (0 if quick else 5)
    assert theirs.count("get_object") == (3 if quick else 7)  # the marker of the root too
    assert ours.count("list_objects_v2") == 7  # the root, projects, models, the model; policies twice, data
    assert theirs.count("list_objects_v2") == 4  # the root, the model, policies, data
    assert not any(method.startswith("put") for method in (*ours, *theirs))
    counter.bench.publish("1.2.0")
    counter.bench.promote("1.2.0")
    theirs_then, ours_then = run()
    assert sum(map(len, (theirs_then, ours_then))) - sum(map(len, (theirs, ours))) <= 30
