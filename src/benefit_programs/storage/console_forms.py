"""Which forms of the console were sent, and where their answers led: sent again, they do nothing.

A form is claimed before it is done, by one statement. So of two that are sent at the same time, to
whatever server, one is done, and the other waits for its answer.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from benefit_programs.domain.values import Instant
from benefit_programs.storage.directory import DirectoryStore

CLAIM_MILLISECONDS_MAX = 60_000
"""After how long a form may be done anew whose server has died over it."""

_HOUR = 60 * 60_000

FORM_MILLISECONDS_MAX = 24 * _HOUR
"""How long a form is known that was sent: it may tell names. It is removed within another hour."""


class ConsoleForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form that somebody has sent: hashes of whose it is with its key, and of its fields."""

    key_hash: str
    content_hash: str
    begun: Instant
    done: str | None = None
    """Where its answer led, and what it said, as JSON; nothing while it isn't done."""


class ConsoleForms:
    """The forms in a store. ``clock`` says when one was sent."""

    def __init__(self, store: DirectoryStore, *, clock: Callable[[], Instant]) -> None:
        self._store = store
        self._clock = clock
        self._removed: Instant = 0

    async def begin(self, key_hash: str, content_hash: str) -> ConsoleForm | None:
        """Claim a form. Nothing if it is ours to do, else what is known of it."""
        now = self._clock()
        if now - self._removed >= _HOUR:
            self._removed = now
            over = (now - FORM_MILLISECONDS_MAX,)
            await self._store.execute("delete from console_forms where begun <= $1", over)
        # Who begins anew what a dead server has begun sends the same: a change is another form.
        sql = (
            "insert into console_forms (key_hash, content_hash, begun) values ($1, $2, $3) "
            "on conflict (key_hash) do update set begun = excluded.begun "
            "where console_forms.done is null and console_forms.begun <= $4 "
            "and console_forms.content_hash = excluded.content_hash returning key_hash"
        )
        values = (key_hash, content_hash, now, now - CLAIM_MILLISECONDS_MAX)
        if await self._store.execute(sql, values):
            return None
        found = await self._store.fetch_quick(
            "select key_hash, content_hash, begun, done from console_forms where key_hash = $1",
            (key_hash,),
        )
        # It may have been refused, and given back, just now.
        if not found:
            return await self.begin(key_hash, content_hash)
        key_hash, content_hash, begun, done = found[0]
        return ConsoleForm(key_hash=key_hash, content_hash=content_hash, begun=begun, done=done)

    async def finish(self, key_hash: str, done: str) -> None:
        sql = "update console_forms set done = $1 where key_hash = $2"
        await self._store.execute(sql, (done, key_hash))

    async def give_back(self, key_hash: str) -> None:
        """Forget a form that was refused, so that it can be sent again."""
        sql = "delete from console_forms where key_hash = $1 and done is null"
        await self._store.execute(sql, (key_hash,))
