# ruff: noqa: PLR2004 (a recipe is made of figures)
"""The churn data: customers who never were, the same bytes on every machine.

Each row is a function of its customer's number alone: the numbers come from a hash of (number, column), so that the
first 5,000 customers are the same however many are made. Only integer arithmetic and + - * / on floats are used, all
of which IEEE 754 defines to the last bit; `exp` and `log` are not so defined and differ between machines.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artreg.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.uint64]

DEFAULT_ROWS = 8000
MAX_ROWS = 9_999_999
"""As many as the seven digits of a customer id can number."""

COLUMNS = (
    "customer_id",
    "region",
    "age",
    "tenure_months",
    "contract",
    "payment_method",
    "internet_service",
    "paperless_billing",
    "monthly_charges",
    "total_charges",
    "data_usage_gb",
    "support_tickets",
    "late_payments",
    "days_since_login",
    "satisfaction",
    "churned",
)

_REGIONS = ("north", "south", "east", "west", "central", "islands")
_CONTRACTS = ("month-to-month", "one-year", "two-year")
_PAYMENTS = ("card", "bank-transfer", "invoice", "direct-debit")
_SERVICES = ("fibre", "dsl", "mobile-only")


def write_churn(path: Path, n: int = DEFAULT_ROWS) -> Path:
    """Write the churn table of `n` customers to `path` as CSV; the file appears whole or not at all.

    Raises:
        InvalidInput: `n` is out of range, or the file cannot be written.
    """
    data = churn_csv(n)
    try:
        os.makedirs(path.parent, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput(f"{path} cannot be written: {reason}", hint="name a writable file") from error
    return path


def churn_csv(n: int = DEFAULT_ROWS) -> bytes:
    """Return the churn table of `n` customers as CSV; the first rows do not depend on `n`.

    Raises:
        InvalidInput: `n` is not between 1 and `MAX_ROWS`.
    """
    if not 1 <= n <= MAX_ROWS:
        raise InvalidInput(f"{n} customers cannot be made", hint=f"ask for 1 to {MAX_ROWS}")
    lines = [",".join(COLUMNS), *map(",".join, zip(*_text_columns(n), strict=True)), ""]
    return "\n".join(lines).encode("ascii")


def _replace(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o644)  # mkstemp makes it private, and data is there to be shared
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _text_columns(n: int) -> list[list[str]]:
    import numpy as np

    number = np.arange(1, n + 1, dtype=np.uint64)
    region = _choice(number, 1, (0.22, 0.2, 0.19, 0.19, 0.15, 0.05))
    age = 18 + np.floor(_bell(number, 2) * 67)
    tenure = 1 + np.floor(_uniform(number, 3) * _uniform(number, 4) * 95)
    contract = _choice(number, 5, (0.55, 0.25, 0.2))
    payment = _choice(number, 6, (0.35, 0.25, 0.15, 0.25))
    service = _choice(number, 7, (0.45, 0.35, 0.2))
    paperless = _uniform(number, 8) < 0.6
    charges = 20.0 + np.array([45.0, 25.0, 5.0])[service] + _bell(number, 9) * 40.0
    total = charges * tenure * (0.9 + 0.2 * _uniform(number, 10))
    usage = np.array([300.0, 120.0, 15.0])[service] * (0.1 + 2.0 * _uniform(number, 11) * _uniform(number, 12))
    tickets = np.floor(_uniform(number, 13) * _uniform(number, 14) * _uniform(number, 15) * 12)
    late = np.floor(_uniform(number, 16) * _uniform(number, 17) * 6)
    idle = np.floor(_uniform(number, 18) * _uniform(number, 19) * 90)
    satisfaction = 1 + np.floor(_bell(number, 20) * 5)

    pull = (
        -3.0
        + np.array([0.9, -0.1, -0.9])[contract]
        + np.array([0.0, -0.2, 0.9, -0.4])[payment]
        + np.array([0.6, -0.1, -0.4])[service]
        + np.array([0.0, 0.1, -0.2, 0.2, 0.0, 0.5])[region]
        - 0.03 * (tenure - 24)
        + 0.55 * np.minimum(tickets, 5) * (contract == 0)
        + 0.55 * late
        + 0.022 * (idle - 22)
        - 0.8 * (satisfaction - 3)
        + 0.02 * (charges - 75)
        + 0.7 * ((tenure < 6) & (charges > 80))
        + 0.02 * np.abs(age - 45)
        + 0.2 * paperless
    )
    churned = _uniform(number, 21) < _squash(1.05 * pull)

    return [
        [f"C{value:07d}" for value in number.tolist()],
        _words(_REGIONS, region),
        _decimals(age, 0),
        _decimals(tenure, 0),
        _words(_CONTRACTS, contract),
        _blank(_words(_PAYMENTS, payment), _uniform(number, 22) < 0.02),
        _words(_SERVICES, service),
        _words(("no", "yes"), paperless.astype(np.int64)),
        _decimals(charges, 2),
        _decimals(total, 2),
        _blank(_decimals(usage, 1), _uniform(number, 23) < 0.06),
        _decimals(tickets, 0),
        _decimals(late, 0),
        _decimals(idle, 0),
        _blank(_decimals(satisfaction, 0), _uniform(number, 24) < 0.12),
        _decimals(churned.astype(np.float64), 0),
    ]


def _uniform(number: Integers, column: int) -> Floats:
    """Draw from [0, 1): the top 53 bits of SplitMix64's mix of the number and the column."""
    import numpy as np

    mixed = number * np.uint64(0x9E3779B97F4A7C15) + np.uint64(column * 0xD1342543DE82EF95 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _bell(number: Integers, column: int) -> Floats:
    """Draw from [0, 1) round 0.5, more often near it: the mean of three uniform draws."""
    draws = [_uniform(number, 100 * column + turn) for turn in range(3)]
    return (draws[0] + draws[1] + draws[2]) / 3.0


def _choice(number: Integers, column: int, weights: Sequence[float]) -> NDArray[np.int64]:
    import numpy as np

    edges = np.cumsum(np.array(weights))[:-1]
    return np.searchsorted(edges, _uniform(number, column), side="right").astype(np.int64)


def _squash(pull: Floats) -> Floats:
    """Map any number into (0, 1), as the logistic function does, but by exact arithmetic."""
    import numpy as np

    square = pull * np.abs(pull) / 2.0 + pull
    return 0.5 + 0.5 * square / (1.0 + np.abs(square))


def _words(names: Sequence[str], index: NDArray[np.int64]) -> list[str]:
    return [names[place] for place in index.tolist()]


def _decimals(values: Floats, places: int) -> list[str]:
    return [f"{value:.{places}f}" for value in values.tolist()]


def _blank(cells: list[str], missing: NDArray[np.bool_]) -> list[str]:
    return ["" if gone else cell for cell, gone in zip(cells, missing.tolist(), strict=True)]
