"""How a model is to be made: the trainer that a config asks for, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artreg.core.config import CrossValidation, CustomConfig, Format, TrainingConfig
from artreg.training.trainers import TRAINERS, Trainer


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        config: The config, with everything spelt out.
        trainer: What makes the model.
        params: What the trainer is told.
        packages: The installed packages that the trainer comes from, besides artreg's own.
    """

    config: TrainingConfig
    trainer: Trainer
    params: Any
    packages: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """The seed."""
        return self.config.seed

    @property
    def format(self) -> Format:
        """In which format an estimator is stored."""
        return self.config.format

    @property
    def cross_validation(self) -> CrossValidation | None:
        """In how many folds the training rows are parted, if they are."""
        return self.config.cross_validation


def recipe_of(config: TrainingConfig, base: Path) -> Recipe:
    """Return the recipe that a config asks for.

    Args:
        config: The config.
        base: The folder that is trained in, where a trainer of somebody's own is looked for too.

    Raises:
        InvalidInput: There is no such trainer, or it refuses what it is told.
    """
    if not isinstance(config, CustomConfig):
        assert isinstance(config.trainer, str)
        return Recipe(config, TRAINERS[config.trainer], config.model)
    from artreg.training.trainers.custom import custom_trainer, packages_of, validated

    kind = config.trainer.kind
    spelt_out, params = validated(config, base)
    return Recipe(spelt_out, custom_trainer(kind, base), params, packages_of(kind))
