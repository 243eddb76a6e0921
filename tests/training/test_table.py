"""Reading a table: what is an id stays the text that was written."""

from __future__ import annotations

import io

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from artreg.training.table import CSV_OPTIONS, MISSING, parse_table

cells = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["007", "1.0", "1e3", "True", "false", "inf", "-0", "1_0", "2026-01-01", *MISSING]),
    st.text("ab01. +-", max_size=4).map(str.strip),
)


@example(["9223372036854775808", ""])  # without being asked for text, pandas takes no cell for missing here
@given(st.lists(cells, min_size=1, max_size=8))
def test_ids_are_read_as_they_are_written(ids: list[str]) -> None:
    data = "".join(f"{line}\n" for line in ["id,x", *(f"{one},1" for one in ids)]).encode()
    asked = pd.read_csv(io.BytesIO(data), dtype={"id": str}, **CSV_OPTIONS)
    pd.testing.assert_frame_equal(parse_table(data, "t.csv", "id"), asked)
