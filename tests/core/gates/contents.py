"""Tables of gates about what a version brings along, and of gates of others."""

from __future__ import annotations

from artreg.core.gates.external import Answer
from artreg.core.inspection import Danger, FileReport, Finding, Inspected
from core.gates.build import ODD_VALUES, RUN, Case, axis, candidate, run

AXES = {"code": "git commit", "environment": "uv.lock", "config": "config", "data": "data"}
DIRTY = {**RUN["axes"]["code"], "dirty": True}

PROVENANCE = {
    "everything is known": Case({}, True, "commit 0123456789ab, lock, config, data and seeds"),
    "a work tree with changes": Case({}, False, "not known of the run: clean work tree", axis("code", DIRTY)),
    "a work tree with changes, where that may be": Case({"clean": False}, True, "commit", axis("code", DIRTY)),
    "nobody knows whether it was clean": Case({}, False, "clean work tree", axis("code", {"commit": "0123"})),
    "outside a checkout": Case({}, False, "git commit", axis("code", {"commit": "unknown", "dirty": None})),
    "an empty commit": Case({}, False, "git commit", axis("code", {"commit": " ", "dirty": False})),
    "no lock": Case({}, False, "run: uv.lock", axis("environment", {"uv_lock_sha256": None})),
    "no seeds": Case({}, False, "run: seeds", run(seeds=...)),
    "empty seeds": Case({}, False, "run: seeds", run(seeds={})),
    "seeds that are text": Case({}, False, "run: seeds", run(seeds="42")),
    "no axes": Case({}, False, "git commit, clean work tree, uv.lock, config, data", run(axes=...)),
    "a foreign run record": Case({}, False, "seeds", candidate(run={"supplied": {"axes": RUN["axes"]}})),
    **{f"axes are {name}": Case({}, False, "git commit", run(axes=value)) for name, value in ODD_VALUES.items()},
    **{
        f"{name} of the run: {kind}": Case({"clean": False}, False, f"run: {said}", axis(name, value))
        for name, said in AXES.items()
        for kind, value in ODD_VALUES.items()
    },
    **{
        f"{name} is known as {kind}": Case({"clean": False}, False, f"run: {said}", axis(name, {key: value}))
        for name, said, key in (
            ("code", "git commit", "commit"),
            ("environment", "uv.lock", "uv_lock_sha256"),
            ("config", "config", "sha256"),
            ("data", "data", "content_hash"),
        )
        for kind, value in ODD_VALUES.items()
        if kind != "text"
    },
    **{
        f"the commit is {kind}": Case({}, False, "git commit", axis("code", {"commit": value, "dirty": False}))
        for kind, value in ODD_VALUES.items()
        if kind != "text"
    },
    **{
        f"dirty is {kind}": Case({}, False, "clean work tree", axis("code", {"commit": "0123", "dirty": value}))
        for kind, value in {**ODD_VALUES, "zero": 0, "empty": ""}.items()
    },
}

PROOF = {"who": "bob", "time": "2026-03-09T08:00:00.000Z", "kind": "reproduced"}

REPRODUCED = {
    "a proof": Case({}, True, "trained again by bob on 2026-03-09", {"proofs": (PROOF,)}, figures={"proofs": 1}),
    "several proofs": Case({}, True, "by cid", {"proofs": (PROOF, {**PROOF, "who": "cid"})}, figures={"proofs": 2}),
    "none": Case({}, False, "nobody has proven", figures={"proofs": 0}),
}

CARD = """# Churn

Predicts who leaves.

## Intended use

Retention offers.

## Limits ##

### Data

Made up.

## Empty

## Only a comment

<!-- say what it costs -->

## Code

```sh
# Not a heading
```

## C#

Sharp.
"""

MODEL_CARD = {
    "any words": Case({}, True, "README.md has 2 words", candidate(card="A model.")),
    "every section": Case({"sections": ["Intended use", "Limits"]}, True, "README.md has", candidate(card=CARD)),
    "in other letters": Case({"sections": ["INTENDED USE"]}, True, "README.md has", candidate(card=CARD)),
    "text below a subheading": Case({"sections": ["Limits", "Data"]}, True, "README.md has", candidate(card=CARD)),
    "a title that ends in a number sign": Case({"sections": ["C#"]}, True, "README.md has", candidate(card=CARD)),
    "code": Case({"sections": ["Code"]}, True, "README.md has", candidate(card=CARD)),
    "a heading inside code": Case(
        {"sections": ["Not a heading"]}, False, "it lacks Not a heading", candidate(card=CARD)
    ),
    "without text below it": Case(
        {"sections": ["Empty"]}, False, "below Empty", candidate(card=CARD), figures={"missing": ["Empty"]}
    ),
    "nothing but a comment below it": Case(
        {"sections": ["Only a comment"]}, False, "nothing stands below Only", candidate(card=CARD)
    ),
    "without the section": Case(
        {"sections": ["Ethics", "Limits"]},
        False,
        "it lacks Ethics",
        candidate(card=CARD),
        figures={"missing": ["Ethics"]},
    ),
    "a word that only begins like it": Case(
        {"sections": ["Use"]}, False, "it lacks Use", candidate(card="# Users\n\nMany.")
    ),
    "the title only as text": Case({"sections": ["Use"]}, False, "it lacks Use", candidate(card="Use\n\n#Use\nmuch")),
    "a heading without a title": Case({"sections": ["Use"]}, False, "it lacks Use", candidate(card="##\nUse\n\nmuch")),
    "a blank": Case(
        {}, False, "1 place is not filled in", candidate(card="# M\n\n[More Information Needed]"), figures={"blanks": 1}
    ),
    "several blanks": Case(
        {},
        False,
        "3 places are",
        candidate(card="[fill in] [To be written] <!-- write here -->"),
        figures={"blanks": 3},
    ),
    "a blank and a section that is missing": Case(
        {"sections": ["Use"]}, False, "it lacks Use and 1 place is", candidate(card="[fill in]")
    ),
    "empty": Case({}, False, "its README.md is empty", candidate(card=" \n\t\n")),
    "an underlined heading": Case({"sections": ["Use"]}, True, "4 words", candidate(card="Use\n---\n\nFor tests.")),
    "underlined headings": Case(
        {"sections": ["Use", "Limits"]}, False, "nothing stands below Use", candidate(card="Use\n===\nLimits\n===\nx")
    ),
    "a list above a line": Case({"sections": ["Use"]}, True, "words", candidate(card="## Use\n- a\n---\n## More\n")),
    "a line alone": Case({"sections": ["Use"]}, False, "below Use", candidate(card="## Use\n\n---\n\n## More\nx")),
    "no heading in the front matter": Case(
        {"sections": ["license: mit"]}, False, "it lacks", candidate(card="---\nlicense: mit\n---\nx")
    ),
    "adorned": Case(
        {"sections": ["Intended use"]}, True, "words", candidate(card="## **Intended\u00a0use:** ##\n\nFor tests.")
    ),
    "none": Case(
        {"sections": ["Use"]}, False, "it has no README.md", candidate(card=None), figures={"missing": ["Use"]}
    ),
    "hostile: endless spaces": Case(
        {"sections": ["Use"]}, False, "it lacks", candidate(card="# a" + " " * 300_000 + "b")
    ),
    "hostile: endless number signs": Case(
        {"sections": ["Use"]}, False, "it lacks", candidate(card="# " + "# " * 300_000 + "b")
    ),
    "hostile: endless comments": Case(
        {"sections": ["Use"]}, False, "below Use", candidate(card="# Use\n" + "<!--" * 200_000)
    ),
}


def files(*names: str) -> dict[str, object]:
    return candidate(sizes=dict.fromkeys((*names, "metrics.json", "uv.lock"), 1))


NO_PICKLE = {
    "a safe format": Case({}, True, "model.safetensors load without running code", files("model.safetensors")),
    "safe formats in a folder": Case({}, True, "model/a.onnx, model/b.json", files("model/b.json", "model/a.onnx")),
    "capital letters": Case({}, True, "model.ONNX", files("model.ONNX")),
    "a pickle": Case(
        {}, False, "loading may run code: model.joblib", files("model.joblib"), figures={"unsafe": ["model.joblib"]}
    ),
    "one pickle among others": Case({}, False, "code: model/b.pkl", files("model/a.json", "model/b.pkl")),
    "a safe ending in the middle": Case({}, False, "model.json.pkl", files("model.json.pkl")),
    "no ending": Case({}, False, "model/weights", files("model/weights")),
    "a name that is nothing but an ending": Case({}, False, "model/.json", files("model/.json")),
    "an ending of a folder": Case({}, False, "model/a.json/weights", files("model/a.json/weights")),
    "files beside the model do not count": Case({}, True, "model.json", files("model.json", "extra.pkl")),
    "no file of a model": Case({}, False, "names no file of the model", candidate(sizes={"metrics.json": 1})),
    "no files": Case({}, False, "names no file of the model", candidate(sizes={})),
}

PROGRAM, FUNCTION = {"name": "bias", "command": ["./bias"]}, {"name": "bias"}
FIGURES = {"passed": True, "message": "mine", "self": 1, "figures": {}, "gate": "metric"}


def external(settings: dict[str, object]) -> dict[str, Case]:
    return {
        "yes": Case(settings, True, "bias: fair enough", measured=Answer(True, "fair enough", {})),
        "no": Case(settings, False, "bias: off by 3 points", measured=Answer(False, "off by 3 points", {"gap": 3})),
        "a distance": Case(settings, False, "bias: far", measured=Answer(False, "far", {"off_by": 0.5}), off_by=0.5),
        "nothing can ask it": Case(settings, False, "bias: no answer: nothing can ask it here"),
        "no answer": Case(settings, False, "no answer: not within 60 s", measured="not within 60 s"),
        "an empty text": Case(settings, False, "no answer", measured=""),
        "something else altogether": Case(settings, False, "no answer", measured={"passed": True}),
        "figures with the names of parameters": Case(
            settings, False, "no", measured=Answer(False, "no", FIGURES), figures=FIGURES
        ),
        "figures that are no numbers": Case(
            settings,
            True,
            "yes",
            measured=Answer(True, "yes", {"a": float("nan"), "b": [float("inf")], "c": {"d": float("nan")}}),
            figures={"a": None, "b": [None], "c": {"d": None}},
        ),
    }


COMMAND, PLUGIN = external(PROGRAM), external(FUNCTION)


def looked_at(*dangers: Danger) -> Inspected:
    findings = tuple(Finding(danger, f"{danger.name}.x", "how") for danger in dangers)
    return Inspected((FileReport("model.skops", 10, "skops", findings, {}),))


ALSO_PICKLES = {"allow": "pickle"}

INSPECTED = {
    "data": Case({}, True, "skops: nothing was found", measured=looked_at(Danger.NONE, Danger.NONE)),
    "no finding at all": Case({}, True, "skops: nothing was found", measured=looked_at()),
    **{
        f"{danger.name} among data": Case(
            {}, False, f"model.skops {danger.value}: {danger.name}.x", measured=looked_at(Danger.NONE, danger)
        )
        for danger in Danger
        if danger is not Danger.NONE
    },
    **{
        f"{danger.name} where pickles may be": Case(ALSO_PICKLES, False, danger.value, measured=looked_at(danger))
        for danger in (Danger.TYPES, Danger.MAY_RUN, Danger.UNREADABLE, Danger.RUNS)
    },
    "a pickle where pickles may be": Case(ALSO_PICKLES, True, "nothing was found", measured=looked_at(Danger.PICKLE)),
    "many findings": Case({}, False, "; and 7 more", measured=looked_at(*[Danger.RUNS] * 12)),
    "one file of two": Case(
        {}, False, "RUNS.x", measured=Inspected((*looked_at().files, *looked_at(Danger.RUNS).files))
    ),
    "no file": Case({}, False, "was not inspected", measured=Inspected(())),
    "not inspected": Case({}, False, "the model was not inspected: nothing can do it here"),
    "could not be": Case({}, False, "was not inspected: it is damaged", measured="it is damaged"),
    "something else altogether": Case({}, False, "was not inspected", measured={"danger": "none"}),
}
