"""Callers who change definitions while members hold live pools, and a few jobs now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, precondition, rule

from benefit_programs.domain.entities import (
    Agenda,
    Job,
    Order,
    Pool,
    Snapshot,
    Transaction,
)
from benefit_programs.domain.job_commands import ReleaseJob
from benefit_programs.domain.orders.chunks import RunChunk
from benefit_programs.wire.codec import amount_text
from tests.support import ledger_model, lives_model
from tests.support.calls import Refused, benefit, details
from tests.support.ledger_machine import CREDIT, LedgerMachine
from tests.support.ledger_model import Entry
from tests.support.lifecycle import claim_job, do, do_jobs, limit_requests
from tests.support.lives_model import Life, LivingPool, ModelOrder, Pass, Plan, Terms
from tests.support.wallet import Wallet, add_item

if TYPE_CHECKING:
    from collections.abc import Collection

PROGRAMS_MAX = 4
PASSES_MAX = 3
PLANS_MAX = 2

NOW, LATER, NEVER = "IMMEDIATELY", "NEXT_RENEWAL", "FUTURE_PROVISIONS"
CASCADES = st.sampled_from([NOW, LATER, NEVER])
PRICES = st.sampled_from([1, 9_999, 25_000])
CREDITS = st.sampled_from([0, 5 * CREDIT, 10 * CREDIT])
ROLLOVERS = st.sampled_from([None, 0, 3 * CREDIT, 1_000 * CREDIT])
ACTIONS = st.sampled_from(["pause", "resume", "end", "renew", "renew"])
ALLOWED = {"pause": ["ACTIVE"], "resume": ["PAUSED"]}
STATUS = {"pause": "PAUSED", "resume": "ACTIVE", "end": "ENDED", "renew": "ACTIVE"}
ACTION_KEYS = st.sampled_from(["one", "two", "three", "four", "five", "six"])
AT_ONCE = st.sampled_from([0, 1, 100])
CHOICE = st.integers(0, 11)


def settled(terms: Terms) -> dict[str, Any]:
    """The credit configuration of terms."""
    rollover = {"enabled": terms.rollover is not None}
    if terms.rollover is not None:
        rollover["balanceCap"] = amount_text(terms.rollover)  # type: ignore[assignment]
    return {"amount": amount_text(terms.amount), "rolloverConfiguration": rollover}


class LivesMachine(LedgerMachine):
    """The ledger's machine with programs, definitions, cascades and jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[Plan] = []
        self.passes: list[Pass] = []
        self.programs: list[lives_model.Program] = []
        self.jobs: set[str] = set()
        self.drawn = 0

    # What there is at the beginning, and what comes to it.

    @initialize(target=LedgerMachine.pools, most=AT_ONCE)
    def open_first(self, most: int) -> Any:
        self.limit_at_once(most)
        self.plan()
        self.pass_(self.plans[0], NEVER, Terms(1, 10 * CREDIT, 3 * CREDIT, 25_000))
        return self.provision()

    @rule(most=AT_ONCE)
    def limit_at_once(self, most: int) -> None:
        self.run(limit_requests(self.service, most))

    @precondition(lambda self: len(self.plans) < PLANS_MAX)
    @rule()
    def plan(self) -> None:
        document = self.run(self.service.create_program_definition())
        self.plans.append(Plan(document["id"], document))

    @precondition(lambda self: self.living_plans and len(self.passes) < PASSES_MAX)
    @rule(
        target=LedgerMachine.pools,
        choice=CHOICE,
        cascade=CASCADES,
        amount=CREDITS,
        rollover=ROLLOVERS,
        price=PRICES,
    )
    def create(
        self, choice: int, cascade: str, amount: int, rollover: int | None, price: int
    ) -> Any:
        return self.pass_(
            self.chosen(self.living_plans, choice), cascade, Terms(1, amount, rollover, price)
        )

    def pass_(self, plan: Plan, cascade: str, terms: Terms) -> Any:
        """Make a pool definition in a plan, and items for its benefits."""
        limit = {"times": ledger_model.LIMIT_TIMES, "timePeriod": "DAY"}
        options = {"type": "RATE_LIMITED", "rateLimitedOptions": limit}
        new = {
            "namespace": "gym",
            "details": details(
                benefit("free", price="0"),
                benefit(
                    "limited",
                    price="0.3333",
                    policyExpression={"type": "POLICY", "policyOptions": options},
                ),
                benefit("towel", price=amount_text(terms.price)),
                creditConfiguration=settled(terms),
            ),
            "programDefinitionIds": [plan.id],
        }
        request = {"poolDefinition": new, "cascade": cascade}
        answer = self.run(self.service.call("createPoolDefinition", request))
        made = answer["poolDefinition"]
        for each in made["details"]["benefits"]:
            self.run(add_item(self.service, each, f"item of {each['benefitKey']}"))
        pass_ = Pass(made["id"], made, terms, [])
        self.passes.append(pass_)
        self.added(pass_, plan, cascade)
        return self.look()

    @precondition(lambda self: self.living_plans and len(self.programs) < PROGRAMS_MAX)
    @rule(target=LedgerMachine.pools)
    def provision(self) -> Any:
        plan = self.living_plans[-1]
        answer = self.run(self.service.provision(program_definition=plan.document))
        program = lives_model.Program(answer["program"]["id"], answer["program"], plan, "ACTIVE")
        self.programs.append(program)
        for pass_ in self.passes:
            if plan in pass_.plans:
                program.open(pass_, pass_.terms, is_provisioned=True)
        return self.look()

    # Definitions change.

    @precondition(lambda self: self.passes)
    @rule(
        target=LedgerMachine.pools,
        choice=CHOICE,
        cascade=CASCADES,
        amount=CREDITS,
        rollover=ROLLOVERS,
        price=PRICES,
    )
    def update(
        self, choice: int, cascade: str, amount: int, rollover: int | None, price: int
    ) -> Any:
        pass_ = self.chosen(self.passes, choice)
        terms = pass_.change(amount=amount, rollover=rollover, price=price)
        benefits = [
            {**each, "price": amount_text(price)} if each["benefitKey"] == "towel" else each
            for each in pass_.document["details"]["benefits"]
        ]
        change = {
            "id": pass_.id,
            "revision": str(terms.revision - 1),
            "details": {"benefits": benefits, "creditConfiguration": settled(terms)},
        }
        request = {"poolDefinition": change, "cascade": cascade}
        self.run(self.service.call("updatePoolDefinition", request))
        if cascade != NEVER:
            kind = "UPDATE" if cascade == NOW else "UPDATE LATER"
            self.reach(pass_, kind, terms=terms)
            for plan in self.plans:
                if pass_.id in plan.pending:
                    plan.pending[pass_.id] = (pass_, terms)
        return self.look()

    @precondition(lambda self: self.passes and self.living_plans)
    @rule(target=LedgerMachine.pools, choice=CHOICE, other=CHOICE, cascade=CASCADES)
    def add(self, choice: int, other: int, cascade: str) -> Any:
        pass_, plan = self.chosen(self.passes, choice), self.chosen(self.living_plans, other)
        self.place("addPoolDefinitionToProgramDefinition", pass_, plan, cascade)
        if plan not in pass_.plans:
            pass_.change()
            self.added(pass_, plan, cascade)
        return self.look()

    def added(self, pass_: Pass, plan: Plan, cascade: str) -> None:
        """A pass belongs to a plan from now on."""
        pass_.plans.append(plan)
        if cascade == NEVER:
            return
        self.reach(pass_, "KEEP", plan=plan)
        if cascade == LATER:
            plan.pending[pass_.id] = (pass_, pass_.terms)
            return
        for program in self.programs:
            if program.plan is plan:
                program.open(pass_, pass_.terms)

    @precondition(lambda self: self.passes and self.living_plans)
    @rule(target=LedgerMachine.pools, choice=CHOICE, other=CHOICE, cascade=CASCADES)
    def remove(self, choice: int, other: int, cascade: str) -> Any:
        pass_, plan = self.chosen(self.passes, choice), self.chosen(self.living_plans, other)
        self.place("removePoolDefinitionFromProgramDefinition", pass_, plan, cascade)
        if plan in pass_.plans:
            pass_.change()
            pass_.plans.remove(plan)
            plan.pending.pop(pass_.id, None)
            self.end(pass_, cascade, plan)
        return self.look()

    def place(self, method: str, pass_: Pass, plan: Plan, cascade: str) -> None:
        request = {
            "poolDefinitionId": pass_.id,
            "programDefinitionId": plan.id,
            "cascade": cascade,
        }
        self.run(self.service.call(method, request))

    @precondition(lambda self: len(self.passes) > 1)
    @rule(target=LedgerMachine.pools, choice=CHOICE, cascade=CASCADES)
    def delete(self, choice: int, cascade: str) -> Any:
        pass_ = self.chosen(self.passes, choice)
        request = {"poolDefinitionId": pass_.id, "cascade": cascade}
        self.run(self.service.call("deletePoolDefinition", request))
        self.passes.remove(pass_)
        for plan in self.plans:
            plan.pending.pop(pass_.id, None)
        self.end(pass_, cascade)
        return self.look()

    @precondition(lambda self: len(self.living_plans) > 1)
    @rule(target=LedgerMachine.pools, choice=CHOICE, cascade=CASCADES)
    def delete_plan(self, choice: int, cascade: str) -> Any:
        plan = self.chosen(self.living_plans, choice)
        living = [program for program in self.programs if program.plan is plan]
        arriving = [each for each in living if self.read(each)["status"] == "PROVISIONING"]
        request = {"programDefinitionId": plan.id, "cascadeType": cascade}
        self.run(self.service.call("deleteProgramDefinition", request))
        plan.is_there = False
        plan.pending.clear()
        plan.ends = cascade == LATER
        for pass_ in self.passes:
            if plan in pass_.plans:
                pass_.change()
                pass_.plans.remove(plan)
        self.end(None, cascade, plan)
        if cascade == NOW:
            for program in living:
                program.status = "ENDED"
            for program in arriving:
                program.arrive_no_more()
        return self.look()

    def end(self, pass_: Pass | None, cascade: str, plan: Plan | None = None) -> None:
        """End pools, or mark them to end."""
        if cascade == NOW:
            self.reach(pass_, "STATUS", plan=plan, status="ENDED")
        elif cascade == LATER:
            self.reach(pass_, "END LATER", plan=plan)

    def reach(
        self,
        pass_: Pass | None,
        kind: str,
        *,
        plan: Plan | None = None,
        terms: Terms | None = None,
        status: str = "",
    ) -> None:
        """Have something happen to pools, each when its turn comes."""
        for program in self.programs:
            for pool in program.pools:
                if pass_ in (None, pool.pass_) and plan in (None, program.plan):
                    pool.ahead.append(ModelOrder(kind, terms, status, program.plan.ends))

    # Programs live.

    @rule(target=LedgerMachine.pools, choice=CHOICE, action=ACTIONS, key=ACTION_KEYS)
    def act(self, choice: int, action: str, key: str) -> Any:
        """Pause, resume, end or renew: done once per key, or refused in the contract's order."""
        program = self.chosen(self.programs, choice)
        keyed = {} if action == "end" else {"idempotencyKey": key}
        request = {"programId": program.id, **keyed}
        is_busy = "targetStatus" in self.read(program)
        response = self.run(self.service.send(f"{action}Program", request))
        first = program.keys.get((action, key)) if keyed else None
        if first is not None and action == "renew":
            assert response.json() == {"jobId": first}
        elif first is not None:
            self.require_refusal(response, 409, "ALREADY_EXECUTED", jobId=first)
        elif is_busy:
            self.require_refusal(response, 409, "IN_PROGRESS")
        elif program.status not in ALLOWED.get(action, ["ACTIVE", "PAUSED"]):
            data = {"currentStatus": program.status, "requestedStatus": STATUS[action]}
            self.require_refusal(response, 428, "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED", **data)
        else:
            assert response.status_code == httpx.codes.OK, response.text
            job_id = response.json()["jobId"]
            assert job_id not in self.jobs
            self.jobs.add(job_id)
            if keyed:
                program.keys[action, key] = job_id
            self.acted(program, action)
        return self.look()

    @staticmethod
    def require_refusal(response: httpx.Response, status: int, code: str, **data: str) -> None:
        refused = Refused(response)
        assert (refused.status, refused.code) == (status, code), refused
        assert refused.data.items() >= data.items(), refused

    def acted(self, program: lives_model.Program, action: str) -> None:
        """An action on a program and on all pools that it has by now."""
        ends = program.plan.ends
        if action == "renew":
            order = ModelOrder("RENEW", ends=ends)
        else:
            order = ModelOrder("STATUS", status=STATUS[action])
            program.status = STATUS[action]
        for pool in program.pools:
            pool.ahead.append(order)
        if action != "renew":
            return
        if ends:
            program.status = "ENDED"
            return
        for pass_, terms in program.plan.pending.values():
            program.open(pass_, terms)

    # Jobs are done, and everything is looked at.

    @rule(target=LedgerMachine.pools, rows=st.integers(1, 4))
    def work(self, rows: int) -> Any:
        """Do a few rows of the job whose turn it is, one by one."""
        self.run(self.work_on(rows))
        return self.look()

    @rule(target=LedgerMachine.pools)
    def settle(self) -> Any:
        """Do all jobs to their end: nothing is left ahead of any pool."""
        self.run(do_jobs(self.service))
        seen = self.look([pool for program in self.programs for pool in program.pools])
        for program in self.programs:
            document = self.read(program)
            assert document["status"] == program.status
            assert "targetStatus" not in document
            assert all(pool.id and not pool.ahead for pool in program.pools)
        assert all(order.stands for order in self.run(self.service.rows(Order)))
        assert all(agenda.since is None for agenda in self.run(self.service.rows(Agenda)))
        assert {row.status for row in self.run(self.service.rows(Job))} == {"FINISHED"}
        return seen

    async def work_on(self, rows: int) -> Any:
        claim = await claim_job(self.service)
        if claim is None:
            return
        for _ in range(rows):
            chunk = RunChunk(job_id=claim.job.id, owner="one", size=1)
            if (await do(self.service, chunk)).is_over:
                return
        await do(self.service, ReleaseJob(job_id=claim.job.id, owner="one"))

    def look(self, arrived: Collection[LivingPool] = ()) -> Any:
        """Find every pool before or after each order, never between; give those that are new.

        Steps that leave nothing to see count as ahead, but for pools that must have ``arrived``.
        """
        rows = self.run(self.service.rows(Pool))
        snapshots = {row.id: row for row in self.run(self.service.rows(Snapshot))}
        booked: dict[str, list[Transaction]] = {}
        for transaction in self.run(self.service.rows(Transaction)):
            booked.setdefault(transaction.pool_id, []).append(transaction)
        for program in self.programs:
            for pass_id in dict.fromkeys(pool.pass_.id for pool in program.pools):
                expected = [pool for pool in program.pools if pool.pass_.id == pass_id]
                found = [
                    row
                    for row in rows
                    if (row.program_id, row.pool_definition_id) == (program.id, pass_id)
                ]
                assert len(found) <= len(expected), f"{len(found)} pools instead of {expected}"
                for row, pool in zip(found, expected, strict=False):
                    self.see(pool, row, snapshots, booked.get(row.id, []), arrived)
        assert len(rows) == len(self.known), "there are pools that nobody asked for"
        fresh, self.drawn = self.known[self.drawn :], len(self.known)
        return multiple(*fresh)

    def see(
        self,
        pool: LivingPool,
        row: Pool,
        snapshots: dict[str, Snapshot],
        transactions: list[Transaction],
        arrived: Collection[LivingPool],
    ) -> None:
        """Take a pool through as many of its orders as its row has been through."""
        transactions.sort(key=lambda each: each.balance_revision)
        if not pool.id:
            self.born(pool, row, transactions)
        seen = self.seen(row, snapshots)
        new = [
            (each, each.amount if each.target == "AVAILABLE" else -each.amount)
            for each in transactions[len(pool.entries) :]
        ]
        booked = [(str(each.operation), change) for each, change in new]
        fits = [
            (orders, life)
            for orders, (life, entries) in enumerate(pool.futures())
            if self.shown(life) == seen and entries == booked
        ]
        assert fits, f"{seen} {booked} is none of {[*map(self.shown_future, pool.futures())]}"
        pool.take(*fits[-1 if any(pool is each for each in arrived) else 0])
        for each, change in new:
            pool.entries.append(Entry(each.id, pool, str(each.operation), change))
        self.agree(pool)

    def born(self, pool: LivingPool, row: Pool, transactions: list[Transaction]) -> None:
        """Give a pool that was expected its id, and the entry that it was opened with."""
        pool.id = row.id
        document = {"beneficiary": pool.program.document["beneficiary"]}
        self.wallets[pool.id] = Wallet(self.service, pool.pass_.document, document, row.id)
        self.known.append(pool)
        if pool.life.terms.amount:
            opening = transactions[0]
            assert (opening.operation, opening.amount) == ("PROVISION", pool.life.terms.amount)
            pool.entries.append(Entry(opening.id, pool, "PROVISION", opening.amount))

    @staticmethod
    def seen(row: Pool, snapshots: dict[str, Snapshot]) -> tuple[Any, ...]:
        """What a row says of a life."""
        terms = snapshots[row.snapshot_id].details
        prices = {each.benefit_key: each.price for each in terms.benefits or ()}
        return (
            str(row.status),
            row.pool_definition_revision,
            terms.credit_amount,
            prices["towel"],
            str(row.renewal_action or ""),
            row.renewal_revision,
            row.renewal_count,
        )

    @staticmethod
    def shown(life: Life) -> tuple[Any, ...]:
        """What a row should say of a life."""
        return (
            life.status,
            life.terms.revision,
            life.terms.amount,
            life.terms.price,
            life.action,
            life.pending.revision if life.pending else None,
            life.renewals,
        )

    def shown_future(self, future: tuple[Life, Any]) -> tuple[Any, ...]:
        return self.shown(future[0]), future[1]

    def update_price(self, pool: Any, price: int) -> None:
        """A pool that is changed by hand has all that was answered before behind it."""
        pool.ahead.append(ModelOrder("PRICE", Terms(0, 0, None, price)))
        self.look([pool])
        assert pool.ahead == []

    # Helpers.

    @property
    def living_plans(self) -> list[Plan]:
        return [plan for plan in self.plans if plan.is_there]

    @staticmethod
    def chosen(of: list[Any], choice: int) -> Any:
        return of[choice % len(of)]

    def read(self, program: lives_model.Program) -> dict[str, Any]:
        answer = self.run(self.service.call("getProgram", {"programId": program.id}))
        return answer["program"]  # type: ignore[no-any-return]

    def teardown(self) -> None:
        """When all jobs are done everything is as answered, and the books are the model's."""
        if self.agreed:
            self.settle()
        super().teardown()
