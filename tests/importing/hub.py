"""A hub on this machine, and the hub's own library downloading from it: run as a program, into the folder named."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CARD = """\
---
license: mit
tags: [churn]
model-index:
- name: churn
  results:
  - task: {{type: tabular-classification}}
    dataset: {{name: Churn, type: churn, split: test}}
    metrics:
    - {{type: roc_auc, value: {roc_auc}}}
---
# Churn
"""
REVISIONS = {
    "v1.0.0": "1" * 40,
    "v1.1.0": "2" * 40,
    "main": "3" * 40,
}
SHARD = b"weights" * 500


def files(commit: str) -> dict[str, bytes]:
    """Return what a commit holds: one model, several parts of one, or a model with a file of its own name."""
    card = CARD.format(roc_auc=f"0.{commit[0]}5").encode()
    common = {"README.md": card, ".gitattributes": b"*.safetensors filter=lfs", "config.json": b"{}"}
    if commit == REVISIONS["v1.1.0"]:
        parts = {f"model-0000{number}-of-00002.safetensors": SHARD + bytes([number]) for number in (1, 2)}
        index = {"weight_map": {f"layer{place}": name for place, name in enumerate(parts)}}
        return {**common, **parts, "model.safetensors.index.json": json.dumps(index).encode(), "onnx/x.onnx": b"x"}
    return {**common, "model.safetensors": SHARD + commit.encode()}


def _digests(name: str, data: bytes) -> tuple[str, str]:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), hashlib.sha256(data).hexdigest()


def _is_large(name: str) -> bool:
    return name.endswith(".safetensors")


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        headers = {"Content-Type": "application/json"}
        if "/resolve/" in path:
            commit, _, name = path.partition("/resolve/")[2].partition("/")
            data = files(commit)[name]
            etag = _digests(name, data)[_is_large(name)]
            headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"'}
        elif "/tree/" in path:
            tree = [_entry(name, data) for name, data in files(path.rpartition("/")[2]).items()]
            data = json.dumps(tree).encode()
        else:
            name = path.rpartition("/revision/")[2]
            data = json.dumps({"id": "acme/churn", "sha": REVISIONS.get(name, name), "siblings": []}).encode()
        self.send_response(200)
        for header in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(*header)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


def _entry(name: str, data: bytes) -> dict[str, object]:
    blob, sha256 = _digests(name, data)
    large = {"lfs": {"oid": sha256, "size": len(data), "pointerSize": 130}} if _is_large(name) else {}
    return {"type": "file", "path": name, "size": len(data), "oid": blob, **large}


def main(folder: Path) -> None:
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.environ["HF_HOME"] = str(folder / "home")
    from huggingface_hub import snapshot_download

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    for revision in REVISIONS:
        snapshot_download("acme/churn", revision=revision, cache_dir=folder / "cache", endpoint=endpoint)
    snapshot_download("acme/churn", revision="main", local_dir=folder / "churn", endpoint=endpoint)
    some = folder / "some"
    snapshot_download("acme/churn", revision="main", local_dir=some, endpoint=endpoint, ignore_patterns="config.json")
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
