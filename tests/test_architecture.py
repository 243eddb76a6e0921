"""The layers may import only downwards, and what is heavy only where it is used."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "artreg"

# What every module may use: the errors, the values of which everything is made, and what reaches out of this process:
# to small files, programs, and web servers.
EVERYWHERE = {
    "artreg.__version__",
    "artreg.errors",
    "artreg.frozen",
    "artreg.pace",
    "artreg.plainfile",
    "artreg.posting",
    "artreg.programs",
    "artreg.protocol",
}

# Each package, and what else of artreg it may import; modules of its own are always allowed.
ALLOWED: dict[str, set[str]] = {
    "artreg.errors": set(),
    "artreg.frozen": set(),
    "artreg.protocol": set(),
    "artreg.pace": set(),
    "artreg.plainfile": set(),
    "artreg.posting": set(),
    "artreg.programs": set(),
    "artreg.core": set(),
    "artreg.store": set(),
    "artreg.workers": set(),
    "artreg.registry": {
        "artreg.workers",
        "artreg.core",
        "artreg.store.interface",
        "artreg.store.commit",
        "artreg.store.probe",
    },
    "artreg.yamldoc": {"artreg.core"},
    "artreg.card": {"artreg.core", "artreg.yamldoc"},
    "artreg.inspection": {"artreg.core"},
    "artreg.training": {"artreg.card", "artreg.core", "artreg.inspection", "artreg.workers", "artreg.yamldoc"},
    "artreg.loading": {"artreg.core", "artreg.inspection", "artreg.registry", "artreg.training"},
    "artreg.instruments": {
        "artreg.core",
        "artreg.inspection",
        "artreg.loading",
        "artreg.registry",
        "artreg.store",
        "artreg.training",
    },
    "artreg.integrations": {"artreg.core", "artreg.registry"},
    "artreg.importing": {
        "artreg.core",
        "artreg.integrations.http_reading",
        "artreg.integrations.mlflow_server",
        "artreg.registry",
        "artreg.store",
        "artreg.yamldoc",
    },
    "artreg.exporting": {
        "artreg.card",
        "artreg.core",
        "artreg.integrations.mlflow_server",
        "artreg.registry",
        "artreg.store",
        "artreg.yamldoc",
        "artreg.training.standalone",  # goes along with what is exported
    },
    "artreg.hooks": {
        "artreg.core",
        "artreg.registry",
        "artreg.store.interface",
        "artreg.store.commit",
        "artreg.yamldoc",
    },
    "artreg.site": {"artreg.core", "artreg.registry", "artreg.store.interface"},
    "artreg.reproduction": {"artreg.core", "artreg.inspection", "artreg.registry", "artreg.store", "artreg.training"},
    "artreg.consuming": {"artreg.core", "artreg.registry", "artreg.store"},
    "artreg.filesystem": {  # a face, as the command line is, whose settings it goes by
        "artreg.cli.output",
        "artreg.cli.session",
        "artreg.cli.settings",
        "artreg.consuming",
        "artreg.core",
        "artreg.registry",
    },
    "artreg.cli": {
        "artreg.card",
        "artreg.consuming",
        "artreg.core",
        "artreg.exporting",
        "artreg.hooks",
        "artreg.importing",
        "artreg.inspection",
        "artreg.instruments",
        "artreg.integrations",
        "artreg.loading",
        "artreg.yamldoc",
        "artreg.registry",
        "artreg.reproduction",
        "artreg.site",
        "artreg.store",
        "artreg.training",
        "artreg.workers",
    },
}

# Third-party packages, and the only parts of artreg that may import them.
HOMES = {
    # the source reads tables by URL, nothing of the registry; the file system is one of fsspec's
    "fsspec": ("artreg.store", "artreg.training.source", "artreg.filesystem", "artreg.importing"),
    "s3fs": ("artreg.store",),
    "botocore": ("artreg.store",),
    "sklearn": ("artreg.training", "artreg.inspection.known"),
    "joblib": ("artreg.training", "artreg.workers"),
    "distributed": ("artreg.workers",),
    "ray": ("artreg.workers",),
    "torch": ("artreg.training",),
    "safetensors": ("artreg.training",),
    "skops": ("artreg.training",),
    "fickling": ("artreg.inspection.second_opinion",),
    "pandas": ("artreg.training", "artreg.loading"),
    "mlflow": ("artreg.integrations",),
    "model_signing": ("artreg.registry.model_signing",),
    "numpy": ("artreg.training", "artreg.inspection", "artreg.loading"),
    "pyarrow": ("artreg.training",),
    "typer": ("artreg.cli",),
    "rich": ("artreg.cli",),
    "pydantic": (
        "artreg.core.config",
        "artreg.core.gates",  # for type checkers only
        "artreg.core.policy_file",
        "artreg.core.release_plan",
        "artreg.core.validation",
        "artreg.hooks.config",
        "artreg.training.trainers.custom",
    ),
    "yaml": ("artreg.yamldoc",),
    "urllib3": ("artreg.integrations",),
    "xxhash": ("artreg.importing",),
    "jinja2": ("artreg.site",),
    "markdown_it": ("artreg.site",),
    "pygal": ("artreg.site",),
}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Each module by its name, parsed once."""
    return tuple(_modules())


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(("artreg", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


@cache
def imports(tree: ast.Module) -> tuple[str, ...]:
    return tuple(_imports(tree))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def lies_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("package", ALLOWED)
def test_a_layer_imports_only_what_lies_below_it(package: str) -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, tree in modules()
        if lies_in(name, package)
        for imported in imports(tree)
        if lies_in(imported, "artreg")
        and not lies_in(imported, package)
        and not any(lies_in(imported, allowed) for allowed in ALLOWED[package] | EVERYWHERE)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_in_its_home(library: str) -> None:
    wrong = [
        name
        for name, tree in modules()
        if any(lies_in(imported, library) for imported in imports(tree))
        and not any(lies_in(name, home) for home in HOMES[library])
    ]
    assert wrong == []


def test_core_knows_neither_files_nor_time_nor_environment() -> None:
    forbidden = ("os", "pathlib", "time", "random", "secrets", "socket", "subprocess", "io", "sys")
    wrong = [
        f"{name} imports {imported}"
        for name, tree in modules()
        if lies_in(name, "artreg.core")
        for imported in imports(tree)
        if any(lies_in(imported, module) for module in (*forbidden, "artreg.plainfile"))
    ]
    assert wrong == []


def test_core_never_asks_what_time_it_is() -> None:
    wrong = [
        name
        for name, tree in modules()
        if lies_in(name, "artreg.core")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert wrong == []


def test_only_the_command_line_prints() -> None:
    wrong = [
        name
        for name, tree in modules()
        if not lies_in(name, "artreg.cli")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def test_only_the_factory_knows_the_schemes_of_roots() -> None:
    wrong = [
        name
        for name, tree in modules()
        if lies_in(name, "artreg.registry") or lies_in(name, "artreg.core.keys")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("s3:", "memory:"))
    ]
    assert wrong == []


def loaded_after(code: str, tmp_path: Path) -> set[str]:
    probe = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)
    return {line.split(".")[0] for line in done.stderr.splitlines()}


HEAVY = {"sklearn", "torch", "s3fs", "fsspec", "pandas", "numpy", "joblib", "pydantic", "rich", "asyncio", "botocore"}
SLOW = HEAVY | {"typer", "yaml", "dataclasses", "inspect", "typing", "pathlib", "socket", "subprocess", "datetime"}
"""What a look-up on a disk has no need of, and what would take longer than the look-up."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a registry `r` in it, of which one version is in staging."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "r").mkdir()
    (folder / "made").mkdir()
    (folder / "made" / "model.txt").write_text("m")
    (folder / "made" / "metrics.json").write_text('{"roc_auc": 0.9}')
    for words in ("publish made --model churn --version 1.0.0", "promote churn 1.0.0 --to staging"):
        make = f"from artreg.cli.main import main; assert main('{words} -r r'.split()) == 0"
        subprocess.run([sys.executable, "-c", make], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    "words",
    ["resolve churn@1.0.0 --json", "resolve churn@staging --json", "resolve churn@staging", "--version"],
)
def test_a_local_look_up_imports_nothing_slow(words: str, registry: Path) -> None:
    line = words if words == "--version" else f"{words} -r r"
    code = f"from artreg.cli.main import main; assert main('{line}'.split()) == 0"
    assert loaded_after(code, registry) & SLOW == set()


def test_a_look_up_that_remembers_imports_nothing_slow(registry: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    remember = f"import os; os.environ['ARTREG_SEEN'] = {str(seen)!r}"
    code = f"{remember}; from artreg.cli.main import main; assert main('resolve churn@staging -r r'.split()) == 0"
    for _ in range(2):
        assert loaded_after(code, registry) & SLOW == set()
    assert list(seen.glob("*.json"))


def test_completion_imports_nothing_slow(registry: Path) -> None:
    code = (
        "import os; from artreg.cli.main import main; os.environ |= {'_ARTREG_COMPLETE': 'bash'}; "
        "assert main([' @', 'artreg resolve -r r churn@']) == 0"
    )
    assert loaded_after(code, registry) & (SLOW - {"subprocess"}) == set()


@pytest.mark.parametrize("words", ["", "list", "history churn@staging", "show churn@staging", "verify"])
def test_reading_a_local_registry_imports_nothing_heavy(words: str, registry: Path) -> None:
    code = f"from artreg.cli.main import main; assert main('{words} -r r'.split()) == 0"
    assert loaded_after(code, registry) & (HEAVY | {"typer", "yaml"}) == set()


def test_importing_artreg_is_light(tmp_path: Path) -> None:
    assert loaded_after("import artreg; artreg.open", tmp_path) & (HEAVY | {"typer", "yaml"}) == set()


@pytest.mark.parametrize(
    "words", ["promote churn 1.0.0 --to staging", "rollback staging --dry-run", "yank churn@1.0.0"]
)
def test_moving_an_alias_imports_nothing_heavy(words: str, registry: Path, tmp_path: Path) -> None:
    shutil.copytree(registry, tmp_path / "copy", symlinks=True)
    code = f"from artreg.cli.main import main; main('{words} -r r'.split())"
    assert loaded_after(code, tmp_path / "copy") & (HEAVY | {"typer", "yaml", "dataclasses"}) == set()


def test_going_by_a_lock_imports_nothing_heavy(registry: Path, tmp_path: Path) -> None:
    shutil.copytree(registry, tmp_path / "copy", symlinks=True)
    lines = [f"{words} -r r".split() for words in ("lock churn@staging", "lock --check", "outdated", "sync", "sync")]
    code = f"from artreg.cli.main import main; assert [main(line) for line in {lines!r}] == [0] * 5"
    assert loaded_after(code, tmp_path / "copy") & (HEAVY | {"typer", "yaml", "dataclasses", "ctypes"}) == set()


def test_the_file_system_is_light(registry: Path) -> None:
    code = "import fsspec; fs = fsspec.filesystem('artreg', root='r'); assert fs.cat('churn@staging/model.txt') == b'm'"
    assert loaded_after(code, registry) & (HEAVY - {"fsspec", "asyncio"} | {"typer", "yaml"}) == set()


def test_only_tests_themselves_ask_how_large_they_are() -> None:
    """Else they would not be marked `sized`, and never be run at full size."""
    tests = Path(__file__).parent
    asking = {path.relative_to(tests) for path in tests.rglob("*.py") if "ARTREG_TEST_FULL" in path.read_text()}
    assert asking - {Path("test_architecture.py")} == {Path("sizes.py")}
    asking = {
        path.name
        for path in tests.rglob("*.py")
        if re.search(r"^(from|import) sizes\b", path.read_text(), re.MULTILINE)
    }
    assert [name for name in asking if not name.startswith("test_")] == ["conftest.py"]
