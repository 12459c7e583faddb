"""A detached signature of a published document, for whoever wants to know that it is ours and whole.

HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the canonical bytes (W3C C14N 2.0, of Python's own library), so that white space between
attributes or another encoding does not matter. The key is shared with the receiver and stands in the environment,
`WANGLOU_SECRET_CAP_SIGNING`; without it nothing is signed. XML-DSig needs a library that is not among ours.
"""
from __future__ import annotations

import hmac
from hashlib import sha256
from xml.etree import ElementTree as ET

from streams.desk.channels._secrets import PREFIX, Missing, fill

KEY = f"${PREFIX}CAP_SIGNING"


def canonical(document: bytes) -> bytes:
    """The bytes that are signed."""
    return ET.canonicalize(document.decode()).encode()


def signature(document: bytes) -> dict[str, str] | None:
    """Algorithm, digest and signature; None where the environment holds no key."""
    try:
        key = fill(KEY)
    except Missing:
        return None
    body = canonical(document)
    return {"algorithm": "HMAC-SHA256", "canonicalization": "http://www.w3.org/2010/xml-c14n2", "key": KEY[1:],
            "digest": sha256(body).hexdigest(), "signature": hmac.new(key.encode(), body, sha256).hexdigest()}


def signed_body(key: str, body: bytes) -> str:
    """`sha256=…` of a body that is posted: header `X-Wanglou-Signature`. Missing when the secret is not set."""
    return "sha256=" + hmac.new(fill(key).encode(), body, sha256).hexdigest()


def right(key: str, body: bytes, given: str) -> bool:
    """Whether a signature that came with a body is right. Missing when the secret is not set."""
    return hmac.compare_digest(signed_body(key, body).encode(), given.encode())
