"""A plan made ready to run: compiled code first, the step-by-step reading only when something does not fit."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from gateway.columns import LineForm, ReadLines
from gateway.errors import FieldError, TranslationError
from gateway.message import Context, Document
from gateway.translate.emit import Quick, emit, emit_cells
from gateway.translate.explain import explain
from gateway.translate.lines import emit_lines
from gateway.translate.plan import Plan

MOST_HEADERS = 8
"""Headers that are remembered: agencies seldom have more than one."""


class Program:
    """One table in one direction; pure, and safe to share. A `rare` one is compiled when it is first used."""

    __slots__ = ("_cells", "_plan", "_quick", "_side")

    def __init__(self, plan: Plan, side: Literal["request", "reply"], *, rare: bool = False) -> None:
        self._plan = plan
        self._side = side
        self._cells: dict[tuple[str, ...], Callable[[Sequence[str]], Document]] = {}
        self._quick: Quick = self._first if rare else emit(plan)

    def __call__(self, document: object, context: Context | None = None) -> Document:
        """Build the other side's document; raises TranslationError with every field that does not fit."""
        try:
            built: Document = self._quick(document, context)
        except Exception:  # noqa: BLE001  # whatever it was, the second reading finds it or finds the document in order
            return self._again(document, context)
        return built

    def of_cells(self, columns: Sequence[str]) -> Callable[[Sequence[str]], Document]:
        """Return the same for the texts under these columns, as a table has them; safe to share, too."""
        names = tuple(columns)
        if names not in self._cells:
            if len(self._cells) >= MOST_HEADERS:
                self._cells.clear()
            self._cells[names] = self._of_cells(names)
        return self._cells[names]

    def _of_cells(self, columns: tuple[str, ...]) -> Callable[[Sequence[str]], Document]:
        quick = emit_cells(self._plan, columns)
        if quick is None:
            return lambda cells: self(dict(zip(columns, cells, strict=True)))
        run = quick

        def read(cells: Sequence[str]) -> Document:
            try:
                built: Document = run(cells, None)
            except Exception:  # noqa: BLE001  # as above
                return self._again(dict(zip(columns, cells, strict=True)), None)
            return built

        return read

    def of_lines(self, paths: Sequence[str], form: LineForm) -> ReadLines | None:
        """Return the same for whole lines of text, None where the table wants more than texts."""
        return emit_lines(self._plan, paths, form)

    def of_frames(self, paths: Sequence[str], form: LineForm) -> ReadLines | None:
        """Return that by polars, which comes with the extra `csv-fast`: faster on large portions."""
        from gateway.translate.frames import emit_frames  # noqa: PLC0415 - only those who say so have what it needs

        return emit_frames(self._plan, paths, form)

    def errors(self, document: object, context: Context | None = None) -> tuple[FieldError, ...]:
        """Return every field that does not fit."""
        try:
            self._quick(document, context)
        except Exception:  # noqa: BLE001  # as above
            return tuple(explain(self._plan, document, context)[1])
        return ()

    def partial(self, document: object, context: Context | None = None) -> Document:
        """Return what can be built, without the fields that do not fit."""
        return explain(self._plan, document, context)[0]

    def _first(self, document: Any, context: Context | None) -> Any:
        self._quick = emit(self._plan)
        return self._quick(document, context)

    def _again(self, document: object, context: Context | None) -> Document:
        built, errors = explain(self._plan, document, context)
        if errors:
            raise TranslationError(self._side, errors)
        return built
