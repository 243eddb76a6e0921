"""The keys of a policy and the kinds of gates, of the schema that checks one."""

from __future__ import annotations

from artreg.core.gates import KINDS
from artreg.core.policy_file import policy_schema
from reference import docstrings, schema
from reference.markdown import page as whole
from reference.markdown import plain, table


def page() -> str:
    """Return the page."""
    described = policy_schema()
    sections = described["$defs"]
    return whole(
        "Policy and gates",
        "A YAML file that says what a version must show before an alias may point at it: `configs/policy.yaml`, "
        "`--policy FILE`, or, once `artreg policy push` has stored one, the registry's own. `artreg policy check` "
        "reads "
        "it over, and `artreg policy schema` prints this page as a JSON Schema for editors.\n",
        "## The whole\n",
        schema.keys(described),
        "`aliases`, and each mapping below `projects` and `models`, names aliases and what holds for each:\n",
        schema.keys(sections["AliasPolicy"]),
        "A part that is more special replaces a more general one, alias by alias: `models`, then `projects`, then "
        "`aliases`.\n",
        "## Gates\n",
        "Each gate is a mapping whose `gate` names its kind. All are asked, none is left out after a refusal, and "
        "what is "
        "missing, damaged or cannot be measured refuses. That every file matches its checksum is always asked first.\n",
        table(("kind", "what it asks"), ((f"[`{name}`](#{name})", _first(kind)) for name, kind in KINDS.items())),
        *(part for name, kind in KINDS.items() for part in _gate(name, sections[kind.__name__], kind)),
    )


def _first(kind: type) -> str:
    return plain(docstrings.parse(kind.__doc__).text.partition("\n\n")[0])


def _gate(name: str, section: dict[str, object], kind: type) -> tuple[str, ...]:
    properties = {key: value for key, value in section["properties"].items() if key != "gate"}  # type: ignore[attr-defined]
    keys = schema.keys({**section, "properties": properties}, docstrings.attributes(kind)) if properties else ""
    return f"### `{name}`\n", schema.text(section), keys
