"""What becomes of an attempt, decided without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from benefit_programs.client import (
    AlreadyExecuted,
    BenefitAlreadyRedeemed,
    ConnectionFailed,
    InProgress,
    NotFound,
    Redemption,
    ServerError,
    Throttled,
    TimedOut,
    UnreadableAnswer,
)
from benefit_programs.client.core.calls import Call, Response
from benefit_programs.client.core.exchange import (
    PAUSE_SECONDS_MAX,
    Consistency,
    Exchange,
    Settings,
)
from benefit_programs.client.core.keys import first_redemption, keyed
from benefit_programs.client.core.wire import reads, reads_nothing

OK = Response(200, {}, b"{}")
BROKEN = Response(502, {}, b"<html>bad gateway</html>")
READ = Call(name="queryPrograms", fields={}, read=reads_nothing)
ONCE = Call(name="createItem", fields={"item": {}}, read=reads_nothing)
GONE = Call(name="deleteItem", fields={"itemId": "x"}, read=reads_nothing)


def settings(max_retries: int = 3, chance: float = 1.0) -> Settings:
    return Settings(headers={}, timeout=1, max_retries=max_retries, chance=lambda: chance)


def refusal(status: int, code: str, **data: object) -> Response:
    error = {"code": code, "description": "because", "data": data}
    body = {"message": "because", "details": {"applicationError": error}}
    return Response(status, {}, msgspec.json.encode(body))


def throttled(after: str) -> Response:
    answer = refusal(429, "TOO_MANY_REQUESTS")
    return Response(429, {"retry-after": after}, answer.body)


def begun(call: Call, max_retries: int = 3, chance: float = 1.0) -> Exchange:
    """An exchange whose first request is sent."""
    exchange = Exchange(call, settings(max_retries, chance))
    exchange.request()
    return exchange


def redemption(key: str | None = None) -> Call[Redemption]:
    return keyed(
        "redeemBenefit",
        reads(Redemption),
        {"poolId": "p"},
        idempotency_key=key,
        replay=first_redemption,
    )


def lost() -> ConnectionFailed:
    return ConnectionFailed("lost")


def unsent() -> ConnectionFailed:
    return ConnectionFailed("no connection", may_have_happened=False)


def test_success_needs_no_wait() -> None:
    """An answer of 200 ends the exchange with its result."""
    exchange = begun(READ)
    assert exchange.answered(OK) == 0
    assert exchange.is_done


def test_pauses_double_up_to_a_limit() -> None:
    """Pauses double from a tenth of a second, and never pass their limit."""
    exchange = begun(READ, max_retries=8)
    pauses = []
    for _ in range(8):
        pauses.append(exchange.answered(BROKEN))
        exchange.request()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MAX]


def test_chance_spreads_the_pauses() -> None:
    """Callers that failed together come back between half of a pause and all of it."""
    assert begun(READ, chance=0.0).answered(BROKEN) == pytest.approx(0.05)
    assert begun(READ, chance=0.5).answered(BROKEN) == pytest.approx(0.075)


def test_retries_end() -> None:
    """After max_retries the last error is raised; with 0 the first."""
    exchange = begun(READ, max_retries=1)
    exchange.answered(BROKEN)
    exchange.request()
    with pytest.raises(ServerError) as caught:
        exchange.answered(BROKEN)
    assert caught.value.status == 502
    with pytest.raises(ServerError):
        begun(READ, max_retries=0).answered(BROKEN)


@pytest.mark.parametrize("call", [READ, ONCE, GONE])
def test_throttled_calls_are_repeated(call: Call) -> None:
    """What was turned away untouched is repeated, whatever it is, after what the server asks."""
    assert begun(call).answered(throttled("3")) == pytest.approx(3.1)


def test_retry_after_may_be_a_date() -> None:
    """A date in Retry-After means the time until then."""
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    assert 8 < begun(READ).answered(throttled(then)) < 11
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=10), usegmt=True)
    assert begun(READ).answered(throttled(past)) == pytest.approx(0.1)
    assert begun(READ).answered(throttled("soon")) == pytest.approx(0.1)


def test_long_waits_are_left_to_the_caller() -> None:
    """A wait longer than half a minute is not sat out: the error tells how long it would be."""
    with pytest.raises(Throttled) as caught:
        begun(READ).answered(throttled("31"))
    assert caught.value.retry_after == 31


def test_what_must_not_happen_twice_is_not_repeated() -> None:
    """A call that isn't safe to repeat fails at once, and says that it may have happened."""
    with pytest.raises(ConnectionFailed) as caught:
        begun(ONCE).failed(lost())
    assert caught.value.may_have_happened
    assert caught.value.request_id
    with pytest.raises(ServerError):
        begun(ONCE).answered(BROKEN)


def test_what_was_never_sent_is_repeated() -> None:
    """Any call is repeated if its request never left."""
    exchange = begun(ONCE, max_retries=1)
    assert exchange.failed(unsent()) > 0
    exchange.request()
    with pytest.raises(ConnectionFailed) as caught:
        exchange.failed(unsent())
    assert not caught.value.may_have_happened


def test_doubt_is_remembered() -> None:
    """If an earlier attempt may have happened, the last failure says so."""
    exchange = begun(READ, max_retries=1)
    exchange.failed(TimedOut("slow"))
    exchange.request()
    with pytest.raises(ConnectionFailed) as caught:
        exchange.failed(unsent())
    assert caught.value.may_have_happened


def test_deleted_before_is_deleted() -> None:
    """A repeated delete that finds nothing has succeeded; a first one hasn't."""
    not_found = refusal(404, "ITEM_NOT_FOUND", itemId="x")
    exchange = begun(GONE)
    exchange.failed(lost())
    exchange.request()
    exchange.answered(not_found)
    assert exchange.is_done
    with pytest.raises(NotFound):
        begun(GONE).answered(not_found)


@pytest.mark.parametrize("code", ["BENEFIT_ALREADY_REDEEMED", "ALREADY_EXECUTED"])
def test_own_first_attempt_is_the_answer(code: str) -> None:
    """With a key of the client's, being told of the first execution is the success of it."""
    exchange = begun(redemption())
    exchange.failed(lost())
    exchange.request()
    exchange.answered(refusal(409, code, transactionId="t"))
    assert exchange.result == Redemption(transaction_id="t")


def test_callers_key_stays_the_callers() -> None:
    """With a key of the caller's nobody knows whose execution it was: the error is raised."""
    exchange = begun(redemption("mine"))
    exchange.failed(lost())
    exchange.request()
    with pytest.raises(BenefitAlreadyRedeemed):
        exchange.answered(refusal(409, "BENEFIT_ALREADY_REDEEMED", transactionId="t"))


def test_replay_without_its_facts_is_an_error() -> None:
    """A refusal that doesn't tell the first execution can't stand for it."""
    exchange = begun(redemption())
    exchange.failed(lost())
    exchange.request()
    with pytest.raises(AlreadyExecuted):
        exchange.answered(refusal(409, "ALREADY_EXECUTED"))


def test_own_attempt_at_work_is_waited_for() -> None:
    """IN_PROGRESS is waited out if the work may be an earlier attempt's; else it is raised."""
    in_progress = refusal(409, "IN_PROGRESS")
    exchange = begun(redemption())
    exchange.failed(lost())
    exchange.request()
    assert exchange.answered(in_progress) > 0
    with pytest.raises(InProgress):
        begun(redemption()).answered(in_progress)


def test_key_can_be_used_again() -> None:
    """When all attempts are lost, the error has the key with which calling again is safe."""
    call = redemption()
    with pytest.raises(ConnectionFailed) as caught:
        begun(call, max_retries=0).failed(lost())
    assert caught.value.idempotency_key == call.idempotency_key
    with pytest.raises(ServerError) as broken:
        begun(call, max_retries=0).answered(BROKEN)
    assert broken.value.idempotency_key == call.idempotency_key


def test_every_attempt_says_the_same() -> None:
    """Repeated requests are equal, with one key and one request id."""
    exchange = Exchange(redemption(), settings())
    first = exchange.request()
    exchange.failed(lost())
    assert exchange.request() == first
    assert first.headers["x-request-id"] == exchange.request_id


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, {}, b"<html>"),
        Response(200, {}, b'{"transactionId": 5}'),
        Response(404, {}, b"<html>nginx</html>"),
        Response(302, {}, b""),
    ],
)
def test_nonsense_is_told(answer: Response) -> None:
    """What can't be the service's answer is an error that shows it."""
    with pytest.raises(UnreadableAnswer) as caught:
        begun(redemption()).answered(answer)
    assert (caught.value.status, caught.value.body) == (answer.status, answer.body)


def told(position: str) -> Response:
    return Response(200, {"x-wix-consistent": position}, b"{}")


def test_position_is_repeated_from_the_next_request_on() -> None:
    """Every later call of the client says how far the service was."""
    shared = settings()
    assert "x-wix-consistent" not in Exchange(READ, shared).request().headers
    begun = Exchange(ONCE, shared)
    begun.request()
    begun.answered(told("0A"))
    assert Exchange(READ, shared).request().headers["x-wix-consistent"] == "0A"


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        (["0A", "0B"], "0B"),
        (["0B", "0A"], "0B"),
        (["0B", ""], "0B"),
        (["0B", "primary"], "primary"),
        (["primary", "0A"], "0A"),
    ],
)
def test_the_latest_position_is_kept(answers: list[str], kept: str) -> None:
    """An earlier answer that comes late takes nothing back; what is no position is repeated."""
    consistency = Consistency()
    for each in answers:
        consistency.take(told(each))
    assert consistency.position == kept
