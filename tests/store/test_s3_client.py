"""The shorter way to objects: it goes where botocore's client goes, and says what that says."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from botocore.utils import parse_timestamp

from artreg.store import s3_client
from artreg.store.options import StorageOptions
from artreg.store.s3_client import connect


@pytest.fixture
def client(moto_place):
    return connect(moto_place.options())


def wire(client, monkeypatch) -> list[str]:
    """The methods of the requests that go the shorter way."""
    sent: list[str] = []
    send = client._http.send
    monkeypatch.setattr(client, "_http", SimpleNamespace(send=lambda it: sent.append(it.method) or send(it)))
    return sent


def test_objects_with_strange_names_go_the_shorter_way(client, moto_place, monkeypatch):
    sent = wire(client, monkeypatch)
    for name in ("a b", "a+b", "ä/€", "a%20b", "a=b&c", "~a!'()*"):
        where = {"Bucket": moto_place.bucket, "Key": f"{moto_place.prefix}/{name}"}
        client.put_object(**where, Body=name.encode())
        assert moto_place.get(name) == name.encode()
        answer = client.get_object(**where, Range="bytes=0-99")
        assert (answer["Body"].read(), answer["ContentRange"]) == (
            name.encode(),
            f"bytes 0-{len(name.encode()) - 1}/{len(name.encode())}",
        )
    assert sent == ["PUT", "GET"] * 6


@pytest.mark.parametrize(
    ("key", "settings"),
    [("missing", {"Range": "bytes=0-9"}), ("there", {"Range": "bytes=5-9"}), ("there", {"IfMatch": '"other"'})],
)
def test_refusals_are_those_of_botocore(client, moto_place, key, settings):
    moto_place.put("there", b"x")
    where = {"Bucket": moto_place.bucket, "Key": f"{moto_place.prefix}/{key}", **settings}
    answers = []
    for get in (client.get_object, client._client.get_object):
        with pytest.raises(ClientError) as caught:
            get(**where)
        answer = caught.value.response
        answers.append((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]))
    assert answers[0] == answers[1]


def test_bucket_in_another_region_is_left_to_botocore(client, moto_place, monkeypatch):
    moto_place.put("a", b"x")
    answers = iter([SimpleNamespace(status_code=301, content=b"")])
    send = client._http.send
    monkeypatch.setattr(client, "_http", SimpleNamespace(send=lambda it: next(answers, None) or send(it)))
    where = {"Bucket": moto_place.bucket, "Key": f"{moto_place.prefix}/a"}
    assert client.get_object(**where)["Body"].read() == b"x"
    assert client.get_object(**where)["Body"].read() == b"x"


def test_nothing_is_signed_for_who_is_anonymous(moto_place):
    client = connect(StorageOptions(endpoint_url=moto_place.endpoint, anonymous=True))
    way = client._way(moto_place.bucket)
    assert (way.region, way.known) == ("", True)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-central-1", "https://models.s3.eu-central-1.amazonaws.com/"),
        ("cn-north-1", "https://models.s3.cn-north-1.amazonaws.com.cn/"),
    ],
)
def test_the_way_is_the_one_that_botocore_knows(monkeypatch, region, url):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    way = connect(StorageOptions())._way("models")
    assert (way.url, way.region, way.known) == (url, region, True)


def test_a_bucket_that_is_signed_for_in_another_way_is_left_to_botocore(monkeypatch):
    client = connect(StorageOptions())
    head = {"url": "https://b--use1-az4--x-s3/-", "authorization": "AWS4-HMAC-SHA256 Credential=k/d/r/s3express/x, y"}
    told = SimpleNamespace(
        head_object=lambda **_: {"ResponseMetadata": {"HTTPHeaders": head}}, put_object=lambda **it: it["Key"]
    )
    monkeypatch.setattr(client, "_client", told)
    assert not client._way("b--use1-az4--x-s3").known
    assert client._send("put_object", "PUT", "", {"Bucket": "b--use1-az4--x-s3", "Key": "a"}) == "a"


@pytest.mark.parametrize(
    "text",
    ["2026-11-21T10:47:10.123Z", "2026-11-21T10:47:10Z", "Sat, 21 Nov 2026 10:47:10 GMT", 1795258030, "1795258030"],
)
def test_times_are_read_as_botocore_reads_them(text: object) -> None:
    read = s3_client._moment(text)
    assert read == parse_timestamp(text)
    assert read.utcoffset() == timedelta(0)
