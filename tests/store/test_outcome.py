"""What the answers of storages mean."""

import socket

import pytest
from botocore import exceptions as boto
from s3fs.errors import translate_boto_error

from artreg.errors import AlreadyExists, NotFound, OutcomeUnknown, StorageError
from artreg.store.options import StorageOptions
from artreg.store.outcome import Outcome, classify
from artreg.store.retry import Retry


def answer(code: str, status: int, **more: str) -> boto.ClientError:
    response = {"Error": {"Code": code, "Message": "said so", **more}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(response, "PutObject")


ANSWERS = [
    ("PreconditionFailed", 412, Outcome.CONDITION),
    ("412", 412, Outcome.CONDITION),
    ("ConditionalRequestConflict", 409, Outcome.AGAIN),
    ("OperationAborted", 409, Outcome.AGAIN),
    ("NoSuchBucket", 404, Outcome.NO_BUCKET),
    ("NoSuchKey", 404, Outcome.ABSENT),
    ("404", 404, Outcome.ABSENT),
    ("NoSuchUpload", 404, Outcome.ABSENT),
    ("AccessDenied", 403, Outcome.FORBIDDEN),
    ("403", 403, Outcome.FORBIDDEN),
    ("Unheard", 403, Outcome.FORBIDDEN),
    ("InvalidAccessKeyId", 403, Outcome.FORBIDDEN),
    ("SignatureDoesNotMatch", 403, Outcome.FORBIDDEN),
    ("RequestTimeTooSkewed", 403, Outcome.FORBIDDEN),
    ("ExpiredToken", 400, Outcome.FORBIDDEN),
    ("Unauthorized", 401, Outcome.FORBIDDEN),
    ("SlowDown", 503, Outcome.AGAIN),
    ("TooManyRequests", 429, Outcome.AGAIN),
    ("429", 429, Outcome.AGAIN),
    ("RequestTimeout", 400, Outcome.AGAIN),
    ("BadDigest", 400, Outcome.AGAIN),
    ("ServiceUnavailable", 503, Outcome.UNKNOWN),
    ("503", 503, Outcome.UNKNOWN),
    ("InternalError", 500, Outcome.UNKNOWN),
    ("500", 500, Outcome.UNKNOWN),
    ("502", 502, Outcome.UNKNOWN),
    ("GatewayTimeout", 504, Outcome.UNKNOWN),
    ("NotImplemented", 501, Outcome.REFUSED),
    ("InvalidRange", 416, Outcome.EMPTY),
    ("InvalidArgument", 400, Outcome.REFUSED),
    ("EntityTooLarge", 400, Outcome.REFUSED),
    ("MethodNotAllowed", 405, Outcome.REFUSED),
    ("PermanentRedirect", 301, Outcome.REFUSED),
]


@pytest.mark.parametrize(("code", "status", "expected"), ANSWERS)
def test_answers_are_told_by_code_and_status(code, status, expected):
    error = answer(code, status)
    assert classify(error).outcome is expected
    translated = translate_boto_error(error)  # what s3fs makes of it, of whatever Python type
    assert classify(translated) == classify(error)
    assert classify(error).status == status


def test_condition_is_known_with_and_without_its_name():
    for error in (answer("PreconditionFailed", 412, Condition="If-None-Match"), answer("PreconditionFailed", 412)):
        assert classify(translate_boto_error(error)).outcome is Outcome.CONDITION


class GoogleHttpError(Exception):
    def __init__(self, code: object) -> None:
        self.code = code


class AzureError(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status_code = status
        self.error_code = code


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (boto.ReadTimeoutError(endpoint_url="x"), Outcome.UNKNOWN),
        (boto.ConnectionClosedError(endpoint_url="x"), Outcome.UNKNOWN),
        (boto.HTTPClientError(error="x"), Outcome.UNKNOWN),
        (boto.ConnectTimeoutError(endpoint_url="x"), Outcome.AGAIN),
        (boto.EndpointConnectionError(endpoint_url="x"), Outcome.AGAIN),
        (boto.NoCredentialsError(), Outcome.FORBIDDEN),
        (boto.ParamValidationError(report="x"), Outcome.REFUSED),
        (ConnectionResetError(), Outcome.UNKNOWN),
        (ConnectionRefusedError(), Outcome.AGAIN),
        (socket.gaierror(), Outcome.AGAIN),
        (TimeoutError(), Outcome.UNKNOWN),
        (OSError(5, "x"), Outcome.UNKNOWN),
        (FileExistsError("x"), Outcome.CONDITION),
        (FileNotFoundError("x"), Outcome.ABSENT),
        (PermissionError("x"), Outcome.FORBIDDEN),
        (GoogleHttpError(412), Outcome.CONDITION),
        (GoogleHttpError("503"), Outcome.UNKNOWN),
        (AzureError(409, "BlobAlreadyExists"), Outcome.CONDITION),
        (AzureError(404, "ContainerNotFound"), Outcome.NO_BUCKET),
        (AzureError(412, "ConditionNotMet"), Outcome.CONDITION),
        (AzureError(500, ""), Outcome.UNKNOWN),
        (TypeError("x"), Outcome.BUG),
        (KeyError("x"), Outcome.BUG),
        (SystemExit(3), Outcome.BUG),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value.name,
)
def test_failures_without_an_answer_are_told_by_their_type(error, expected):
    assert classify(error).outcome is expected


def test_cause_counts_more_than_what_was_made_of_it():
    error = FileExistsError("it failed")
    error.__cause__ = answer("InternalError", 500)
    assert classify(error).outcome is Outcome.UNKNOWN


class Script:
    """Raises what it was given, one after the other, then returns 'done'."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.slept: list[float] = []
        self.now = 0.0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def retry(self, **options: object) -> Retry:
        settings = {"attempts": 5, "backoff": 1.0, "budget": 100.0, **options}
        return Retry(StorageOptions(**settings), "s3://bucket", sleep=self.sleep, clock=lambda: self.now)


AGAIN, UNKNOWN, DENIED = answer("SlowDown", 503), answer("InternalError", 500), answer("AccessDenied", 403)


def test_what_may_help_is_tried_again_after_growing_pauses():
    script = Script(AGAIN, UNKNOWN, AGAIN, ConnectionResetError())
    assert script.retry().call(script, "a") == "done"
    assert script.calls == 5
    assert all(2**number / 2 <= pause <= 2**number for number, pause in enumerate(script.slept))


def test_attempts_are_bounded():
    script = Script(*[AGAIN] * 100)
    with pytest.raises(StorageError, match="SlowDown"):
        script.retry(attempts=3).call(script, "a")
    assert script.calls == 3


def test_time_is_bounded():
    script = Script(*[AGAIN] * 100)
    with pytest.raises(StorageError):
        script.retry(attempts=100, budget=10).call(script, "a")
    assert script.now <= 10


def test_refusal_is_final():
    script = Script(DENIED)
    with pytest.raises(StorageError, match="AccessDenied") as caught:
        script.retry().call(script, "a", writes=True)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert "credentials" in caught.value.hint
    assert caught.value.details == {"storage_code": "AccessDenied", "status": 403}
    assert script.calls == 1


@pytest.mark.parametrize(
    ("errors", "writes", "expected"),
    [
        ([UNKNOWN] * 9, True, OutcomeUnknown),
        ([UNKNOWN] * 9, False, StorageError),
        ([AGAIN] * 9, True, StorageError),
        ([UNKNOWN, DENIED], True, OutcomeUnknown),
        ([UNKNOWN, DENIED], False, StorageError),
        ([UNKNOWN, answer("PreconditionFailed", 412)], True, AlreadyExists),
        ([answer("NoSuchBucket", 404)], True, NotFound),
        ([answer("NoSuchKey", 404)], False, NotFound),
        ([UNKNOWN, answer("NoSuchUpload", 404)], True, OutcomeUnknown),
        ([answer("RequestTimeTooSkewed", 403)], True, StorageError),
        ([ZeroDivisionError()], True, ZeroDivisionError),
    ],
)
def test_what_comes_of_it(errors, writes, expected):
    script = Script(*errors)
    with pytest.raises(expected) as caught:
        script.retry().call(script, "a", writes=writes, condition=True)
    assert type(caught.value) is expected


def test_what_the_storage_says_is_kept_short():
    script = Script(boto.ClientError({"Error": {"Code": "X", "Message": "a\nb" * 9999}}, "PutObject"))
    with pytest.raises(StorageError) as caught:
        script.retry(attempts=1).call(script, "a")
    assert len(caught.value.message) < 400
    assert "\n" not in caught.value.message


def test_storage_that_says_when_to_come_again_is_waited_for_but_not_for_ever():
    for asked, least in (("7", 7), ("99999", 30), ("soon", 0)):
        response = {
            "Error": {"Code": "SlowDown"},
            "ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": asked}},
        }
        script = Script(boto.ClientError(response, "PutObject"))
        assert script.retry().call(script, "a") == "done"
        assert least <= script.slept[0] <= least + 1.0


def test_server_that_is_dead_is_waited_for_once():
    """Whatever is asked afterwards, such as what became of a write, does not begin a budget of its own."""
    script = Script(*[boto.ReadTimeoutError(endpoint_url="x")] * 100)
    retry = script.retry(attempts=99, budget=10.0)
    for _ in range(3):
        with pytest.raises(StorageError):
            retry.call(script, "a")
    assert script.now <= 10.0
    script.now = 10.0
    before = script.calls
    with pytest.raises(StorageError):
        retry.call(script, "a")
    assert script.calls == before + 1
    script.errors.clear()
    assert retry.call(script, "a") == "done"
    script.errors = [AGAIN, AGAIN]
    assert retry.call(script, "a") == "done"


def test_condition_counts_only_for_who_set_one():
    script = Script(answer("PreconditionFailed", 412))
    with pytest.raises(StorageError):
        script.retry().call(script, "a")
