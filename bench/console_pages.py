"""What is asked of the console: each of its pages, the hard ones in several ways."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from bench.scenarios import State


class Question(NamedTuple):
    """A page of the console: what is looked for, the path of the page, and where it is."""

    name: str
    page: str
    at: str


def make_questions(state: State) -> list[Question]:
    """Ask for every page, of the newest member and of one with many packs."""
    member, busy = (f"/people/member/{state[name]}" for name in ("memberId", "busyMemberId"))
    return [
        *_at_the_desk(state, member, busy),
        *_of_a_day(),
        *_of_all(state),
        *_of_definitions(state),
        *_of_operators(state),
    ]


def _at_the_desk(state: State, member: str, busy: str) -> list[Question]:
    person, who = "/people/{kind}/{id}", f"kind=member&id={state['memberId']}"
    entry = f"{member}/entries/{state['transactionId']}"
    return [
        Question("find: nothing yet", "/find", "/find"),
        Question("find: a name of a tenth", "/find", "/find?q=anna"),
        Question("find: two names", "/find", "/find?q=anna+smith"),
        Question("find: an id, all its ways", "/find", f"/find?q={state['memberId']}&all=1"),
        Question("find: what nobody has", "/find", "/find?q=xylophon"),
        Question("person", person, member),
        Question("person with many programs", person, busy),
        Question("person: use", f"{person}/use", f"{member}/use"),
        Question("person: changes", f"{person}/changes", f"{member}/changes"),
        Question("person: statement", f"{person}/statement", f"{member}/statement"),
        Question("person: an entry", f"{person}/entries/{{transaction}}", entry),
        Question("redeem: choose an item", "/redeem", "/redeem"),
        Question("redeem: choose a pack", "/redeem", f"/redeem?item={state['itemId']}&{who}"),
        Question("sell: choose an offer", "/sell", "/sell"),
        Question("sell: to somebody", "/sell", f"/sell?offer={state['programDefinitionId']}&{who}"),
        Question("program", "/programs/{id}", f"/programs/{state['programId']}"),
        Question("pool", "/pools/{id}", f"/pools/{state['poolId']}"),
    ]


def _of_a_day() -> list[Question]:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return [
        Question("today", "/today", "/today"),
        Question("today: another day", "/today", f"/today?day={yesterday:%Y-%m-%d}"),
        Question("today: one or less left", "/today/{which}", "/today/low"),
        Question("today: none left, nobody", "/today/{which}", "/today/low?left=0"),
        Question("today: who expires", "/today/{which}", "/today/expiring"),
        Question("today: who renews", "/today/{which}", "/today/renewing"),
        Question("today: who ends", "/today/{which}", "/today/ending"),
    ]


def _of_all(state: State) -> list[Question]:
    month_ago = datetime.now(UTC) - timedelta(days=30)
    day, after = f"{month_ago:%Y-%m-%d}", f"{month_ago + timedelta(days=1):%Y-%m-%d}"
    pack = state["poolDefinitionId"]
    return [
        Question("ledger", "/ledger", "/ledger"),
        Question("ledger: of a member", "/ledger", f"/ledger?who={state['memberId']}"),
        Question("ledger: of a name", "/ledger", "/ledger?who=anna+smith"),
        Question("ledger: of a pack", "/ledger", f"/ledger?pool={state['poolId']}"),
        Question("ledger: of no booking", "/ledger", "/ledger?reference=nothing"),
        Question("ledger: a day last month", "/ledger", f"/ledger?since={day}&until={after}"),
        Question("ledger: before that day", "/ledger", f"/ledger?until={day}"),
        Question("figures", "/figures", "/figures"),
        Question("figures: three months", "/figures", "/figures?months=3"),
        Question("figures: of a pack", "/figures", f"/figures?pack={pack}"),
        Question("audit", "/audit", "/audit"),
        Question("audit: of a member", "/audit", f"/audit?member={state['memberId']}"),
        Question("audit: of a program", "/audit", f"/audit?entity={state['programId']}"),
        Question("audit: by nobody", "/audit", f"/audit?principal={quote('nobody')}"),
        Question("audit: of no request", "/audit", "/audit?request=nothing"),
        Question("audit: a day last month", "/audit", f"/audit?from={day}&to={after}"),
        Question("bulk", "/bulk", "/bulk"),
        Question("bulk: grant to a pack", "/bulk/grant", f"/bulk/grant?pack={pack}"),
        Question(
            "bulk: move ends",
            "/bulk/move",
            f"/bulk/move?offer={state['endingDefinitionId']}",
        ),
        Question(
            "bulk: move, nothing ends",
            "/bulk/move",
            f"/bulk/move?offer={state['programDefinitionId']}",
        ),
        Question("bulk: import", "/bulk/import/{what}", "/bulk/import/people"),
    ]


def _of_definitions(state: State) -> list[Question]:
    pack, program = state["poolDefinitionId"], state["programDefinitionId"]
    return [
        Question("definitions", "/definitions", "/definitions"),
        Question("definition", "/definitions/{id}", f"/definitions/{pack}"),
        Question("programs offered", "/program-definitions", "/program-definitions"),
        Question("program offered", "/program-definitions/{id}", f"/program-definitions/{program}"),
    ]


def _of_operators(state: State) -> list[Question]:
    endpoint = f"/webhooks/{state['webhookEndpointId']}"
    return [
        Question("jobs", "/jobs", "/jobs"),
        Question("jobs: running, none is", "/jobs", "/jobs?show=running"),
        Question("jobs: failed, none has", "/jobs", "/jobs?show=failed"),
        Question("job", "/jobs/{id}", f"/jobs/{state['jobId']}"),
        Question("webhooks", "/webhooks", "/webhooks"),
        Question("webhook", "/webhooks/{id}", endpoint),
        Question("webhook: waiting, none is", "/webhooks/{id}", f"{endpoint}?show=waiting"),
        Question("webhook: given up", "/webhooks/{id}", f"{endpoint}?show=failed"),
        Question("access", "/access", "/access"),
        Question("keys", "/access/keys", "/access/keys"),
        Question("settings", "/settings", "/settings"),
        Question("health", "/health", "/health"),
        Question("sign in", "/sign-in", "/sign-in"),
    ]
