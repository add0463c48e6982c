"""Native calls as the channel would make them."""

from gateway import Call, Document
from gateway.message import new_message_id

CORRELATION_ID = "uji-0001"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def a_call(
    target: str,
    document: Document,
    *,
    timeout: float = 5.0,
    safe: bool = False,
    headers: Document | None = None,
) -> Call:
    return Call(
        target=target,
        document=document,
        timeout=timeout,
        message_id=new_message_id(),
        correlation_id=CORRELATION_ID,
        traceparent=TRACEPARENT,
        safe=safe,
        headers=headers or {},
    )
