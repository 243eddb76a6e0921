"""What pickles of models are usually made of, by exact name, and what is known to run code.

Names are exact, since a module's name says nothing: `numpy.size` leads to `numpy.__builtins__`, and so to `eval`.
"""

from __future__ import annotations

from functools import cache

from artreg.core.inspection import Danger

_NUMPY = (
    *(f"{core}.multiarray.{name}" for core in ("numpy.core", "numpy._core") for name in ("_reconstruct", "scalar")),
    *(f"{core}.numeric._frombuffer" for core in ("numpy.core", "numpy._core")),
    *(f"numpy.random._pickle.__{name}_ctor" for name in ("randomstate", "generator", "bit_generator")),
    *(f"numpy.random._{name.lower()}.{name}" for name in ("MT19937", "PCG64", "Philox", "SFC64")),
    *(f"numpy.random.bit_generator.{name}" for name in ("SeedSequence", "__pyx_unpickle_SeedSequence")),
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.ma.core._mareconstruct",
    "numpy.ma.core.MaskedArray",
    *(f"numpy.{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *(f"numpy.{name}" for name in ("float16", "float32", "float64", "complex64", "complex128", "bool_", "bool")),
)
_PYTHON = (
    *(
        f"builtins.{name}"
        for name in (
            "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple".split()  # noqa: SIM905
        )
    ),
    *(f"collections.{name}" for name in ("OrderedDict", "defaultdict", "deque", "Counter")),
    *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    "_codecs.encode",
    "copyreg.__newobj__",
    "copyreg._reconstructor",
    "decimal.Decimal",
)
_LOSSES = ("AbsoluteError", "PinballLoss", "HuberLoss", *(f"Half{of}" for of in ("SquaredError", "BinomialLoss")))
_MORE_LOSSES = tuple(f"Half{of}Loss" for of in ("Multinomial", "Poisson", "Gamma", "Tweedie"))
_OTHERS = (
    *(f"sklearn._loss.loss.{name}" for name in (*_LOSSES, *_MORE_LOSSES)),
    *(f"sklearn._loss._loss.Cy{name}" for name in (*_LOSSES, *_MORE_LOSSES)),
    *(
        f"sklearn._loss.link.{name}"
        for name in ("Interval", "IdentityLink", "LogLink", "LogitLink", "MultinomialLogit")
    ),
    "joblib.numpy_pickle.NumpyArrayWrapper",
    "scipy.sparse._csr.csr_matrix",
    "scipy.sparse._csr.csr_array",
    "scipy.sparse._csc.csc_matrix",
    "scipy.sparse._csc.csc_array",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    *(f"torch.{kind}Storage" for kind in "Float Double Half BFloat16 Long Int Short Char Byte Bool".split()),  # noqa: SIM905
    *(f"torch._utils.{name}" for name in ("_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_tensor")),
    "torch.Size",
    "torch.nn.parameter.Parameter",
)
KNOWN = frozenset((*_NUMPY, *_PYTHON, *_OTHERS))
"""Functions and classes that make data, and run nothing that a file brings along."""

_RUNS = (
    "__main__ _aix_support _io _osx_support _pickle _posixsubprocess _pyrepl _thread asyncio bdb builtins cloudpickle"
    " cProfile code codecs codeop commands concurrent ctypes dill distutils doctest ensurepip fileinput ftplib"
    " functools gc http idlelib imaplib imp importlib inspect io itertools linecache logging marshal multiprocessing nt"
    " ntpath operator os pathlib pdb pickle pip pkgutil platform poplib popen2 posix posixpath profile pty pydoc"
    " requests runpy setuptools shelve shutil site smtplib socket socketserver sqlite3 ssl subprocess sys tarfile"
    " telnetlib tempfile test threading timeit trace tty types unittest urllib uuid venv webbrowser wsgiref xmlrpc"
    " zipimport"
)
"""Modules by which code is run, files are opened, or others are reached; what of them is harmless is `KNOWN`."""


def danger_of(name: str) -> Danger:
    """Return how bad it is that a pickle asks for a function or class of this full name."""
    if name in KNOWN or (name.startswith("sklearn.") and name in _estimators()):
        return Danger.PICKLE
    return Danger.RUNS if name.partition(".")[0] in _RUNS.split() else Danger.MAY_RUN


@cache
def _estimators() -> frozenset[str]:
    """Return the full names of scikit-learn's own estimators."""
    from sklearn.utils.discovery import all_estimators  # noqa: PLC0415

    return frozenset(f"{kind.__module__}.{kind.__qualname__}" for _, kind in all_estimators())
