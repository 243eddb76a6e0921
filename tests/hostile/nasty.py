"""Texts, values and documents that somebody who means harm would write."""

from __future__ import annotations

import copy
import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

SIGNS = (
    *"\x00\x01\x07\x08\t\n\v\f\r\x1b\x7f\x80\x85\x9b\x9f\xa0\xad",
    *"\u034f\u061c\u115f\u1680\u17b4\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202d\u202e\u2060\u2066\u2069",
    *"\u2800\u3000\u3164\ufe0f\ufeff\uffa0\ufff9\ufffe\U000e0001\U000e0041\U000e0100\U0010ffff\ud800\udfff\udc9b",
)
"""Signs that nobody sees, or that do something to whoever shows them."""

TEXTS = (
    *(
        "",
        " ",
        ".",
        "..",
        "...",
        "/",
        "//",
        "\\",
        "~",
        "-",
        "--",
        "--help",
        "@",
        ":",
        "::",
        "%",
        "%s%n",
        "{0}",
        "$(id)",
        "`id`",
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b",
        "..\\..\\x",
        "a//b",
        "./a",
        "a/.",
        "C:\\x",
        "\\\\host\\x",
        "file.txt:x",
    ),
    *(
        "con",
        "nul",
        "aux.txt",
        "a.",
        "a ",
        "a..b",
        "A",
        "Straße",
        "\ufb01le",
        "e\u0301",
        "\u00e9",
        "\u0661",
        "\uff0e\uff0e\uff0f",
        "\u2024\u2024\u2215",
    ),
    *(
        "history",
        "latest",
        "prod",
        "staging",
        ".artreg",
        ".artreg-tmp-" + "0" * 32,
        "checksum.txt",
        "run.json",
        "1.0.0",
    ),
    *(
        "\x1b[2J\x1b]0;x\x07",
        "\x1b]8;;http://evil\x07x\x1b]8;;\x07",
        "\u202egnp.exe",
        "\x9b31m",
        "a\rb",
        "a\nb",
        "\ud83d",
        "\U000e0041",
    ),
    *(
        "[link=http://evil]x[/link]",
        "[/foo]",
        "[bold red]",
        "<img src=x onerror=y>",
        "<!-- ",
        "a | b |",
        "`@octocat`",
        "https://evil.example",
    ),
    *(
        "s3://evil/x",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "simplecache::s3://x",
        "github://a:b@c/",
        "s3://u:p@b/x",
    ),
    *(
        "1" * 5000,
        "a" * 70_000,
        "9" * 18 + ".0.0",
        "1.0.0-" + "a" * 95,
        "1.0.0-" + "a." * 40 + "a",
        "v1.0.0",
        "1.0",
        "01.0.0",
        "1.0.0+b",
    ),
    *(
        "9999-12-31T23:59:59+14:00",
        "0001-01-01T00:00:00-23:59",
        "2026-01-01",
        "2026-13-01T00:00:00Z",
        "10000-01-01",
        "2026-01-01T00:00:00",
    ),
    *(
        "--upload-pack=touch x",
        "-oProxyCommand=x",
        "ext::sh -c x",
        "0" * 40,
        "sha256:" + "0" * 64,
        "null",
        "true",
        "NaN",
        "1e999",
    ),
)
"""Texts that mean something to somebody."""

NUMBERS = (0, -1, 1, 2, 7, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 10**400, -(10**4200))
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0.5, -0.0, 1e308, -1e308, 5e-324, [], {}, [[]], [None], {"": None}, {"a": {"b": {"c": [1]}}}),
    *(["x"] * 3, [{}] * 3, [1, "a", None], {"name": 1}, {"dvc": []}, list(range(50)), {str(n): n for n in range(50)}),
    *NUMBERS,
    *TEXTS,
)
"""Values where something else is expected."""

RAW = "@raw@"
"""What stands in a document for what no writer of JSON writes."""

RAW_VALUES = (
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "-0",
    "9" * 5000,
    "[" * 70 + "]" * 70,
    '{"a":1,"a":2}',
    "tru",
    '"\\ud800"',
)

ALLOWED_ON_A_TERMINAL = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[2K|\x1b\[1A|\r?\n|\r")
"""What rich writes itself, and ends of lines."""

_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\ufe00\ufe0f\uffa0\U000e0100"


def invisible(text: str) -> list[str]:
    """Return the signs in what was printed that nobody may be shown."""
    rest = ALLOWED_ON_A_TERMINAL.sub("", text)
    if rest.isascii() and rest.isprintable():
        return []
    return [c for c in rest if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or c in _FILLERS]


def text(dice: random.Random) -> str:
    """Return a text: one of those above, one of them with a sign in it, or a few signs."""
    kind = dice.random()
    if kind < 0.3:
        return dice.choice(TEXTS)[:200]
    if kind < 0.6:
        base = dice.choice(("churn", "demo/churn", "1.2.0", "prod", "churn@prod", "models:/churn/1", "s3://bucket/x"))
        place = dice.randrange(len(base) + 1)
        return base[:place] + dice.choice((*SIGNS, *TEXTS[:24])) + base[place + dice.randrange(2) :]
    letters = "ab1.-_@/:~%\\ \x00\x1b\n\u202e\u0661é\ud800\uff0f"
    return "".join(dice.choices(letters, k=dice.randrange(1, 12)))


def mutated(document: Any, dice: random.Random) -> Any:
    """Return a document with one to three of its parts replaced, dropped, added or renamed."""
    changed = copy.deepcopy(document)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return changed
        parent, key = dice.choice(places)
        match dice.randrange(8):
            case 0 if isinstance(parent, dict):
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[dice.choice(TEXTS)[:300]] = dice.choice(VALUES)
            case 2 if isinstance(parent, dict):
                parent[dice.choice(TEXTS)[:300]] = parent.pop(key)
            case 3 if isinstance(parent, list):
                parent.extend([parent[key]] * 3)
            case 4:
                parent[key] = text(dice)
            case 5:
                parent[key] = f"{RAW}{dice.choice(RAW_VALUES)}{RAW}"
            case _:
                parent[key] = copy.deepcopy(dice.choice(VALUES))
    return changed


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield document, key
        yield from _places(value)


def as_json(document: Any) -> bytes:
    """Return a document as JSON as artreg writes it, but for what was put in raw."""
    written = json.dumps(document, sort_keys=True, indent=2)
    return re.sub(rf'"{RAW}(.*?)(?<!\\){RAW}"', lambda found: json.loads(f'"{found[1]}"'), written).encode() + b"\n"


def garbage(data: bytes, dice: random.Random) -> bytes:
    """Return bytes that were a document once, or never were."""
    place = dice.randrange(len(data) + 1)
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: data[:place],
        lambda: data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :],
        lambda: data[:place] + dice.randbytes(dice.randrange(1, 20)) + data[place:],
        lambda: data + data,
        lambda: data + b"\0",
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.decode("utf-8", "replace").encode("utf-16"),
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: dice.randbytes(dice.randrange(1, 300)),
        lambda: b"[" * dice.choice((70, 5_000, 200_000)),
        lambda: b'{"a":' * dice.choice((70, 5_000, 100_000)),
        lambda: b"null",
        lambda: b'"' + b"a" * dice.choice((10, 100_000)) + b'"',
        lambda: b'{"format": ' + b"9" * dice.choice((10, 4_301, 100_000)) + b"}\n",
        lambda: b'{"format": "\x1b[2J\\u202e\\ud800"}\n',
        lambda: b"{}\n",
        lambda: dice.choice(TEXTS).encode("utf-8", "surrogatepass"),
        lambda: b"- " * dice.choice((3, 10_000)),
        lambda: b"a: &a [*a, *a]\n<<: *a\n? [x]\n: !!python/object/apply:os.system [id]\n",
    )
    return dice.choice(makers)()
