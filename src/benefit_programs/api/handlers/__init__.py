"""What each method of the contract does with a call.

A handler takes the call and its decoded request and gives the response. Writes go through the
engine, reads straight to the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benefit_programs.api.call import Call
from benefit_programs.api.handlers import (
    async_jobs,
    balances,
    eligibility,
    item_deletion,
    items,
    lifecycle,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    redemptions,
    settings,
    transactions,
)

Handler = Callable[[Call, Any], Awaitable[Any]]

HANDLERS: dict[str, Handler] = {
    "createProgramDefinition": program_definitions.create,
    "updateProgramDefinition": program_definitions.update,
    "deleteProgramDefinition": program_definitions.delete,
    "getProgramDefinition": program_definitions.get,
    "getProgramDefinitionByExternalIdAndNamespace": program_definitions.get_by_external_id,
    "queryProgramDefinitions": program_definitions.query,
    "createPoolDefinition": pool_definitions.create,
    "bulkCreatePoolDefinitions": pool_definitions.bulk_create,
    "updatePoolDefinition": pool_definitions.update,
    "bulkUpdatePoolDefinitions": pool_definitions.bulk_update,
    "deletePoolDefinition": pool_definitions.delete,
    "bulkDeletePoolDefinitions": pool_definitions.bulk_delete,
    "getPoolDefinition": pool_definitions.get,
    "queryPoolDefinitions": pool_definitions.query,
    "addPoolDefinitionToProgramDefinition": pool_definitions.add_to_program_definition,
    "removePoolDefinitionFromProgramDefinition": pool_definitions.remove_from_program_definition,
    "findPoolDefinitionsByProgramDefinition": pool_definitions.find_by_program_definition,
    "provisionProgram": programs.provision,
    "pauseProgram": lifecycle.pause,
    "resumeProgram": lifecycle.resume,
    "endProgram": lifecycle.end,
    "renewProgram": lifecycle.renew,
    "updateProgram": programs.update,
    "getProgram": programs.get,
    "getProgramByExternalIdAndNamespace": programs.get_by_external_id,
    "queryPrograms": programs.query,
    "getPool": pools.get,
    "queryPools": pools.query,
    "updatePool": pools.update,
    "bulkUpdatePools": pools.bulk_update,
    "redeemBenefit": redemptions.redeem,
    "reallocateBenefit": redemptions.reallocate,
    "cancelRedemption": redemptions.cancel,
    "checkBenefitEligibility": eligibility.check,
    "bulkCheckBenefitEligibility": eligibility.bulk_check,
    "getEligibleBenefits": eligibility.get_eligible,
    "checkBenefitEligibilityByFilter": eligibility.check_by_filter,
    "createItem": items.create,
    "bulkCreateItems": items.bulk_create,
    "deleteItem": items.delete,
    "bulkDeleteItems": items.bulk_delete,
    "bulkDeleteItemsByFilter": item_deletion.delete_by_filter,
    "updateItem": items.update,
    "bulkUpdateItems": items.bulk_update,
    "getItem": items.get,
    "listItems": items.list_,
    "queryItems": items.query,
    "countItems": items.count,
    "queryPoolDefinitionItems": pool_definition_items.query,
    "addItemsToBenefit": pool_definition_items.add_items,
    "removeItemsFromBenefit": pool_definition_items.remove_items,
    "queryPoolItems": pool_items.query,
    "getBalance": balances.get,
    "listBalances": balances.list_,
    "queryBalances": balances.query,
    "changeBalance": balances.change,
    "revertBalanceChange": balances.revert,
    "getTransaction": transactions.get,
    "queryTransactions": transactions.query,
    "getAsyncJob": async_jobs.get,
    "listAsyncJobItems": async_jobs.list_items,
    "getSettings": settings.get,
    "updateSettings": settings.update,
}

MEMBER_METHODS = frozenset({"queryPoolItems", "queryPools", "queryBalances", "getEligibleBenefits"})
"""What a member's key may call, for its own rows alone."""
