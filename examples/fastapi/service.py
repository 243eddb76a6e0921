"""Serves the model that an alias points at, and goes along when it moves: no restart, and no request is lost.

In this folder: ARTREG_REGISTRY=s3://models/registry uvicorn service:app
"""

import asyncio
import logging
import os
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
import pandas as pd
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sklearn.exceptions import InconsistentVersionWarning

import artreg
from artreg.loading.load import Loaded
from artreg.registry.resolve import Resolved

MODEL = os.environ.get("MODEL", "churn@prod")
EVERY = float(os.environ.get("EVERY", "5"))
"""Seconds from one look at the alias to the next; after looks that failed up to twelve times as many."""

PATIENCE = timedelta(seconds=60 + 20 * EVERY)

log = logging.getLogger("uvicorn.error")  # the one that uvicorn shows
warnings.filterwarnings("error", category=InconsistentVersionWarning)  # it may predict wrongly here

Row = dict[str, float | str | None]


class Rows(BaseModel):
    """What is asked."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True)
class Serving:
    """What answers: a version, its model, verified and loaded, and since when it does."""

    source: Resolved
    model: Loaded
    since: datetime


class Follower:
    """Keeps loaded what an alias points at.

    `serving` is put in place in one step, when all it leads to is ready. Whoever answers a request reads it once, and
    so answers with one model, whatever happens meanwhile; the old one goes when the last such request has ended.
    """

    def __init__(self, reference: str, **opening: Any) -> None:
        self.serving: Serving | None = None
        self.problem = ""
        self.started = datetime.now(UTC)
        self.looked: datetime | None = None
        self.begun = threading.Event()
        self._reference = reference
        self._opening = opening
        self._registry: artreg.Registry | None = None

    @property
    def trouble(self) -> str:
        """What keeps it from going along, or is wrong with what it serves, or ''."""
        last = self.looked or self.started
        if self.looked is None or datetime.now(UTC) - last > PATIENCE:
            return self._found or f"no look at the registry has ended since {last}"
        return self._found

    @property
    def _found(self) -> str:
        """What the last look found wrong: what it could not load or reach, or that what is served was yanked."""
        return self.problem or (self.serving.source.warning if self.serving else "")

    def follow(self, stop: threading.Event) -> None:
        """Look again and again."""
        pause = 0.0
        while not stop.wait(pause):
            self.look()
            self.begun.set()
            pause = min(2 * pause, 12 * EVERY) if self.problem and pause else EVERY

    def look(self) -> None:
        """Go along with the alias if it has moved; where anything goes wrong, what is served stays."""
        before, found = self.serving, self._found
        try:
            self.serving = self._newest(before)
            self.problem = ""
        except artreg.ArtregError as error:
            self.problem = f"{error.code}: {error.message}"
        except Exception as error:  # noqa: BLE001  # whatever a library raises, this thread must live
            self.problem = f"{type(error).__name__}: {error}"
        self.looked = datetime.now(UTC)
        if self.serving is not None and (before is None or self.serving.model is not before.model):
            log.info("serving %s, generation %s", self.serving.source, self.serving.source.generation)
        if self._found != found:
            log.warning("%s", self._found) if self._found else log.info("all is well again")

    def _newest(self, now: Serving | None) -> Serving:
        if self._registry is None:  # it may not be there yet
            self._registry = artreg.open(**self._opening)
        found = self._registry.resolve(self._reference)
        if now is not None and found.digest == now.source.digest:
            newest = replace(now, source=found)
        else:
            model = self._registry.load(self._reference)  # what it means by now, verified
            newest = Serving(model.source, model, datetime.now(UTC))
        if now is not None and now.source.generation is not None:  # it is an alias, which only goes forward
            least = now.source.generation + (newest.source.digest != now.source.digest)
            if (newest.source.generation or 0) < least:  # somebody set storage back, or wrote the past anew
                raise artreg.IntegrityError(f"{self._reference} went back from generation {now.source.generation}")
        return newest


follower = Follower(
    MODEL,
    root=os.environ.get("ARTREG_REGISTRY"),
    seen=os.environ.get("ARTREG_SEEN"),
    moved_by=[name.strip() for name in os.environ.get("ARTREG_MOVED_BY", "").split(",") if name.strip()],
    allowed_signers=os.environ.get("ARTREG_ALLOWED_SIGNERS"),
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Follow in the background as long as the service runs.

    The first look is waited for, so that whoever is let in finds a model, but not for ever: there may be none yet.
    """
    stop = threading.Event()
    threading.Thread(target=follower.follow, args=(stop,), daemon=True).start()
    await asyncio.to_thread(follower.begun.wait, 20)
    yield
    stop.set()


app = FastAPI(title=MODEL, lifespan=lifespan)


def told(serving: Serving) -> dict[str, Any]:
    """Return which version something comes from."""
    source = serving.source
    return {"version": str(source.version), "digest": source.digest, "generation": source.generation}


def serving_now() -> Serving:
    """Return what answers, which is asked for once a request."""
    if follower.serving is None:
        raise HTTPException(503, "no model yet; /health says why", headers={"Retry-After": "5"})
    return follower.serving


@app.post("/predict")
def predict(asked: Rows) -> dict[str, Any]:
    """Return a prediction for each row, and the version that made them."""
    serving = serving_now()
    try:
        predictions = serving.model.predict(pd.DataFrame(asked.rows))
        if not np.isfinite(predictions).all():
            raise ValueError("for these rows it predicts no finite number")
    except (KeyError, TypeError, ValueError) as error:
        raise HTTPException(422, {**told(serving), "problem": f"{error}"}) from None
    except Exception as error:
        log.exception("%s cannot predict", serving.source)
        raise HTTPException(500, {**told(serving), "problem": f"{type(error).__name__}: {error}"}) from None
    return {**told(serving), "predictions": predictions.tolist()}


@app.get("/health")
async def health() -> dict[str, Any]:
    """Say how things are. It is 200 as long as the process answers: starting it again would bring nothing better.

    It waits for no thread, as predictions do: under load nobody is to take the process for dead.
    """
    serving = follower.serving
    status = "starting" if serving is None else "degraded" if follower.trouble else "ok"
    known = {} if serving is None else {**told(serving), "since": serving.since}
    return {"status": status, "model": MODEL, **known, "problem": follower.trouble, "looked": follower.looked}


@app.get("/ready")
async def ready() -> dict[str, Any]:
    """Say whether there is a model to answer with: 200, or 503 until there is one."""
    return told(serving_now())
