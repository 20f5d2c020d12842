"""The two styles of a field's name: the wire's lowerCamelCase and Python's snake_case."""

from __future__ import annotations

import re

_HUMP = re.compile(r"(?<!^)([A-Z])")


def to_camel(name: str) -> str:
    """``pool_id`` as ``poolId``; a name in camel case stays as it is."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def to_snake(name: str) -> str:
    """``poolId`` as ``pool_id``; a name in snake case stays as it is."""
    return _HUMP.sub(r"_\1", name).lower()


def to_one_word(dotted: str) -> str:
    """``pool.id`` as ``poolId``."""
    return to_camel(dotted.replace(".", "_"))


def join(path: str, inner: str) -> str:
    """Join two paths: ``a`` and ``b`` make ``a.b``, ``a`` and ``[0]`` make ``a[0]``."""
    if not path or not inner:
        return path or inner
    return path + inner if inner.startswith("[") else f"{path}.{inner}"
