"""From a document that a person wrote to a checked model, or to one error that names every problem."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from artreg.core.near import did_you_mean, near
from artreg.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)

_LONGEST_SHOWN = 40  # of a wrong value, in an error
_SCALAR_TYPES = {"bool", "int", "float", "str"}  # how pydantic names the members of a union of scalars


class Section(BaseModel):
    """A part of what a person writes: strict, immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def validate(model: type[Model], document: object, *, hint: str, what: str = "", secret: Collection[str] = ()) -> Model:
    """Return `document` as a `model`.

    Args:
        model: The pydantic model; it must refuse unknown keys.
        document: Parsed YAML or JSON.
        hint: What to do about an error.
        what: The document's name, for the error.
        secret: Dotted keys whose values an error must not repeat.

    Raises:
        InvalidInput: Naming every problem at once; `details["problems"]` lists them.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = [_sentence(detail, model, secret) for detail in error.errors(include_url=False)]
        raise invalid(found, hint=hint, what=what) from None


def invalid(problems: list[str], *, hint: str, what: str = "") -> InvalidInput:
    """Return the error for a document with problems, a line each."""
    shown = problems[0] if len(problems) == 1 else "\n".join([f"{len(problems)} problems:", *problems])
    return InvalidInput(f"{what}: {shown}" if what else shown, hint=hint, problems=problems)


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest of the known words, to end a sentence with; '' if none is near."""
    found = near(word, known, 1)
    return f"; {did_you_mean(found)}" if found else ""


def _sentence(detail: ErrorDetails, model: type[BaseModel], secret: Collection[str]) -> str:
    location = [str(part) for part in detail["loc"]]
    if location and location[-1] in _SCALAR_TYPES and detail["type"] != "extra_forbidden":
        del location[-1]
    dotted = ".".join(location) or "the whole"
    if detail["type"] == "extra_forbidden":
        return f"{dotted}: unknown key{_meant_key(location, model)}"
    if detail["type"] == "missing":
        return f"{dotted}: missing"
    if detail["type"] == "union_tag_invalid":
        return f"{dotted}: {_wrong_tag(**detail['ctx'])}"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = "must" + message.removeprefix("should") if message.startswith("should") else message
    message = message.replace("valid dictionary", "mapping").partition(" or instance of ")[0]
    return f"{dotted}: {message}{'' if dotted in secret else _got(detail.get('input'))}"


def _wrong_tag(discriminator: str, tag: str, expected_tags: str) -> str:
    tags = re.findall("'([^']*)'", expected_tags)
    what = discriminator.strip("'")
    return f"there is no {what} {tag!r}" + (meant(tag, tags) or f"; it may be {', '.join(tags)}")


def _got(value: object) -> str:
    if not isinstance(value, str | int | float | None):
        return ""
    shown = "null" if value is None else repr(value)
    return f", not {shown}" if len(shown) <= _LONGEST_SHOWN else ""


def _meant_key(location: list[str], model: type[BaseModel]) -> str:
    """Suggest a key: one that may stand in that very place, else the same or a near one in another section."""
    *section, last = location
    beside = [".".join([*section, name]) for name in _names_at(model, section)]
    near = difflib.get_close_matches(".".join(location), beside, n=1, cutoff=0.75)
    near = [near[0].rpartition(".")[2]] if near and len(section) > 1 else near
    known = list(keys_of(model))
    elsewhere = [key for key in known if key.split(".")[-1] == last]
    found = near or elsewhere or difflib.get_close_matches(last, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _names_at(model: type[BaseModel], section: list[str]) -> list[str]:
    """Return the keys that may stand in a section; names of entries, indices and tags on the way lead nowhere else."""
    models = [model]
    for part in section:
        fields = [inner.model_fields[part].annotation for inner in models if part in inner.model_fields]
        models = [found for annotation in fields for found in _models(annotation)] or models
    return [name for inner in models for name in inner.model_fields]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation, through lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every key of a model and of the sections in it, a section before what is in it."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation, f"{prefix}{name}.")
