"""Commands that move models in from elsewhere: `import mlflow`, `gto`, `pins`, `huggingface`, `dir`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.session import Session
from artreg.errors import exit_code

if TYPE_CHECKING:
    from artreg.importing.source import Source

MapOption = Annotated[
    list[str] | None,
    Option("--map", metavar="NAME=MODEL", help="What a model of the source is called here: NAME=[PROJECT/]MODEL"),
]
OnlyOption = Annotated[
    list[str] | None, Option("--only", metavar="NAME", help="Only this model, by its name in the source")
]
AliasOption = Annotated[
    list[str] | None,
    Option("--alias", metavar="NAME=ALIAS", help="What an alias of the source is called here; NAME= leaves it out"),
]
NoAliasesOption = Annotated[bool, Option("--no-aliases", help="Set no aliases")]
DryRunOption = Annotated[bool, Option("--dry-run", help="Say what would come, but fetch and change nothing")]
ModelOption = Annotated[
    str | None, Option("--model", "-m", help="[PROJECT/]MODEL that the folder is, if it is one", complete="models")
]
VersionOption = Annotated[str | None, Option("--version", metavar="VERSION", help="Which version of it the folder is")]


def mlflow(
    session: Session,
    source: Annotated[str, Argument(help="A tracking server's URL, or MLflow's file store mlruns", complete="files")],
    renamed: MapOption = None,
    only: OnlyOption = None,
    alias: AliasOption = None,
    no_aliases: NoAliasesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Bring registered models from MLflow: versions with their metrics, parameters, tags and dates, and aliases.

    Version 3 becomes 3.0.0. Aliases are moved as by promote, through the gates of the policy; one that was set here
    by hand is left alone. What cannot come is named, the rest comes; run again, it goes on. Nothing is written there.

    Examples: artreg import mlflow mlruns --dry-run;
    artreg import mlflow http://localhost:5000 --alias champion=prod --map "Churn (EU)=churn-eu"
    """
    _bring(session, ("mlflow", "MlflowSource"), source, renamed, only, alias, no_aliases, dry_run)


def gto(
    session: Session,
    source: Annotated[str, Argument(help="A git repository with GTO's tags", complete="files")],
    renamed: MapOption = None,
    only: OnlyOption = None,
    alias: AliasOption = None,
    no_aliases: NoAliasesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Bring versions that GTO has registered by git tags, with their files from git or DVC; stages become aliases.

    What was deregistered or deprecated comes yanked, with who did so and why. What cannot come is named, the rest
    comes; run again, it goes on. Nothing is written there.

    Examples: artreg import gto . --dry-run; artreg import gto ../models --only churn --alias production=prod
    """
    _bring(session, ("gto", "GtoSource"), source, renamed, only, alias, no_aliases, dry_run)


def pins(
    session: Session,
    source: Annotated[str, Argument(help="The folder or the bucket of a pins board", complete="files")],
    renamed: MapOption = None,
    only: OnlyOption = None,
    alias: AliasOption = None,
    no_aliases: NoAliasesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Bring the pins of a board, each version by the time at which it was written.

    20240501T133700Z-a1b2c becomes 20240501.133700.0, which stays so when others are pruned. What cannot come is named,
    the rest comes; run again, it goes on. Nothing is written there.

    Examples: artreg import pins board --dry-run; artreg import pins s3://bucket/board --only churn
    """
    _bring(session, ("pins", "PinsSource"), source, renamed, only, alias, no_aliases, dry_run)


def huggingface(
    session: Session,
    source: Annotated[str, Argument(help="A downloaded hub repository, or one in the hub's cache", complete="files")],
    model: ModelOption = None,
    version: VersionOption = None,
    revision: Annotated[
        str | None, Option("--revision", metavar="REF", help="This branch, tag or commit of the hub's cache only")
    ] = None,
    renamed: MapOption = None,
    only: OnlyOption = None,
    alias: AliasOption = None,
    no_aliases: NoAliasesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Bring a model of the Hugging Face hub that lies on this disk: its files, its card, and which revision it was.

    Of a repository in the hub's cache every revision comes whose tag or branch is a version; --version says which
    version it is otherwise. Nothing is fetched from the hub, and nothing is written to the folder.

    Examples: artreg import huggingface ./distilbert --version 1.0.0;
    artreg import huggingface ~/.cache/huggingface/hub/models--acme--churn --model acme/churn
    """
    kind, options = ("huggingface", "HuggingFaceSource"), _one(session, model, version)
    _bring(session, kind, source, renamed, only, alias, no_aliases, dry_run, revision=revision, **options)


def dir_(
    session: Session,
    source: Annotated[str, Argument(help="Holds MODEL/VERSION/ folders", metavar="DIR", complete="files")],
    model: ModelOption = None,
    version: VersionOption = None,
    renamed: MapOption = None,
    only: OnlyOption = None,
    alias: AliasOption = None,
    no_aliases: NoAliasesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Bring folders: DIR/MODEL/VERSION/, or with --model and --version one model, or one version of it.

    A version's folder may be called 1.2.0, v1.2.0, 1.2, 3 (3.0.0) or 2024-05-01 (2024.5.1). The one file that is a
    model by its suffix becomes model.<ext>; where nothing tells which it is, all goes below model/. A link to a version
    beside it is an alias. What cannot come is named, the rest comes; run again, it goes on.

    Examples: artreg import dir models --dry-run; artreg import dir models --only fraud --alias current=prod;
    artreg import dir out --model churn --version 2.0.0
    """
    kind, options = ("folder", "FolderSource"), _one(session, model, version)
    _bring(session, kind, source, renamed, only, alias, no_aliases, dry_run, **options)


def _one(session: Session, model: str | None, version: str | None) -> dict[str, Any]:
    """Return what the command line says of a folder that is one model, or one version."""
    from artreg.core.version import Version

    return {
        "model": None if model is None else session.model(model),
        "version": None if version is None else Version.parse(version),
    }


def _bring(
    session: Session,
    kind: tuple[str, str],
    location: str,
    renamed: list[str] | None,
    only: list[str] | None,
    alias: list[str] | None,
    no_aliases: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Import from a source of a kind: its module of `artreg.importing`, loaded only here, and its class there."""
    from artreg.cli import arrivals
    from artreg.cli.output import error_document
    from artreg.importing.aliases import Terms
    from artreg.importing.bring import bring
    from artreg.importing.naming import Naming, alias_names, renames
    from artreg.instruments import INSTRUMENTS

    module, name = kind
    project = session.settings.project
    naming = Naming(project, renames(renamed or (), project), only or ())
    source: Source = getattr(import_module(f"artreg.importing.{module}"), name)(location, naming, **options)
    names = alias_names(alias or ())
    result = bring(
        session.registry,
        source,
        naming,
        None if no_aliases else names,
        Terms(session.policy, INSTRUMENTS, session.policy_now),
        dry_run=dry_run,
        reporter=session.output.reporter,
    )
    document, blocks, error = arrivals.document(result), arrivals.blocks(result), arrivals.error(result)
    if error is None:
        session.output.result(document, blocks)
        return
    session.output.result({**document, "error": error_document(error)}, blocks)
    raise Exit(exit_code(error))
