"""One attempt: whatever the receiver does, it ends in time, and says what happened in a line."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artreg import posting
from artreg.hooks.event import Event
from artreg.hooks.refusal import Refused
from artreg.hooks.sending import sender
from certificates import self_signed, serving
from hooks.bench import SECRET, SECRETS, Receiver, ended, hook, wait_until
from hooks.test_signature import by_openssl

EVENT = Event("0123abcd", "dev.cdevents.service.upgraded.0.2.0", b'{"specversion":"1.0"}')


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    found = Receiver(tmp_path_factory.mktemp("receiver"))
    yield found
    found.kill()


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    """The web server, which has heard nothing yet; here nobody sends anything to it later on."""
    shared.forget()
    return shared


def refused(receiver: Receiver, timeout: float = 10) -> Refused:
    send = sender(hook(url=receiver.url, timeout=timeout), SECRETS)
    with pytest.raises(Refused) as caught:
        send(EVENT)
    assert len(caught.value.message) < 400
    return caught.value


def test_an_event_is_posted_with_a_signature_that_proves_it(receiver: Receiver) -> None:
    assert sender(hook(url=receiver.url), SECRETS)(EVENT) == "202 Accepted"
    (heard,) = receiver.heard()
    headers = {name.lower(): value for name, value in heard.headers.items()}
    assert heard.path == "/hooks/secret-path"
    assert heard.body.encode() == EVENT.body
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["webhook-id"] == EVENT.id
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    content = f"{EVENT.id}.{headers['webhook-timestamp']}.{heard.body}".encode()
    assert headers["webhook-signature"] == "v1," + by_openssl(SECRET, content)


@pytest.mark.parametrize(
    ("manner", "said", "again"),
    [
        ("500", "500 Internal Server Error", True),
        ("503", "503 Service Unavailable", True),
        ("400", "400 Bad Request", False),
        ("410", "410 Gone", False),
        ("304", "304 Not Modified", False),
        ("verbose", "500 \x1b[2Jno no no", True),
        ("drop", "", True),
        ("garbage", "no proper answer", True),
    ],
)
def test_what_is_no_success_says_what_it_is(receiver: Receiver, manner: str, said: str, again: bool) -> None:
    receiver.behave(manner)
    found = refused(receiver)
    assert found.message.startswith(said)
    assert found.message
    assert found.again is again


def test_a_receiver_may_ask_to_be_left_alone_for_a_while(receiver: Receiver) -> None:
    receiver.behave("429 7", "503 Fri, 01 Jan 2100 00:00:00 GMT", "429 soon", "429 -5", "429 99999999999999999999")
    assert [refused(receiver).after > 0 for _ in range(5)] == [True, True, False, False, True]
    assert all(refused(receiver).again for _ in range(2))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.behave(f"redirect {status} http://127.0.0.1:{receiver.port}/elsewhere", "ok")
    found = refused(receiver)
    assert "not followed" in found.message
    assert found.again is False
    assert [heard.path for heard in receiver.heard()] == ["/hooks/secret-path"]


def test_a_redirect_does_not_show_the_path_that_it_repeats(receiver: Receiver) -> None:
    elsewhere = "https://me:pass@hooks.example/hooks/secret-path"
    receiver.behave(f"redirect 308 {elsewhere}", "redirect 308 /secret-path", f"redirect 503 {elsewhere}")
    assert refused(receiver).message.endswith("it sends to https://hooks.example/…, which is not followed")
    assert refused(receiver).message.endswith(f"it sends to http://127.0.0.1:{receiver.port}/…, which is not followed")
    busy = refused(receiver)
    assert (busy.message, busy.again) == ("503 Service Unavailable", True)


def test_what_a_receiver_says_does_not_show_its_path(receiver: Receiver) -> None:
    receiver.behave("repeating 404")
    assert refused(receiver).message == "404 Not Found: Cannot POST …; nobody is called …"


class UntilThereIsAStatus(threading.Thread):
    """A request whose time is up as soon as a status has come."""

    def __init__(self, *, target: Any, **more: Any) -> None:
        super().__init__(target=target, **more)
        self._call = target.__self__

    def join(self, _timeout: float | None = None) -> None:
        wait_until(lambda: self._call._outcome is not None, lambda: "no status")


@pytest.mark.parametrize("manner", ["broken", "endless"])
def test_a_status_stands_whatever_becomes_of_the_body(
    receiver: Receiver, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "threading", SimpleNamespace(Thread=UntilThereIsAStatus, Lock=threading.Lock))
    receiver.behave(f"{manner} 410", f"{manner} 200")
    found = refused(receiver)
    assert (found.message, found.again) == ("410 X", False)
    assert sender(hook(url=receiver.url), SECRETS)(EVENT) == "200 X"


@pytest.mark.parametrize("manner", ["trickle", "hang {folder}/never"])
def test_a_receiver_that_trickles_or_hangs_is_left_when_the_time_is_up(
    receiver: Receiver, tmp_path: Path, manner: str
) -> None:
    receiver.behave(manner.format(folder=tmp_path))
    assert refused(receiver, timeout=0.3).message == "no answer within 0.3 s"
    receiver.kill()  # or it might hear of this later, while another test asks what it has heard


def test_what_finds_its_receiver_too_late_is_not_sent(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    known, over, before = socket.getaddrinfo, threading.Event(), set(threading.enumerate())

    def slow(*arguments: Any, **more: Any) -> Any:
        over.wait()
        return known(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert refused(receiver, timeout=0.1).message == "no answer within 0.1 s"
    (late,) = set(threading.enumerate()) - before
    over.set()
    late.join()
    assert receiver.heard() == []


def test_where_nobody_listens_it_says_so(receiver: Receiver) -> None:
    receiver.kill()
    assert refused(receiver).message == "Connection refused"


def test_a_server_that_only_takes_the_connection_does_not_hold_up_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Refused) as caught:
            sender(hook(url=url, timeout=0.3), SECRETS)(EVENT)
    assert caught.value.again


def test_a_server_proves_who_it_is_by_its_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    certificate = self_signed(tmp_path)
    with serving(certificate, Handler) as url:
        send = sender(hook(url=url), SECRETS)
        with pytest.raises(Refused, match=r"(?i)certificate"):
            send(EVENT)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send(EVENT) == "204 No Content"


def test_a_program_gets_the_event_on_its_stdin(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())")
    assert sender(hook(command=(*words, str(tmp_path / "told"))), {})(EVENT) == "exit code 0"
    assert (tmp_path / "told").read_bytes() == EVENT.body + b"\n"


def test_no_shell_reads_the_words_of_a_command(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import sys; sys.exit(sys.argv[1] != '$(touch x); `touch y`')")
    assert sender(hook(command=(*words, "$(touch x); `touch y`")), {})(EVENT) == "exit code 0"


@pytest.mark.parametrize(
    ("script", "said", "again"),
    [
        ("import sys; sys.exit('no \\x1b[31mroute')", "exit code 1: no \x1b[31mroute", True),
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL", True),
        ("import sys; sys.stderr.write('x' * 10**7); sys.exit(3)", "exit code 3: xxx", True),
    ],
)
def test_a_program_that_fails_says_why(script: str, said: str, again: bool) -> None:
    with pytest.raises(Refused) as caught:
        sender(hook(command=(sys.executable, "-c", script)), {})(EVENT)
    assert caught.value.message.startswith(said)
    assert len(caught.value.message) < 300
    assert caught.value.again is again


def test_a_program_that_says_no_end_of_things_fills_nothing() -> None:
    script = (
        "import sys, os; sys.stderr.write('x' * 10**7); sys.stderr.flush();"
        "sys.exit(f'\\n{os.fstat(2).st_size + os.fstat(1).st_size} bytes')"
    )
    with pytest.raises(Refused, match="exit code 1: 0 bytes"):
        sender(hook(command=(sys.executable, "-c", script)), {})(EVENT)


def test_a_program_that_hangs_is_ended_with_all_that_it_began(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    words = ("/bin/sh", "-c", 'sleep 600 & echo $! >"$0.new"; mv "$0.new" "$0"; wait', str(told))
    for timeout in (0.5, 5, 50):  # a busy machine may need longer to begin it at all
        with pytest.raises(Refused, match=rf"did not end within {timeout:g} s"):
            sender(hook(command=words, timeout=timeout), {})(EVENT)
        if told.exists():
            break
    wait_until(lambda: ended(told.read_text().strip()), lambda: "what it began")


def test_a_program_that_there_is_not_is_not_tried_again() -> None:
    with pytest.raises(Refused, match="cannot be run") as caught:
        sender(hook(command=("/no/such/program",)), {})(EVENT)
    assert caught.value.again is False
