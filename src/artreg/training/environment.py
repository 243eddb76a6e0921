"""Which environment a run was made in, by an allow list: nothing else of the environment is recorded."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

from artreg.core import canonical
from artreg.core.redact import redact_image
from artreg.training.git import UNKNOWN
from artreg.training.threads import THREADS

PACKAGES = (
    "artreg",
    "joblib",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "safetensors",
    "scikit-learn",
    "scipy",
    "skops",
    "tensorflow",
    "threadpoolctl",
    "torch",
)
"""The packages whose versions matter to the bytes of a model; those not installed are left out."""

VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
)
"""The environment variables that are recorded, and the only ones."""

CONTAINER_IMAGE = "ARTREG_CONTAINER_IMAGE"
"""The variable that names the container image, for whoever starts one."""

_LONGEST = 200


def environment_state(
    uv_lock: bytes | None,
    variables: Mapping[str, str] | None = None,
    *,
    packages: Iterable[str] = (),
    extras: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the environment axis of `run.json`.

    Args:
        uv_lock: The bytes of `uv.lock`, where there is one.
        variables: The environment; by default that of the process.
        packages: Packages that matter besides `PACKAGES`, such as that of a user's own trainer.
        extras: The project's extras that are installed.
    """
    variables = os.environ if variables is None else variables
    image = variables.get(CONTAINER_IMAGE)
    return {
        "uv_lock_sha256": canonical.digest(uv_lock) if uv_lock is not None else UNKNOWN,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": _versions({*PACKAGES, *packages}),
        "blas": _blas(),
        "extras": list(extras),
        "threads": THREADS,
        "container_image": redact_image(image) if image else None,
        "variables": {name: variables[name][:_LONGEST] for name in VARIABLES if name in variables},
    }


def machine_state() -> dict[str, Any]:
    """Return which machine this is; it is no axis, and must not matter."""
    return {"hostname": platform.node(), "cpu_count": os.cpu_count()}


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in sorted(names):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _blas() -> list[dict[str, Any]]:
    """Return which linear algebra libraries are loaded, and the kernels they chose for this CPU."""
    from threadpoolctl import threadpool_info

    for name in ("numpy.linalg", "scipy.linalg"):  # so that the answer does not depend on what was imported before
        importlib.import_module(name)

    keys = ("internal_api", "version", "architecture")
    found = [{key: entry.get(key) for key in keys} for entry in threadpool_info() if entry.get("user_api") == "blas"]
    return sorted(found, key=lambda entry: str(sorted(entry.items())))
