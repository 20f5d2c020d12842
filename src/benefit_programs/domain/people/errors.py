"""Refusals of what concerns the directory of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benefit_programs.domain.errors import NotFound


@dataclass(kw_only=True, eq=False)
class PersonNotFound(NotFound):
    """No person has this id."""

    code: ClassVar[str] = "PERSON_NOT_FOUND"

    person_id: str
