"""Where the cache is, and how sizes are written."""

from __future__ import annotations

import pytest

from artreg.consuming.cache import DEFAULT_SIZE, find_cache
from artreg.core.byte_counts import parse_bytes


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"HOME": "/home/ada"}, "/home/ada/.cache/artreg"),
        ("linux", {"HOME": "/home/ada", "XDG_CACHE_HOME": "/fast"}, "/fast/artreg"),
        ("linux", {"HOME": "/home/ada", "XDG_CACHE_HOME": "not/absolute"}, "/home/ada/.cache/artreg"),
        ("darwin", {"HOME": "/Users/ada"}, "/Users/ada/Library/Caches/artreg"),
    ],
)
def test_the_folder_of_ones_own(
    platform: str, variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artreg.consuming.cache.sys.platform", platform)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cache = find_cache("auto")
    assert cache is not None
    assert (cache.folder, cache.limit) == (folder, DEFAULT_SIZE)


def test_who_has_no_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert find_cache("auto") is None


def test_what_lies_on_a_disk_is_kept_only_where_a_folder_is_named() -> None:
    assert find_cache("auto", local=True) is None
    assert find_cache("/fast", local=True) is not None
    assert find_cache("off") is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("12", 12), ("1kB", 1000), ("1KiB", 1024), ("500MB", 5 * 10**8), ("1.5 GiB", 3 * 2**29), ("2T", 2e12)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "much", "-1", "1e9", "1 PB", "1.GB", "\u0661MB", "1MB\n", "9" * 40])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="number of bytes"):
        parse_bytes(text)
