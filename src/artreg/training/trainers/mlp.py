"""A multi-layer perceptron for tables, in torch: classes, two or more, and values.

A model is two files that load without running code: `model/model.safetensors`, the weights, and
`model/architecture.json`, everything else: layers, classes, and how a row of the table becomes a row of numbers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from artreg.core import canonical
from artreg.core.config import MlpParams, Task
from artreg.errors import IntegrityError, InvalidInput
from artreg.inspection.tensors import read_tensors
from artreg.training.trainers.interface import Nondeterminism, Trainer, TrainingData

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FORMAT = "artreg/mlp/1"
WEIGHTS = "model/model.safetensors"
ARCHITECTURE = "model/architecture.json"

MAX_CATEGORIES = 100
"""Of a column with more categories only the most frequent ones get an input of their own."""


@dataclass(frozen=True, slots=True)
class Numeric:
    """How a column of numbers becomes an input.

    Attributes:
        name: The column.
        median: What stands for a missing value.
        mean: What is taken off.
        scale: What it is divided by.
        flag: Whether a further input says that the value was missing.
    """

    name: str
    median: float
    mean: float
    scale: float
    flag: bool


@dataclass(frozen=True, slots=True)
class Categorical:
    """How a column of text becomes inputs: one for each of its values, and none for what was not seen in training."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything of a model but its weights.

    Attributes:
        task: What it is for.
        classes: The labels of the classes, in the order of the outputs; empty for a regression.
        numeric: The columns of numbers.
        categorical: The columns of text.
        hidden: Units of each hidden layer.
        activation: What stands behind each hidden layer.
        dropout: What was left out while it learned.
        target_mean: Of a regression: what is added to the scaled output.
        target_scale: What the output is multiplied by before.
    """

    task: Task
    classes: tuple[str, ...]
    numeric: tuple[Numeric, ...]
    categorical: tuple[Categorical, ...]
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    target_mean: float
    target_scale: float

    @property
    def inputs(self) -> int:
        """How many numbers a row becomes."""
        return sum(1 + column.flag for column in self.numeric) + sum(len(column.values) for column in self.categorical)

    @property
    def outputs(self) -> int:
        """How many numbers come out of a row."""
        return len(self.classes) or 1

    def encode(self, features: pd.DataFrame) -> Floats:
        """Return rows as numbers, shape (rows, inputs)."""
        import numpy as np

        parts: list[Any] = [np.zeros((len(features), 0))]
        for number in self.numeric:
            values = features[number.name].to_numpy(dtype="float64", na_value=np.nan)
            missing = np.isnan(values)
            parts.append(((np.where(missing, number.median, values) - number.mean) / number.scale)[:, None])
            parts += [missing[:, None]] if number.flag else []
        for category in self.categorical:
            texts = _texts(features[category.name])
            known = [[text == value for value in category.values] for text in texts]
            parts.append(np.array(known).reshape(len(texts), len(category.values)))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored."""
        return {"format": FORMAT, **asdict(self)}


@dataclass(frozen=True)
class Mlp:
    """A fitted perceptron: the architecture with the module that has its weights."""

    architecture: Architecture
    module: Any

    def files(self) -> Mapping[str, bytes]:
        """Return the two files."""
        from safetensors.torch import save

        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.module.state_dict().items()}
        return {WEIGHTS: save(weights), ARCHITECTURE: canonical.dumps(self.architecture.document())}

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes), or a value a row."""
        import torch

        rows = torch.from_numpy(self.architecture.encode(features))
        self.module.eval()
        with torch.no_grad():
            out = self.module(rows.to(next(self.module.parameters()).device)).double().cpu()
        if self.architecture.task == "regression":
            values: NDArray[Any] = out[:, 0].numpy() * self.architecture.target_scale + self.architecture.target_mean
            return values
        probabilities: NDArray[Any] = torch.softmax(out, dim=1).numpy()
        return probabilities


def fit(data: TrainingData, params: MlpParams, seed: int) -> Mlp:
    """Return the fitted perceptron.

    Raises:
        InvalidInput: torch is not installed, or the device is not there.
    """
    torch = require_torch("the trainer mlp")
    if params.device == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("model.device is cuda, but no CUDA device is here", hint="set model.device to cpu")
    from torch.utils.data import DataLoader, RandomSampler, TensorDataset

    architecture = _architecture(data, params)
    torch.manual_seed(seed)
    module = _module(architecture).to(params.device)
    rows = torch.from_numpy(architecture.encode(data.features))
    if data.task == "regression":
        scaled = (data.target - architecture.target_mean) / architecture.target_scale
        wanted, loss = torch.from_numpy(scaled).float()[:, None], torch.nn.functional.mse_loss
    else:
        wanted, loss = torch.from_numpy(data.target), torch.nn.functional.cross_entropy
    table = TensorDataset(rows, wanted)
    batches = DataLoader(
        table,
        batch_size=params.batch_size,
        # It has a generator of its own: how often the loader draws from its depends on the workers.
        sampler=RandomSampler(table, generator=torch.Generator().manual_seed(seed)),
        num_workers=params.workers,
        worker_init_fn=_seed_worker if params.workers else None,
        generator=torch.Generator().manual_seed(seed),
        persistent_workers=params.workers > 0,
    )
    steps = torch.optim.Adam(module.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    module.train()
    for _ in range(params.epochs):
        for inputs, targets in batches:
            steps.zero_grad()
            loss(module(inputs.to(params.device)), targets.to(params.device)).backward()
            steps.step()
    return Mlp(architecture, module.cpu())


def load(files: Mapping[str, bytes]) -> Mlp:
    """Read a model from its two files, without running anything that is in them.

    No room is made for layers that the file of weights does not hold.

    Args:
        files: The bytes of `WEIGHTS` and `ARCHITECTURE`.

    Raises:
        IntegrityError: They are no such model, or do not go together.
        InvalidInput: torch is not installed.
    """
    require_torch("the trainer mlp")
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    try:
        tensors = read_tensors(io.BytesIO(files[WEIGHTS]), WEIGHTS)
        architecture = _parse(canonical.loads(files[ARCHITECTURE], ARCHITECTURE))
        if {name: tensor.shape for name, tensor in tensors.items()} != _shapes(architecture):
            raise ValueError("the weights do not have the shapes that the architecture names")
        module = _module(architecture)
        module.load_state_dict(load_tensors(files[WEIGHTS]))
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise IntegrityError(f"{WEIGHTS} and {ARCHITECTURE} are no model of artreg's: {error}") from error
    return Mlp(architecture, module)


def require_torch(who: str) -> Any:
    """Return torch.

    Args:
        who: What needs it, for the error.

    Raises:
        InvalidInput: It is not installed.
    """
    try:
        import safetensors.torch  # noqa: F401 (missing, it should be told before the work and not after it)
        import torch
    except ImportError as error:
        raise InvalidInput(
            f"{who} needs {error.name}, which is not installed",
            hint="install artreg's extra torch: uv sync --extra torch, or pip install 'artreg[torch]'",
        ) from None
    return torch


def _module(architecture: Architecture) -> Any:
    import torch

    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}[architecture.activation]
    layers: list[Any] = []
    width = architecture.inputs
    for units in architecture.hidden:
        layers += [torch.nn.Linear(width, units), activation(), torch.nn.Dropout(architecture.dropout)]
        width = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, architecture.outputs))


def _shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of a module as `_module` makes it."""
    shapes: dict[str, tuple[int, ...]] = {}
    width = architecture.inputs
    for place, units in enumerate((*architecture.hidden, architecture.outputs)):
        shapes |= {f"{3 * place}.weight": (units, width), f"{3 * place}.bias": (units,)}
        width = units
    return shapes


def _seed_worker(number: int) -> None:
    """Seed what a worker may draw from besides torch, which seeds itself."""
    import random

    import numpy as np
    import torch

    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)


def _architecture(data: TrainingData, params: MlpParams) -> Architecture:
    regression = data.task == "regression"
    return Architecture(
        task=data.task,
        classes=data.classes,
        numeric=tuple(_numeric(data.features[name]) for name in data.columns.numeric),
        categorical=tuple(_categorical(data.features[name]) for name in data.columns.categorical),
        hidden=tuple(params.hidden),
        activation=params.activation,
        dropout=params.dropout,
        target_mean=float(data.target.mean()) if regression else 0.0,
        target_scale=(float(data.target.std()) or 1.0) if regression else 1.0,
    )


def _numeric(column: pd.Series) -> Numeric:
    import numpy as np

    values = column.to_numpy(dtype="float64", na_value=np.nan)
    missing = np.isnan(values)
    median = float(np.median(values[~missing]))
    filled = np.where(missing, median, values)
    return Numeric(str(column.name), median, float(filled.mean()), float(filled.std()) or 1.0, bool(missing.any()))


def _categorical(column: pd.Series) -> Categorical:
    counts: dict[str, int] = {}
    for text in _texts(column):
        counts[text] = counts.get(text, 0) + 1
    frequent = sorted(counts, key=lambda text: (-counts[text], text))[:MAX_CATEGORIES]
    return Categorical(str(column.name), tuple(sorted(frequent)))


def _texts(column: pd.Series) -> list[str]:
    """Return a column's values as text; a missing value is a category of its own."""
    return [
        "" if missing else str(value) for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]


def _parse(document: Mapping[str, Any]) -> Architecture:
    fields = {key: value for key, value in document.items() if key != "format"}
    if document.get("format") != FORMAT:
        raise ValueError(f"the format is {json.dumps(document.get('format'))}")
    fields["numeric"] = tuple(Numeric(**column) for column in fields["numeric"])
    fields["categorical"] = tuple(
        Categorical(column["name"], tuple(column["values"])) for column in fields["categorical"]
    )
    return Architecture(**{**fields, "classes": tuple(fields["classes"]), "hidden": tuple(fields["hidden"])})


MLP = Trainer(
    name="mlp",
    fit=fit,
    tasks=("classification", "regression"),
    nondeterministic=(
        Nondeterminism(
            operation="sums of torch over several threads, whose order torch does not promise",
            depends_on="the number of threads; artreg holds them at one (environment.threads) while it fits and judges",
            remedy="nothing more is needed on a CPU",
        ),
        Nondeterminism(
            operation="matrix products of torch",
            depends_on="the kernels that it chooses for the CPU or the CUDA device",
            remedy="the same kind of device, and the same uv.lock",
        ),
    ),
)
