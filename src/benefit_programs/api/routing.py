"""From a verb and a path to a method of the contract, and the parameters of its path."""

from __future__ import annotations

from collections.abc import Iterable

from benefit_programs.api.errors import MethodNotAllowed, NotFoundRoute
from benefit_programs.api.method import Method

PREFIX = "/_api"
"""Every route answers under this prefix too."""


class Routes:
    """The routes of some methods. Fixed paths win over paths with parameters."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._fixed: dict[str, dict[str, Method]] = {}
        self._patterns: dict[int, list[tuple[tuple[str, ...], dict[str, Method]]]] = {}
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
        pattern = tuple(path.split("/"))
        same_length = self._patterns.setdefault(len(pattern), [])
        for known, verbs in same_length:
            if _shape(known) == _shape(pattern):
                return verbs
        same_length.append((pattern, {}))
        return same_length[-1][1]

    def _match(self, path: str) -> dict[str, Method]:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        segments = path.split("/")
        for pattern, verbs in self._patterns.get(len(segments), ()):
            if all(map(_fits, pattern, segments)):
                return verbs
        return {}


def _fits(expected: str, segment: str) -> bool:
    return bool(segment) if expected.startswith("{") else expected == segment


def _shape(pattern: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("{}" if segment.startswith("{") else segment for segment in pattern)


def _parameters(pattern: str, path: str) -> dict[str, str]:
    return {
        name[1:-1]: value
        for name, value in zip(pattern.split("/"), path.split("/"), strict=True)
        if name.startswith("{")
    }
