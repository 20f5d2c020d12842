"""The contract's JSON: the types of the wire, how they are read and written, and views of rows."""
