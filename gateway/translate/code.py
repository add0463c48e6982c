"""Writes one Python function line by line; values enter as constants and bound names, never as text of the code."""

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Code:
    """A function `run` while it is being written: its lines, the line of the mapping behind each, and what it names."""

    def __init__(self, file: str, arguments: str, names: Mapping[str, Any]) -> None:
        self.line = 1
        self.depth = 1
        self._file = file
        self._code = [f"def run({arguments}):"]
        self._lines = [1]
        self._names = dict(names)
        self._constants: dict[str, str | int | None] = {}
        self._count = 0

    def write(self, code: str) -> None:
        """Add a line at the current depth; it belongs to the mapping's current line."""
        self._code.append("    " * self.depth + code)
        self._lines.append(self.line)

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """Add a line that opens a block, and indent what follows inside it."""
        self.write(opening)
        self.depth += 1
        yield
        self.depth -= 1

    def name(self, kind: str) -> str:
        """Return a new local name."""
        self._count += 1
        return f"{kind}{self._count}"

    def key(self, value: object) -> str:
        """Return how to name a constant."""
        if not isinstance(value, str | int | None):
            return self.bind(value)
        name = self.name("k")
        self._constants[name] = value
        return name

    def bind(self, value: object) -> str:
        """Return how to name any other value."""
        name = self.name("g")
        self._names[name] = value
        return name

    def finish(self) -> Callable[..., Any]:
        """Compile; every node carries the mapping's file and line."""
        tree = ast.parse("\n".join(self._code))
        tree.body = [self._settled(statement) for statement in tree.body]
        exec(compile(tree, self._file, "exec"), self._names)  # noqa: S102  # every name and constant in it is ours
        run: Callable[..., Any] = self._names["run"]
        return run

    def _settled(self, node: Any) -> Any:
        """Return the node with its constants put in and its place in the mapping told."""
        if isinstance(node, ast.Name) and node.id in self._constants:
            node = ast.copy_location(ast.Constant(self._constants[node.id]), node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                value[:] = map(self._settled, value)
            elif isinstance(value, ast.AST):
                setattr(node, name, self._settled(value))
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Constant):
            return node.value  # a constant within a text is a part of the text; its place is told
        if isinstance(node, ast.stmt | ast.expr | ast.arg):
            node.lineno = node.end_lineno = self._lines[node.lineno - 1]
            node.col_offset = node.end_col_offset = 0
        return node
