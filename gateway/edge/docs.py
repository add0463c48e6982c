"""The offline `/docs` page: one file that loads nothing and runs only its own script; knows no server."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from gateway.edge.problems import MALFORMED, STATUS, WRONG_METHOD
from gateway.wording import PROBLEMS

_encode = msgspec.json.Encoder(decimal_format="number").encode
_FOLDER = Path(__file__).with_name("page")


def page(document: Mapping[str, object]) -> bytes:
    """Return the page that shows an OpenAPI document; its figures stand in it as data, so nothing is fetched."""
    data = _encode({"api": document, "problems": _problems()}).decode()
    # In a script element only "</" ends the data early, and "<!--" changes how it is read.
    data = data.replace("<", "\\u003c")
    html = (_FOLDER / "docs.html").read_text("utf-8")
    for mark, text in (("/*style*/", _read("docs.css")), ("/*script*/", _read("docs.js")), ("/*data*/", data)):
        html = html.replace(mark, text, 1)
    return html.encode()


def policy() -> str:
    """Return the Content-Security-Policy under which the page runs: its own style and script, by hash, no others."""
    return (
        f"default-src 'none'; style-src '{_hash('docs.css')}'; script-src '{_hash('docs.js')}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _problems() -> list[dict[str, object]]:
    statuses = {
        "invalid-request": f"{STATUS['invalid-request']}, {MALFORMED}",
        "unknown-operation": f"{STATUS['unknown-operation']}, {WRONG_METHOD}",
    }
    return [
        {
            "code": code,
            "status": statuses.get(code, str(status)),
            "id": [text.format(agency="Instansi", done="", limit="1 MiB").strip() for text in PROBLEMS[code][:2]],
            "en": [text.format(agency="The agency", done="", limit="1 MiB").strip() for text in PROBLEMS[code][2:]],
        }
        for code, status in STATUS.items()
    ]


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _hash(name: str) -> str:
    return f"sha256-{b64encode(sha256(_read(name).encode()).digest()).decode()}"
