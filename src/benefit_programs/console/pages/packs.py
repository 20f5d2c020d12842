"""What is done to what somebody has: pause, resume, end, extend, add, take off."""

from __future__ import annotations

import re
from typing import Any

from benefit_programs.console.formats import credits_text, day_text, through_text
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.page import FRONT_DESK, MANAGERS, POST, Answer, Done, Undo, page
from benefit_programs.console.people import person_at
from benefit_programs.console.repeats import once
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid, InvalidRevision, ViolatedRule

_AMOUNT = re.compile(r"\d{1,15}(\.\d{1,4})?")
"""An amount without a sign: what becomes of it is said by the button."""


def reason_of(visit: Visit) -> dict[str, str]:
    """The reason that a form gives, as a field of a request."""
    reason = visit.form.get("reason", "").strip()
    return {"reason": reason} if reason else {}


@page(POST, "/people/{kind}/{id}/programs/{program}/pause", roles=FRONT_DESK)
async def pause(visit: Visit) -> Answer:
    """Pause a program, now or from a day on, and if wished through a last day."""
    person, program_id = person_at(visit.path), visit.path["program"]
    begin, until = visit.form.instant("from", visit.zone), visit.form.end("through", visit.zone)
    request: dict[str, Any] = {"programId": program_id, **reason_of(visit)}
    if until:
        request["untilDate"] = until
    if begin is None:
        await once(visit, "pauseProgram", request)
        undo = Undo(path=f"{person.path}/programs/{program_id}/resume", fields={})
        return Done(person.path, _paused(until), undo)
    answer = await once(visit, "scheduleProgramChange", {**request, "kind": "PAUSE", "date": begin})
    withdrawal = f"{person.path}/changes/{answer['scheduledChange']['id']}/withdraw"
    return Done(person.path, _paused(until, begin), Undo(path=withdrawal, fields={}))


def _paused(until: str | None, begin: str | None = None) -> str:
    """What became of a pause: from when to when it is."""
    end = through_text(until) if until else ""
    if begin is None:
        return _("Paused %(through)s.", through=end) if end else _("Paused.")
    if end:
        return _("Will be paused from %(date)s %(through)s.", date=day_text(begin), through=end)
    return _("Will be paused from %(date)s.", date=day_text(begin))


@page(POST, "/people/{kind}/{id}/programs/{program}/resume", roles=FRONT_DESK)
async def resume(visit: Visit) -> Answer:
    person, program_id = person_at(visit.path), visit.path["program"]
    await once(visit, "resumeProgram", {"programId": program_id, **reason_of(visit)})
    undo = Undo(path=f"{person.path}/programs/{program_id}/pause", fields={})
    return Done(person.path, _("Resumed."), undo)


@page(POST, "/people/{kind}/{id}/programs/{program}/end", roles=FRONT_DESK)
async def end(visit: Visit) -> Answer:
    """End a program, which nothing undoes: the form asks before."""
    request = {"programId": visit.path["program"], **reason_of(visit)}
    await visit.call("endProgram", request)
    return Done(person_at(visit.path).path, _("Ended."))


@page(POST, "/people/{kind}/{id}/programs/{program}/until", roles=MANAGERS)
async def move_end(visit: Visit) -> Answer:
    """Move the end of a program to an instant that the form names."""
    person = person_at(visit.path)
    answer = await visit.call("getProgram", {"programId": visit.path["program"]})
    before, wanted = answer["program"], visit.form["date"]
    if before.get("endDate") != wanted:
        change = {"id": before["id"], "revision": before["revision"], "endDate": wanted}
        await visit.call("updateProgram", {"program": change, **reason_of(visit)})
    undo = Undo(
        path=f"{person.path}/programs/{before['id']}/until",
        fields={"date": visit.form["was"], "was": wanted},
    )
    return Done(person.path, _("It lasts %(through)s.", through=through_text(wanted)), undo)


@page(POST, "/people/{kind}/{id}/changes/{change}/withdraw", roles=FRONT_DESK)
async def withdraw(visit: Visit) -> Answer:
    """Withdraw a change that waits for its date, for whom the API lets do it."""
    request = {"scheduledChangeId": visit.path["change"], **reason_of(visit)}
    await visit.call("withdrawScheduledChange", request)
    return Done(person_at(visit.path).path, _("Withdrawn."))


@page(POST, "/people/{kind}/{id}/pools/{pool}/adjust", roles=FRONT_DESK)
async def adjust(visit: Visit) -> Answer:
    """Add credits to a pack or take some off, with a reason."""
    person, amount = person_at(visit.path), visit.form.amount("amount")
    if not _AMOUNT.fullmatch(amount) or not float(amount):
        raise Invalid.because("amount", _("must be a number, such as 2"), ViolatedRule.FORMAT)
    if not reason_of(visit):
        raise Invalid.because("reason", _("is needed"), ViolatedRule.REQUIRED_FIELD)
    takes = visit.form.get("way") == "take"
    until = visit.form.end("through", visit.zone)
    if until and not takes:
        return await _grant(visit, amount, until)
    request = {
        "poolId": visit.path["pool"],
        "adjustOptions": {"value": f"-{amount}" if takes else amount},
        "transactionDetails": reason_of(visit),
    }
    answer = await once(visit, "changeBalance", request)
    said = _("Took off %(amount)s.") if takes else _("Added %(amount)s.")
    return Done(
        person.path,
        said % {"amount": credits_text(amount)},
        Undo(path=f"{person.path}/entries/{answer['transactionId']}/undo", fields={}),
    )


async def _grant(visit: Visit, amount: str, until: str) -> Done:
    """Add credits that end at a date of their own."""
    person = person_at(visit.path)
    request = {"poolId": visit.path["pool"], "amount": amount, "expirationDate": until}
    answer = await once(visit, "grantCredits", request | reason_of(visit))
    lot = answer.get("lot")
    path = f"{person.path}/lots/{lot['id']}/expire" if lot else ""
    said = _("Added %(amount)s.", amount=credits_text(amount))
    return Done(person.path, said, Undo(path=path, fields={}) if lot else None)


@page(POST, "/people/{kind}/{id}/lots/{lot}/expire", roles=FRONT_DESK)
async def expire(visit: Visit) -> Answer:
    """End a lot now."""
    await once(visit, "expireLot", {"lotId": visit.path["lot"], **reason_of(visit)})
    return Done(person_at(visit.path).path, _("Taken back."))


@page(POST, "/people/{kind}/{id}/lots/{lot}/until", roles=FRONT_DESK)
async def extend(visit: Visit) -> Answer:
    """Move the end of a lot: to an instant that the form names, or to the end of a day."""
    person = person_at(visit.path)
    wanted = visit.form.get("date") or visit.form.end("day", visit.zone)
    if wanted is None:
        raise Invalid.because("day", _("is needed"), ViolatedRule.REQUIRED_FIELD)
    change = {
        "id": visit.path["lot"],
        "revision": visit.form["revision"],
        "expirationDate": wanted,
    }
    try:
        answer = await visit.call("updateLot", {"lot": change, **reason_of(visit)})
    except InvalidRevision:
        answer = await visit.call("getLot", {"lotId": visit.path["lot"]})
        if answer["lot"].get("expirationDate") != wanted:
            raise
    undo = Undo(
        path=f"{person.path}/lots/{visit.path['lot']}/until",
        fields={
            "date": visit.form["was"],
            "was": wanted,
            "revision": answer["lot"]["revision"],
        },
    )
    return Done(person.path, _("Usable %(through)s.", through=through_text(wanted)), undo)


@page(POST, "/people/{kind}/{id}/reservations/{reservation}/capture", roles=FRONT_DESK)
async def capture(visit: Visit) -> Answer:
    """Spend what a reservation holds."""
    person = person_at(visit.path)
    request = {"transactionId": visit.path["reservation"], **reason_of(visit)}
    answer = await once(visit, "captureBenefitReservation", request)
    undo = Undo(
        path=f"{person.path}/entries/{answer['transactionId']}/give-back",
        fields={},
    )
    return Done(person.path, _("Redeemed."), undo)


@page(POST, "/people/{kind}/{id}/reservations/{reservation}/release", roles=FRONT_DESK)
async def release(visit: Visit) -> Answer:
    """Give back what a reservation holds."""
    request = {"transactionId": visit.path["reservation"], **reason_of(visit)}
    await once(visit, "cancelBenefitReservation", request)
    return Done(person_at(visit.path).path, _("Given back."))
