"""A trainer of one's own: linear discriminant analysis on scaled measurements."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from artreg.training.trainers import TrainingData


class Params(BaseModel):
    """What `trainer` in the config may say besides `kind`; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    shrinkage: float = Field(default=0.0, ge=0, le=1)


def fit(data: TrainingData, params: Params, seed: int) -> Pipeline:
    """Return the fitted pipeline; nothing in it is left to chance, so that the seed is not needed."""
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=params.shrinkage)
    return make_pipeline(StandardScaler(), model).fit(data.features, data.target)
