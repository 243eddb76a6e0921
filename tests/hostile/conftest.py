"""One registry with everything in it, made once; tests write into copies of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.victim import build, copied


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("victim"))


@pytest.fixture
def root(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a copy, in a folder of its own, which is the present one."""
    for name in ("REGISTRY", "PROJECT", "MODEL", "POLICY", "ENDPOINT_URL"):
        monkeypatch.delenv(f"ARTREG_{name}", raising=False)
    monkeypatch.setenv("ARTREG_ACTOR", "ada")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return copied(template, here)
