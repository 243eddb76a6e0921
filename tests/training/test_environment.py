from __future__ import annotations

import json
import platform

from artreg.core import canonical
from artreg.training.environment import VARIABLES, environment_state, machine_state


def test_what_is_recorded() -> None:
    found = environment_state(b"lock", {"OMP_NUM_THREADS": "2", "ARTREG_CONTAINER_IMAGE": "ghcr.io/o/i@sha256:ab"})
    assert found["uv_lock_sha256"] == canonical.digest(b"lock")
    assert found["python"] == platform.python_version()
    assert {"artreg", "numpy", "scikit-learn", "joblib"} <= set(found["packages"])
    assert found["container_image"] == "ghcr.io/o/i@sha256:ab"
    assert found["variables"] == {"OMP_NUM_THREADS": "2"}
    assert found["blas"]


def test_what_is_not_there_is_said_to_be_unknown() -> None:
    found = environment_state(None, {})
    assert found["uv_lock_sha256"] == "unknown"
    assert found["container_image"] is None
    assert found["variables"] == {}


def test_only_the_allow_list_is_recorded() -> None:
    variables = {
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "TOKEN": "hunter2",
        "HOME": "hunter2",
        "OMP_NUM_THREADSX": "hunter2",
    }
    variables |= {"ARTREG_CONTAINER_IMAGE": "https://me:hunter2@registry/image"}
    assert "hunter2" not in json.dumps(environment_state(None, variables))
    assert set(environment_state(None, dict.fromkeys(VARIABLES, "x"))["variables"]) == set(VARIABLES)


def test_it_does_not_depend_on_what_was_imported() -> None:
    one = environment_state(None, {})
    import sklearn.linear_model  # noqa: F401

    assert environment_state(None, {}) == one


def test_the_machine() -> None:
    assert set(machine_state()) == {"hostname", "cpu_count"}
