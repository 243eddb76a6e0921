"""Events that OpenLineage's own classes take, told to real receivers; and whatever these do, nobody waits long."""

from __future__ import annotations

import json
import socket
import uuid
from pathlib import Path

import pytest

from artreg.integrations import lineage_events, openlineage
from artreg.integrations.lineage_events import (
    FACETS,
    Family,
    Output,
    Run,
    completion,
    dataset,
    failure,
    new_run_id,
    parse_run,
    start,
)
from artreg.integrations.openlineage import Teller, Told, is_wanted, receiver
from integrations.receivers import MODULES, Receiver, checked, facet_class, receiving

NOW = "2026-03-01T12:00:00.000Z"
ID = "0190e1e2-1111-7abc-8def-0123456789ab"
ALONE = Family()
RUN = Run(ID, "default", "demo/churn")
PARENT = Run("0190e1e2-2222-7abc-8def-0123456789ab", "air/flow", "dag.task")
ROOT = Run("0190e1e2-3333-7abc-8def-0123456789ab", "air/flow", "dag")
VERSION = Output("s3://models/r/", "demo/churn", "1.2.0", "e" * 64, "s3://models/r/demo/churn/1.2.0", {"auc": 0.9})
RECORD = {
    "axes": {
        "code": {"commit": "c" * 40, "remote": "https://example.org/r.git", "branch": "main", "folder": "models"},
        "environment": {
            "python": "3.12.1",
            "uv_lock_sha256": "l" * 64,
            "container_image": None,
            "packages": {"numpy": "2.0"},
            "variables": {"OMP_NUM_THREADS": "1"},
        },
        "config": {"document": {"seed": 42, "name": None, "data": {"drop": []}, "model": {"C": 0.5}}},
    }
}
MANIFEST = {
    "name": "churn",
    "uri": "data/churn.csv",
    "record_count": 8,
    "content_hash": "d" * 64,
    "schema": [{"name": "id", "type": "text"}, {"name": "age", "type": "number"}],
    "schema_hash": "a" * 64,
    "snapshot": "churn@sha256:" + "d" * 64,
    "profile": {
        "id": {"type": "text", "count": 8, "missing": 0},
        "age": {"type": "number", "count": 7, "missing": 1, "min": 1.0, "max": 9.5, "quantiles": {"0.5": 4.0}},
        "plan": {"type": "text", "count": 8, "missing": 0, "distinct": 3},
    },
}


def complete(family: Family = ALONE) -> dict[str, object]:
    return completion(RUN, NOW, family, VERSION, record=RECORD, manifest=MANIFEST)


def test_every_facet_is_of_the_schema_that_it_names() -> None:
    assert set(FACETS) == set(MODULES)
    for name, version in FACETS.items():
        assert facet_class(name)._get_schema().endswith(f"/facets/{version}/{name}.json#/$defs/{name}")


def test_events_are_what_openlineage_itself_would_write() -> None:
    family = Family(PARENT, ROOT)
    checked(start(RUN, NOW, family, [dataset("data/churn.csv", "r", "/base")]))
    checked(start(RUN, NOW, Family(PARENT)))
    failed = checked(failure(RUN, NOW, ALONE, "the data are gone", aborted=False))
    assert (failed["eventType"], failed["run"]["facets"]["errorMessage"]["message"]) == ("FAIL", "the data are gone")
    assert checked(failure(RUN, NOW, ALONE, "interrupted", aborted=True))["eventType"] == "ABORT"
    told = checked(complete(family))
    facets = told["run"]["facets"]
    assert facets["parent"]["root"] == ROOT.document()
    assert {it["key"]: it["value"] for it in facets["executionParameters"]["parameters"]} == {
        "seed": "42",
        "data.drop": "[]",
        "model.C": "0.5",
    }
    assert [it["key"] for it in facets["tags"]["tags"]] == ["python", "uv_lock_sha256", "package.numpy"]
    assert told["job"]["facets"]["sourceCodeLocation"]["version"] == "c" * 40
    (data,) = told["inputs"]
    assert data["facets"]["version"]["datasetVersion"] == "d" * 64
    quality = data["inputFacets"]["dataQualityMetrics"]
    assert quality["columnMetrics"]["age"] == {
        "nullCount": 1,
        "count": 7,
        "min": 1.0,
        "max": 9.5,
        "quantiles": {"0.5": 4.0},
    }
    assert quality["columnMetrics"]["plan"]["distinctCount"] == 3
    (model,) = told["outputs"]
    assert (model["namespace"], model["name"]) == ("s3://models/r", "demo/churn")
    assert model["facets"]["version"]["datasetVersion"] == "1.2.0"
    assert {it["key"]: it["value"] for it in model["facets"]["tags"]["tags"]} == {
        "digest": f"sha256:{'e' * 64}",
        "metric.auc": "0.9",
    }


def test_code_that_nobody_knows_is_left_out() -> None:
    record = {"axes": {**RECORD["axes"], "code": {"commit": "unknown"}}}
    told = checked(completion(RUN, NOW, ALONE, VERSION, record=record, manifest=MANIFEST))
    assert "sourceCodeLocation" not in told["job"]["facets"]
    alone = {"axes": {**RECORD["axes"], "code": {"commit": "c" * 40}}}
    checked(completion(RUN, NOW, ALONE, VERSION, record=alone, manifest=MANIFEST))


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("data/churn.csv", "file", "/base/data/churn.csv"),
        ("../churn.csv", "file", "/churn.csv"),
        ("/lake/churn.csv", "file", "/lake/churn.csv"),
        ("file:///lake/churn.csv", "file", "/lake/churn.csv"),
        ("s3://lake/a/churn.csv", "s3://lake", "a/churn.csv"),
        ("https://example.org:8443/churn.csv", "https://example.org:8443", "churn.csv"),
        ("sklearn:iris", "sklearn", "iris"),
        (f"churn@sha256:{'d' * 64}", "s3://models/r", "data/churn"),
    ],
)
def test_data_are_named_as_the_specification_has_it(uri: str, namespace: str, name: str) -> None:
    assert dataset(uri, "s3://models/r/", "/base") == {"namespace": namespace, "name": name}


def test_the_id_of_a_run_is_a_uuid_that_begins_with_the_time() -> None:
    found = uuid.UUID(new_run_id(0x0190E1E21111, bytes.fromhex("ff" * 10)))
    assert (found.version, found.variant, str(found)) == (7, uuid.RFC_4122, "0190e1e2-1111-7fff-bfff-ffffffffffff")
    assert uuid.UUID(new_run_id(1, bytes(10))).version == 7


def test_a_parent_is_read_as_others_write_it() -> None:
    assert parse_run(f"air/flow/dag.task/{PARENT.id}") == PARENT
    assert [parse_run(it) for it in ("", "a", f"a/{ID}", f"/a/{ID}", "ns/job/no-uuid", f"ns//{ID}")] == [None] * 6
    assert openlineage.family({"OPENLINEAGE_PARENT_ID": f"ns/job/{ID}"}).parent == Run(ID, "ns", "job")
    assert openlineage.family({"OPENLINEAGE_ROOT_PARENT_ID": f"ns/job/{ID}"}) == Family()


def test_it_is_asked_for_by_the_environment() -> None:
    assert is_wanted({"OPENLINEAGE_URL": "http://localhost:5000"})
    assert is_wanted({"OPENLINEAGE__TRANSPORT__TYPE": "file"})
    assert not is_wanted({"OPENLINEAGE_URL": "http://localhost:5000", "OPENLINEAGE_DISABLED": "True"})
    assert not is_wanted({"OPENLINEAGE_URL": "http://localhost:5000", "OPENLINEAGE__TRANSPORT__TYPE": "noop"})
    assert not is_wanted({"OPENLINEAGE_URL": ""})


# --- telling -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers is waited for, however busy the machine is."""
    monkeypatch.setattr(openlineage, "_PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(openlineage, "_TIMEOUT_S", 60.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openlineage, "_TIMEOUT_S", 0.1)


def tell(limit: float = 120.0, **variables: str) -> Told:
    """Tell of a run from beginning to end."""
    teller = Teller(receiver({f"OPENLINEAGE_{name}": value for name, value in variables.items()}))
    teller.tell(start(RUN, NOW, ALONE))
    teller.tell(complete())
    return teller.close(limit)


def test_a_receiver_is_told_in_order_with_the_key() -> None:
    with receiving() as there:
        assert tell(URL=there.url, API_KEY="s3cr3t") == Told(2, 2)
    assert [checked(event)["eventType"] for event in there.events] == ["START", "COMPLETE"]
    path, headers = there.requests[0]
    assert (path, headers["Authorization"]) == ("/api/v1/lineage", "Bearer s3cr3t")
    assert headers["Content-Type"] == "application/json"


def test_other_ways_to_name_a_receiver() -> None:
    with receiving() as there:
        tell(URL=there.url.replace("//", "//me:p%40ss@"), ENDPOINT="lineage")
        tell(_TRANSPORT__TYPE="http", _TRANSPORT__URL=there.url, _TRANSPORT__AUTH='{"type":"api_key","apiKey":"k"}')
        tell(URL=there.url, _TRANSPORT__AUTH__APIKEY="k2")
    told = [(path, headers.get("Authorization")) for path, headers in there.requests[::2]]
    assert told == [
        ("/lineage", "Basic bWU6cEBzcw=="),
        ("/api/v1/lineage", "Bearer k"),
        ("/api/v1/lineage", "Bearer k2"),
    ]


def failing_first(code: int, times: int) -> Receiver:
    codes = iter([code] * times)
    return receiving(lambda event: next(codes, 201))


@pytest.mark.parametrize(("code", "tried"), [(503, 3), (429, 3), (400, 1), (401, 1), (302, 1), (307, 1)])
def test_what_may_be_taken_soon_is_sent_again(code: int, tried: int) -> None:
    with failing_first(code, 1) as there:
        told = tell(URL=there.url)
    assert told.sent == (2 if tried > 1 else 1)
    with receiving(lambda event: code) as there:
        told = tell(URL=there.url, API_KEY="s3cr3t")
    assert told == Told(2, 0, f"the receiver answered {code}")
    assert len(there.requests) == 2 * tried
    assert {path for path, _ in there.requests} == {"/api/v1/lineage"}  # the key goes nowhere else


def test_a_receiver_that_hangs_is_waited_for_no_longer_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(lambda event: None) as there:
        assert tell(0.05, URL=there.url) == Told(2, 0, "the receiver did not answer within 0 s")
        monkeypatch.setattr(openlineage, "_TIMEOUT_S", 0.1)  # of one request
        assert tell(URL=there.url) == Told(2, 0, "the receiver did not answer within 0 s")


def test_a_receiver_whose_answer_trickles_in_does_not_hold_up_the_next_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openlineage, "_TIMEOUT_S", 0.5)
    with receiving(lambda event: 0) as there:
        assert tell(60, URL=there.url) == Told(2, 0, "the receiver did not answer within 0 s")
    assert len(there.requests) == 2


@pytest.mark.usefixtures("impatient")
def test_telling_waits_for_nobody() -> None:
    with receiving(lambda event: None) as there:
        teller = Teller(receiver({"OPENLINEAGE_URL": there.url}))
        for _ in range(100):
            teller.tell(start(RUN, NOW, ALONE))  # the first of which is never answered
        assert len(there.requests) <= 1
        assert teller.close(0.0).sent == 0


def test_nobody_there_and_nonsense_are_problems_without_secrets() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"http://me:s3cr3t@127.0.0.1:{free.getsockname()[1]}"
        assert tell(URL=away).problem == "the receiver cannot be reached: Connection refused"
    problems = {
        "ftp://me:s3cr3t@host": "OPENLINEAGE_URL is no URL of http or https",
        "http://": "OPENLINEAGE_URL is no URL of http or https",
        "http://me:s3cr3t@host:port": "OPENLINEAGE_URL is no URL of http or https",
        "http://[s3cr3t": "OPENLINEAGE_URL is no URL of http or https",
    }
    for url, problem in problems.items():
        told = tell(URL=url)
        assert (told.sent, told.problem.startswith(problem), "s3cr3t" in told.problem) == (0, True, False), url
    assert tell(URL="http://127.0.0.1:1", ENDPOINT="http://evil/").problem == "OPENLINEAGE_ENDPOINT is no path"
    for key in ("a\nb: c", "caf\u00e9\u2603", "a\x00"):
        problem = tell(URL="http://127.0.0.1:1", API_KEY=key).problem
        assert problem == "OPENLINEAGE_API_KEY holds what no header can, such as a line break"
    assert tell(_TRANSPORT__TYPE="kafka").problem == "there is no transport 'kafka' here; use http or file"
    assert "LOG_FILE_PATH is not set" in tell(_TRANSPORT__TYPE="file").problem


def test_files_take_them_as_those_of_openlineage_do(tmp_path: Path) -> None:
    file = {"_TRANSPORT__TYPE": "file", "_TRANSPORT__LOG_FILE_PATH": str(tmp_path / "events")}
    assert tell(**file, _TRANSPORT__APPEND="true") == Told(2, 2)
    lines = (tmp_path / "events").read_text().splitlines()
    assert [checked(json.loads(line))["eventType"] for line in lines] == ["START", "COMPLETE"]
    assert tell(**file) == Told(2, 2)
    assert len(list(tmp_path.glob("events-*.json"))) == 2
    told = tell(**{**file, "_TRANSPORT__LOG_FILE_PATH": str(tmp_path / "nowhere/events")})
    assert told.problem.endswith("cannot be written: No such file or directory")


def test_pairs_of_numbers_that_json_has_no_word_for_are_left_out() -> None:
    profile = {"count": 1, "min": float("nan"), "max": float("inf"), "distinct": True}
    assert lineage_events._column(profile) == {"count": 1}
