"""The mode `wrong`: fields of an answer get values of another type, or go missing."""

from collections.abc import Collection, Mapping
from typing import Any


def spoil(value: Any, wrong: Mapping[str, object], missing: Collection[str] = ()) -> Any:
    """`value` with the fields named in `wrong` replaced and those in `missing` left out, at every depth."""
    if isinstance(value, list):
        return [spoil(item, wrong, missing) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: wrong[name] if name in wrong else spoil(field, wrong, missing)
        for name, field in value.items()
        if name not in missing
    }
