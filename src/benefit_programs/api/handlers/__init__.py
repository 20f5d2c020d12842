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
    pool_definitions,
    pools,
    program_definitions,
    programs,
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
    "updateProgram": programs.update,
    "getProgram": programs.get,
    "getProgramByExternalIdAndNamespace": programs.get_by_external_id,
    "queryPrograms": programs.query,
    "getPool": pools.get,
    "queryPools": pools.query,
    "getBalance": balances.get,
    "listBalances": balances.list_,
    "queryBalances": balances.query,
    "getTransaction": transactions.get,
    "queryTransactions": transactions.query,
    "getAsyncJob": async_jobs.get,
    "listAsyncJobItems": async_jobs.list_items,
}

MEMBER_METHODS = frozenset({"queryPoolItems", "queryPools", "queryBalances", "getEligibleBenefits"})
"""What a member's key may call, for its own rows alone."""
