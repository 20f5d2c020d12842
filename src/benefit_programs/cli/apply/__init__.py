"""``benefits apply`` and ``benefits export``: definitions and items of a namespace as a file."""
