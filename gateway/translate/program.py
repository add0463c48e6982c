"""A plan made ready to run: compiled code first, the step-by-step reading only when something does not fit."""

from typing import Any, Literal

from gateway.errors import FieldError, TranslationError
from gateway.message import Context, Document
from gateway.translate.emit import Quick, emit
from gateway.translate.explain import explain
from gateway.translate.plan import Plan


class Program:
    """One table in one direction; pure, and safe to share. A `rare` one is compiled when it is first used."""

    __slots__ = ("_plan", "_quick", "_side")

    def __init__(self, plan: Plan, side: Literal["request", "reply"], *, rare: bool = False) -> None:
        self._plan = plan
        self._side = side
        self._quick: Quick = self._first if rare else emit(plan)

    def __call__(self, document: object, context: Context | None = None) -> Document:
        """Build the other side's document; raises TranslationError with every field that does not fit."""
        try:
            built: Document = self._quick(document, context)
        except Exception:  # noqa: BLE001  # whatever it was, the second reading finds it or finds the document in order
            return self._again(document, context)
        return built

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
