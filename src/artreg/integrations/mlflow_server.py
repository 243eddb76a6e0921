"""An MLflow tracking server, spoken to by its REST interface (2.0), which all of MLflow 2 and 3 have.

Answers are taken up to a size and within a time; what fails for the moment is asked again for a while. Credentials go
to that server alone, never along with a redirection, and stand in no message.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from artreg.core.redact import redact_url
from artreg.errors import ArtregError, IntegrityError, InvalidInput, NotFound, StorageError
from artreg.integrations.http_reading import PIECE, TIMEOUT, broke_off, connections
from artreg.integrations.mlflow_credentials import credentials

API = "api/2.0/mlflow"
PROXY = "mlflow-artifacts"
"""The scheme of artifacts that a tracking server passes on."""

_ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"

_PAUSES_S = (0.3, 1.0, 3.0, 6.0, 10.0)
_LONGEST_PAUSE_S = 30.0
_ENOUGH_S = 100.0  # after which nothing is asked for again: a server that hangs takes a minute each time
_FOR_THE_MOMENT = {429, 500, 502, 503, 504}
_NOT_TAKEN = {429, 503}
"""What a server answers that has not done what it was asked, so that it may be asked again."""

_ANSWER_LIMIT = 64 * 2**20
_MOST_PAGES = 10_000
_SHOWN = 300
_ANSWERS = {"RESOURCE_DOES_NOT_EXIST": NotFound, "NOT_FOUND": NotFound, "ENDPOINT_NOT_FOUND": InvalidInput}
_WHO = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"


class MlflowServer:
    """A tracking server.

    Args:
        url: Where it answers; a user and a password in it are used, and not kept in `url`.
        pause: Waits for so many seconds.

    Attributes:
        url: Where it answers, without credentials.

    Raises:
        InvalidInput: The URL is none of a server.
    """

    def __init__(self, url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise InvalidInput(
                f"{redact_url(url)[:_SHOWN]!r} is no URL of a tracking server",
                hint="write http://host:port or https://host",
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.url = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        self._headers = credentials(parts.username, parts.password)
        self._pool = connections(self.url, os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
        self._pause = pause
        self._silent = False

    def get(self, path: str, **parameters: object) -> dict[str, Any]:
        """Return what the server answers to a question.

        Raises:
            NotFound: There is no such thing.
            InvalidInput: It does not understand the question.
            StorageError: It cannot be reached, refuses, or answers nonsense.
        """
        return self._document("GET", _with(f"{API}/{path}", parameters))

    def post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the server answers to an order; it is not given twice unless it was surely not carried out.

        Raises:
            NotFound: There is no such thing.
            InvalidInput: It does not understand the order.
            StorageError: It cannot be reached, refuses, or answers nonsense.
        """
        return self._document("POST", f"{API}/{path}", json.dumps(document).encode())

    def pages(self, path: str, key: str, **parameters: object) -> Iterator[Mapping[str, Any]]:
        """Yield the items of a list that the server gives by pages.

        Raises:
            StorageError: It cannot be reached, refuses, answers nonsense, or never comes to an end.
        """
        token = ""
        for _ in range(_MOST_PAGES):
            answer = self.get(path, **parameters, **({"page_token": token} if token else {}))
            items = answer.get(key, [])
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise self._nonsense(path)
            yield from items
            following = answer.get("next_page_token") or ""
            if not following:
                return
            if not isinstance(following, str) or following == token:
                raise self._nonsense(path)
            token = following
        raise self._nonsense(path)

    def path_of(self, uri: str) -> str:
        """Return the path of artifacts that the server passes on, given their `mlflow-artifacts:` URI.

        Raises:
            InvalidInput: They lie elsewhere, behind another server, or nowhere.
        """
        parts = urlsplit(uri)
        path = parts.path.strip("/")
        if parts.scheme != PROXY or any(part in {"", ".", ".."} for part in path.split("/")):
            raise InvalidInput(
                "its files are not to be had from the tracking server", hint="mlflow server passes them on"
            )
        if parts.netloc.rpartition("@")[2] not in {"", urlsplit(self.url).netloc}:
            raise InvalidInput(
                f"its files are said to lie behind another server, {parts.netloc.rpartition('@')[2]}",
                hint="credentials are not sent there; name that server",
            )
        return path

    def listing(self, folder: str) -> list[Mapping[str, Any]]:
        """Return what lies in a folder of the artifacts that the server passes on.

        Raises:
            NotFound: There is no such folder.
            StorageError: It cannot be reached, or refuses.
        """
        answer = self._document("GET", _with(_ARTIFACTS, {"path": folder}))
        files = answer.get("files", [])
        if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
            raise self._nonsense(folder)
        return files

    def artifact(self, path: str, limit: int) -> bytes:
        """Return a small file of the artifacts.

        Raises:
            NotFound: It is not there.
            StorageError: It cannot be read, or is larger than the limit.
        """
        taken: _InMemory = self._asked("GET", f"{_ARTIFACTS}/{quote(path)}", None, lambda: _InMemory(limit))
        return taken.data

    def download(self, path: str, size: int | None, to: IO[bytes]) -> None:
        """Write a file of the artifacts to another one.

        Raises:
            NotFound: It is not there.
            IntegrityError: It has more or fewer bytes than `size`.
            StorageError: It cannot be read.
        """
        self._asked("GET", f"{_ARTIFACTS}/{quote(path)}", None, lambda: _InFile(to, size, path))

    def upload(self, path: str, file: IO[bytes], size: int) -> None:
        """Put a file among the artifacts.

        Raises:
            StorageError: The server cannot be reached, or refuses; `--no-serve-artifacts` makes it.
        """
        self._asked("PUT", f"{_ARTIFACTS}/{quote(path)}", file, lambda: _InMemory(_ANSWER_LIMIT), size)

    def _document(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        data = self._asked(method, path, body, lambda: _InMemory(_ANSWER_LIMIT)).data
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise self._nonsense(path) from None
        if not isinstance(document, dict):
            raise self._nonsense(path)
        return document

    def _asked(
        self, method: str, path: str, body: bytes | IO[bytes] | None, sink: Callable[[], Any], size: int | None = None
    ) -> Any:
        """Ask until there is an answer, or until it is in vain; what is written to is made anew each time.

        A server that did not answer at all is then asked but once for each thing, until it does: whoever asks for a
        thousand things would else wait for it a thousand times.
        """
        began = time.monotonic()
        for pause in (*(() if self._silent else _PAUSES_S), None):
            try:
                return self._once(method, path, body, sink(), size)
            except _LaterError as error:
                if pause is None or time.monotonic() - began > _ENOUGH_S:
                    self._silent = error.silent
                    raise StorageError(
                        f"{self.url} does not answer: {error.why}", hint="look whether it runs, and run this again"
                    ) from error
                self._pause(min(error.wait or pause, _LONGEST_PAUSE_S))
        raise AssertionError

    def _once(self, method: str, path: str, body: bytes | IO[bytes] | None, sink: Any, size: int | None) -> Any:
        headers = dict(self._headers)
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        elif body is not None:
            body.seek(0)
            headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        try:
            answer = self._pool.request(
                method,
                f"{self.url}/{path}",
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                timeout=TIMEOUT,
                preload_content=False,
            )
        except urllib3.exceptions.ProxyError:
            raise _LaterError("the proxy that the environment names cannot be reached") from None
        except urllib3.exceptions.NameResolutionError:
            raise _LaterError("nobody knows that name") from None
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            raise _LaterError("nobody listens there", silent=True) from None
        except urllib3.exceptions.SSLError as error:
            raise self._insecure(method, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken_off(method, error, silent=True) from error
        self._silent = False
        try:
            if answer.status != 200:  # noqa: PLR2004
                raise self._refused(method, answer)
            _drain(answer, sink)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken_off(method, error) from error
        finally:
            answer.close()
        return sink

    def _refused(self, method: str, answer: urllib3.BaseHTTPResponse) -> Exception:
        status = answer.status
        if status in (_NOT_TAKEN if method == "POST" else _FOR_THE_MOMENT):
            wait = answer.headers.get("Retry-After", "")
            return _LaterError(f"HTTP {status}", float(wait) if re.fullmatch("[0-9]{1,6}", wait) else None)
        if status in {401, 403}:
            return StorageError(f"{self.url} does not let us in (HTTP {status})", hint=_WHO)
        if 300 <= status < 400:  # noqa: PLR2004
            return StorageError(
                f"{self.url} answers elsewhere (HTTP {status})", hint="name the URL at which it answers itself"
            )
        sink = _InMemory(2**20)
        try:
            _drain(answer, sink)
            said = json.loads(sink.data)
            code, message = str(said["error_code"]), str(said["message"])[:_SHOWN]
        except (ArtregError, ValueError, KeyError, TypeError, RecursionError):
            code, message = "", ""
        if code:
            kind = _ANSWERS.get(code, InvalidInput if status < 500 else StorageError)  # noqa: PLR2004
            return kind(f"{self.url} says: {message}", hint="", mlflow_code=code)
        kind = NotFound if status == 404 else StorageError  # noqa: PLR2004
        return kind(f"{self.url} answers with HTTP {status}", hint="is that an MLflow tracking server?")

    def _broken_off(self, method: str, error: Exception, *, silent: bool = False) -> Exception:
        """Return what it means that no whole answer came: of an order nobody knows whether it was carried out."""
        why = broke_off(error)
        if method != "POST":
            return _LaterError(why, silent=silent)
        return StorageError(
            f"{self.url} broke off ({why}), and may have done what it was asked",
            hint="run this again: what is there already is found",
        )

    def _insecure(self, method: str, error: urllib3.exceptions.SSLError) -> Exception:
        cause = error.args[0] if error.args else error
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLCertVerificationError):
            return self._broken_off(method, cause)
        return StorageError(
            f"{self.url} does not prove who it is: {getattr(cause, 'verify_message', type(cause).__name__)}",
            hint="name the file of whoever signed its certificate: MLFLOW_TRACKING_SERVER_CERT_PATH",
        )

    def _nonsense(self, path: str) -> StorageError:
        return StorageError(
            f"{self.url} answers what no MLflow answers to {path.partition('?')[0]}",
            hint="is that an MLflow tracking server?",
        )


class _LaterError(Exception):
    """What fails for the moment; `silent` where nothing was answered at all."""

    def __init__(self, why: str, wait: float | None = None, *, silent: bool = False) -> None:
        super().__init__(why)
        self.why, self.wait, self.silent = why, wait, silent


class _InMemory:
    """Takes an answer up to a limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = b""

    def take(self, piece: bytes) -> None:
        self.data += piece
        if len(self.data) > self.limit:
            raise StorageError(f"the server's answer is larger than {self.limit:,} bytes", hint="nothing real is")

    def end(self) -> None:
        """Any number of bytes will do."""


class _InFile:
    """Writes an answer to a file from the place where it stands; begins there again when made again."""

    def __init__(self, to: IO[bytes], size: int | None, name: str) -> None:
        self.limit = 2**62 if size is None else size
        self._to, self._size, self._name, self._taken = to, size, name, 0
        to.seek(0)
        to.truncate()

    def take(self, piece: bytes) -> None:
        self._taken += len(piece)
        if self._taken > self.limit:
            self.end()
        self._to.write(piece)

    def end(self) -> None:
        if self._size is not None and self._taken != self._size:
            raise IntegrityError(
                f"{self._name} was listed with {self._size:,} bytes, and comes with "
                f"{'more' if self._taken > self._size else f'{self._taken:,}'}",
                hint="run this again; if it stays so, the file is damaged there",
            )


def _drain(answer: urllib3.BaseHTTPResponse, sink: Any) -> None:
    """Hand on what arrives."""
    while piece := answer.read(PIECE):
        sink.take(piece)
    sink.end()


def _with(path: str, parameters: Mapping[str, object]) -> str:
    return f"{path}?{urlencode({key: str(value) for key, value in parameters.items()})}" if parameters else path
