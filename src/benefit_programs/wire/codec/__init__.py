"""Between JSON and the types of the wire: decoders and encoders, compiled once per type.

Decoding checks all marks of the fields and reports all violations at once. A decoded value needs
no further checks of its shape.
"""

from benefit_programs.wire.codec.decoding import (
    Bulk,
    Decoded,
    Decoder,
    decoder_for,
)
from benefit_programs.wire.codec.documents import read_json
from benefit_programs.wire.codec.encoding import encoder_for
from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_of
from benefit_programs.wire.codec.formats import amount_text, instant_text
from benefit_programs.wire.codec.naming import to_camel, to_snake

__all__ = [
    "Bulk",
    "Decoded",
    "Decoder",
    "FieldPlan",
    "Shape",
    "amount_text",
    "decoder_for",
    "encoder_for",
    "fields_of",
    "instant_text",
    "read_json",
    "to_camel",
    "to_snake",
]
