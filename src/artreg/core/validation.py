"""From a document that a person wrote to a checked model, or to one error that names every problem."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from artreg.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], document: object, what: str) -> Model:
    """Return `document` as a `model`.

    Args:
        model: The pydantic model; it must refuse unknown keys.
        document: Parsed YAML or JSON.
        what: The document's name, for the error.

    Raises:
        InvalidInput: Naming every problem at once; `details["problems"]` lists them.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = [_sentence(detail, model) for detail in error.errors(include_url=False)]
        raise InvalidInput(f"{what} is not valid: {'; '.join(problems)}", problems=problems) from None


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in detail["loc"]) or "the document"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), sorted(set(_keys(model, set()))), n=1)
        return f"{where}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if detail["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {detail['msg'].removeprefix('Value error, ')}"


def _keys(annotation: object, seen: set[object]) -> Iterator[str]:
    """Yield every key that stands anywhere in a model, through lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        for name, field in annotation.model_fields.items():
            yield name
            yield from _keys(field.annotation, seen)
    for argument in get_args(annotation):
        yield from _keys(argument, seen)
