"""WS-Addressing: says where a message goes, what it wants and which one it is; checks which one is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.soap.wrap import Received, Sent, invalid, written

Version = Literal["2005/08", "2004/08"]
NAMESPACES: Mapping[Version, str] = {
    "2005/08": "http://www.w3.org/2005/08/addressing",
    "2004/08": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
}
_ANONYMOUS: Mapping[Version, str] = {
    "2005/08": "http://www.w3.org/2005/08/addressing/anonymous",
    "2004/08": "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
}
_REPLY = "http://www.w3.org/2005/08/addressing/reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """`to` is what the agency calls itself, where that is not the address that is called."""

    version: Version
    to: str = ""

    def outgoing(self, sent: Sent, /) -> Sent:
        """Add Action, MessageID, ReplyTo (by this connection) and To."""
        return_address = f"<wsa:Address>{_ANONYMOUS[self.version]}</wsa:Address>"
        blocks = (
            self._block("To", written(self.to or sent.address)),
            self._block("Action", written(sent.action)),
            self._block("MessageID", written(_urn(sent.message_id))),
            self._block("ReplyTo", return_address),
        )
        return sent.with_block("".join(blocks))

    def incoming(self, received: Received, /) -> Received:
        """Refuse the answer to another message, where it says which one it answers."""
        namespace = NAMESPACES[self.version]
        for found in () if received.header is None else received.header.iterfind(f"{{{namespace}}}RelatesTo"):
            kind = found.get("RelationshipType", _REPLY)
            is_reply = kind == _REPLY or kind.rpartition(":")[2] == "Reply"
            if is_reply and received.asked and (found.text or "").strip() != _urn(received.asked):
                raise invalid("relates to another message (wsa:RelatesTo)")
        return received

    def _block(self, name: str, content: str) -> str:
        return f'<wsa:{name} xmlns:wsa="{NAMESPACES[self.version]}">{content}</wsa:{name}>'


def _urn(message_id: str) -> str:
    return f"urn:uuid:{message_id}"
