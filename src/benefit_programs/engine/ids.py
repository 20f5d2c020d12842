"""The chance that the engine's ids begin with: they must be unique, not secret."""

from __future__ import annotations

import random

from benefit_programs.domain.ids import IdSource


def new_ids() -> IdSource:
    return IdSource(random.Random().getrandbits)  # noqa: S311 - see above
