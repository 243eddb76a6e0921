"""Sending a request again while that is safe, and saying in artreg's own words what came of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from artreg.errors import AlreadyExists, ArtregError, NotFound, OutcomeUnknown, StorageError
from artreg.store.options import StorageOptions
from artreg.store.outcome import Failure, Outcome, classify

DENIED = "AccessDenied"
"""What S3 says where credentials lack a right."""

_T = TypeVar("_T")
_REPEATED = {Outcome.AGAIN, Outcome.UNKNOWN}
_LONGEST = 10.0
_LONGEST_ASKED = 30.0  # that a storage can make us wait by Retry-After
_HINTS = {
    "RequestTimeTooSkewed": "set this machine's clock",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "ExpiredToken": "log in again: the credentials have expired",
    "NotImplemented": "this storage lacks something that artreg needs; artreg doctor says what",
    "PermanentRedirect": "the bucket lies in another region: set AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "the bucket lies in another region: set AWS_DEFAULT_REGION",
}
_FORBIDDEN = "look at the credentials in the environment and at what they may do in this bucket"
_RIGHTS = {
    "aborted": "s3:AbortMultipartUpload",
    "listed": "s3:ListBucket",
    "reached": "s3:ListBucket",
    "read": "s3:GetObject",
    "removed": "s3:DeleteObject",
    "written": "s3:PutObject",
}
_UNREACHED = "look at the network and at the endpoint (AWS_ENDPOINT_URL), then run the command again"


class Retry:
    """How often and how long a request is sent again.

    The time counts from when the storage last answered properly, for all requests together: a command that goes on to
    look what became of a write, or to clean up, does not wait again for a server that is dead.

    Args:
        options: The limits.
        bucket: What to call the bucket in errors.
        sleep: Waits for so many seconds.
        clock: Tells the seconds that have passed.
    """

    def __init__(
        self,
        options: StorageOptions,
        bucket: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._bucket = bucket
        self._sleep = sleep
        self._clock = clock
        self._trouble: float | None = None

    def call(
        self, action: Callable[[], _T], key: str, doing: str = "read", *, writes: bool = False, condition: bool = False
    ) -> _T:
        """Return what `action` returns, trying again as long as that may help.

        Args:
            action: One request; sending it twice must do no harm, or be found out afterwards.
            key: What it is about, for errors.
            doing: What is done to it, as a participle.
            writes: Whether it matters if a try without an answer took effect.
            condition: Whether the request has a condition that may not hold.

        Raises:
            AlreadyExists: The condition did not hold.
            NotFound: The key or the bucket is not there.
            OutcomeUnknown: A write may or may not have taken effect.
            StorageError: It did not.
        """
        doubt = False
        attempt = 0
        while True:
            attempt += 1
            begun = self._clock()
            try:
                result = action()
            except ArtregError:
                raise
            except Exception as error:
                failure = classify(error)
                if failure.outcome is Outcome.BUG:
                    raise
                doubt = doubt or (writes and failure.outcome is Outcome.UNKNOWN)
                pause = self._pause(attempt, failure)
                if not self._goes_on(failure, attempt, begun, pause):
                    raise self._error(failure, error, key, doing, doubt=doubt, condition=condition) from error
            else:
                self._trouble = None
                return result
            self._sleep(pause)

    def _goes_on(self, failure: Failure, attempt: int, begun: float, pause: float) -> bool:
        if failure.outcome not in _REPEATED:
            self._trouble = None
            return False
        since = self._trouble = begun if self._trouble is None else self._trouble
        return attempt < self._options.attempts and self._clock() + pause <= since + self._options.budget

    def _pause(self, attempt: int, failure: Failure) -> float:
        longest = min(_LONGEST, self._options.backoff * 2.0 ** (attempt - 1))
        return min(failure.wait, _LONGEST_ASKED) + longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _error(
        self, failure: Failure, error: Exception, key: str, doing: str, *, doubt: bool, condition: bool
    ) -> ArtregError:
        if failure.outcome is Outcome.CONDITION and condition:
            return AlreadyExists(f"{key} is there already")
        details: dict[str, object] = {"storage_code": failure.code, "status": failure.status or None}
        reason = _reason(failure, error)
        if doubt:
            return OutcomeUnknown(
                f"{key} may or may not have been {doing}: {reason}",
                hint="run the command again: it finds out",
                **details,
            )
        if failure.outcome is Outcome.NO_BUCKET:
            return NotFound(
                f"there is no bucket {self._bucket}", hint="artreg never makes one; see that the name is right"
            )
        if failure.outcome in {Outcome.ABSENT, Outcome.EMPTY}:
            return NotFound(f"{key} is not there")
        hint = _HINTS.get(failure.code, _FORBIDDEN if failure.outcome is Outcome.FORBIDDEN else "")
        if failure.code == DENIED:
            lacking = _RIGHTS.get(doing, "a right")
            hint = f"these credentials lack {lacking} there; artreg access prints what each role must be allowed"
        if failure.outcome in _REPEATED:
            hint = hint or _UNREACHED
        return StorageError(f"{key} in {self._bucket} cannot be {doing}: {reason}", hint=hint, **details)


def _reason(failure: Failure, error: Exception) -> str:
    """What the storage said, on one line of bounded length."""
    said = " ".join(str(error).split())[:200]
    status = f", HTTP {failure.status}" if failure.status and str(failure.status) != failure.code else ""
    return f"{said} ({failure.code}{status})" if said else f"{failure.code}{status}"
