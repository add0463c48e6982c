"""Fills the generated parts of the manual from the code they describe: `make docs` writes them, the tests compare."""

import functools
import json
import operator
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapters import login
from adapters.csv import adapter as csv
from adapters.csv import place as csv_place
from adapters.csv import settings as csv_settings
from adapters.rest import RestAdapter
from adapters.soap import adapter as soap
from adapters.soap import no_wsdl
from adapters.soap import settings as soap_settings
from gateway import Duration
from gateway.config import models, sftp
from gateway.config.units import Every, Quota, Rate
from gateway.edge.problems import STATUS
from gateway.figures import SOURCES
from gateway.metrics import TABLE
from gateway.shipped import shipped
from gateway.wording import PROBLEMS, RULES

DOCS = Path(__file__).parent
CHART = DOCS.parent / "helm/opd-gateway"
PAGES = (*sorted(DOCS.glob("*.md")), CHART / "README.md")
VALUES = (CHART / "values.yaml").read_text("utf-8")
LONG_VALUE = 60
PILOT: Mapping[str, Any] = tomllib.loads((DOCS.parent / "gateway.toml").read_text("utf-8"))
BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+)(?: (?P<of>[\w-]+))? -->\n).*?(<!-- end -->)", re.DOTALL)

SECTIONS: Mapping[str, tuple[type, str]] = {
    "gateway": (models.Gateway, "gateway"),
    "listener-tls": (models.ListenerTls, "gateway.tls"),
    "tracing": (models.Tracing, "gateway.tracing"),
    "sftp": (sftp.Sftp, "gateway.sftp"),
    "defaults": (models.Defaults, "defaults"),
    "retry": (models.Retry, "defaults.retry"),
    "breaker": (models.Breaker, "defaults.breaker"),
    "client": (models.Client, "client.*"),
    "key": (models.Key, "client.*.keys.*"),
    "agency": (models.Agency, "agency.*"),
    "tls": (models.Tls, "agency.*.tls"),
    "operation": (models.Operation, "agency.*.operation.*"),
    "ask": (models.AskSettings, "agency.dpmptsp.operation.*.ask"),
    "final": (models.FinalSettings, "agency.dpmptsp.operation.*.ask.final"),
    "composite": (models.Composite, "operation.*"),
    "soap": (soap.SoapAdapter, "agency.dpmptsp"),
    "soap-security": (soap_settings.Security, "agency.*.security"),
    "soap-sign": (soap_settings.Sign, "agency.*.security.sign"),
    "soap-verify": (soap_settings.Verify, "agency.*.security.verify"),
    "soap-addressing": (soap_settings.AddressingSettings, "agency.*.addressing"),
    "soap-no-wsdl": (no_wsdl.SoapWithoutWsdl, "agency.*"),
    "rest": (RestAdapter, "agency.dinkes"),
    "basic": (login.BasicLogin, "agency.diskominfo.login"),
    "digest": (login.DigestLogin, "agency.*.login"),
    "bearer": (login.BearerLogin, "agency.*.login"),
    "header": (login.HeaderLogin, "agency.dpupr.login"),
    "token": (login.TokenLogin, "agency.dinkes.login"),
    "expired": (login.Expired, "agency.dinkes.login.expired"),
    "csv": (csv.CsvAdapter, "agency.*"),
    "drop-login": (csv_place.DropLogin, "agency.*.drop_login"),
    "feed": (csv_settings.Feed, "agency.*.feed.*"),
    "account": (csv_settings.Account, "agency.*.feed.*.account"),
    "out": (csv_settings.Out, "agency.*.out.*"),
    "dialect": (csv_settings.Dialect, "agency.*.feed.*.dialect"),
}
"""What a page calls a section, the class that declares it, and where the pilot's configuration has such sections."""

WORDS: Sequence[tuple[object, str]] = (
    (Duration, "duration"),
    (Rate, "rate"),
    (Quota, "quota"),
    (Every, "every"),
    (models.Exposure, "method and path"),
    (models.Address, "address:port"),
    (bool, "`true` or `false`"),
    (int, "whole number"),
    (float, "number"),
    (str, "text"),
    (SecretStr, "secret text"),
    (Path, "file"),
    (date, "date"),
)


class Setting(NamedTuple):
    """One key of a section."""

    key: str
    kind: object
    default: object
    meaning: str
    example: object


def settings(name: str) -> Iterator[Setting]:
    """Yield the settings of a section, in the order in which its class declares them."""
    made, place = SECTIONS[name]
    found = _pilot(place.split("."), PILOT)
    for key, kind, default, info in _declared(made):
        given = next((table[key] for table in found if key in table), None)
        example = next(iter(info.examples or ()), given)
        yield Setting(key, kind, default, info.description or "", example)


def _declared(made: type) -> Iterator[tuple[str, object, object, FieldInfo]]:
    hints = get_type_hints(made, include_extras=True)
    if issubclass(made, BaseModel):
        for name, info in made.model_fields.items():
            yield info.alias or name, hints[name], info.get_default(call_default_factory=True), info
    elif is_dataclass(made):
        for field in fields(made):
            extras = getattr(hints[field.name], "__metadata__", ())
            for info in extras if field.init else ():
                if isinstance(info, FieldInfo):
                    yield field.name, hints[field.name], _default(field), info


def _default(field: Any) -> object:
    if callable(field.default_factory):
        return field.default_factory()
    return field.default if isinstance(field.default, str | int | float | tuple | NoneType) else PydanticUndefined


def _pilot(path: Sequence[str], tree: Any) -> list[Mapping[str, Any]]:
    """Return the pilot's sections at a path; `*` is any name."""
    if not path:
        return [tree] if isinstance(tree, dict) else []
    if isinstance(tree, list):
        return [table for inner in tree for table in _pilot(path[1:], inner)]
    if not isinstance(tree, dict):
        return []
    chosen = tree.values() if path[0] == "*" else [tree[path[0]]] if path[0] in tree else []
    return [table for inner in chosen for table in _pilot(path[1:], inner)]


def words(kind: object) -> str:
    """Return a type as people say it."""
    for known, said in WORDS:
        if kind == known:
            return said
    origin, inside = get_origin(kind), [part for part in get_args(kind) if part is not NoneType and part is not ...]
    if origin is Annotated:
        return words(Duration if Duration.__metadata__[0] in inside else inside[0])  # type: ignore[attr-defined]
    if origin is Literal:
        return " or ".join(f"`{toml(word)}`" for word in inside)
    if origin in {UnionType, Union}:
        return words(inside[0]) if len(inside) == 1 else _one_word(inside)
    if origin is tuple:
        return _listed(inside[0])
    return "table"


def _listed(kind: object) -> str:
    one = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(one) is Literal:
        return "list of names"
    return f"list of {words(one)}s" if one in {str, int} else "list of tables"


def _one_word(kinds: Sequence[object]) -> str:
    said = dict.fromkeys(map(words, kinds))
    return " or ".join(said)


def toml(value: object) -> str:
    """Return a value as it is written in TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{ " + ", ".join(f"{_key(name)} = {toml(inner)}" for name, inner in value.items()) + " }"
        case _:
            return str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def table_of_settings(name: str) -> str:
    """Return the table of one section."""
    rows = [
        (f"`{one.key}`", words(one.kind), default_of(one), one.meaning, _example(name, one)) for one in settings(name)
    ]
    return table(("key", "is", "default", "means", "example"), rows)


def default_of(one: Setting) -> str:
    """Return what holds when the key is not written."""
    if one.meaning.startswith("As in"):
        return "`[defaults]`"
    match one.default:
        case value if value is PydanticUndefined or value is ...:
            return "*required*"
        case None | "" | () | {}:
            return "none"
        case BaseModel():
            return "see below"
        case float() if words(one.kind).startswith("duration"):
            return f"`{toml(_duration(one.default))}`"
    return f"`{toml(one.default)}`"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def _example(section: str, one: Setting) -> str:
    if one.example is None:
        return ""
    text = toml(one.example)
    if isinstance(one.example, dict) and any(isinstance(inner, dict) for inner in one.example.values()):
        inner = next(iter(one.example))
        place = SECTIONS[section][1].replace("*", "<name>")
        return f"`[{place}.{one.key}.{inner}]`"
    return f"`{_key(one.key)} = {text}`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def problem(code: str) -> str:
    """Return what stands under an error's heading: its status and its words in both languages."""
    title, detail, english, explained = PROBLEMS[code]
    status = {"invalid-request": "422 (400 when it is not JSON)", "unknown-operation": "404 (405 for a wrong method)"}
    return (
        f"Status {status.get(code, STATUS[code])}.\n\n"
        f"- id: **{title}.** {_shown(detail)}\n"
        f"- en: **{english}.** {_shown(explained)}\n"
    )


def _shown(text: str) -> str:
    return text.replace("{agency}", "*agency*").replace("{limit}", "1 MiB").replace("{done}", "*maybe_done*")


def table_of_rules() -> str:
    """Return every rule that a field can break, in both languages."""
    return table(("rule", "id", "en"), [(f"`{rule}`", *texts) for rule, texts in RULES.items()])


def table_of_metrics() -> str:
    """Return the metrics."""
    rows = [
        (f"`{one.name}`", one.kind, ", ".join(one.labels) or "none", _edges(one.buckets), one.help) for one in TABLE
    ]
    return table(("metric", "is", "labels", "buckets", "says"), rows)


def _edges(buckets: Sequence[float]) -> str:
    return " ".join(f"{edge:g}" for edge in buckets)


def table_of_sources() -> str:
    """Return the outcomes of requests, by whose failure they are."""
    sources = dict.fromkeys(SOURCES.values())
    rows = [(f"`{one}`", ", ".join(f"`{code}`" for code, of in SOURCES.items() if of == one)) for one in sources]
    return table(("error_source", "outcome"), rows)


def table_of_alerts() -> str:
    """Return the alerts with their runbooks."""
    rules = [
        rule
        for text in shipped("rules").values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    ]
    rows = [
        (
            f"[{rule['alert']}]({rule['annotations']['runbook_url']})",
            rule["labels"]["severity"],
            rule["for"],
            _said(rule["annotations"]["summary"]),
            _said(rule["annotations"]["summary_id"]),
        )
        for rule in rules
        if "alert" in rule
    ]
    return table(("alert", "severity", "after", "says", "dalam Bahasa Indonesia"), rows)


def _said(summary: str) -> str:
    """Return a summary without its template: what stands for a value is its name."""
    text = re.sub(r"{{ with .*?{{ end }}", "", summary)
    return re.sub(r"{{ \$(?:labels\.)?(\w+).*? }}", r"*\1*", text)


def table_of_values() -> str:
    """Return every value of the chart."""
    return table(("value", "default", "means"), list(_values()))


def _values() -> Iterator[tuple[str, str, str]]:
    """Yield each value's path, default and the comment above it; what has no comment is a group of values."""
    path: list[str] = []
    said: list[str] = []
    defaults = yaml.safe_load(VALUES)
    for line in VALUES.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("# "):
            said.append(line.strip().removeprefix("# "))
        elif found := re.match(r" *([A-Za-z]+):", line):
            path = [*path[: indent // 2], found[1]]
            if said:
                value = functools.reduce(operator.getitem, path, defaults)
                yield f"`{'.'.join(path)}`", _default_value(value), " ".join(said)
            said = []
        else:
            said = []


def _default_value(value: object) -> str:
    text = json.dumps(value)
    return "see values.yaml" if len(text) > LONG_VALUE else f"`{text}`"


def unit() -> str:
    """Return the unit for systemd as it is."""
    return f"```ini\n{(DOCS / 'opd-gateway.service').read_text('utf-8')}```\n"


def proxy() -> str:
    """Return HAProxy's configuration as it is."""
    return f"```\n{(DOCS / 'haproxy.cfg').read_text('utf-8')}```\n"


def source(adapter: str) -> str:
    """Return an adapter's file as it is."""
    return f"```python\n{(DOCS.parent / f'adapters/{adapter}.py').read_text('utf-8')}```\n"


BLOCKS: Mapping[str, Callable[..., str]] = {
    "settings": table_of_settings,
    "problem": problem,
    "rules": table_of_rules,
    "metrics": table_of_metrics,
    "sources": table_of_sources,
    "alerts": table_of_alerts,
    "source": source,
    "unit": unit,
    "proxy": proxy,
    "values": table_of_values,
}


def filled(page: str) -> str:
    """Return a page with its generated parts made anew."""

    def block(found: re.Match[str]) -> str:
        made = BLOCKS[found["name"]](*filter(None, [found["of"]]))
        return f"{found[1]}\n{made}\n{found[4]}"

    return BLOCK.sub(block, page)


def main() -> None:
    """Write every page whose generated parts have changed."""
    for page in PAGES:
        text = page.read_text("utf-8")
        if (made := filled(text)) != text:
            page.write_text(made, "utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS.parent)} renewed\n")


if __name__ == "__main__":
    main()
