"""Where what becomes of an agency's files is counted, bound at load; knows no ledger."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import product

from gateway.feeds import FileReceipt, FileState, Standing
from gateway.metrics import OTHER, Metrics
from gateway.wording import RULES

FILES, ROWS = ("accepted", "refused", "duplicate"), ("accepted", "unchanged", "rejected")
USUAL = ("columns", "digits", "double-key", "quote", "required", "rounded-number")
"""Rules that rows break in any agency: counted from nought; others are there from the first row that breaks them."""


class FeedFigures:
    """The figures of one agency's feeds; those of counters are there before the first file, or none would rise."""

    __slots__ = ("_agency", "_files", "_left", "_metrics", "_rows", "_rules", "_took")

    def __init__(self, metrics: Metrics, agency: str, feeds: Iterable[str]) -> None:
        feeds = [*feeds]
        counter = metrics.counter
        self._metrics, self._agency = metrics, agency
        self._files = {both: counter("gateway_file_drops_total", agency, *both) for both in product(feeds, FILES)}
        self._rows = {both: counter("gateway_file_rows_total", agency, *both) for both in product(feeds, ROWS)}
        self._left = {feed: counter("gateway_files_left_total", agency, feed) for feed in feeds}
        self._took = {feed: metrics.histogram("gateway_file_duration_seconds", agency, feed) for feed in feeds}
        self._rules: dict[tuple[str, str], Callable[[float], None]] = {
            both: counter("gateway_file_rejects_total", agency, *both) for both in product(feeds, USUAL)
        }

    def ended(self, receipt: FileReceipt) -> None:
        """Count a file that was read to its end."""
        feed, tally = receipt.feed.partition("/")[2], receipt.tally
        accepted = receipt.state is FileState.ACCEPTED
        self._files[feed, receipt.state.value](1)
        self._rows[feed, "rejected"](tally.rejected)
        self._rows[feed, "accepted"](tally.accepted if accepted else 0)
        self._rows[feed, "unchanged"](tally.unchanged if accepted else 0)
        for rule, times in tally.rules.items():
            self._rule(feed, rule)(times)
        if receipt.ended_at is not None:
            self._took[feed](max(0.0, (receipt.ended_at - receipt.claimed_at).total_seconds()))
        if accepted:
            last = self._metrics.gauge("gateway_file_drop_last_success_timestamp_seconds", self._agency, feed)
            last.set_to_current_time()

    def left(self, feed: str) -> None:
        """Count a file that can't be moved from where it was dropped."""
        self._left[feed](1)

    def waiting(self, feed: str, files: int) -> None:
        """Show how many files are complete and not taken in yet."""
        self._gauge("gateway_files_waiting", feed, files)

    def stands(self, standing: Standing) -> None:
        """Show what a feed is answered from; nothing while it has no snapshot."""
        feed, live = standing.feed.partition("/")[2], standing.live
        if live is not None:
            self._gauge("gateway_feed_rows", feed, live.tally.kept)
            self._gauge("gateway_feed_data_timestamp_seconds", feed, live.as_of.timestamp())

    def due(self, feed: str, due: datetime) -> None:
        """Show by when the next file must come."""
        self._gauge("gateway_feed_due_timestamp_seconds", feed, due.timestamp())

    def forget(self) -> None:
        """Let go of what was shown of feeds: of one that is declared no more nobody can tell how it stands."""
        for prefix in ("gateway_feed_", "gateway_files_"):
            self._metrics.forget(prefix, self._agency)

    def _rule(self, feed: str, rule: str) -> Callable[[float], None]:
        known = rule if rule in RULES else OTHER
        if (feed, known) not in self._rules:
            self._rules[feed, known] = self._metrics.counter("gateway_file_rejects_total", self._agency, feed, known)
        return self._rules[feed, known]

    def _gauge(self, name: str, feed: str, value: float) -> None:
        self._metrics.gauge(name, self._agency, feed).set(value)
