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
)
from gateway.masking import mask_text, mask_value
from gateway.message import Answer, Call, Document, Fault
from gateway.ports import (
    Adapter,
    Batch,
    Clock,
    Contract,
    Described,
    FeedColumns,
    Found,
    NativeField,
    Probe,
    Reject,
    Snapshots,
    Source,
)

__all__ = [
    "Adapter",
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
    "NativeField",
    "NotFound",
    "Probe",
    "Refused",
    "Reject",
    "Snapshots",
    "Source",
    "TranslationError",
    "Unavailable",
    "mask_text",
    "mask_value",
]
