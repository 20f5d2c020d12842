"""A call from its first attempt to its end: its requests, its answers and its pauses.

No I/O happens here. The session sends the request, reports the answer, and waits as long as the
exchange says, until there is a result or an exception.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar
from uuid import uuid4

import msgspec

from benefit_programs.client.core.calls import Call, Request, Response
from benefit_programs.client.core.failures import error_of, retry_after, unreadable
from benefit_programs.client.core.routes import GONE, ONCE
from benefit_programs.client.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    ServerError,
    UnreadableAnswer,
)
from benefit_programs.client.generated.errors import ChainOperationInProgress, InProgress

T = TypeVar("T")

OK = 200
THROTTLED = 429
# 501 and 505 say that it will never work.
PASSING_FAILURES = frozenset({500, 502, 503, 504})

CONSISTENT_HEADER = "x-wix-consistent"

PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 5.0
RETRY_AFTER_SECONDS_MAX = 30.0
"""A longer wait is not sat out: the error is raised, and its ``retry_after`` tells."""

_log = logging.getLogger("benefit_programs.client")


class Consistency:
    """How far the service is of which the caller knows; its replicas answer no earlier.

    A later position sorts after an earlier one of the same length. What else a service says is
    repeated as it is.
    """

    def __init__(self) -> None:
        self.position: str | None = None
        self._turn = Lock()

    def take(self, response: Response) -> None:
        """Keep what an answer says, unless a later answer was faster."""
        said = response.headers.get(CONSISTENT_HEADER)
        if not said:
            return
        with self._turn:
            known = self.position
            if not (known and len(known) == len(said) and known > said):
                self.position = said


@dataclass(frozen=True)
class Settings:
    headers: dict[str, str] = field(repr=False)
    """What goes with each request. It has the key, so it is never shown."""
    timeout: float | None
    max_retries: int
    chance: Callable[[], float] = random.random
    """A number from 0 up to 1, which makes callers that failed together come back apart."""
    consistency: Consistency = field(default_factory=Consistency, compare=False)
    """All calls of a client share it, whatever their other settings."""


class Exchange(Generic[T]):
    """One call. ``result`` is there once ``is_done``."""

    result: T

    def __init__(self, call: Call[T], settings: Settings) -> None:
        self._call = call
        self._settings = settings
        self._attempts = 0
        # Whether an earlier attempt may have been carried out, for its answer was lost.
        self._is_unsure = False
        self.request_id = settings.headers.get("x-request-id") or str(uuid4())
        self.is_done = False

    def request(self) -> Request:
        self._attempts += 1
        headers = {"accept": "application/json", **self._settings.headers}
        headers["x-request-id"] = self.request_id
        if position := self._settings.consistency.position:
            headers[CONSISTENT_HEADER] = position
        if self._call.route.has_body:
            headers["content-type"] = "application/json"
        return self._call.request(headers, self._settings.timeout)

    def answered(self, response: Response) -> float:
        """Take an answer. The seconds to wait before the next attempt, if it isn't done."""
        self._settings.consistency.take(response)
        if response.status == OK:
            return self._finish(self._read(response))
        error = error_of(response)
        if self._meant_success(error):
            return 0.0
        may_retry = self._may_retry(error, response.status)
        if response.status in PASSING_FAILURES:
            self._is_unsure = True
        if not may_retry or not self._has_attempts:
            raise self._with_key(error)
        return self._pause(retry_after(response), error)

    def failed(self, failure: ConnectionFailed) -> float:
        """Take the loss of a connection. The seconds to wait before the next attempt."""
        failure.request_id = self.request_id
        self._is_unsure = self._is_unsure or failure.may_have_happened
        may_retry = self._is_repeatable or not failure.may_have_happened
        if not may_retry or not self._has_attempts:
            failure.may_have_happened = self._is_unsure
            raise self._with_key(failure)
        return self._pause(None, failure)

    @property
    def _has_attempts(self) -> bool:
        return self._attempts <= self._settings.max_retries

    @property
    def _is_repeatable(self) -> bool:
        return self._call.route.safety is not ONCE or self._call.idempotency_key is not None

    def _may_retry(self, error: ApiError | UnreadableAnswer, status: int) -> bool:
        if status == THROTTLED:
            return True  # it was turned away before anything was done
        if status in PASSING_FAILURES:
            return self._is_repeatable
        # Our own first attempt may still be at work.
        return self._is_unsure and isinstance(error, InProgress | ChainOperationInProgress)

    def _meant_success(self, error: ApiError | UnreadableAnswer) -> bool:
        """Whether a refusal says that an earlier attempt of this call was carried out."""
        if not self._is_unsure or not isinstance(error, ApiError):
            return False
        call = self._call
        if call.route.safety is GONE and isinstance(error, NotFound):
            self._finish(call.read(b"{}"))
        elif call.own_key and call.replay is not None:
            result = call.replay(error)
            if result is not None:
                self._finish(result)
        return self.is_done

    def _read(self, response: Response) -> T:
        try:
            return self._call.read(response.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise unreadable(response) from error

    def _with_key(self, error: Exception) -> Exception:
        """The error with what its caller needs to call again without doing it twice."""
        if isinstance(error, ConnectionFailed | ServerError):
            error.idempotency_key = self._call.idempotency_key
        return error

    def _finish(self, result: T) -> float:
        self.result = result
        self.is_done = True
        return 0.0

    def _pause(self, asked: float | None, reason: Exception) -> float:
        """Double each time, up to a limit, from half of it at random; longer if the server asks."""
        if asked is not None and asked > RETRY_AFTER_SECONDS_MAX:
            raise self._with_key(reason)
        longest = min(PAUSE_SECONDS_FIRST * 2.0 ** (self._attempts - 1), PAUSE_SECONDS_MAX)
        pause = longest * (0.5 + self._settings.chance() / 2)
        seconds = pause if asked is None else asked + pause
        _log.info(
            "%s failed (%s), attempt %d follows in %.3f seconds",
            self._call.name,
            type(reason).__name__,
            self._attempts + 1,
            seconds,
        )
        return seconds
