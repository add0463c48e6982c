"""Direct calls outside an agency's hours: tried once, and a failure is told as its being closed (11.16)."""

from collections.abc import Callable

from gateway.errors import AgencyClosed, AgencyTimeout, BreakerOpen, Unavailable
from gateway.hours import Calendar
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler


def outside_hours(
    calendar: Calendar, clock: Clock, handler: Handler, *, on_closed: Callable[[], None] = lambda: None
) -> Handler:
    """Wrap a whole pipeline: while the agency is closed nothing is tried twice, and a failure says when it opens.

    `on_closed` hears of each such failure.
    """

    async def call(message: Message) -> Reply:
        closed = calendar.why_closed(clock.now())
        if closed is None:
            return await handler(message)
        try:
            return await handler(message.but(once=True))
        except (Unavailable, AgencyTimeout, BreakerOpen) as error:
            on_closed()
            what = f"outside its service hours: {error}"
            raise AgencyClosed(what, maybe_done=error.maybe_done, retry_after=closed.seconds) from error

    return call
