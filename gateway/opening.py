"""An agency's calendar from its section of gateway.toml; every finding bears the line of its key."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.config import models
from gateway.config.load import Located
from gateway.config.settings import Settings
from gateway.errors import ConfigError, Finding
from gateway.hours import Calendar, ClosedDays, Hours, Maintenance, SpecialHours
from gateway.hours.holiday import check_country

S = TypeVar("S", bound=Settings)
T = TypeVar("T")


def calendar(agency: str, located: Located) -> Calendar:
    """Build when an agency serves; raises ConfigError with every finding. Blocks: the list of holidays is loaded."""
    return _Builder(agency, located).build()


class _Builder:
    """One calendar under construction, and the findings so far."""

    def __init__(self, agency: str, located: Located) -> None:
        self.agency = agency
        self.located = located
        self.section = located.config.agency[agency]
        self.zone = ZoneInfo(self.section.timezone or located.config.gateway.timezone)
        self.findings: list[Finding] = []

    def build(self) -> Calendar:
        country, text = self._country(), self.section.hours
        if country is not None:
            self._try(("gateway", "holidays"), partial(check_country, country))
        weekly = None if text is None else self._try(self._key("hours"), partial(Hours.parse, text))
        closed = self._each("closed", self.section.closed, _closed)
        special = self._each("special", self.section.special, _special)
        maintenance = self._each("maintenance", self.section.maintenance, self._maintenance)
        if self.findings:
            raise ConfigError(*self.findings)
        whole = self._try(
            self._key("special"),
            lambda: Calendar(
                zone=self.zone,
                weekly=weekly,
                holidays=country,
                closed=closed,
                special=special,
                maintenance=maintenance,
            ),
        )
        if whole is None:
            raise ConfigError(*self.findings)
        return whole

    def _country(self) -> str | None:
        """Return whose holidays count, None where nothing depends on them: loading them is slow."""
        section, country = self.section, self.located.config.gateway.holidays
        deadlines = (section.answer_within, *(operation.answer_within for operation in section.operation.values()))
        feeds = (section.model_extra or {}).get("feed", {})
        awaited = isinstance(feeds, dict) and any("every" in feed for feed in feeds.values() if isinstance(feed, dict))
        needed = section.hours is not None or section.special or any(deadlines) or awaited
        return country if needed and country != "none" else None

    def _each(self, key: str, settings: Sequence[S], make: Callable[[S], T]) -> tuple[T, ...]:
        made = (self._try(self._key(key, str(index)), partial(make, one)) for index, one in enumerate(settings))
        return tuple(one for one in made if one is not None)

    def _maintenance(self, settings: models.Maintenance) -> Maintenance:
        return Maintenance(start=self._aware(settings.start), until=self._aware(settings.until), reason=settings.reason)

    def _aware(self, at: datetime) -> datetime:
        return at if at.tzinfo is not None else at.replace(tzinfo=self.zone)

    def _key(self, *path: str) -> tuple[str, ...]:
        return ("agency", self.agency, *path)

    def _try(self, path: tuple[str, ...], make: Callable[[], T]) -> T | None:
        """Return what `make` makes, or keep why it can't and go on to the next thing."""
        try:
            return make()
        except ValueError as error:
            self.findings.append(Finding(where=self.located.where(*path), what=f"{'.'.join(path)}: {error}"))
            return None


def _closed(settings: models.ClosedDays) -> ClosedDays:
    return ClosedDays(first=settings.first, last=settings.last or settings.first, name=settings.name)


def _special(settings: models.SpecialHours) -> SpecialHours:
    return SpecialHours(
        first=settings.first,
        last=settings.last,
        hours=Hours.parse(settings.hours),
        on_holidays=settings.on_holidays,
    )
