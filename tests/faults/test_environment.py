"""A bad environment gets an exit code, an error with a hint, and a registry in which nothing is half-done."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from artreg.cli.main import main
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from faults.build import assert_sound, files_below, make_history, make_source, make_sources, view
from faults.outofband import whole_versions
from store.proxy import Proxy

ARTREG = str(Path(sys.executable).with_name("artreg"))
LARGE = 3 * 2**20


def _can_mount() -> bool:
    """Whether this user may mount something in a namespace of its own, as on most Linux machines."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


MOUNT = ["mount"] if _can_mount() else []


def test_output_that_cannot_be_written_is_no_bug():
    ran = subprocess.run(["bash", "-c", f"{ARTREG} --version >/dev/full"], check=False, capture_output=True, text=True)
    assert ran.returncode == 8
    assert ran.stderr.startswith("error: what the command says or reads cannot be written or read: no space left")
    assert "Traceback" not in ran.stderr


def _shell(script: str, *arguments: str, mount: bool = False) -> dict:
    """Run a script in which `$artreg` is the command; return its exit code and what it printed as JSON."""
    command = [*(["unshare", "-rm"] if mount else []), "bash", "-c", script, "bash", *arguments]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "artreg": ARTREG})
    assert "Traceback" not in ran.stderr
    return {"code": ran.returncode, **(json.loads(ran.stdout) if ran.stdout else {})}


@pytest.mark.parametrize("how", ["limit", *MOUNT])
def test_full_disk(tmp_path, how):
    """A disk of a few blocks, or where nobody may mount one a limit to the size of files."""
    root, found = tmp_path / "registry", tmp_path / "found"
    root.mkdir()
    source = make_source(tmp_path / "source", "large", size=LARGE)
    fill = {
        "mount": 'mount -t tmpfs -o size=1m tmpfs "$1" || exit 99',
        "limit": "ulimit -f 1024",
    }[how]
    script = f"""{fill}
        "$artreg" publish "$2" --model churn --version 1.0.0 --registry "$1" --json
        code=$?; find "$1" -type f > "$3"; exit $code"""
    ran = _shell(script, str(root), str(source), str(found), mount=how == "mount")
    assert (ran["code"], ran["error"]["code"]) == (8, "storage")
    if how == "mount":
        assert "free some space" in ran["error"]["hint"].lower()
    assert found.read_text() == ""


@pytest.mark.parametrize("how", ["system", *MOUNT])
def test_root_that_cannot_be_written(tmp_path, how):
    """A read-only mount, or where nobody may make one a folder of the kernel's, in which even root can make nothing."""
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    make_history(Registry(store), make_sources(tmp_path / "sources"))
    before = files_below(tmp_path / "registry")
    root = {"mount": str(tmp_path / "registry"), "system": "/sys/kernel"}[how]
    bind = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99;' if how == "mount" else ""
    source = make_source(tmp_path / "source", "new")
    commands = {"publish": f'publish "{source}" --model churn --version 4.0.0'}
    if how == "mount":
        commands["rollback"] = 'rollback prod --to 1.1.0 --reason "worse"'
        assert _shell(f'{bind} "$artreg" resolve churn@prod --registry "$1" --json', root, mount=True)["code"] == 0
    for command in commands.values():
        ran = _shell(f'{bind} "$artreg" {command} --registry "$1" --json', root, mount=how == "mount")
        assert (ran["code"], ran["error"]["code"]) == (8, "storage"), command
        assert ran["error"]["hint"]
    assert files_below(tmp_path / "registry") == before


@pytest.mark.parametrize(
    "command",
    [["verify"], ["list"], ["resolve", "churn@prod"], ["gc"], ["publish", "SOURCE", "-m", "churn", "--bump", "patch"]],
)
def test_root_that_is_a_file(tmp_path, capsys, command):
    root = tmp_path / "registry"
    root.write_text("no registry")
    source = str(make_source(tmp_path / "source", "new"))
    command = [source if word == "SOURCE" else word for word in command]
    error = _fails(capsys, 2, "invalid_input", command, str(root))
    assert str(root) in error["message"]
    assert root.read_text() == "no registry"


@pytest.mark.parametrize(
    "command", [["verify"], ["list"], ["gc"], ["publish", "SOURCE", "-m", "churn", "--bump", "patch"]]
)
def test_root_that_is_not_there(tmp_path, capsys, command):
    source = str(make_source(tmp_path / "source", "new"))
    command = [source if word == "SOURCE" else word for word in command]
    _fails(capsys, 5, "not_found", command, str(tmp_path / "registry"))
    assert not (tmp_path / "registry").exists()


@pytest.mark.parametrize(("call", "least"), [("write", 2**20), ("fsync", 0), ("mkdir", 0), ("rename", 0)])
def test_interrupted_publish_leaves_nothing(tmp_path, call, least):
    """Ctrl-C arrives while the real command is about to make this very call for the first time."""
    store = LocalStore(tmp_path / "registry")
    store.make_root()
    make_history(Registry(store), make_sources(tmp_path / "sources"))
    before, seen = files_below(tmp_path / "registry"), view(Registry(store))
    source = make_source(tmp_path / "source", "large", size=LARGE)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        f"""
import os, signal
real = os.{call}
def interrupted(*arguments, **options):
    if {least} <= (len(arguments[1]) if {least} else 0):
        os.{call} = real
        os.kill(os.getpid(), signal.SIGINT)
    return real(*arguments, **options)
os.{call} = interrupted
"""
    )
    ran = subprocess.run(
        [ARTREG, "publish", str(source), "--model", "churn", "--version", "4.0.0", "--json"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(hook), "ARTREG_REGISTRY": str(tmp_path / "registry")},
    )
    assert (ran.returncode, json.loads(ran.stdout)["error"]["code"]) == (130, "interrupted")
    assert "Traceback" not in ran.stderr
    assert files_below(tmp_path / "registry") == before
    assert view(Registry(store)) == seen
    assert_sound(Registry(store))
    assert main(["publish", str(source), "-m", "churn", "--version", "4.0.0", "-r", str(tmp_path / "registry")]) == 0
    assert "demo/churn/4.0.0" in whole_versions(files_below(tmp_path / "registry"))


COMMANDS_ON_A_BUCKET = [
    ["verify"],
    ["list"],
    ["resolve", "churn@prod"],
    ["promote", "churn", "1.0.0", "--to", "prod"],
    ["publish", "SOURCE", "-m", "churn", "--bump", "patch"],
]


@pytest.mark.parametrize("command", COMMANDS_ON_A_BUCKET, ids=lambda command: command[0])
def test_bucket_that_is_not_there(moto_endpoint, tmp_path, capsys, monkeypatch, command):
    monkeypatch.setenv("ARTREG_ENDPOINT_URL", moto_endpoint)
    source = str(make_source(tmp_path / "source", "new"))
    command = [source if word == "SOURCE" else word for word in command]
    error = _fails(capsys, 5, "not_found", command, "s3://nobody-made-this/registry")
    assert "nobody-made-this" in error["message"]
    assert error["hint"]


class Forbidding(Proxy):
    """Answers every request as a bucket does that these credentials may not use."""

    def answer(self, request):
        request.body()
        document = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        return 403, [("Content-Type", "application/xml")], document


@pytest.mark.parametrize("command", COMMANDS_ON_A_BUCKET, ids=lambda command: command[0])
def test_bucket_that_forbids(moto_endpoint, tmp_path, capsys, monkeypatch, command):
    source = str(make_source(tmp_path / "source", "new"))
    command = [source if word == "SOURCE" else word for word in command]
    with Forbidding(moto_endpoint) as proxy:
        monkeypatch.setenv("ARTREG_ENDPOINT_URL", proxy.url)
        error = _fails(capsys, 8, "storage", command, "s3://somebody-elses/registry")
    assert "credentials" in error["hint"]


def _fails(capsys, code: int, name: str, command: list[str], root: str) -> dict:
    assert main([*command, "--registry", root, "--json"]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == name
    assert error["hint"]
    return error
