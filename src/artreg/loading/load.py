"""Loading: what a reference means now, verified, and made from the very bytes that were verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from artreg.core.manifest import is_model_file
from artreg.core.names import Reference
from artreg.frozen import Frozen
from artreg.loading.trust import Trust, parse_trust, require_trusted, untrusted
from artreg.registry.contents import Contents, find_contents, held
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved
from artreg.training.model_files import Estimator, file_format
from artreg.training.trainers.mlp import Mlp

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Loaded(Frozen):
    """A model, ready to predict, and which version it is.

    Attributes:
        source: The version; its `warning` says why it should not be used any more, if so.
        format: In which format it was stored.
        model: What the file held: a fitted estimator, a perceptron of artreg's, or whatever was pickled.
    """

    source: Resolved
    format: str
    model: Any

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Return the probability of each class, shape (rows, classes), or for a regression a value a row.

        It is the same for every format; what else the model can do, `model` can.
        """
        model = self.model if isinstance(self.model, Mlp) else Estimator(self.model)
        predicted: NDArray[Any] = model.predict(features)
        return predicted


def load(
    registry: Registry,
    reference: Reference,
    *,
    trust: Trust | None = None,
    types: Sequence[str] = (),
    find: Callable[[Registry, Reference], Contents] = find_contents,
) -> Loaded:
    """Load a model.

    Every file of it is read once, into memory or into a file without a name, and verified on the way; what is loaded
    is that copy. skops and safetensors load as they are, and make nothing but types that the consumer trusts; formats
    that may run code load only with `trust`.

    Args:
        registry: The registry.
        reference: What to load.
        trust: The digest or the signer that is trusted, or this registry; it is checked whatever the format.
        types: Full names of types that skops may make besides those that it and artreg trust.
        find: Finds the files, by default in the registry alone.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged, beyond a limit, or is not what is trusted; nothing of it was run.
        InvalidInput: artreg cannot load it; or it may run code, and nothing was named that is trusted; or it needs
            types that nobody trusts.
        StorageError: It cannot be read, or there is no room for a copy.
    """
    parsed = None if trust is None else parse_trust(trust)
    contents = find(registry, reference)
    found = contents.found
    names = [name for name in contents.manifest.files if is_model_file(name)]
    stored = file_format(names, str(found))
    if parsed is not None:
        require_trusted(registry, found, parsed)
    elif stored.runs_code:
        raise untrusted(found, stored.name)
    with held(contents, names) as files:
        made = stored.read(files, str(found), tuple(types))
    return Loaded(found, stored.name, made.estimator if isinstance(made, Estimator) else made)
