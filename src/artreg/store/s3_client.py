"""botocore's client, with a shorter way for what is asked for thousands of times.

For each request botocore looks into its model of the service, resolves the endpoint and calls a score of handlers,
which takes longer than signing and sending it. So objects are got and put with botocore's own signer and its own
connections alone. Where they lie, and what for requests are signed, is seen from a request that the client makes and
that is not sent.
"""

from __future__ import annotations

import functools
import os
import re
import socket
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from artreg.errors import InvalidInput
from artreg.frozen import Frozen
from artreg.store.options import StorageOptions
from artreg.store.s3_pace import keep_pace

_HEADERS = {"Range": "Range", "IfMatch": "If-Match", "IfNoneMatch": "If-None-Match", "ContentMD5": "Content-MD5"}
_ASTRAY = {301, 307, 400}  # the bucket may lie in another region: the client finds it there, and remembers
_REFUSED = 300
_LENGTH = r"[0-9]{1,19}"
_ANY = "-"
_SERVICE = "s3"
_SIGNED = r"AWS4-HMAC-SHA256 Credential=[^,]*/([^/,]*)/([^/,]*)/aws4_request,.*"


def connect(options: StorageOptions) -> Client:
    """Return a client of our own, which sends nothing again.

    It is botocore's, on which s3fs rests too: it loads in half the time of s3fs, and its threads need not queue for
    one event loop.
    """
    import botocore.session  # noqa: PLC0415
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    config = Config(
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=4 * options.parallel,
        # Content-MD5, which is signed, is what every S3 service checks; the newer checksums are not known to all, and
        # signing the body too would hash every byte once more.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": False},
        **({"signature_version": UNSIGNED} if options.anonymous else {}),
    )
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    try:
        client = session.create_client("s3", endpoint_url=options.endpoint_url, config=config)
    except BotoCoreError:
        raise
    except ValueError:  # which may repeat what stands there, a password too
        raise InvalidInput(
            "the address of the S3 service is no URL",
            hint="correct endpoint_url, ARTREG_ENDPOINT_URL or AWS_ENDPOINT_URL",
        ) from None
    return Client(session, client, config, options)


class _Way(Frozen):
    """The way to a bucket.

    Attributes:
        url: What the URLs of its objects begin with.
        region: What requests are signed for, '' if they are not signed.
        known: Whether it is signed for as any S3 service is, so that it can be gone without botocore's client.
    """

    url: str
    region: str
    known: bool


class Client:
    """botocore's client; of its operations these are made here.

    Args:
        session: Knows the credentials, and renews them.
        client: Does everything else.
        config: What the client was made with.
        options: How slow is too slow.
    """

    def __init__(self, session: Any, client: Any, config: Any, options: StorageOptions) -> None:
        from botocore.httpsession import URLLib3Session  # noqa: PLC0415
        from botocore.utils import get_environ_proxies  # noqa: PLC0415

        self._session = session
        self._client = client
        self._config = config
        self._ways: dict[str, _Way] = {}
        client.meta.events.register("before-send.s3.HeadObject", _echo)  # nothing else asks for a head
        client.head_bucket = _say_nothing
        keep_pace(client._endpoint.http_session, options)  # botocore has no limit of its own on what is slow
        self._http = URLLib3Session(
            verify=session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
            proxies=get_environ_proxies(client.meta.endpoint_url),
            timeout=(config.connect_timeout, config.read_timeout),
            max_pool_connections=config.max_pool_connections,
            # Else a small body waits in the kernel until its header was acknowledged, for forty milliseconds each time.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        keep_pace(self._http, options)

    def __getattr__(self, operation: str) -> Any:
        """Return another operation of botocore's client."""
        return getattr(self._client, operation)

    def get_object(self, **parameters: Any) -> Any:
        """Return an object, or a part of it, as botocore's client does; its body is yet to be read."""
        from botocore.response import StreamingBody  # noqa: PLC0415

        answer = self._send("get_object", "GET", "", parameters)
        if isinstance(answer, dict):
            return answer
        text = answer.headers.get("Content-Length", "")
        if not re.fullmatch(_LENGTH, text):
            raise ConnectionError(f"the answer is {text!r} bytes long")
        length = int(text)
        found = {"Body": StreamingBody(answer.raw, length), "ContentLength": length, "ETag": answer.headers["ETag"]}
        span = answer.headers.get("Content-Range")
        return found if span is None else {**found, "ContentRange": span}

    def put_object(self, **parameters: Any) -> None:
        """Put an object."""
        self._send("put_object", "PUT", "", parameters)

    def upload_part(self, **parameters: Any) -> None:
        """Put a part of an object."""
        query = f"?partNumber={parameters['PartNumber']}&uploadId={quote(parameters['UploadId'], safe='-_.~')}"
        self._send("upload_part", "PUT", query, parameters)

    def _send(self, operation: str, method: str, query: str, parameters: dict[str, Any]) -> Any:
        """Send a request; return the answer, or, where botocore's client had to send it, what that returned."""
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        way = self._way(parameters["Bucket"])
        if not way.known:
            return self._ask(operation, parameters)
        request = AWSRequest(
            method,
            f"{way.url}{quote(parameters['Key'], safe='/~')}{query}",
            headers={header: parameters[name] for name, header in _HEADERS.items() if name in parameters},
            data=parameters.get("Body"),
            stream_output=method == "GET",
        )
        request.headers["User-Agent"] = self._client.meta.config.user_agent
        if way.region:
            request.context["client_config"] = self._config
            S3SigV4Auth(self._session.get_credentials().get_frozen_credentials(), _SERVICE, way.region).add_auth(
                request
            )
        answer = self._http.send(request.prepare())
        if answer.status_code in _ASTRAY:
            answer.content  # noqa: B018  # so that the connection can be used again
            self._ways.pop(parameters["Bucket"], None)
            return self._ask(operation, parameters)
        if answer.status_code >= _REFUSED:
            raise _refusal(operation, answer)
        if "ETag" not in answer.headers:  # as whatever else may answer in the place of a storage
            raise ConnectionError("the answer is not that of an S3 service: it names no ETag")
        return answer

    def _ask(self, operation: str, parameters: dict[str, Any]) -> Any:
        """Let botocore's client send a request; it takes no memoryview."""
        body = {"Body": bytes(parameters["Body"])} if "Body" in parameters else {}
        return getattr(self._client, operation)(**{**parameters, **body})

    def _way(self, bucket: str) -> _Way:
        if bucket not in self._ways:
            head = self._client.head_object(Bucket=bucket, Key=_ANY)["ResponseMetadata"]["HTTPHeaders"]
            signed = re.fullmatch(_SIGNED, head["authorization"])
            region, service = signed.groups() if signed else ("", "")
            known = service == _SERVICE if head["authorization"] else True
            self._ways[bucket] = _Way(head["url"].removesuffix(_ANY), region, known)
        return self._ways[bucket]


@functools.cache
def _loader(path: str | None) -> Any:
    """Return what reads botocore's models: it keeps them, and parsing them is most of what another client costs."""
    from botocore.loaders import create_loader  # noqa: PLC0415

    return create_loader(path)


def _moment(text: Any) -> datetime:
    """Read the time of an object: for the thousand of a listing botocore takes longer than for all the rest."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        from botocore.utils import parse_timestamp  # noqa: PLC0415

        found = parse_timestamp(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _echo(request: Any, **_: object) -> Any:
    """Answer a request with what it says itself, instead of sending it."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415

    authorization = request.headers.get("Authorization", b"")
    said = authorization.decode() if isinstance(authorization, bytes) else authorization
    return AWSResponse(
        request.url, 200, {"url": request.url, "authorization": said}, SimpleNamespace(stream=lambda: ())
    )


def _say_nothing(**_: object) -> Any:
    """Answer for a bucket that botocore asks of a redirected request's region.

    An answer of Amazon's says it itself. Where none does, the question would be redirected too, and asked again,
    without end. No other address is ever gone to than what the endpoint or the region in the configuration says, or,
    at Amazon's, the region in an answer; what stands in `Location` is not looked at.
    """
    return {"ResponseMetadata": {"HTTPHeaders": {}}}


def _refusal(operation: str, answer: Any) -> Any:
    """Return botocore's own error for an answer."""
    from botocore.exceptions import ClientError  # noqa: PLC0415
    from botocore.parsers import create_parser  # noqa: PLC0415

    said = {"headers": answer.headers, "status_code": answer.status_code, "body": answer.content}
    return ClientError(create_parser("rest-xml").parse(said, None), operation)
