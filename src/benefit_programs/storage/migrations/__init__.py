"""Numbered changes of the schema, which ``benefits migrate`` applies in order.

Each is a file in ``versions/`` that says what it does in operations of its own. A released one is
never changed again: the next change of a table is the next file. Expand first, contract later, so
that servers of the version before can go on meanwhile.
"""
