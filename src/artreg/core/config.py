"""The training config: what a person writes, checked whole before any work begins.

A plain churn config (`seed`, `data`, `model`) loads unchanged; everything else has a default. Types are strict, ranges
are checked, and an unknown key is refused with its dotted name and the nearest key that exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from artreg.core.config_overrides import HINT, with_overrides
from artreg.core.names import is_name
from artreg.core.snapshot import SnapshotRef
from artreg.core.validation import invalid, keys_of, meant, validate
from artreg.errors import InvalidInput

TrainerKind = Literal["hist_gradient_boosting", "logistic_regression", "ridge", "mlp"]
Task = Literal["classification", "regression"]
Format = Literal["auto", "skops", "joblib"]
Bump = Literal["major", "minor", "patch"]

DATA_SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "abfss", "https", "http", "file", "memory")
"""The URL schemes that `data.path` may have; anything else (shell, ssh, zip chains) is refused."""

BUNDLED_TABLES = ("sklearn:breast_cancer", "sklearn:diabetes", "sklearn:digits", "sklearn:iris", "sklearn:wine")
"""Tables that come with the installed libraries."""

_ACCOUNT_IN_AUTHORITY = ("abfs", "abfss")  # abfss://container@account…: a name before the @, not a user


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError("must be 1 to 64 lower-case letters, digits, and . _ - between them")
    return text


def _snapshot(text: str) -> str:
    try:
        return str(SnapshotRef.parse(text))
    except InvalidInput as error:
        raise ValueError(f"{error.message}; {error.hint}") from None


_Name = Annotated[str, AfterValidator(_name)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class DataConfig(_Section):
    """Which table to learn from, and how it is split.

    Attributes:
        path: A file, a URL, a bundled table, or a `.dvc` file beside the data that it names.
        snapshot: `name@sha256:…`, instead of a path.
        name: What the dataset is called; by default after the file.
        task: Whether the target names classes or holds numbers.
        keep: Whether the registry keeps a copy of the data or only their digest; by default a copy of small ones.
        id_column: The column that names the rows; they are split by it, and it is not learned from.
        target: The column that is to be predicted.
        test_fraction: The share of rows that are kept for judging.
        salt: Hashed with the id of a row to split; another one gives another split.
        drop: Columns that are not learned from.
        positive: The label that counts as positive, of two; by default the greater one.
    """

    path: str | None = Field(default=None, min_length=1, max_length=4096)
    snapshot: Annotated[str, AfterValidator(_snapshot)] | None = None
    name: _Name | None = None
    keep: Literal["copy", "reference"] | None = None
    id_column: str = Field(min_length=1)
    target: str = Field(min_length=1)
    task: Task = "classification"
    test_fraction: float = Field(default=0.2, gt=0, lt=1)
    salt: str = Field(default="artreg", max_length=256)
    drop: tuple[str, ...] = Field(default=(), strict=False)  # YAML and JSON have lists, not tuples
    positive: StrictBool | StrictInt | StrictStr | None = None

    @field_validator("path")
    @classmethod
    def _path_is_safe(cls, path: str | None) -> str | None:
        problem = data_path_problem(path) if path is not None else ""
        if problem:
            raise ValueError(problem)
        return path

    @field_validator("target")
    @classmethod
    def _target_is_not_the_id(cls, target: str, info: Any) -> str:
        if target == info.data.get("id_column"):
            raise ValueError("must not be the id column")
        return target

    @field_validator("drop")
    @classmethod
    def _id_and_target_stay(cls, drop: tuple[str, ...], info: Any) -> tuple[str, ...]:
        needed = [column for column in drop if column in (info.data.get("id_column"), info.data.get("target"))]
        if needed:
            raise ValueError(f"must not name the id column or the target ({', '.join(needed)})")
        if len(set(drop)) != len(drop):
            raise ValueError("names a column twice")
        return drop

    @model_validator(mode="after")
    def _says_which_data(self) -> DataConfig:
        if (self.path is None) == (self.snapshot is None):
            raise ValueError("needs a path or a snapshot, and not both")
        return self


class HistGradientBoostingParams(_Section):
    """What histogram gradient boosting may be told; the defaults are scikit-learn's.

    Attributes:
        learning_rate: By how much each tree counts.
        max_iter: How many trees, for each class where there are more than two.
        max_depth: How deep a tree may be; by default as deep as it likes.
        l2_regularization: The penalty on large values of leaves.
        max_leaf_nodes: How many leaves a tree may have; null: any number.
        min_samples_leaf: How many rows a leaf must have.
        max_bins: Into how many bins the values of a column are sorted.
    """

    learning_rate: float = Field(default=0.1, gt=0)
    max_iter: int = Field(default=100, ge=1, le=100_000)
    max_depth: int | None = Field(default=None, ge=1, le=1000)
    l2_regularization: float = Field(default=0.0, ge=0)
    max_leaf_nodes: int | None = Field(default=31, ge=2, le=100_000)
    min_samples_leaf: int = Field(default=20, ge=1, le=10_000_000)
    max_bins: int = Field(default=255, ge=2, le=255)


class LogisticRegressionParams(_Section):
    """What logistic regression may be told.

    Attributes:
        C: How little large weights are penalised.
        max_iter: How many steps it may take.
        tol: How small a step ends it.
        class_weight: Whether rare classes count as much as frequent ones.
    """

    C: float = Field(default=1.0, gt=0)
    max_iter: int = Field(default=1000, ge=1, le=1_000_000)
    tol: float = Field(default=1e-4, gt=0)
    class_weight: Literal["balanced"] | None = None


class RidgeParams(_Section):
    """What a linear regression with a penalty on its weights may be told.

    Attributes:
        alpha: How much large weights are penalised.
    """

    alpha: float = Field(default=1.0, ge=0)


class MlpParams(_Section):
    """What a multi-layer perceptron may be told.

    Attributes:
        hidden: Units of each hidden layer.
        activation: What stands behind each hidden layer.
        dropout: The share of hidden units that are left out at random while it learns.
        epochs: How often it sees all rows.
        batch_size: Rows a step.
        learning_rate: Of Adam.
        weight_decay: Of Adam.
        workers: Processes that prepare batches; they change nothing but the speed.
        device: Where it learns.
    """

    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(default=(64, 32), strict=False)
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    epochs: int = Field(default=30, ge=1, le=1_000_000)
    batch_size: int = Field(default=64, ge=1, le=10_000_000)
    learning_rate: float = Field(default=0.001, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    workers: int = Field(default=0, ge=0, le=64)
    device: Literal["cpu", "cuda"] = "cpu"


class CustomTrainer(BaseModel):
    """A trainer of somebody's own: where its function is, and, in all other keys, what that is told.

    What the keys mean only the function knows; training checks them by the class that the function names.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)

    kind: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")

    @property
    def params(self) -> dict[str, Any]:
        """The keys besides `kind`."""
        return dict(self.model_extra or {})


class CrossValidation(_Section):
    """In how many folds the training rows are parted, each of which is once left out and judged by.

    Attributes:
        folds: How many.
    """

    folds: int = Field(default=5, ge=2, le=100)


ModelParams = HistGradientBoostingParams | LogisticRegressionParams | RidgeParams | MlpParams


class TrainingConfig(_Section):
    """A whole training config; `parse_config` makes one, of the subclass that its trainer asks for.

    Attributes:
        project: Where the model lies.
        name: The model's name.
        bump: Which part of the newest number is raised for the next version.
        seed: Of all that is drawn at random.
        trainer: What trains.
        data: What is learned from.
        model: What the trainer is told.
        cross_validation: Whether the training rows are also judged by folds.
        format: How the model is stored; `auto` is skops where it can hold the model, else joblib.
        card: The model card, a file of Markdown that becomes the version's README.md; of a draft that `artreg card`
            made, artreg fills in what it knows of the run.
    """

    project: _Name = "demo"
    name: _Name = "churn"
    bump: Bump = "patch"
    seed: int = Field(default=42, ge=0, le=2**32 - 1)  # the range that NumPy's legacy seeding takes
    trainer: TrainerKind | CustomTrainer
    data: DataConfig
    model: ModelParams | None
    cross_validation: CrossValidation | None = None
    format: Format = "auto"
    card: str | None = Field(default=None, min_length=1, max_length=4096)


class HistGradientBoostingConfig(TrainingConfig):
    """A config whose trainer is histogram gradient boosting."""

    trainer: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"
    model: HistGradientBoostingParams = HistGradientBoostingParams()


class LogisticRegressionConfig(TrainingConfig):
    """A config whose trainer is logistic regression."""

    trainer: Literal["logistic_regression"] = "logistic_regression"
    model: LogisticRegressionParams = LogisticRegressionParams()


class RidgeConfig(TrainingConfig):
    """A config whose trainer is ridge regression."""

    trainer: Literal["ridge"] = "ridge"
    model: RidgeParams = RidgeParams()


class MlpConfig(TrainingConfig):
    """A config whose trainer is a multi-layer perceptron."""

    trainer: Literal["mlp"] = "mlp"
    model: MlpParams = MlpParams()


class CustomConfig(TrainingConfig):
    """A config whose trainer is somebody's own; what it is told stands beside its kind."""

    trainer: CustomTrainer
    model: None = None


CONFIGS: Mapping[str, type[TrainingConfig]] = {
    "hist_gradient_boosting": HistGradientBoostingConfig,
    "logistic_regression": LogisticRegressionConfig,
    "ridge": RidgeConfig,
    "mlp": MlpConfig,
}
"""The config class of each trainer of artreg's own; a config that names none gets the first."""


def parse_config(document: object, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Check a config document, after laying the overrides over it.

    Args:
        document: What the YAML or JSON file held; `None` (an empty file) counts as an empty mapping.
        overrides: `dotted.key=value` texts; a value is a YAML scalar, or a JSON list.

    Raises:
        InvalidInput: Naming every problem at once; `details["problems"]` lists them.
    """
    plain = with_overrides(_as_mapping(document), overrides)
    kind = plain.get("trainer", next(iter(CONFIGS)))
    if isinstance(kind, Mapping):
        return validate(CustomConfig, plain, hint=HINT, secret={"data.path"})
    model = CONFIGS.get(kind) if isinstance(kind, str) else None
    if model is None:
        names = f"{', '.join(CONFIGS)}, or a mapping with the kind package.module:function"
        raise _invalid([f"trainer: must be one of {names}{meant(str(kind), CONFIGS)}"])
    return validate(model, plain, hint=HINT, secret={"data.path"})


def config_keys() -> list[str]:
    """Return the dotted names of all that a config of artreg's own trainers may say."""
    every = dict.fromkeys(key for model in CONFIGS.values() for key in keys_of(model))
    return [key for key in every if not any(other.startswith(f"{key}.") for other in every)]


def data_path_problem(path: str) -> str:
    """Say why a data path may not be recorded or read, or "" when it may.

    The config is stored with every version it makes, so a path must not carry a secret: no password, token or signed
    query. They belong in the environment of the storage library.
    """
    if path.startswith("sklearn:"):
        return "" if path in BUNDLED_TABLES else f"must be {' or '.join(BUNDLED_TABLES)} to be a bundled table"
    if not path.isprintable():
        return "must not hold characters that do not print"
    if "://" not in path and "::" not in path:
        return ""
    return _url_problem(path)


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a valid URL"
    if parts.scheme not in DATA_SCHEMES or "::" in url:
        return f"must be a file, or a URL that begins with one of {', '.join(DATA_SCHEMES)}"
    user, at, _ = parts.netloc.rpartition("@")
    if at and (parts.scheme not in _ACCOUNT_IN_AUTHORITY or ":" in user):
        return "must not hold a user or a password; set credentials in the environment"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment, which may carry a secret; set credentials in the environment"
    return ""


# --- problems ----------------------------------------------------------------------------------------------------


def _as_mapping(document: object) -> Mapping[str, object]:
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise _invalid(["the config must be a mapping of keys to values"])
    odd = [key for key in document if not isinstance(key, str)]
    if odd:
        raise _invalid([f"{key}: a key must be text" for key in odd])
    return document


def _invalid(problems: list[str]) -> InvalidInput:
    return invalid(problems, hint=HINT)
