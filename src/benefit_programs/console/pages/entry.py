"""An entry of the ledger: what it was, who made it, and what takes it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from benefit_programs.api.errors import NotFoundRoute
from benefit_programs.console.formats import credits_text, day_text
from benefit_programs.console.items import item_of
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.ledger import item_name, open_ones, target_date_of
from benefit_programs.console.page import (
    EVERYBODY,
    FRONT_DESK,
    GET,
    POST,
    Answer,
    Done,
    Undo,
    page,
)
from benefit_programs.console.pages.packs import reason_of
from benefit_programs.console.people import Person, person_at, person_of
from benefit_programs.console.repeats import once
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid, ViolatedRule

CHAIN_MAX = 100
COUNT_DIGITS_MAX = 9

_USES = frozenset({"Redemption", "Reallocation"})
_RETURNS = frozenset({"Cancellation", "Revert"})


@page(GET, "/people/{kind}/{id}/entries/{transaction}", roles=EVERYBODY, template="entry.html")
async def show(visit: Visit) -> Answer:
    person = await person_of(visit)
    transaction = await _transaction(visit, person)
    chain, programs = await asyncio.gather(
        _chain(visit, transaction), _programs(visit, person, transaction)
    )
    entries = await _audit(visit, [each["id"] for each in chain])
    reason = transaction["details"].get("reason")
    is_open = transaction["id"] in open_ones(chain)
    returned = sum(
        each["details"].get("itemCount") or 0
        for each in chain
        if each["details"].get("reason") in _RETURNS
    )
    is_use = reason in _USES and bool(item_name(transaction))
    return {
        "person": person,
        "transaction": transaction,
        "item": item_name(transaction),
        "target_date": target_date_of(transaction),
        "chain": chain if len(chain) > 1 else [],
        "audit": entries,
        "is_use": is_use and is_open,
        "again": _redemption_of(person, transaction) if _is_return(transaction) else None,
        "is_change": is_open and not item_name(transaction) and _is_by_hand(transaction),
        "returned": returned,
        "others": [pool for pool in programs if pool["id"] != transaction["pool"]["id"]],
        "may_serve": visit.may_as(FRONT_DESK),
    }


def _is_return(transaction: dict[str, Any]) -> bool:
    """Whether a use was given back by it, rather than paid by another pack."""
    details = transaction["details"]
    is_moved = details.get("movedToTransactionId")
    return details.get("reason") in _RETURNS and bool(item_name(transaction)) and not is_moved


def _is_by_hand(transaction: dict[str, Any]) -> bool:
    return bool(transaction.get("instructingParty")) and not transaction.get("relatedTransactionId")


async def _transaction(visit: Visit, person: Person) -> dict[str, Any]:
    """The transaction that the path names. Raises NotFoundRoute if it is somebody else's."""
    answer = await visit.call("getTransaction", {"transactionId": visit.path["transaction"]})
    transaction: dict[str, Any] = answer["transaction"]
    whose = transaction.get("beneficiary") or {}
    if whose.get(person.field, "").casefold() != person.id.casefold():
        raise NotFoundRoute
    return transaction


async def _chain(visit: Visit, transaction: dict[str, Any]) -> list[dict[str, Any]]:
    """All that goes back to the same use or change, the oldest first."""
    query = {
        "filter": {"correlationId": transaction.get("correlationId") or transaction["id"]},
        "sort": [{"fieldName": "createdDate", "order": "ASC"}],
        "cursorPaging": {"limit": CHAIN_MAX},
    }
    answer = await visit.call("queryTransactions", {"query": query})
    return answer.get("transactions") or [transaction]


async def _programs(
    visit: Visit, person: Person, transaction: dict[str, Any]
) -> list[dict[str, Any]]:
    """The packs of somebody that could pay instead."""
    namespace = transaction["pool"].get("namespace")
    request = {"beneficiary": person.identity, "namespace": namespace}
    overview = await visit.call("getOverview", request)
    return [pool for program in overview.get("programs", ()) for pool in program.get("pools", ())]


async def _audit(visit: Visit, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Who made each of some transactions."""
    query = {"filter": {"entityId": {"$in": ids}}, "cursorPaging": {"limit": CHAIN_MAX}}
    answer = await visit.call("queryAuditEntries", {"query": query})
    return {row["entityId"]: row for row in answer.get("auditEntries", ())}


@page(POST, "/people/{kind}/{id}/entries/{transaction}/give-back", roles=FRONT_DESK)
async def give_back(visit: Visit) -> Answer:
    """Cancel a use, or some of its places."""
    person = await person_of(visit)
    transaction = await _transaction(visit, person)
    request: dict[str, Any] = {"transactionId": transaction["id"], **reason_of(visit)}
    if total := visit.form.get("total"):
        request["totalCount"] = _whole(total)
    if visit.form.get("override"):
        request["override"] = True
    answer = await once(visit, "cancelRedemption", request)
    said = _("Gave back %(item)s.", item=item_name(transaction))
    forfeited = answer.get("forfeited", "0")
    if forfeited != "0":
        said = _(
            "Canceled %(item)s late: %(returned)s came back, %(kept)s didn't.",
            item=item_name(transaction),
            returned=credits_text(answer.get("returned")),
            kept=credits_text(forfeited),
        )
    back = answer.get("transactionId")
    if back is None:
        return Done(person.path, said)
    returned = (await visit.call("getTransaction", {"transactionId": back}))["transaction"]
    return Done(person.path, said, _redemption_of(person, returned))


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > COUNT_DIGITS_MAX:
        raise Invalid.because("total", "must be a whole number", ViolatedRule.FORMAT)
    return int(text)


def _redemption_of(person: Person, transaction: dict[str, Any]) -> Undo:
    """What redeems the same once more."""
    details = transaction["details"]
    pool = transaction["pool"]
    item = item_of(details["item"], None, pool["namespace"])
    fields = {
        "item": replace(item, payer=(pool["id"], details["benefitKey"])).value,
        "count": str(details.get("itemCount") or 1),
        "reference": transaction.get("externalReference") or "",
        "instant": target_date_of(transaction) or "",
    }
    return Undo(path=f"{person.path}/use", fields=fields)


def give_back_of(person: Person, transaction_id: str) -> Undo:
    """What takes a use back."""
    return Undo(path=f"{person.path}/entries/{transaction_id}/give-back", fields={})


@page(POST, "/people/{kind}/{id}/entries/{transaction}/date", roles=FRONT_DESK)
async def move(visit: Visit) -> Answer:
    """Move a use to another date; it costs nothing."""
    person = await person_of(visit)
    transaction = await _transaction(visit, person)
    wanted = visit.form.get("instant") or visit.form.instant("on", visit.zone)
    if not wanted:
        raise Invalid.because("on", _("is needed"), ViolatedRule.REQUIRED_FIELD)
    answer = await once(
        visit,
        "reallocateBenefit",
        {
            "transactionId": transaction["id"],
            "targetDate": wanted,
            "beneficiary": person.identity,
            "namespace": transaction["pool"]["namespace"],
            **reason_of(visit),
        },
    )
    said = _("Moved %(item)s to %(date)s.", item=item_name(transaction), date=day_text(wanted))
    undo = Undo(
        path=f"{person.path}/entries/{answer['transactionId']}/date",
        fields={"instant": transaction["details"]["effectiveDate"]},
    )
    return Done(person.path, said, undo)


@page(POST, "/people/{kind}/{id}/entries/{transaction}/pay-from", roles=FRONT_DESK)
async def pay_from(visit: Visit) -> Answer:
    """Let another pack pay for a use."""
    person = await person_of(visit)
    transaction = await _transaction(visit, person)
    request = {"transactionId": transaction["id"], "poolId": visit.form["pool"]}
    answer = await once(visit, "moveRedemption", request | reason_of(visit))
    said = _("Another pack pays for %(item)s now.", item=item_name(transaction))
    undo = Undo(
        path=f"{person.path}/entries/{answer['transactionId']}/pay-from",
        fields={"pool": transaction["pool"]["id"]},
    )
    return Done(person.path, said, undo)


@page(POST, "/people/{kind}/{id}/entries/{transaction}/undo", roles=FRONT_DESK)
async def revert(visit: Visit) -> Answer:
    """Take back a change by hand."""
    person = person_at(visit.path)
    request = {"transactionId": visit.path["transaction"], **reason_of(visit)}
    await visit.call("revertBalanceChange", request)
    return Done(person.path, _("Undone."))
