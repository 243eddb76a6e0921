"""Settings and environment variables."""

from __future__ import annotations

from artreg.cli.declare import COMMON
from artreg.cli.settings import POLICY_FILE, SETTINGS_FILE, described
from reference.markdown import page as whole
from reference.markdown import plain, table

VARIABLES = {
    "ARTREG_CONTAINER_IMAGE": "the container image that `train` records, best with its digest",
    "ARTREG_CANDIDATE": "set for the program of a gate `command`: the folder of the version that is judged",
    "ARTREG_INCUMBENT": "set for the same: the folder of the version that the alias holds, or empty",
    "GITHUB_STEP_SUMMARY": "a file to which `check` appends its checklist as Markdown",
    "MLFLOW_TRACKING_URI": "where `train` tells MLflow of what it did, if mlflow is installed",
    "OPENLINEAGE_URL": "the receiver of OpenLineage that `train` tells of each run; also `OPENLINEAGE_ENDPOINT`, "
    "`OPENLINEAGE_API_KEY`, and `OPENLINEAGE__TRANSPORT__…` with the transports `http` and `file`",
    "OPENLINEAGE_NAMESPACE": "the namespace of the jobs that are told; by default `default`",
    "OPENLINEAGE_PARENT_ID": "the run that began this one, `NAMESPACE/NAME/RUN_ID`; also `OPENLINEAGE_ROOT_PARENT_ID`",
    "OPENLINEAGE_DISABLED": "`true` keeps `train` from telling OpenLineage anything",
    "MLFLOW_TRACKING_USERNAME": "who `import mlflow` and `export --tracking-uri` are to a tracking server",
    "MLFLOW_TRACKING_PASSWORD": "the password of the same; sent to that server alone, and recorded nowhere",
    "MLFLOW_TRACKING_TOKEN": "a token for the same, instead of both",
    "MLFLOW_TRACKING_SERVER_CERT_PATH": "the certificates by which that server is trusted, if not the usual ones",
    "MLFLOW_WORKSPACE": "the workspace there, if it has several",
    "MLFLOW_S3_ENDPOINT_URL": "the S3 service of the buckets in which MLflow keeps files, if it is not AWS",
    "MLFLOW_RUN_ID": "the run of MLflow that is told, where `mlflow run` began it",
    "AWS_ENDPOINT_URL": "where an S3 service other than Amazon's answers; the other `AWS_…` variables count as they do "
    "for every S3 client",
    "REQUESTS_CA_BUNDLE": "the certificates by which an S3 service is known, as for every S3 client",
    "UV": "the uv that `reproduce` calls; by default the one on the path",
    "XDG_CACHE_HOME": "where `cache: auto` keeps what was pulled, in `artreg`; by default `~/.cache`",
    "XDG_STATE_HOME": "where `seen: auto` remembers, in `artreg/seen`, and where the processes of a machine take "
    "turns to tell hooks, in `artreg/hooks`; by default `~/.local/state`",
    "HTTPS_PROXY": "the proxy by which webhooks are sent, as `HTTP_PROXY` and `NO_PROXY` for every HTTP client",
    "SSL_CERT_FILE": "the certificates by which the servers of webhooks are known",
    "XDG_CONFIG_HOME": "where git's own settings are looked for",
}
"""Variables of the environment that are no settings."""


def page() -> str:
    """Return the page."""
    rows = [
        (f"`{name}`", _flag(name), f"`ARTREG_{name.upper()}`", f"`{default}`" if default else "none", plain(meaning))
        for name, default, meaning in described()
    ]
    return whole(
        "Settings",
        f"A command goes by its flags, then by `ARTREG_…` in the environment, then by `{SETTINGS_FILE}` in the "
        f"folder in "
        f"which it runs, then by the default. An empty variable counts as none. In the file, an unknown key is "
        f"refused by "
        f"name. Without `policy`, `{POLICY_FILE}` counts if it is there and the registry has no policy of its own.\n",
        "## Keys\n",
        table(("key", "flag", "variable", "default", "meaning"), rows),
        "Credentials are no settings: they come from the environment, as for every S3 client, and a user or a key in "
        "the "
        "URL of a registry is refused.\n",
        "## Other variables of the environment\n",
        table(("variable", "meaning"), ((f"`{name}`", meaning) for name, meaning in VARIABLES.items())),
    )


def _flag(name: str) -> str:
    return f"`{COMMON[name].name}`" if name in COMMON else ""
