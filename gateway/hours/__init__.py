"""When an agency serves: weekly hours, holidays, closures, maintenance; pure, knows no configuration and no ledger."""

from gateway.hours.calendar import AnswerDates, Calendar, Closed, ClosedDays, Maintenance, SpecialHours
from gateway.hours.explain import explain, opening
from gateway.hours.weekly import Hours

__all__ = [
    "AnswerDates",
    "Calendar",
    "Closed",
    "ClosedDays",
    "Hours",
    "Maintenance",
    "SpecialHours",
    "explain",
    "opening",
]
