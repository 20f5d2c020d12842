"""The client's types: entities, results and the parts of requests.

Entities are frozen. Amounts are ``Decimal``, instants are ``datetime`` in UTC, ids are ``str``,
revisions are ``int``. New fields of a newer server are ignored, and new values of
enums are kept as text, so that an older client still works.
"""
