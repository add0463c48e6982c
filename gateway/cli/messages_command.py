"""`gateway messages`: what operators do to recorded messages, while the gateway runs or not."""

import click

from gateway.cli.lazy import Lazy

_COMMANDS = {
    "answered": "Say that people have their answer.",
    "cancel": "Give up a pending or buried message.",
    "edit": "Correct a buried message's body, and send it.",
    "list": "List messages, the newest first.",
    "replay": "Make buried, expired, refused, unknown or handed over messages pending again.",
    "reread": "Read an unknown message's kept answer again, with the mended mapping.",
    "resolve": "Say how a message ended that is unknown or handed over.",
    "show": "Show everything about a message.",
}


@click.group(name="messages", cls=Lazy, place="gateway.cli.messages_{}", does=_COMMANDS)
def command() -> None:
    """Look for recorded messages, and act on them; works on the ledger itself, so the gateway may be down."""
