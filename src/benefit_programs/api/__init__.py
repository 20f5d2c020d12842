"""The edge: the wire's types, its codec, the table of methods and the one table of errors."""
