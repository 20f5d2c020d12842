"""What the client gives and takes: entities, results and the parts that requests are made of.

Entities are frozen. Amounts are ``Decimal``, instants are ``datetime`` in UTC, ids are ``str``,
revisions are ``int``. What a newer server adds is ignored where it is a field, and kept as it came
where it is the value of an enum, so that an older client goes on working.
"""
