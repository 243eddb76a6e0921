"""The keys of a training config, of the pydantic models that check one."""

from __future__ import annotations

from artreg.core.config import BUNDLED_TABLES, CONFIGS, CustomConfig, DataConfig, TrainingConfig
from reference import schema
from reference.markdown import page as whole
from reference.markdown import plain


def page() -> str:
    """Return the page."""
    described = TrainingConfig.model_json_schema()
    sections = described["$defs"]
    usual = next(iter(CONFIGS.values())).model_json_schema()  # what a config is that names no trainer
    for name in ("trainer", "model"):
        described["properties"][name]["default"] = usual["properties"][name]["default"]
    described["required"] = usual["required"]
    return whole(
        "Training config",
        "A YAML file that says what to train: `artreg train --config FILE`; by default `configs/default.yaml`. It is "
        "checked whole before any work begins: an unknown key is refused by name, and so is a value of another type. "
        "`--set section.key=value` lays a value over it. "
        "[Trainers](../trainers.md) shows how the trainers differ.\n",
        "## The whole\n",
        schema.keys(described),
        "`trainer` is one of "
        + ", ".join(f"`{name}`" for name in CONFIGS)
        + '; or a mapping with `kind: "package.module:function"`, whose other keys the function is told.\n',
        "## `data`\n",
        schema.text(sections["DataConfig"]),
        schema.keys(DataConfig.model_json_schema()),
        f"Bundled tables: {', '.join(f'`{name}`' for name in BUNDLED_TABLES)}.\n",
        "## `cross_validation`\n",
        schema.text(sections["CrossValidation"]),
        schema.keys(sections["CrossValidation"]),
        "## `model`, by trainer\n",
        *(part for name in CONFIGS for part in _trainer(name)),
        "### A trainer of your own\n",
        plain(CustomConfig.__doc__ or "") + " [How to write one](../trainers.md#a-trainer-of-your-own).\n",
    )


def _trainer(name: str) -> tuple[str, ...]:
    described = CONFIGS[name].model_json_schema()
    model = described["$defs"][described["properties"]["model"]["$ref"].rpartition("/")[2]]
    return f"### `{name}`\n", schema.text(model), schema.keys(model)
