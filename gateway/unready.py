"""What stands in for an agency whose secrets the environment lacks."""

from collections.abc import Collection

from gateway.errors import Unavailable
from gateway.message import Message, Reply
from gateway.ports import Handler


def unready(missing: Collection[str]) -> str:
    """Return why the agency can't be asked, nothing when it can."""
    them = "it" if len(missing) == 1 else "them"
    return f"the environment has no {', '.join(missing)}; set {them} before starting" if missing else ""


def unready_handler(why: str) -> Handler:
    """Return what answers that it can't be asked."""

    async def answer(message: Message) -> Reply:
        raise Unavailable(f"{message.operation}: {why}", maybe_done=False)

    return answer
