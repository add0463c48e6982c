"""The names of WS-Security and XML Signature: namespaces, profiles, algorithms that are in use and those let in."""

from collections.abc import Mapping

DS = "{http://www.w3.org/2000/09/xmldsig#}"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE_URI = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU_URI = f"{_OASIS}wssecurity-utility-1.0.xsd"
WSSE = f"{{{WSSE_URI}}}"
WSU = f"{{{WSU_URI}}}"
ID = f"{WSU}Id"
BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"
PASSWORD_TEXT = f"{_OASIS}username-token-profile-1.0#PasswordText"
PASSWORD_DIGEST = f"{_OASIS}username-token-profile-1.0#PasswordDigest"
X509V3 = f"{_OASIS}x509-token-profile-1.0#X509v3"
THUMBPRINT = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
CANONICAL = frozenset(
    {EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11"}
)
"""Ways to write XML in one form only that leave comments out and choose nothing."""

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
SIGNATURES: Mapping[tuple[str, str], str] = {
    ("rsa", "sha1"): "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    ("rsa", "sha256"): f"{_MORE}rsa-sha256",
    ("rsa", "sha384"): f"{_MORE}rsa-sha384",
    ("rsa", "sha512"): f"{_MORE}rsa-sha512",
    ("ec", "sha1"): f"{_MORE}ecdsa-sha1",
    ("ec", "sha256"): f"{_MORE}ecdsa-sha256",
    ("ec", "sha384"): f"{_MORE}ecdsa-sha384",
    ("ec", "sha512"): f"{_MORE}ecdsa-sha512",
}
"""By the kind of key and the hash. Nothing with a shared secret: whoever has the certificate could sign with it."""

HASHES: Mapping[str, str] = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
    "sha256": f"{_ENC}sha256",
    "sha384": f"{_MORE}sha384",
    "sha512": f"{_ENC}sha512",
}
