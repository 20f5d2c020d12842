"""Forms are done once: sent twice, by a double click or by going back, they have one answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.page import Answer, Done, Undo
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import InProgress, Invalid
from benefit_programs.storage.console_forms import ConsoleForms

LOOKS_MAX = 100
LOOK_PAUSE_SECONDS = 0.05
"""How often, and after which pauses, the answer is looked for of a form that is being done."""


class Receipts:
    """Does a form, unless it was done: then it tells what its answer was."""

    def __init__(self, forms: ConsoleForms) -> None:
        self._forms = forms

    async def once(self, visit: Visit, path: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of ``act``, or where it led when the same visitor has sent the same form.

        What was refused can be sent again. Raises Invalid without a key, or if the fields have
        changed since it was done; InProgress if it isn't done in time.
        """
        key = _hash(visit.principal.key_id, visit.form["key"])
        content = _hash(path, *(f"{name}={text}" for name, text in sorted(_content(visit))))
        for _look in range(LOOKS_MAX):
            before = await self._forms.begin(key, content)
            if before is None:
                return await self._do(key, visit, act)
            if before.content_hash != content:
                said = _("was sent already, with other entries: load the page again")
                raise Invalid.because("form", said)
            if before.done is not None:
                return _read(before.done)
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
        raise InProgress

    async def _do(self, key: str, visit: Visit, act: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await act()
        except BaseException:
            await self._forms.give_back(key)
            raise
        await self._forms.finish(key, _written(answer, visit))
        return answer


def _content(visit: Visit) -> list[tuple[str, str]]:
    return [(name, text) for name, text in visit.form.items() if name != "key"]


def _hash(*texts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(texts)).hexdigest()


def _written(answer: Answer, visit: Visit) -> str:
    """Where an answer leads. A page that is shown once, with a secret, leads to the one without."""
    if not isinstance(answer, Done):
        assert visit.page is not None
        said = _("It was done already. What is shown once can't be shown again.")
        answer = Done(visit.page.path, said)
    undo = {"path": answer.undo.path, "fields": dict(answer.undo.fields)} if answer.undo else None
    return msgspec.json.encode({"path": answer.path, "said": answer.said, "undo": undo}).decode()


def _read(done: str) -> Done:
    found: dict[str, Any] = msgspec.json.decode(done)
    return Done(found["path"], found["said"], Undo(**found["undo"]) if found["undo"] else None)
