"""Opaque cursors: a query and a place in its rows, signed.

A cursor carries filter, sort and place, so that the next request sends the cursor alone. The
signature covers method and tenant too, which are not in the text: a cursor of another method or
tenant is as invalid as a forged one, and nothing tells them apart.
"""

from __future__ import annotations

import hmac
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

CURSOR_LENGTH_MAX = 16_000
"""Characters of the longest cursor that the contract allows."""

SIGNATURE_BYTES = 16
COMPRESSED_FROM_BYTES = 256
PLAIN, COMPRESSED = b"1", b"2"
"""The first byte says how the rest is packed, and so which version wrote it."""


class CursorContent(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor stands for.

    ``position`` holds the values of the sort keys of the row to go on from, ``backwards`` says
    that the rows before it are meant. ``extra`` is the caller's own and comes back as it was.
    """

    position: tuple[str | int | None, ...]
    backwards: bool
    sort: tuple[tuple[str, str], ...]
    filter: dict[str, Any] | None = None
    extra: dict[str, Any] = {}


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(CursorContent)


class CursorTooLongError(ValueError):
    """A query with more in its filter than a cursor can carry."""


def encode_cursor(
    content: CursorContent,
    *,
    method: str,
    tenant_id: int,
    secret: bytes,
) -> str:
    """Write a cursor.

    Raises:
        CursorTooLongError: if it would have more than CURSOR_LENGTH_MAX characters.
    """
    payload = PLAIN + ENCODER.encode(content)
    if len(payload) > COMPRESSED_FROM_BYTES:
        payload = COMPRESSED + zlib.compress(payload[1:])
    signature = sign(payload, method=method, tenant_id=tenant_id, secret=secret)
    text = urlsafe_b64encode(signature + payload).rstrip(b"=").decode("ascii")
    if len(text) > CURSOR_LENGTH_MAX:
        raise CursorTooLongError(len(text))
    return text


def decode_cursor(
    text: str,
    *,
    method: str,
    tenant_id: int,
    secret: bytes,
) -> CursorContent | None:
    """Read a cursor that this method gave this tenant; of any other text, nothing.

    The signature is checked before anything is unpacked.
    """
    if len(text) > CURSOR_LENGTH_MAX:
        return None
    try:
        raw = text.encode("ascii")
        packed = urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except ValueError:
        return None
    # Decoding skips what is no base64 and ignores spare bits: only the exact text is ours.
    if urlsafe_b64encode(packed).rstrip(b"=") != raw:
        return None
    signature, payload = packed[:SIGNATURE_BYTES], packed[SIGNATURE_BYTES:]
    expected = sign(payload, method=method, tenant_id=tenant_id, secret=secret)
    if not hmac.compare_digest(signature, expected):
        return None
    return unpack(payload)


def unpack(payload: bytes) -> CursorContent | None:
    """Read what was signed; nothing if another version wrote it."""
    kind, body = payload[:1], payload[1:]
    if kind not in {PLAIN, COMPRESSED}:
        return None
    try:
        return DECODER.decode(zlib.decompress(body) if kind == COMPRESSED else body)
    except msgspec.DecodeError:
        return None


def sign(payload: bytes, *, method: str, tenant_id: int, secret: bytes) -> bytes:
    scope = f"cursor\x00{method}\x00{tenant_id}\x00".encode()
    return hmac.digest(secret, scope + payload, "sha256")[:SIGNATURE_BYTES]
