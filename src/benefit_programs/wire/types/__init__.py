"""The types of the wire: every request, answer and entity of the contract, one module a family.

Attributes are the snake_case form of the wire's lowerCamelCase names. Amounts are integers of
1/10,000 credit and instants integer milliseconds; the codec turns them into text and back by the
marks that the fields carry. A field without a default must be in a request.

An entity has up to three types: as it is answered (``Pool``), as it is created (``NewItem``) and
as it is changed (``ItemChange``). What a client may not set is missing from the latter two, and
so ignored, for clients write back whole entities; ``entity`` names the first, for strict mode.
"""
