"""Durations, rates, quotas and deadlines as people write them: "8s", "50/s", "3 working days"; knows no settings."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PERIODS = {"s": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")
_RATE = re.compile(r"(\d+)\s*/\s*(\w+)")
_WORKING_DAYS = re.compile(r"0*([1-9]\d{0,2})\s*(?:working days?|hari kerja)")
_DAYS = re.compile(r"0*([1-9]\d{0,2})\s*(?:days?|hari)")
_EVERY_FORM = 'must be how often files come, such as "1 working day", "2 hari kerja", "1 day", "6h" or "30 min"'
_QUOTA_FORM = 'must be a quota such as "5000/day" (minute, hour, day or month)'


def seconds(text: object) -> float:
    """Return a duration such as "200ms", "8s", "10m", "7d" in seconds; raises ValueError saying what to write."""
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or float(found[1]) == 0:
        raise ValueError('must be a duration such as "200ms", "8s", "10m" or "7d", and longer than nothing')
    return float(found[1]) * _SECONDS[found[2]]


def working_days(text: object) -> int:
    """Return how many working days "3 working days" or "3 hari kerja" are; raises ValueError saying what to write."""
    found = _WORKING_DAYS.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError('must be working days such as "3 working days" or "3 hari kerja", from 1 to 999')
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds: "50/s", "5000/day"."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """The rate as a number a token bucket takes."""
        return self.count / self.seconds

    @classmethod
    def parse(cls, text: object) -> "Rate":
        """Read "50/s", "10/min" or "5000/day"; raises ValueError saying what to write."""
        found = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None or found[2] not in _PERIODS or int(found[1]) == 0:
            raise ValueError('must be a rate such as "50/s", "10/min" or "5000/day"')
        return cls(int(found[1]), _PERIODS[found[2]])

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value)
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """So many in each calendar period, from the agency's own midnight: "5000/day"."""

    limit: int
    period: Literal["minute", "hour", "day", "month"]

    @classmethod
    def parse(cls, text: object) -> "Quota":
        """Read "5000/day"; raises ValueError saying what to write."""
        found = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None or int(found[1]) == 0:
            raise ValueError(_QUOTA_FORM)
        match found[2]:
            case "minute" | "hour" | "day" | "month" as period:
                return cls(int(found[1]), period)
        raise ValueError(_QUOTA_FORM)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value)
        )


@dataclass(frozen=True, slots=True)
class Every:
    """How often something comes: in so many working days, or else in so many seconds, nights and Sundays included."""

    working_days: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: object) -> "Every":
        """Read "1 working day", "2 hari kerja", "1 day", "6h" or "30 min"; raises ValueError saying what to write."""
        words = text.strip() if isinstance(text, str) else ""
        if found := _WORKING_DAYS.fullmatch(words):
            return cls(working_days=int(found[1]))
        if found := _DAYS.fullmatch(words):
            return cls(seconds=int(found[1]) * _SECONDS["d"])
        try:
            return cls(seconds=seconds(words))
        except ValueError:
            raise ValueError(_EVERY_FORM) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value)
        )


WorkingDays = Annotated[int, BeforeValidator(working_days)]
Duration = Annotated[float, BeforeValidator(lambda value: value if isinstance(value, float) else seconds(value))]
