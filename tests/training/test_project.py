"""What a version keeps of its project's environment, and what it must not keep."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from artreg.core.redact import secret_line
from artreg.errors import InvalidInput
from artreg.training.project import conda_explicit, installed_extras, read_project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_pins_are_kept_as_requirements_with_hashes(checkout: Path) -> None:
    project = read_project(checkout)
    assert project.files["uv.lock"] == (ROOT / "uv.lock").read_bytes()
    lines = project.files["requirements.txt"].decode().splitlines()
    pins = [line for line in lines if "==" in line]
    assert any(line.startswith("scikit-learn==") for line in pins)
    assert not any(line.startswith(("pytest==", "artreg==")) for line in pins)
    assert sum("--hash=sha256:" in line for line in lines) > len(pins)
    assert project.warnings == ()
    assert read_project(checkout).files == project.files


def test_without_uv_it_is_left_out_and_said(checkout: Path) -> None:
    project = read_project(checkout, {"UV": str(checkout / "no-uv"), "PATH": ""})
    assert set(project.files) == {"uv.lock"}
    assert project.warnings == ("requirements.txt was left out: uv, which makes it, is not at hand",)


def test_a_lock_that_uv_cannot_read_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(b"version = 1\n")
    project = read_project(tmp_path)
    assert project.files == {"uv.lock": b"version = 1\n"}
    assert len(project.warnings) == 1


def test_without_a_lock_there_is_nothing(tmp_path: Path) -> None:
    project = read_project(tmp_path)
    assert (project.lock, project.files, project.warnings) == (None, {}, ())


def test_the_extras_are_those_whose_every_requirement_is_installed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[project.optional-dependencies]\n"
        'full = ["numpy>=1", "joblib"]\nno = ["numpy", "no-such-package"]\nempty = []\n'
    )
    assert installed_extras(tmp_path) == ("full",)
    for odd in ("", "[project]", "project = 3", "= ="):
        (tmp_path / "pyproject.toml").write_text(odd)
        assert installed_extras(tmp_path) == ()


def test_condas_packages_are_listed_without_tokens(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    records = {
        "b": {"url": "https://conda.example.org/t/s3cr3t/main/linux-64/b-1-0.conda", "md5": "2" * 32},
        "a": {"url": "https://me:pw@conda.example.org/main/linux-64/a-1-0.conda?token=x", "md5": "1" * 32},
        "c": {"no": "url"},
    }
    for name, record in records.items():
        (meta / f"{name}.json").write_text(json.dumps(record))
    (meta / "broken.json").write_text("{")
    expected = [
        "@EXPLICIT",
        f"https://conda.example.org/main/linux-64/a-1-0.conda#{'1' * 32}",
        f"https://conda.example.org/t/<TOKEN>/main/linux-64/b-1-0.conda#{'2' * 32}",
        "",
    ]
    assert conda_explicit(tmp_path) == "\n".join(expected).encode()
    assert read_project(tmp_path, {"CONDA_PREFIX": str(tmp_path)}).files.keys() == {"conda-explicit.txt"}
    assert conda_explicit(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a\nsource = { registry = "https://me:pw@example.org/simple" }', 2),
        ('source = { git = "https://t0k3n@example.org/x" }', 1),
        ("https://example.org/x.whl?X-Amz-Signature=abc", 1),
        ("https://example.org/x.whl?access_token=abc", 1),
        ('source = { git = "ssh://git@example.org/x?rev=main#abc" }', None),
        ('url = "https://files.example.org/a/b.whl", hash = "sha256:1"', None),
        ("mail me@example.org", None),
    ],
)
def test_a_credential_in_a_url_is_found(text: str, line: int | None) -> None:
    assert secret_line(text) == line


def test_a_lock_with_a_credential_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text('version = 1\nsource = { registry = "https://me:pw@example.org/simple" }\n')
    with pytest.raises(InvalidInput, match="credential in line 2") as caught:
        read_project(tmp_path)
    assert "pw" not in caught.value.message
