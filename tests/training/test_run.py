from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

from artreg.card import BEGIN, END, filled_card
from artreg.core import canonical
from artreg.core.config import TrainingConfig
from artreg.core.lineage import Making
from artreg.core.predictions import decode
from artreg.errors import ArtregError, InvalidInput, StorageError
from artreg.training import data as data_module
from artreg.training import run as run_module
from artreg.training.config_file import load_config
from artreg.training.data import load_dataset, read_data
from artreg.training.provenance import rfc3339
from artreg.training.run import train
from registry.bench import CHURN

MakeConfig = Callable[..., TrainingConfig]
Clock = Callable[[], datetime]
SECRET = "hunter2"
COMMAND = ["artreg", "train", "--set", f"data.path=https://me:{SECRET}@example.org/x", "--token", SECRET]


@pytest.fixture
def place(base: Path, tmp_path: Path) -> Path:
    """A folder with the data and a lock file, outside git."""
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "data").symlink_to(base / "data")
    (folder / "uv.lock").write_bytes(b"version = 1\n")
    return folder


def test_the_files_and_the_record(make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock) -> None:
    config = make_config("model.max_iter=5")
    stages: list[str] = []
    done = train(config, tmp_path / "out", command=COMMAND, base=place, now=now, progress=stages.append)
    files = {name: (done.folder / name).read_bytes() for name in os.listdir(done.folder)}
    made = {"model.skops", "metrics.json", "data_manifest.json", "predictions.csv.gz", "sample.json"}
    assert set(files) == made | {"config.yaml", "uv.lock"}
    assert stages == ["data", "fit", "write"]
    assert files["metrics.json"] == canonical.dumps(done.metrics)
    assert files["uv.lock"] == b"version = 1\n"
    assert load_config(done.folder / "config.yaml") == config

    axes = done.run["axes"]
    assert set(axes) == {"code", "environment", "config", "data"}
    assert axes["code"]["commit"] == "unknown"
    assert axes["environment"]["uv_lock_sha256"] == canonical.digest(files["uv.lock"])
    assert axes["config"]["sha256"] == canonical.digest(files["config.yaml"])
    assert axes["config"]["document"]["model"]["max_iter"] == 5
    assert axes["data"]["manifest_sha256"] == canonical.digest(files["data_manifest.json"])
    assert axes["data"]["content_hash"] == canonical.digest((place / "data" / "small.csv").read_bytes())
    assert done.run["seeds"]["seed"] == 42
    assert done.run["nondeterministic"][0]["depends_on"]
    assert (done.run["started"], done.run["duration_seconds"]) == ("2026-01-02T03:04:05.678Z", 0.0)
    assert done.run["machine"]["cpu_count"]
    assert canonical.loads(canonical.dumps(done.run), "run") == done.run


def test_a_card_is_filled_in_and_equal_runs_have_equal_ones(
    make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock
) -> None:
    making = Making(CHURN, {}, None, None)
    (place / "card.md").write_text(filled_card(f"{BEGIN}\n\n{END}\nOurs.\n", making, [], "it"))
    config = make_config("model.max_iter=5", "card=card.md")
    cards = []
    for name, command in (("one", COMMAND), ("two", ["other"])):
        done = train(config, tmp_path / name, command=command, base=place, now=now)
        cards.append((done.folder / "README.md").read_text())
    assert cards[0] == cards[1]
    assert f"| `roc_auc` | {done.metrics['roc_auc']:.6g} |" in cards[0]
    assert "library_name: sklearn\npipeline_tag: tabular-classification" in cards[0]
    assert cards[0].endswith(f"{END}\nOurs.\n")
    assert SECRET not in cards[0]


def test_a_card_of_ones_own_goes_in_as_it_is(make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock) -> None:
    (place / "card.md").write_bytes(b"# Ours\r\n")
    done = train(
        make_config("model.max_iter=5", "card=card.md"), tmp_path / "out", command=COMMAND, base=place, now=now
    )
    assert (done.folder / "README.md").read_bytes() == b"# Ours\r\n"


@pytest.mark.parametrize(
    "card",
    [
        (None, "No such file"),
        (b"\xff", "not UTF-8"),
        (b"x" * 1_048_577, "larger than 1,048,576 bytes"),
        (f"---\na: [\n---\n{BEGIN}{END}".encode(), "card.md, line 2"),
        (BEGIN.encode(), "one of the two comments"),
    ],
)
def test_a_card_that_cannot_be_used_is_named_before_the_work(
    make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock, card: tuple[bytes | None, str]
) -> None:
    data, problem = card
    if data is not None:
        (place / "card.md").write_bytes(data)
    config, stages = make_config("card=card.md"), list[str]()
    with pytest.raises(InvalidInput, match=problem):
        train(config, tmp_path / "out", command=COMMAND, base=place, now=now, progress=stages.append)
    assert stages == []


def test_the_table_is_hashed_and_parsed_once(
    make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (place / "data" / "small.csv").read_bytes()
    hashed, parsed = [], []
    sha256, parse_table = hashlib.sha256, data_module.parse_table

    def counted_hash(data: bytes = b"", **options: bool) -> object:
        hashed.append(data == table)
        return sha256(data, **options)

    def counted_parse(data: bytes, *arguments: str) -> pd.DataFrame:
        parsed.append(data)
        return parse_table(data, *arguments)

    monkeypatch.setattr(hashlib, "sha256", counted_hash)
    monkeypatch.setattr(data_module, "parse_table", counted_parse)
    train(make_config("model.max_iter=2"), tmp_path / "out", command=[], base=place, now=now)
    assert (sum(hashed), parsed) == (1, [table])


def test_a_credential_in_the_lock_file_stops_a_run(
    make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "fit", never)
    (place / "uv.lock").write_text('source = { registry = "https://me:pw@example.org/simple" }\n')
    with pytest.raises(InvalidInput, match="credential in line 1"):
        train(make_config(), tmp_path / "out", command=[], base=place, now=now)


def test_the_predictions_are_those_of_the_test_rows(
    make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock
) -> None:
    from sklearn.metrics import log_loss, roc_auc_score

    config = make_config("model.max_iter=5")
    done = [train(config, tmp_path / out, command=[], base=base, now=now) for out in ("one", "two")]
    data, again = ((run.folder / "predictions.csv.gz").read_bytes() for run in done)
    assert data == again
    found = decode(data)
    dataset = load_dataset(config.data, read_data(config.data, base))
    assert list(found.ids) == sorted(found.ids) == dataset.frame.loc[dataset.test, "customer_id"].tolist()
    assert list(found.labels) == dataset.target[dataset.test].tolist()
    assert roc_auc_score(found.labels, found.scores) == done[0].metrics["roc_auc"]
    assert log_loss(found.labels, found.scores) == done[0].metrics["log_loss"]


def test_no_secret_is_recorded(
    make_config: MakeConfig, place: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "ARTREG_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("ARTREG_CONTAINER_IMAGE", f"https://me:{SECRET}@registry.example.org/image:1")
    done = train(make_config("model.max_iter=2"), tmp_path / "out", command=COMMAND, base=place, now=now)
    assert done.run["command"][3] == "data.path=https://example.org/x"
    assert SECRET.encode() not in canonical.dumps(done.run)
    assert all(SECRET.encode() not in (done.folder / name).read_bytes() for name in os.listdir(done.folder))


def test_without_a_lock_file(make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock) -> None:
    done = train(make_config("model.max_iter=2"), tmp_path / "out", command=[], base=base, now=now)
    assert "uv.lock" not in os.listdir(done.folder)
    assert done.run["axes"]["environment"]["uv_lock_sha256"] == "unknown"


def test_the_current_folder_is_the_default_base(
    make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(base)
    assert train(make_config("model.max_iter=2"), tmp_path / "out", command=[], now=now).metrics["train"]["rows"] > 500


def test_the_duration_is_the_clocks(make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock) -> None:
    times = iter([now(), now() + timedelta(seconds=2.5)])
    done = train(make_config("model.max_iter=2"), tmp_path / "out", command=[], base=base, now=lambda: next(times))
    assert done.run["duration_seconds"] == 2.5


def never(*_: object) -> None:
    raise AssertionError("fitted before everything was checked")


@pytest.mark.parametrize(
    "override",
    ["data.path=data/missing.csv", "data.target=churn", "data.id_column=region", "data.test_fraction=1e-12"],
)
def test_everything_is_checked_before_a_model_is_fitted(
    *, make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch, override: str
) -> None:
    monkeypatch.setattr(run_module, "fit", never)
    with pytest.raises(ArtregError) as caught:
        train(make_config(override), tmp_path / "out", command=[], base=base, now=now)
    assert caught.value.hint
    assert os.listdir(tmp_path / "out") == []


def test_a_folder_that_is_not_empty_is_refused(
    make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "fit", never)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InvalidInput, match="is not empty"):
        train(make_config(), tmp_path, command=[], base=base, now=now)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_a_full_disk_is_a_storage_error(
    make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=r"model\.skops cannot be written: No space left"):
        train(make_config("model.max_iter=1"), tmp_path / "out", command=[], base=base, now=now)


def test_a_folder_that_cannot_be_is_a_storage_error(
    make_config: MakeConfig, base: Path, tmp_path: Path, now: Clock
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be used"):
        train(make_config(), tmp_path / "file" / "out", command=[], base=base, now=now)


def test_a_clock_without_a_zone_is_refused(make_config: MakeConfig, base: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        train(make_config(), tmp_path / "out", command=[], base=base, now=lambda: datetime(2026, 1, 1))  # noqa: DTZ001


def test_times_are_utc() -> None:
    moment = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(moment) == "2025-12-31T23:30:00.000Z"
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
