"""What a failed request to a bucket means, told by its code and status and never by the Python type alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from artreg.frozen import Frozen


class Outcome(Enum):
    """What is known after a request failed."""

    CONDITION = "the condition did not hold, so nothing was written"
    ABSENT = "nothing lies there"
    NO_BUCKET = "the bucket is not there"
    FORBIDDEN = "the storage refuses these credentials"
    EMPTY = "the range lies beyond the end"
    AGAIN = "nothing was done, and the request may be sent again"
    UNKNOWN = "it may or may not have been done"
    REFUSED = "nothing was done, and never will be"
    BUG = "this is no answer of a storage"


class Failure(Frozen):
    """A failed request.

    Attributes:
        outcome: What is known after it.
        code: The storage's own word for it, or the name of the Python type.
        status: The HTTP status, 0 where there was no answer.
        wait: Seconds after which the storage asks to be asked again, 0 if it does not say.
    """

    outcome: Outcome
    code: str
    status: int = 0
    wait: float = 0.0


_BY_CODE = {
    "PreconditionFailed": Outcome.CONDITION,
    "conditionNotMet": Outcome.CONDITION,  # Google
    "BlobAlreadyExists": Outcome.CONDITION,  # Azure
    "ConditionNotMet": Outcome.CONDITION,
    "ConditionalRequestConflict": Outcome.AGAIN,
    "OperationAborted": Outcome.AGAIN,
    "NoSuchBucket": Outcome.NO_BUCKET,
    "ContainerNotFound": Outcome.NO_BUCKET,
    "NoSuchKey": Outcome.ABSENT,
    "NoSuchUpload": Outcome.ABSENT,
    "NoSuchVersion": Outcome.ABSENT,
    "BlobNotFound": Outcome.ABSENT,
    "InvalidRange": Outcome.EMPTY,
    "SlowDown": Outcome.AGAIN,
    "Throttling": Outcome.AGAIN,
    "ThrottlingException": Outcome.AGAIN,
    "TooManyRequests": Outcome.AGAIN,
    "RequestLimitExceeded": Outcome.AGAIN,
    "RequestTimeout": Outcome.AGAIN,  # the body never arrived
    "IncompleteBody": Outcome.AGAIN,
    "BadDigest": Outcome.AGAIN,  # what arrived was not what was sent
    "XAmzContentSHA256Mismatch": Outcome.AGAIN,
    "AccessDenied": Outcome.FORBIDDEN,
    "ExpiredToken": Outcome.FORBIDDEN,
    "InvalidAccessKeyId": Outcome.FORBIDDEN,
    "SignatureDoesNotMatch": Outcome.FORBIDDEN,
    "RequestTimeTooSkewed": Outcome.FORBIDDEN,
    "NotImplemented": Outcome.REFUSED,
    "QuotaExceeded": Outcome.REFUSED,
}
_BY_STATUS = {
    401: Outcome.FORBIDDEN,
    403: Outcome.FORBIDDEN,
    404: Outcome.ABSENT,
    408: Outcome.UNKNOWN,
    409: Outcome.AGAIN,
    412: Outcome.CONDITION,
    416: Outcome.EMPTY,
    429: Outcome.AGAIN,
    501: Outcome.REFUSED,
}
# Types are told by name, so that no client library has to be imported. The first that matches counts.
_BY_TYPE = (
    ({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}, Outcome.FORBIDDEN),
    ({"ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError", "SSLError"}, Outcome.AGAIN),
    ({"ClientConnectorError", "ConnectionRefusedError", "gaierror"}, Outcome.AGAIN),
    ({"ParamValidationError", "InvalidEndpoint", "NoRegionError", "InvalidRegionError"}, Outcome.REFUSED),
    ({"ProfileNotFound", "ConfigParseError", "ConfigNotFound", "InvalidConfigError"}, Outcome.REFUSED),
    ({"FileExistsError"}, Outcome.CONDITION),
    ({"FileNotFoundError", "NotADirectoryError", "IsADirectoryError"}, Outcome.ABSENT),
    ({"PermissionError"}, Outcome.FORBIDDEN),
    ({"BotoCoreError", "ClientError", "IncompleteRead", "ClientPayloadError", "AzureError"}, Outcome.UNKNOWN),
    ({"ResponseParserError"}, Outcome.UNKNOWN),  # something answered, but no storage
    ({"TimeoutError", "OSError", "HttpError", "EOFError"}, Outcome.UNKNOWN),
)


def classify(error: BaseException) -> Failure:
    """Return what is known after `error`, the answer that it came from first."""
    for link in _chain(error):
        found = _answer(link)
        if found:
            code, status = found
            return Failure(_by_answer(code, status), code=code or str(status), status=status, wait=_wait(link))
    for link in _chain(error):
        names = {kind.__name__ for kind in type(link).__mro__}
        for kinds, outcome in _BY_TYPE:
            if kinds & names:
                return Failure(outcome, code=type(link).__name__)
    return Failure(Outcome.BUG, code=type(error).__name__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the origin first."""
    links = [error]
    while (cause := links[-1].__cause__) is not None and cause not in links:
        links.append(cause)
    yield from reversed(links)


def _answer(error: BaseException) -> tuple[str, int] | None:
    """The code and the status of an answer that `error` carries, by the conventions of botocore, gcsfs and Azure."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return code, _number(status) or _number(code)
    word = getattr(error, "error_code", None)
    status = _number(getattr(error, "status_code", None)) or _number(getattr(error, "code", None))
    return (str(getattr(word, "value", word) or ""), status) if status else None


def _wait(error: BaseException) -> float:
    """What `Retry-After` says in seconds; of the date that may stand there instead no storage makes use."""
    response = getattr(error, "response", None)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}) if isinstance(response, dict) else {}
    text = str(headers.get("retry-after", ""))
    return float(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0.0


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if type(value) is int and value >= 100 else 0  # noqa: PLR2004


def _by_answer(code: str, status: int) -> Outcome:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    # A server's own trouble (5xx) may have begun after the write; whatever else was answered was a refusal.
    return Outcome.UNKNOWN if status >= 500 or not status else Outcome.REFUSED  # noqa: PLR2004
