"""The contract's JSON: types of the wire, codecs, and views of rows."""
