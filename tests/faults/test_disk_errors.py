"""Every call to the disk fails, with every error that a disk has: artreg says so, and loses and promises nothing."""

import errno

import pytest

from faults.build import assert_sound
from faults.disk_errors import COMMANDS, ERRORS, STEPWISE, Faults, check_error, fresh, left, prepare, run
from faults.power_steps import open_registry, seen
from faults.power_work import scratch
from sizes import FULL


@pytest.fixture(scope="module")
def folder():
    with scratch() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTREG_REGISTRY", "registry")
        patch.setenv("ARTREG_ACTOR", "ada")
        prepare(made)
        yield made


@pytest.mark.parametrize("command", COMMANDS if FULL else ["publish", "policy push"])
def test_every_call_fails_with_every_error(folder, command):
    root = folder / "new" if command == "init" else folder / "registry"
    fresh(folder)
    before, counted = seen(root), Faults()
    assert run(folder, COMMANDS[command], counted).code == 0
    after = seen(root)
    failed, unknown, states = 0, 0, set()
    for error in ERRORS if FULL else [errno.ENOSPC]:
        for at in range(1, len(counted.calls) + 1, 1 if FULL else 5):
            fresh(folder)
            faults = Faults(at, error)
            ran = run(folder, COMMANDS[command], faults)
            context = f"{command}: {errno.errorcode[error]} at {at}, {faults.failed}: {ran}"
            assert ran.err == "", context
            now = seen(root)
            if ran.code == 0:  # it was not needed, such as a look whether something is there
                assert now == after, context
            else:
                failed += 1
                unknown += check_error(ran, error, context, changed=before is not None and now != before)
                assert now in (before, after) or command in STEPWISE, context
            if (state := left(root)) in states:
                continue
            states.add(state)
            if now is not None:
                assert_sound(open_registry(root), stale_pointers=True)
            assert run(folder, COMMANDS[command]).code == 0, context
            assert seen(root) == after, context
    print(
        f"{command}: {len(counted.calls)} calls, {failed} failed commands, {unknown} of unknown outcome, "
        f"{len(states)} different states left"
    )
    assert failed >= len(counted.calls) // (2 if FULL else 10)
