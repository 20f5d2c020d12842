"""The tools that only read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from benefit_programs.agents.calling import BAD_REQUEST, FORBIDDEN, Methods, Refused
from benefit_programs.agents.tool import Arguments, given, tool

TEXT_LENGTH_MAX = 200
MEMBERS_MAX = 20
PROGRAMS_MAX = 50
ENTRIES_MAX = 50
JOBS_MAX = 10
JOB_ITEMS_MAX = 50
ITEMS_MAX = 5
"""In how many places an item is looked for, if several have its id."""

STATEMENT_ROWS_MAX = 1_000
LINES_MAX = 100
"""How many lines of a ledger are shown, of those that were read."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]
Date = Annotated[str, msgspec.Meta(description="An instant with its zone: 2026-12-01T10:00:00Z.")]
Count = Annotated[int, msgspec.Meta(ge=1, description="How many items. Default: 1.")]


class OfBeneficiary(Arguments, frozen=True, kw_only=True):
    """Somebody, by one of three ids."""

    member_id: Annotated[Text, msgspec.Meta(description="The id of a member.")] | None = None
    wix_user_id: Annotated[Text, msgspec.Meta(description="Or of a user.")] | None = None
    anonymous_visitor_id: Annotated[Text, msgspec.Meta(description="Or of a visitor.")] | None = (
        None
    )

    @property
    def beneficiary(self) -> dict[str, str]:
        return given(
            memberId=self.member_id,
            wixUserId=self.wix_user_id,
            anonymousVisitorId=self.anonymous_visitor_id,
        )


class FindMember(Arguments, frozen=True, kw_only=True):
    """A text."""

    text: Annotated[
        Text,
        msgspec.Meta(
            description="Beginnings of words of a name, an e-mail address, a telephone number; or "
            "the whole id of a member, or of an order (a program's external id)."
        ),
    ]


@tool("Find a member", "searchPeople", "queryPrograms")
async def find_member(methods: Methods, asked: FindMember) -> Any:
    """Find people by name, e-mail address, telephone number, id or order.

    Give the beneficiary's id to the other tools. If several are found, ask who is meant: never
    guess.
    """
    paging = {"limit": MEMBERS_MAX}
    found = await methods.call("searchPeople", {"text": asked.text, "cursorPaging": paging})
    people = [*found.get("people", []), *found.get("provided", [])]
    if not people:
        people = await _by_programs(methods, asked.text)
    return {
        "members": people,
        "hasMore": found.get("metadata", {}).get("hasNext", False),
        **given(namesMissing=found.get("providerProblem")),
    }


async def _by_programs(methods: Methods, text: str) -> list[dict[str, Any]]:
    """Those who have programs and no place in the directory of people, each once."""
    found: dict[str, dict[str, Any]] = {}
    for field in ("beneficiary.memberId", "beneficiary.wixUserId", "externalId"):
        query = {"filter": {field: text}, "cursorPaging": {"limit": MEMBERS_MAX}}
        try:
            answer = await methods.call("queryPrograms", {"query": query})
        except Refused as refused:
            if refused.status != BAD_REQUEST:
                raise
            continue  # the text can't be such an id
        for program in answer.get("programs", []):
            beneficiary = program["beneficiary"]
            found[str(sorted(beneficiary.items()))] = {"beneficiary": beneficiary}
    return list(found.values())


@tool("Show what a member has", "getOverview")
async def member_overview(methods: Methods, asked: OfBeneficiary) -> Any:
    """Show everything that somebody has now: programs, and pools (packs of credits).

    With what is left, when credits expire, when programs renew or end, and for how many items the
    credits are enough.
    """
    return await methods.call("getOverview", {"beneficiary": asked.beneficiary})


class ExplainBalance(Arguments, frozen=True, kw_only=True):
    """A pool, and since when."""

    pool_id: Annotated[Text, msgspec.Meta(description="The pool, from member_overview.")]
    from_date: Date | None = None


@tool("Explain a balance", "getStatement")
async def explain_balance(methods: Methods, asked: ExplainBalance) -> Any:
    """Explain why a pool has the credits that it has.

    The summary adds up what was given, used, returned and lapsed. The rows are the lines of the
    ledger, the newest last, each with the balance right after it. If hasMore says that newer ones
    are missing, name a later fromDate.
    """
    paging = {"limit": STATEMENT_ROWS_MAX}
    request = {"poolId": asked.pool_id, "cursorPaging": paging, **given(fromDate=asked.from_date)}
    statement = await methods.call("getStatement", request)
    metadata, rows = statement.pop("metadata", {}), statement.pop("rows", [])
    return {
        **statement,
        "rows": rows[-LINES_MAX:],
        "olderRowsLeftOut": max(len(rows) - LINES_MAX, 0),
        "hasMore": metadata.get("hasNext", False),
    }


class CanRedeem(OfBeneficiary, frozen=True, kw_only=True):
    """Somebody, and an item."""

    item_id: Annotated[Text, msgspec.Meta(description="The item's external id.")]
    count: Count = 1
    target_date: Date | None = None


@tool(
    "Ask whether a member can book an item",
    "queryItems",
    "getEligibleBenefits",
    also=("checkBenefitEligibilityByFilter",),
)
async def can_redeem(methods: Methods, asked: CanRedeem) -> Any:
    """Say whether somebody can pay for an item with credits, from which pools, and if not, why.

    It changes nothing. Some keys may not learn the reasons: then only what pays is listed.
    """
    query = {"filter": {"externalId": asked.item_id}, "cursorPaging": {"limit": ITEMS_MAX}}
    items = (await methods.call("queryItems", {"query": query})).get("items", [])
    places = {
        (each["namespace"], each["providerAppId"], each.get("category")): each for each in items
    }
    return {
        "isItemKnown": bool(places),
        "answers": [await _can_redeem(methods, asked, item) for item in places.values()],
    }


async def _can_redeem(methods: Methods, asked: CanRedeem, item: dict[str, Any]) -> dict[str, Any]:
    reference = {
        name: item[name] for name in ("externalId", "providerAppId", "category") if item.get(name)
    }
    request = {
        "namespace": item["namespace"],
        "itemReference": reference,
        "count": asked.count,
        "beneficiary": asked.beneficiary,
        **given(targetDate=asked.target_date),
    }
    about = {"namespace": item["namespace"], "itemReference": reference}
    try:
        answer = await methods.call("checkBenefitEligibilityByFilter", request)
    except Refused as refused:
        if refused.status != FORBIDDEN:
            raise
        return {**about, **await methods.call("getEligibleBenefits", request)}
    return {**about, **answer}


Status = Literal["ACTIVE", "PAUSED", "ENDED"]


class ListPrograms(Arguments, frozen=True, kw_only=True):
    """What programs must be like; everything may be left out."""

    member_id: Text | None = None
    status: Status | None = None
    namespace: Text | None = None
    program_definition_id: Text | None = None
    renews_before: Date | None = None
    ends_before: Date | None = None
    cursor: Annotated[str, msgspec.Meta(description="Next page: cursors.next.")] | None = None

    @property
    def filter(self) -> dict[str, Any]:
        return _of_member(self.member_id) | given(
            status=self.status,
            namespace=self.namespace,
            programDefinitionId=self.program_definition_id,
            nextRenewalDate=self.renews_before and {"$lt": self.renews_before},
            endDate=self.ends_before and {"$lt": self.ends_before},
        )


@tool("List programs", "queryPrograms", also=("lookUpPeople",))
async def list_programs(methods: Methods, asked: ListPrograms) -> Any:
    """List programs: memberships and packs that members have.

    By status, definition, member, or by when they renew or end. With a cursor, leave out the rest.
    """
    query = _page(asked.filter, asked.cursor, limit=PROGRAMS_MAX)
    answer = await methods.call("queryPrograms", {"query": query})
    beneficiaries = [program["beneficiary"] for program in answer.get("programs", [])]
    return {**answer, "people": await _people(methods, beneficiaries)}


async def _people(methods: Methods, beneficiaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who they are, as far as the key may know it."""
    if not beneficiaries:
        return []
    named = {str(sorted(each.items())): each for each in beneficiaries}
    try:
        answer = await methods.call("lookUpPeople", {"beneficiaries": list(named.values())})
    except Refused as refused:
        if refused.status != FORBIDDEN:
            raise
        return []
    return [*answer.get("people", []), *answer.get("provided", [])]


class JobStatus(Arguments, frozen=True, kw_only=True):
    """A job, or the newest ones."""

    job_id: Annotated[Text, msgspec.Meta(description="Left out: the newest jobs.")] | None = None


@tool("See how a job is getting on", "getAsyncJob", "queryAsyncJobs", "listAsyncJobItems")
async def job_status(methods: Methods, asked: JobStatus) -> Any:
    """Tell how far a background job is, and what has failed and why."""
    if asked.job_id is None:
        query = {"query": {"cursorPaging": {"limit": JOBS_MAX}}}
        return await methods.call("queryAsyncJobs", query)
    job = await methods.call("getAsyncJob", {"jobId": asked.job_id})
    if not job["job"].get("counts", {}).get("failCount"):
        return job
    request = {"jobId": asked.job_id, "paging": {"limit": JOB_ITEMS_MAX}}
    items = (await methods.call("listAsyncJobItems", request)).get("jobItems", [])
    return {**job, "failures": [each for each in items if each.get("status") == "FAILURE"]}


class RecentChanges(Arguments, frozen=True, kw_only=True):
    """What changes are asked for."""

    member_id: Text | None = None
    program_id: Text | None = None
    pool_id: Text | None = None
    entity_id: (
        Annotated[Text, msgspec.Meta(description="Of anything: also a transaction.")] | None
    ) = None
    since: Date | None = None
    cursor: Annotated[str, msgspec.Meta(description="Next page: cursors.next.")] | None = None

    @property
    def filter(self) -> dict[str, Any]:
        return _of_member(self.member_id) | given(
            programId=self.program_id,
            poolId=self.pool_id,
            entityId=self.entity_id,
            createdDate=self.since and {"$gte": self.since},
        )


@tool("See who changed what", "queryAuditEntries")
async def recent_changes(methods: Methods, asked: RecentChanges) -> Any:
    """Tell who changed what, when, through what, and why, the newest first.

    With a cursor, leave out the rest.
    """
    query = _page(asked.filter, asked.cursor, limit=ENTRIES_MAX)
    return await methods.call("queryAuditEntries", {"query": query})


def _of_member(member_id: str | None) -> dict[str, Any]:
    return {} if member_id is None else {"beneficiary.memberId": member_id}


def _page(conditions: dict[str, Any], cursor: str | None, *, limit: int) -> dict[str, Any]:
    """A query for the first page, or with a cursor for the next one, which has the filter in it."""
    if cursor is not None:
        return {"cursorPaging": {"limit": limit, "cursor": cursor}}
    return {"filter": conditions, "cursorPaging": {"limit": limit}}


READING = (
    find_member,
    member_overview,
    explain_balance,
    can_redeem,
    list_programs,
    job_status,
    recent_changes,
)
