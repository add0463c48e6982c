"""All that an adapter's author imports; everything else is the gateway's own business."""

from gateway.clock import SystemClock
from gateway.columns import FeedColumns, LineForm, ReadLines, Row, Spell
from gateway.config.units import Duration, Every
from gateway.errors import (
    AgencyLogin,
    AgencyTimeout,
    ConfigError,
    FieldError,
    Finding,
    InvalidAnswer,
    NotFound,
    Refused,
    TranslationError,
    Unavailable,
    Unreachable,
)
from gateway.feeds import LINE, OF, Batch, Filing, Held, Ready, Reject, Source
from gateway.handover import AckColumns, Acknowledged, Batches, Batching
from gateway.lookup import Found, Snapshots
from gateway.masking import mask_text, mask_value
from gateway.mended import SHEET, handed_back_as, is_lost, is_whole, records_mended, reference_mended, shown_line
from gateway.message import Answer, Call, Document, Fault, Unread
from gateway.native import Compared, Contract, Described, NativeField, Planned, Prepared
from gateway.offers import Offer, Offers
from gateway.ports import Adapter, Addressed, Clock, Closes, Log, LogsIn, Probe, Rereads, Tolerated, UrlFields

__all__ = [
    "LINE",
    "OF",
    "SHEET",
    "AckColumns",
    "Acknowledged",
    "Adapter",
    "Addressed",
    "AgencyLogin",
    "AgencyTimeout",
    "Answer",
    "Batch",
    "Batches",
    "Batching",
    "Call",
    "Clock",
    "Closes",
    "Compared",
    "ConfigError",
    "Contract",
    "Described",
    "Document",
    "Duration",
    "Every",
    "Fault",
    "FeedColumns",
    "FieldError",
    "Filing",
    "Finding",
    "Found",
    "Held",
    "InvalidAnswer",
    "LineForm",
    "Log",
    "LogsIn",
    "NativeField",
    "NotFound",
    "Offer",
    "Offers",
    "Planned",
    "Prepared",
    "Probe",
    "ReadLines",
    "Ready",
    "Refused",
    "Reject",
    "Rereads",
    "Row",
    "Snapshots",
    "Source",
    "Spell",
    "SystemClock",
    "Tolerated",
    "TranslationError",
    "Unavailable",
    "Unreachable",
    "Unread",
    "UrlFields",
    "handed_back_as",
    "is_lost",
    "is_whole",
    "mask_text",
    "mask_value",
    "records_mended",
    "reference_mended",
    "shown_line",
]
