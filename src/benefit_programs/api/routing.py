"""From a verb and a path to a method of the contract, and the parameters of its path."""

from __future__ import annotations

from collections.abc import Iterable

from benefit_programs.api.errors import MethodNotAllowed, NotFoundRoute
from benefit_programs.api.method import Method

PREFIX = "/_api"
"""Every route answers under this prefix too."""

_PARAMETER = "{}"
"""What a parameter of a path is called in the tree."""


class Routes:
    """The routes of some methods. Fixed paths win over paths with parameters."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._fixed: dict[str, dict[str, Method]] = {}
        self._tree = _Node()
        for method in methods:
            self._verbs_at(method.path)[method.verb] = method

    def find(self, verb: str, path: str) -> tuple[Method, dict[str, str]]:
        """The method and the parameters of its path.

        Raises NotFoundRoute, or MethodNotAllowed where the path takes other verbs.
        """
        path = path.removeprefix(PREFIX)
        verbs = self._match(path)
        method = verbs.get(verb)
        if method is None:
            if not verbs:
                raise NotFoundRoute
            raise MethodNotAllowed(allowed=tuple(sorted(verbs)))
        return method, _parameters(method.path, path) if "{" in method.path else {}

    def _verbs_at(self, path: str) -> dict[str, Method]:
        if "{" not in path:
            return self._fixed.setdefault(path, {})
        node = self._tree
        for segment in path.split("/"):
            node = node.below.setdefault(
                _PARAMETER if segment.startswith("{") else segment, _Node()
            )
        return node.verbs

    def _match(self, path: str) -> dict[str, Method]:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        nodes = [self._tree]
        for segment in path.split("/"):
            names = (segment, _PARAMETER) if segment else (segment,)
            nodes = [node.below[name] for node in nodes for name in names if name in node.below]
        return next((node.verbs for node in nodes if node.verbs), {})


class _Node:
    """A place in the tree of segments: the methods of the path that ends here, and what follows."""

    __slots__ = ("below", "verbs")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.verbs: dict[str, Method] = {}


def _parameters(pattern: str, path: str) -> dict[str, str]:
    return {
        name[1:-1]: value
        for name, value in zip(pattern.split("/"), path.split("/"), strict=True)
        if name.startswith("{")
    }
