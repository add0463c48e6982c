"""The durable record of messages: the queue, the search index and the proof of delivery; knows no agency, no HTTP."""

from typing import Protocol

from gateway.acknowledged import Acknowledgements
from gateway.arrivals import Arrivals
from gateway.census import Census
from gateway.deadlines import Deadlines
from gateway.feeds import Receipts
from gateway.portion import Forwards
from gateway.ports import Archive, Lanes, Outbox, Upkeep


class Ledger(
    Outbox, Lanes, Archive, Deadlines, Acknowledgements, Census, Upkeep, Receipts, Forwards, Arrivals, Protocol
):
    """All that one store does."""
