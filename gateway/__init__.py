"""All that an adapter's author imports; everything else is the gateway's own business."""

from gateway.config.units import Duration
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
from gateway.feeds import Batch, FeedColumns, Found, Reject, Snapshots, Source
from gateway.masking import mask_text, mask_value
from gateway.message import Answer, Call, Document, Fault
from gateway.ports import Adapter, Addressed, Clock, Contract, Described, Log, NativeField, Prepared, Probe, UrlFields

__all__ = [
    "Adapter",
    "Addressed",
    "AgencyLogin",
    "AgencyTimeout",
    "Answer",
    "Batch",
    "Call",
    "Clock",
    "ConfigError",
    "Contract",
    "Described",
    "Document",
    "Duration",
    "Fault",
    "FeedColumns",
    "FieldError",
    "Finding",
    "Found",
    "InvalidAnswer",
    "Log",
    "NativeField",
    "NotFound",
    "Prepared",
    "Probe",
    "Refused",
    "Reject",
    "Snapshots",
    "Source",
    "TranslationError",
    "Unavailable",
    "Unreachable",
    "UrlFields",
    "mask_text",
    "mask_value",
]
