"""What tests of reservations do again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.calls import guid

if TYPE_CHECKING:
    from tests.support.calls import Document, Refused
    from tests.support.wallet import Wallet


async def reserve(wallet: Wallet, key: str | None = None, **fields: Any) -> str:
    """Reserve once, and give the reservation's id."""
    answer = await wallet.caller.call("reserveBenefit", wallet.redemption(key, **fields))
    return answer["transactionId"]  # type: ignore[no-any-return]


async def reserve_refused(wallet: Wallet, key: str | None = None, **fields: Any) -> Refused:
    return await wallet.caller.refusal("reserveBenefit", wallet.redemption(key, **fields))


def end(reservation_id: str, **fields: Any) -> Document:
    """The request that captures or cancels a reservation."""
    return {"transactionId": reservation_id, "idempotencyKey": guid(), **fields}


async def capture(wallet: Wallet, reservation_id: str, **fields: Any) -> str:
    request = end(reservation_id, **fields)
    answer = await wallet.caller.call("captureBenefitReservation", request)
    return answer["transactionId"]  # type: ignore[no-any-return]


async def capture_refused(wallet: Wallet, reservation_id: str, **fields: Any) -> Refused:
    request = end(reservation_id, **fields)
    return await wallet.caller.refusal("captureBenefitReservation", request)


async def cancel(wallet: Wallet, reservation_id: str, **fields: Any) -> str:
    request = end(reservation_id, **fields)
    answer = await wallet.caller.call("cancelBenefitReservation", request)
    return answer["transactionId"]  # type: ignore[no-any-return]


async def cancel_refused(wallet: Wallet, reservation_id: str, **fields: Any) -> Refused:
    request = end(reservation_id, **fields)
    return await wallet.caller.refusal("cancelBenefitReservation", request)


async def read(wallet: Wallet, reservation_id: str) -> Document:
    answer = await wallet.caller.call("getReservation", {"reservationId": reservation_id})
    return answer["reservation"]  # type: ignore[no-any-return]


async def found(wallet: Wallet, **conditions: Any) -> list[str]:
    """The ids of the reservations that a filter finds, the oldest first."""
    query = {
        "filter": {name.replace("__", "."): value for name, value in conditions.items()},
        "sort": [{"fieldName": "createdDate", "order": "ASC"}],
    }
    rows = (await wallet.caller.call("queryReservations", {"query": query}))["reservations"]
    return [row["id"] for row in rows]


async def amounts(wallet: Wallet) -> tuple[str, str]:
    """What the balance has available and reserved."""
    amount = (await wallet.balance())["amount"]
    return amount["available"], amount["reserved"]
