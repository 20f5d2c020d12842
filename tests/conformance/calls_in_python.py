"""A call of each method in Python: it makes the request that the world has of the method.

The reference shows these calls, with names in place of the ids of the world. Both clients take
them; the asynchronous one returns what to await.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import uuid4

from benefit_programs.client import (
    AdjustBalance,
    AnonymousVisitor,
    AsyncBenefitPrograms,
    Benefit,
    BenefitItem,
    BenefitSelector,
    Cascade,
    CreditConfiguration,
    Details,
    ItemChange,
    ItemReference,
    Member,
    NewItem,
    NewPerson,
    NewPoolDefinition,
    NewRedemption,
    NewReservation,
    PoolChange,
    PoolDefinitionChange,
    RenewalConfiguration,
    ReservationCancel,
    ReservationCapture,
    Role,
)
from tests.conformance.world import World

PythonCall: TypeAlias = Callable[[AsyncBenefitPrograms, World], Awaitable[Any]]

CALLS: dict[str, PythonCall] = {
    "createProgramDefinition": lambda client, _: client.program_definitions.create(
        namespace="gym", external_id="silver"
    ),
    "updateProgramDefinition": lambda client, it: client.program_definitions.update(
        it.program_definition, revision=1, display_name="New"
    ),
    "deleteProgramDefinition": lambda client, it: client.program_definitions.delete(
        it.program_definition
    ),
    "getProgramDefinition": lambda client, it: client.program_definitions.get(
        it.program_definition
    ),
    "getProgramDefinitionByExternalIdAndNamespace": lambda client, it: (
        client.program_definitions.get_by_external_id(
            it.program_definition_external, namespace="gym"
        )
    ),
    "queryProgramDefinitions": lambda client, it: client.program_definitions.query(
        {"id": it.program_definition}
    ).to_list(),
    "createPoolDefinition": lambda client, it: client.pool_definitions.create(
        namespace="gym",
        details=Details(
            benefits=[Benefit(benefit_key="towel", price=Decimal(10), provider_app_id=it.app)],
            credit_configuration=CreditConfiguration(amount=Decimal(100)),
        ),
        program_definition_ids=[it.program_definition],
        cascade=Cascade.IMMEDIATELY,
    ),
    "bulkCreatePoolDefinitions": lambda client, it: client.pool_definitions.bulk_create(
        [
            NewPoolDefinition(
                namespace="gym",
                details=Details(
                    benefits=[
                        Benefit(benefit_key="towel", price=Decimal(10), provider_app_id=it.app)
                    ],
                    credit_configuration=CreditConfiguration(amount=Decimal(100)),
                ),
                program_definition_ids=[it.program_definition],
            )
        ],
        cascade=Cascade.IMMEDIATELY,
    ),
    "updatePoolDefinition": lambda client, it: client.pool_definitions.update(
        it.pool_definition, revision=1, display_name="New", cascade=Cascade.IMMEDIATELY
    ),
    "bulkUpdatePoolDefinitions": lambda client, it: client.pool_definitions.bulk_update(
        [PoolDefinitionChange(id=it.pool_definition, revision=1, display_name="New")],
        cascade=Cascade.IMMEDIATELY,
        return_entity=True,
    ),
    "deletePoolDefinition": lambda client, it: client.pool_definitions.delete(
        it.pool_definition, cascade=Cascade.IMMEDIATELY
    ),
    "bulkDeletePoolDefinitions": lambda client, it: client.pool_definitions.bulk_delete(
        [it.pool_definition], cascade=Cascade.IMMEDIATELY
    ),
    "getPoolDefinition": lambda client, it: client.pool_definitions.get(it.pool_definition),
    "queryPoolDefinitions": lambda client, it: client.pool_definitions.query(
        {"program_definition_ids": {"$hasSome": [it.program_definition]}}
    ).to_list(),
    "addPoolDefinitionToProgramDefinition": lambda client, it: (
        client.pool_definitions.add_to_program_definition(
            it.other_pool_definition,
            program_definition_id=it.program_definition,
            cascade=Cascade.FUTURE_PROVISIONS,
        )
    ),
    "removePoolDefinitionFromProgramDefinition": lambda client, it: (
        client.pool_definitions.remove_from_program_definition(
            it.other_pool_definition,
            program_definition_id=it.program_definition,
            cascade=Cascade.FUTURE_PROVISIONS,
        )
    ),
    "findPoolDefinitionsByProgramDefinition": lambda client, it: (
        client.pool_definitions.find_by_program_definition(it.program_definition, namespace="gym")
    ),
    "provisionProgram": lambda client, it: client.programs.provision(
        program_definition_id=it.program_definition,
        beneficiary=Member(it.member),
        namespace="gym",
        external_program_id="order-1844",
    ),
    "renewProgram": lambda client, it: client.programs.renew(it.program),
    "pauseProgram": lambda client, it: client.programs.pause(it.program),
    "resumeProgram": lambda client, it: client.programs.resume(it.program),
    "endProgram": lambda client, it: client.programs.end(it.program),
    "scheduleProgramChange": lambda client, it: client.programs.schedule_pause(
        it.program,
        date=datetime(2100, 1, 1, tzinfo=UTC),
        until_date=datetime(2100, 2, 1, tzinfo=UTC),
    ),
    "getScheduledChange": lambda client, it: client.scheduled_changes.get(it.scheduled_change),
    "withdrawScheduledChange": lambda client, it: client.scheduled_changes.withdraw(
        it.scheduled_change
    ),
    "queryScheduledChanges": lambda client, it: client.scheduled_changes.query(
        {"program_id": it.program}
    ).to_list(),
    "updateProgram": lambda client, it: client.programs.update(
        it.program, revision=1, display_name="New"
    ),
    "getProgram": lambda client, it: client.programs.get(it.program),
    "getProgramTimetable": lambda client, it: client.programs.timetable(it.program),
    "previewTimetable": lambda client, _: client.program_definitions.timetable(
        renewal_configuration=RenewalConfiguration(every="P1M"),
        from_date=datetime(2027, 1, 31, 10, tzinfo=UTC),
    ),
    "queryPrograms": lambda client, it: client.programs.query(
        {"external_id": it.program_external}
    ).to_list(),
    "getProgramByExternalIdAndNamespace": lambda client, it: client.programs.get_by_external_id(
        it.program_external, namespace="gym"
    ),
    "getPool": lambda client, it: client.pools.get(it.pool),
    "updatePool": lambda client, it: client.pools.update(it.pool, revision=1, display_name="New"),
    "queryPools": lambda client, it: client.pools.query({"program_id": it.program}).to_list(),
    "redeemBenefit": lambda client, it: client.pools.redeem(
        it.pool,
        benefit_key="towel",
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        count=1,
        beneficiary=Member(it.member),
    ),
    "bulkRedeemBenefits": lambda client, it: client.pools.bulk_redeem(
        [
            NewRedemption(
                pool_id=it.pool,
                benefit_key="towel",
                item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
                namespace="gym",
                count=1,
                beneficiary=Member(it.member),
                idempotency_key=str(uuid4()),
            )
        ]
    ),
    "reallocateBenefit": lambda client, it: client.pools.reallocate(
        it.redemption,
        target_date=datetime(2027, 1, 1, tzinfo=UTC),
        beneficiary=Member(it.member),
        namespace="gym",
    ),
    "cancelRedemption": lambda client, it: client.pools.cancel_redemption(it.redemption),
    "reserveBenefit": lambda client, it: client.reservations.reserve(
        it.pool,
        benefit_key="towel",
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        count=1,
        beneficiary=Member(it.member),
        expires_after="PT1H",
    ),
    "captureBenefitReservation": lambda client, it: client.reservations.capture(it.reservation),
    "cancelBenefitReservation": lambda client, it: client.reservations.cancel(it.reservation),
    "bulkReserveBenefits": lambda client, it: client.reservations.bulk_reserve(
        [
            NewReservation(
                pool_id=it.pool,
                benefit_key="towel",
                item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
                namespace="gym",
                count=1,
                beneficiary=Member(it.member),
                idempotency_key=str(uuid4()),
            )
        ]
    ),
    "bulkCaptureBenefitReservations": lambda client, it: client.reservations.bulk_capture(
        [ReservationCapture(transaction_id=it.reservation, idempotency_key=str(uuid4()))]
    ),
    "bulkCancelBenefitReservations": lambda client, it: client.reservations.bulk_cancel(
        [ReservationCancel(transaction_id=it.reservation, idempotency_key=str(uuid4()))]
    ),
    "getReservation": lambda client, it: client.reservations.get(it.reservation),
    "queryReservations": lambda client, it: client.reservations.query(
        {"pool_id": it.pool}
    ).to_list(),
    "cancelByReference": lambda client, _: client.pools.cancel_by_reference(
        "booking:2", namespace="gym"
    ),
    "moveRedemption": lambda client, it: client.pools.move_redemption(it.redemption, it.other_pool),
    "redeemEligible": lambda client, it: client.pools.redeem_eligible(
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        beneficiary=Member(it.member),
        count=1,
    ),
    "checkBenefitEligibility": lambda client, it: client.pools.check_eligibility(
        it.pool,
        benefit_key="towel",
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        count=1,
        beneficiary=Member(it.member),
    ),
    "bulkCheckBenefitEligibility": lambda client, it: client.pools.bulk_check_eligibility(
        [
            BenefitSelector(
                pool_id=it.pool,
                item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
                count=1,
            )
        ],
        namespace="gym",
    ),
    "getEligibleBenefits": lambda client, it: client.pools.eligible_benefits(
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        count=1,
        beneficiary=Member(it.member),
    ),
    "bulkUpdatePools": lambda client, it: client.pools.bulk_update(
        [PoolChange(id=it.pool, revision=1, display_name="New")]
    ),
    "checkBenefitEligibilityByFilter": lambda client, it: client.pools.check_eligibility_by_filter(
        item_reference=ItemReference(external_id=it.item_external, provider_app_id=it.app),
        namespace="gym",
        count=1,
        beneficiary=Member(it.member),
    ),
    "createItem": lambda client, it: client.items.create(
        external_id=it.item_external,
        item_set_id=it.item_set,
        provider_app_id=it.app,
        namespace="gym",
    ),
    "bulkCreateItems": lambda client, it: client.items.bulk_create(
        [
            NewItem(
                external_id=it.item_external,
                item_set_id=it.item_set,
                provider_app_id=it.app,
                namespace="gym",
            )
        ],
        return_entity=True,
    ),
    "deleteItem": lambda client, it: client.items.delete(it.item),
    "bulkDeleteItems": lambda client, it: client.items.bulk_delete([it.item]),
    "bulkDeleteItemsByFilter": lambda client, it: client.items.bulk_delete_by_filter(
        namespace="gym", filter={"item_set_id": it.item_set}
    ),
    "updateItem": lambda client, it: client.items.update(it.item, revision=1, display_name="New"),
    "bulkUpdateItems": lambda client, it: client.items.bulk_update(
        [ItemChange(id=it.item, revision=1, display_name="New")]
    ),
    "getItem": lambda client, it: client.items.get(it.item),
    "listItems": lambda client, _: client.items.list(namespace="gym").to_list(),
    "queryItems": lambda client, it: client.items.query({"item_set_id": it.item_set}).to_list(),
    "countItems": lambda client, it: client.items.count({"item_set_id": it.item_set}),
    "queryPoolDefinitionItems": lambda client, it: client.pool_definition_items.query(
        {"pool_definition_id": it.pool_definition}
    ).to_list(),
    "removeItemsFromBenefit": lambda client, it: (
        client.pool_definition_items.remove_items_from_benefit(
            it.pool_definition,
            benefit_key="towel",
            items=[BenefitItem(external_id=it.item_external)],
        )
    ),
    "addItemsToBenefit": lambda client, it: client.pool_definition_items.add_items_to_benefit(
        it.pool_definition, benefit_key="towel", items=[BenefitItem(external_id=it.item_external)]
    ),
    "queryPoolItems": lambda client, it: client.pool_items.query({"pool_id": it.pool}).to_list(),
    "getBalance": lambda client, it: client.balances.get(it.pool),
    "listBalances": lambda client, it: client.balances.list([it.pool]).to_list(),
    "queryBalances": lambda client, it: client.balances.query(
        {"beneficiary.member_id": it.member}
    ).to_list(),
    "changeBalance": lambda client, it: client.balances.change(it.pool, AdjustBalance(value=5)),
    "revertBalanceChange": lambda client, it: client.balances.revert_change(it.change),
    "grantCredits": lambda client, it: client.lots.grant(
        it.pool, 5, expires_after="P30D", display_name="Pack of 5"
    ),
    "getLot": lambda client, it: client.lots.get(it.lot),
    "listLots": lambda client, it: client.lots.list(it.pool).to_list(),
    "queryLots": lambda client, it: client.lots.query({"pool_id": it.pool}).to_list(),
    "updateLot": lambda client, it: client.lots.update(it.lot, revision=1, display_name="New"),
    "expireLot": lambda client, it: client.lots.expire(it.lot),
    "getTransaction": lambda client, it: client.transactions.get(it.change),
    "queryTransactions": lambda client, it: client.transactions.query(
        {"pool.id": it.pool}
    ).to_list(),
    "queryAuditEntries": lambda client, it: client.audit.query({"pool_id": it.pool}).to_list(),
    "getAsyncJob": lambda client, it: client.async_jobs.get(it.job),
    "listAsyncJobItems": lambda client, it: client.async_jobs.list_items(it.job).to_list(),
    "getSettings": lambda client, _: client.settings.get(),
    "getClock": lambda client, _: client.clock.get(),
    "setClock": lambda client, _: client.clock.advance("P1D"),
    "updateSettings": lambda client, _: client.settings.update(time_zone="Europe/Berlin"),
    "eraseBeneficiary": lambda client, it: client.beneficiaries.erase(Member(it.member)),
    "listEvents": lambda client, it: client.events.page(entity_id=it.pool),
    "getBalanceAsOf": lambda client, it: client.statements.as_of(
        it.pool, datetime(2020, 1, 1, tzinfo=UTC)
    ),
    "getStatement": lambda client, it: client.statements.get(it.pool),
    "getStatements": lambda client, _: client.statements.of_pools(datetime(2020, 1, 1, tzinfo=UTC)),
    "getActivity": lambda client, _: client.statements.activity(datetime(2020, 1, 1, tzinfo=UTC)),
    "getOverview": lambda client, it: client.beneficiaries.overview(Member(it.member)),
    "exportBeneficiary": lambda client, it: client.beneficiaries.export(
        Member(it.member)
    ).to_list(),
    "mergeBeneficiary": lambda client, it: client.beneficiaries.merge(
        AnonymousVisitor(it.visitor), Member(it.member)
    ),
    "setPerson": lambda client, it: client.people.set(
        Member(it.member), display_name="Ada Lovelace"
    ),
    "bulkSetPeople": lambda client, it: client.people.bulk_set(
        [NewPerson(beneficiary=Member(it.member), display_name="Ada Lovelace")],
        return_entity=True,
    ),
    "updatePerson": lambda client, it: client.people.update(
        it.person, revision=1, display_name="New"
    ),
    "deletePerson": lambda client, it: client.people.delete(it.person),
    "getPerson": lambda client, it: client.people.get(it.person),
    "lookUpPeople": lambda client, it: client.people.look_up([Member(it.member)]),
    "queryPeople": lambda client, it: client.people.query(
        {"beneficiary": Member(it.member)}
    ).to_list(),
    "searchPeople": lambda client, _: client.people.find("ada lov"),
    "createWebhookEndpoint": lambda client, _: client.webhooks.create("https://receiver.test/"),
    "updateWebhookEndpoint": lambda client, it: client.webhooks.update(
        it.endpoint, revision=1, description="New"
    ),
    "deleteWebhookEndpoint": lambda client, it: client.webhooks.delete(it.endpoint),
    "getWebhookEndpoint": lambda client, it: client.webhooks.get(it.endpoint),
    "queryWebhookEndpoints": lambda client, it: client.webhooks.query(
        {"id": it.endpoint}
    ).to_list(),
    "rotateWebhookSecret": lambda client, it: client.webhooks.rotate_secret(it.endpoint),
    "testWebhookEndpoint": lambda client, it: client.webhooks.test(it.endpoint),
    "replayWebhookEndpoint": lambda client, it: client.webhooks.replay(
        it.endpoint, since=datetime(2020, 1, 1, tzinfo=UTC)
    ),
    "queryWebhookDeliveries": lambda client, it: client.webhooks.query_deliveries(
        {"webhook_endpoint_id": it.endpoint}
    ).to_list(),
    "resendWebhookDelivery": lambda client, it: client.webhooks.resend(it.delivery),
    "queryAsyncJobs": lambda client, it: client.async_jobs.query(
        {"subject_id": it.program}
    ).to_list(),
    "retryAsyncJob": lambda client, it: client.async_jobs.retry(it.job),
    "cancelAsyncJob": lambda client, it: client.async_jobs.cancel(it.job),
    "createApiKey": lambda client, _: client.api_keys.create("desk", role=Role.FRONT_DESK),
    "queryApiKeys": lambda client, it: client.api_keys.query({"id": it.api_key}).to_list(),
    "getApiKey": lambda client, it: client.api_keys.get(it.api_key),
    "revokeApiKey": lambda client, it: client.api_keys.revoke(it.api_key),
    "inviteConsoleUser": lambda client, _: client.console_users.invite("Ada", role=Role.FRONT_DESK),
    "queryConsoleUsers": lambda client, it: client.console_users.query(
        {"id": it.console_user}
    ).to_list(),
    "revokeConsoleUser": lambda client, it: client.console_users.revoke(it.console_user),
    "createTenant": lambda client, _: client.tenants.create("New"),
    "getTenant": lambda client, it: client.tenants.get(it.site),
    "listTenants": lambda client, _: client.tenants.list().to_list(),
    "getHealth": lambda client, _: client.health.get(),
    "listWebhookKeys": lambda client, _: client.webhooks.keys(),
    "rotateWebhookKey": lambda client, _: client.webhooks.rotate_key(),
}
