"""Lanes: an entity's events come in their order, and a failure holds back its lane alone."""

from __future__ import annotations

from benefit_programs.delivery.lanes import FAILURES_IN_A_ROW_MAX, PROBE_SECONDS_MAX, Lanes, Pending
from benefit_programs.domain.webhooks.rows import (
    DeliveryOrigin,
    DeliveryStatus,
    WebhookDelivery,
)

NOW = 1_000_000


def pending(
    entity: str,
    position: int,
    *,
    is_stored: bool = False,
    due: int = 0,
    origin: DeliveryOrigin = DeliveryOrigin.FEED,
) -> Pending:
    delivery = WebhookDelivery(
        id=f"{entity}-{position}",
        created=0,
        updated=0,
        endpoint_id="endpoint",
        event_id="event",
        event_type="type",
        entity_id=entity,
        position=position,
        part=0,
        origin=origin,
        status=DeliveryStatus.PENDING,
        due=due,
    )
    return Pending(delivery, None, is_stored=is_stored)


def lanes_with(*given: Pending) -> Lanes:
    lanes = Lanes()
    for each in given:
        lanes.add(each)
    return lanes


def taken(lanes: Lanes, now: int = NOW) -> list[Pending]:
    """All that may be tried now, side by side."""
    found = []
    while (each := lanes.take(now)) is not None:
        found.append(each)
    return found


def test_one_of_each_lane_is_tried_at_a_time() -> None:
    """The next of a lane comes when the one before is done; other lanes don't wait."""
    first, second, other = pending("a", 1), pending("a", 2), pending("b", 3)
    lanes = lanes_with(first, second, other)
    assert taken(lanes) == [first, other]
    lanes.done(first, is_success=True)
    assert taken(lanes) == [second]


def test_what_is_behind_a_failure_gets_rows_and_waits() -> None:
    """It comes in its order when the first is due and has been taken."""
    first, second, other = pending("a", 1), pending("a", 2), pending("b", 3)
    lanes = lanes_with(first, second, other)
    lanes.take(NOW)
    assert list(lanes.failed(first, NOW + 5, NOW)) == [first, second]
    assert lanes.is_blocked(first.delivery.lane)
    assert not lanes.is_blocked(other.delivery.lane)
    assert taken(lanes) == [other]
    assert lanes.next_due() == NOW + 5
    assert taken(lanes, NOW + 4) == []
    assert taken(lanes, NOW + 5) == [first]
    lanes.done(first, is_success=True)
    assert taken(lanes, NOW + 5) == [second]


def test_the_position_stands_before_the_first_event_without_a_row() -> None:
    """What was delivered, or has a row, doesn't hold it."""
    first, second, third = pending("a", 1), pending("b", 2), pending("c", 3)
    lanes = lanes_with(first, second, third)
    taken(lanes)
    assert lanes.first_unstored() == 1
    lanes.done(second, is_success=True)
    assert lanes.first_unstored() == 1
    list(lanes.failed(first, NOW + 5, NOW))
    assert lanes.first_unstored() == 3
    lanes.done(third, is_success=True)
    assert lanes.first_unstored() is None
    assert (lanes.length, lanes.stored) == (1, 1)


def test_an_endpoint_that_only_fails_is_probed_with_what_is_due() -> None:
    """Nothing new is tried; the first success makes everything due at once."""
    failing = [pending(str(number), number) for number in range(FAILURES_IN_A_ROW_MAX)]
    fresh = pending("fresh", 100)
    lanes = lanes_with(*failing, fresh)
    for each in failing:
        assert lanes.take(NOW) is each
        list(lanes.failed(each, NOW + 1_000, NOW))
    assert lanes.is_failing
    assert taken(lanes) == []
    probe = lanes.take(NOW + 1_000)
    assert probe is failing[0]
    lanes.done(failing[0], is_success=True)
    assert not lanes.is_failing
    assert {each.delivery.id for each in taken(lanes)} == {
        each.delivery.id for each in (*failing[1:], fresh)
    }


def test_a_probe_comes_soon_however_long_a_delivery_should_wait() -> None:
    """An endpoint that is back is noticed within minutes."""
    failing = [pending(str(number), number) for number in range(FAILURES_IN_A_ROW_MAX)]
    lanes = lanes_with(*failing)
    for each in taken(lanes):
        list(lanes.failed(each, NOW + 3_600_000, NOW))
    assert taken(lanes, NOW + 1000 * PROBE_SECONDS_MAX) == [failing[-1]]


def test_an_endpoint_whose_failures_were_all_given_up_is_tried_with_something_new() -> None:
    """Else nothing would ever tell that it is back."""
    failing = [pending(str(number), number) for number in range(1, FAILURES_IN_A_ROW_MAX + 1)]
    fresh = pending("fresh", 100)
    lanes = lanes_with(*failing, fresh)
    for each in failing:
        lanes.take(NOW)
        list(lanes.failed(each, NOW + each.delivery.position, NOW))
    for each in failing:
        assert lanes.take(NOW + 100) is each
        lanes.done(each, is_success=False)
    assert lanes.is_failing
    assert taken(lanes) == [fresh]


def test_what_was_left_over_is_tried_when_it_is_due() -> None:
    """A lane with rows from before blocks what comes new of its entity."""
    left = pending("a", 1, is_stored=True, due=NOW + 10)
    lanes = lanes_with(left)
    assert lanes.is_blocked(left.delivery.lane)
    assert taken(lanes) == []
    assert taken(lanes, NOW + 10) == [left]


def test_what_is_sent_again_holds_nothing_back() -> None:
    """A resend has a lane of its own, a replay one for its entity."""
    news = pending("a", 5)
    again = pending("a", 1, is_stored=True, origin=DeliveryOrigin.RESEND)
    replayed = [
        pending("a", number, is_stored=True, origin=DeliveryOrigin.REPLAY) for number in (1, 2)
    ]
    lanes = lanes_with(again, *replayed, news)
    assert set(taken(lanes)) == {again, replayed[0], news}
