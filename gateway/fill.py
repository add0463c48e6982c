"""Makes an adapter from its agency's section: what the gateway provides goes in by type, the rest is validated."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from gateway.config.follow import KeyPath
from gateway.config.load import finding
from gateway.config.models import Agency
from gateway.errors import ConfigError, Finding
from gateway.ports import Adapter

Provided = Mapping[object, object]


def fill(
    make: Callable[..., object],
    settings: Mapping[str, object],
    provided: Provided,
    *,
    section: KeyPath,
    where: Callable[[KeyPath], str],
) -> Adapter:
    """Build an adapter whose dataclass fields are its settings; raises ConfigError naming each wrong one."""
    if not (isinstance(make, type) and dataclasses.is_dataclass(make)):
        what = f"{getattr(make, '__name__', make)} is not a dataclass, so it has no settings"
        raise ConfigError(Finding(where=where((*section, "adapter")), what=what))
    hints = get_type_hints(make, include_extras=True)
    given = {name: provided[kind] for name, kind in hints.items() if kind in provided}
    model = _model(make, hints, given)
    try:
        values = model.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(
            *(_finding(error, number, model, section, where) for number in range(error.error_count()))
        ) from None
    taken = {name: getattr(values, name) for name in model.model_fields}
    return cast("Adapter", make(**given, **taken))


def _model(make: type, hints: Mapping[str, Any], given: Mapping[str, object]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(make):
        if field.init and field.name not in given:
            fields[field.name] = (hints[field.name], _default(field))
    return create_model(make.__name__, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)


def _default(field: "dataclasses.Field[Any]") -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else ...


def _finding(
    error: ValidationError, number: int, model: type[BaseModel], section: KeyPath, where: Callable[[KeyPath], str]
) -> Finding:
    return finding(error.errors()[number], model, section=section, where=where, beside=tuple(Agency.model_fields))
