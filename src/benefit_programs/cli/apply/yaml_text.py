"""YAML as JSON values, each with its place in the text.

``true``, ``false``, ``null`` and numbers mean what they mean in JSON. Everything else is text, for
example ``no`` and ``12:30``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Place = tuple[int, int]

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"-?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PATH_END = re.compile(r"(?:\.[^.\[]+|\[[0-9]+\]|^[^.\[]+)$")

VALUES_MAX = 500_000
"""How many values and names a file may hold, those behind an alias counted each time."""

FREE_FORM = frozenset({"additionalData", "extendedFields"})
"""Below these a fraction is a number; elsewhere it is an amount, which is kept as it is written."""


@dataclass(frozen=True)
class Problem:
    """A mistake in a file: its place, its field, and the reason."""

    line: int
    column: int
    field: str
    description: str
    rule: str

    def __str__(self) -> str:
        """As editors and terminals link it."""
        name = f"{self.field}: " if self.field else ""
        return f"{self.line}:{self.column}: {name}{self.description} ({self.rule})"


class FileUnusable(Exception):
    """A file has problems; ``problems`` has all of them, in their order."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = sorted(problems, key=lambda each: (each.line, each.column, each.field))


@dataclass
class Text:
    """The content of a text, and the place of each of its values and names."""

    document: Any = None
    _places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: str) -> Place:
        """The place of a value, or of the nearest value that holds it."""
        while path and path not in self._places:
            path = _PATH_END.sub("", path)
        return self._places.get(path, (1, 1))

    def problem(self, path: str, description: str, rule: str) -> Problem:
        return Problem(*self.place(path), path, description, rule)

    def note(self, path: str, node: yaml.Node) -> None:
        """Remember the place of a value. Raises FileUnusable if there are too many."""
        self._places[path] = _place(node.start_mark)
        if len(self._places) > VALUES_MAX:
            said = f"more than {VALUES_MAX} values, those of aliases counted each time"
            raise FileUnusable([self.problem(path, said, "MAX_SIZE")])


def read_text(source: str) -> Text:
    """Read YAML. Raises FileUnusable if it isn't YAML, or too large."""
    text = Text()
    try:
        # The safe loader: no tag of the text can make an object.
        root = yaml.compose(source, Loader=yaml.SafeLoader)
        text.document = {} if root is None else _value(text, root, "", (), is_free=False)
    except RecursionError:
        raise FileUnusable([Problem(1, 1, "", "is nested too deep", "YAML")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = _place(mark) if mark else (1, 1)
        said = " ".join(filter(None, (error.context, error.problem)))
        raise FileUnusable([Problem(line, column, "", said, "YAML")]) from None
    except yaml.YAMLError as error:
        raise FileUnusable([Problem(1, 1, "", " ".join(str(error).split()), "YAML")]) from None
    return text


def _value(
    text: Text, node: yaml.Node, path: str, above: tuple[yaml.Node, ...], *, is_free: bool
) -> Any:
    text.note(path, node)
    if node in above:
        text.problems.append(text.problem(path, "an alias must not hold itself", "YAML"))
        return None
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        return _mapping(text, node, path, above, is_free=is_free)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(text, each, f"{path}[{index}]", above, is_free=is_free)
            for index, each in enumerate(node.value)
        ]
    return _scalar(node, is_free=is_free)


def _mapping(
    text: Text, node: yaml.MappingNode, path: str, above: tuple[yaml.Node, ...], *, is_free: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else ""
        inner = f"{path}.{name}" if path else name
        if not name or name in found:
            text.note(inner, name_node)
            said = "stands here a second time" if name else "a name must be a text"
            text.problems.append(text.problem(inner, said, "YAML"))
            continue
        free = is_free or name in FREE_FORM
        found[name] = _value(text, value_node, inner, above, is_free=free)
        text.note(inner, name_node)
    return found


def _scalar(node: yaml.Node, *, is_free: bool) -> Any:
    written = str(node.value)
    if getattr(node, "style", None) is not None:
        return written
    if written in _WORDS:
        return _WORDS[written]
    if _WHOLE.fullmatch(written):
        return int(written)
    if is_free and _FRACTION.fullmatch(written):
        return float(written)
    return written


def _place(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


class _Amount(str):
    """An amount, which is written without quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # the library has no types
    """Writes lists indented below their names, and amounts as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the library's
        super().increase_indent(flow, False)


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))  # enums
_Dumper.add_representer(
    _Amount,
    lambda dumper, amount: dumper.represent_scalar(
        "tag:yaml.org,2002:float" if "." in amount else "tag:yaml.org,2002:int", str(amount)
    ),
)

AMOUNTS = frozenset({"price", "amount", "balanceCap"})


def write_text(document: dict[str, Any]) -> str:
    """A document as YAML that ``read_text`` reads back."""
    plain = _with_amounts(document)
    written = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(written)


def _with_amounts(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {
            each: item if each in FREE_FORM else _with_amounts(item, each)
            for each, item in value.items()
        }
    if isinstance(value, list):
        return [_with_amounts(each) for each in value]
    return _Amount(value) if name in AMOUNTS else value
