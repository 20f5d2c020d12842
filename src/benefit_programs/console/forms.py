"""The fields of forms, as browsers send them."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from benefit_programs.api.errors import UnsupportedMediaType
from benefit_programs.domain.errors import Invalid

FIELDS_MAX = 1_000

_PLAIN = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


def read_form(content_type: str | None, body: bytes) -> dict[str, str]:
    """The last value of each field; of a file its text. Raises Invalid or UnsupportedMediaType."""
    essence = (content_type or _PLAIN).partition(";")[0].strip().lower()
    try:
        if essence == _PLAIN:
            text = body.decode("utf-8")
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
        if essence == _MULTIPART:
            return _read_parts(content_type or "", body)
    except ValueError:
        raise Invalid.because("form", f"must be text with {FIELDS_MAX} fields or fewer") from None
    raise UnsupportedMediaType(supported=(_PLAIN, _MULTIPART))


def _read_parts(content_type: str, body: bytes) -> dict[str, str]:
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    fields = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            fields[name] = content.decode("utf-8") if isinstance(content, bytes) else ""
        if len(fields) > FIELDS_MAX:
            raise ValueError
    return fields
