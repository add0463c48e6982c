"""What an expression of PromQL asks for: its metrics, and the labels that each must have."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

OF_PROMETHEUS = frozenset({"job", "instance"})
"""Labels that Prometheus adds to whatever it scrapes."""
_PARTS = ("lhs", "rhs", "expr", "vector_selector")
_SUFFIX = re.compile(r"_(bucket|sum|count)$")

Asked = tuple[str, frozenset[str]]


def asked(expression: str) -> Iterator[Asked]:
    """Yield each metric under its declared name with the labels it is selected and grouped by; ValueError if wrong."""
    yield from _asked(promql_parser.parse(expression), frozenset())


def _asked(node: Any, grouped: frozenset[str]) -> Iterator[Asked]:
    if isinstance(node, promql_parser.VectorSelector):
        selected = {matcher.name for matcher in node.matchers.matchers}
        yield _SUFFIX.sub("", node.name), (grouped | selected) - OF_PROMETHEUS - {"le"}
        return
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        grouped = frozenset(modifier.labels)
    elif isinstance(node, promql_parser.BinaryExpr) and modifier is not None and modifier.matching is not None:
        grouped |= frozenset(modifier.matching.labels)
    for part in _PARTS:
        if (inner := getattr(node, part, None)) is not None:
            yield from _asked(inner, grouped)
    for inner in getattr(node, "args", None) or ():
        yield from _asked(inner, grouped)


def without_variables(expression: str) -> str:
    """Return a dashboard's expression as Grafana would send it, for everything that can be chosen."""
    chosen = {"$__rate_interval": "1m", "$__range": "5m", '=~"$job"': '=~".+"', '="$agency"': '=~".+"'}
    for variable, value in chosen.items():
        expression = expression.replace(variable, value)
    return expression
