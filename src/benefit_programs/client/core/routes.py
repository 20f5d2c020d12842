"""The methods of the contract: where they are, and what a second attempt does to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

_PARAMETER = re.compile(r"\{([^}]+)\}")


class Safety(Enum):
    """What happens if a method is called again because the first answer was lost."""

    READ = "read"
    """Nothing: it only reads."""

    KEYED = "keyed"
    """Nothing: its idempotency key sees to it."""

    GONE = "gone"
    """Nothing: what was deleted is not found, which is as good."""

    ONCE = "once"
    """It might be done twice, or refused for what the first attempt did."""


@dataclass(frozen=True)
class Route:
    """One method."""

    name: str
    verb: str
    path: str
    safety: Safety

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields that the path holds, dotted."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def has_body(self) -> bool:
        """Whether the request's fields travel in a body, not in the address."""
        return self.verb in ("POST", "PATCH")


READ: Final = Safety.READ
KEYED: Final = Safety.KEYED
GONE: Final = Safety.GONE
ONCE: Final = Safety.ONCE

_ROWS = (
    Route("createProgramDefinition", "POST", "/benefit-programs/v1/program-definitions", ONCE),
    Route(
        "updateProgramDefinition",
        "PATCH",
        "/benefit-programs/v1/program-definitions/{programDefinition.id}",
        ONCE,
    ),
    Route(
        "deleteProgramDefinition",
        "DELETE",
        "/benefit-programs/v1/program-definitions/{programDefinitionId}",
        GONE,
    ),
    Route(
        "getProgramDefinition",
        "GET",
        "/benefit-programs/v1/program-definitions/{programDefinitionId}",
        READ,
    ),
    Route(
        "getProgramDefinitionByExternalIdAndNamespace",
        "GET",
        "/benefit-programs/v1/program-definitions/by-namespace-and-external-id",
        READ,
    ),
    Route(
        "queryProgramDefinitions", "POST", "/benefit-programs/v1/program-definitions/query", READ
    ),
    Route("createPoolDefinition", "POST", "/benefit-programs/v1/pool-definitions", ONCE),
    Route(
        "bulkCreatePoolDefinitions",
        "POST",
        "/benefit-programs/v1/bulk/pool-definitions/create",
        ONCE,
    ),
    Route(
        "updatePoolDefinition",
        "PATCH",
        "/benefit-programs/v1/pool-definitions/{poolDefinition.id}",
        ONCE,
    ),
    Route(
        "bulkUpdatePoolDefinitions",
        "POST",
        "/benefit-programs/v1/bulk/pool-definitions/update",
        ONCE,
    ),
    Route(
        "deletePoolDefinition",
        "DELETE",
        "/benefit-programs/v1/pool-definitions/{poolDefinitionId}",
        GONE,
    ),
    Route(
        "bulkDeletePoolDefinitions",
        "POST",
        "/benefit-programs/v1/bulk/pool-definitions/delete",
        ONCE,
    ),
    Route(
        "getPoolDefinition", "GET", "/benefit-programs/v1/pool-definitions/{poolDefinitionId}", READ
    ),
    Route("queryPoolDefinitions", "POST", "/benefit-programs/v1/pool-definitions/query", READ),
    Route(
        "addPoolDefinitionToProgramDefinition",
        "POST",
        "/benefit-programs/v1/pool-definitions/program-definition/assign",
        ONCE,
    ),
    Route(
        "removePoolDefinitionFromProgramDefinition",
        "POST",
        "/benefit-programs/v1/pool-definitions/program-definition/remove",
        ONCE,
    ),
    Route(
        "findPoolDefinitionsByProgramDefinition",
        "POST",
        "/benefit-programs/v1/pool-definitions/find-pool-definitions-by-program-definition",
        READ,
    ),
    Route("provisionProgram", "POST", "/benefit-programs/v1/programs/provision", ONCE),
    Route("renewProgram", "POST", "/benefit-programs/v1/programs/renew", KEYED),
    Route("pauseProgram", "POST", "/benefit-programs/v1/programs/pause", KEYED),
    Route("resumeProgram", "POST", "/benefit-programs/v1/programs/resume", KEYED),
    Route("endProgram", "POST", "/benefit-programs/v1/programs/end", ONCE),
    Route("updateProgram", "PATCH", "/benefit-programs/v1/programs/{program.id}", ONCE),
    Route("getProgram", "GET", "/benefit-programs/v1/programs/{programId}", READ),
    Route("queryPrograms", "POST", "/benefit-programs/v1/programs/query", READ),
    Route(
        "getProgramByExternalIdAndNamespace",
        "GET",
        "/benefit-programs/v1/programs/by-namespace-and-external-id",
        READ,
    ),
    Route("getPool", "GET", "/benefit-programs/v1/pools/{poolId}", READ),
    Route("updatePool", "PATCH", "/benefit-programs/v1/pools/{pool.id}", ONCE),
    Route("queryPools", "POST", "/benefit-programs/v1/pools/query", READ),
    Route("redeemBenefit", "POST", "/benefit-programs/v1/benefits/redeem", KEYED),
    Route("reallocateBenefit", "POST", "/benefit-programs/v1/benefits/reallocate", KEYED),
    Route("cancelRedemption", "POST", "/benefit-programs/v1/benefits/cancel-redemption", KEYED),
    Route("checkBenefitEligibility", "POST", "/benefit-programs/v1/pools/check-eligibility", READ),
    Route(
        "bulkCheckBenefitEligibility",
        "POST",
        "/benefit-programs/v1/bulk/benefits/check-eligibility",
        READ,
    ),
    Route("getEligibleBenefits", "POST", "/benefit-programs/v1/pools/eligible-pools", READ),
    Route("bulkUpdatePools", "POST", "/benefit-programs/v1/bulk/pools", ONCE),
    Route(
        "checkBenefitEligibilityByFilter",
        "POST",
        "/benefit-programs/v1/pools/check-benefit-eligibility-by-filter",
        READ,
    ),
    Route("createItem", "POST", "/benefit-programs/v1/items", ONCE),
    Route("bulkCreateItems", "POST", "/benefit-programs/v1/bulk/items/create", ONCE),
    Route("deleteItem", "POST", "/benefit-programs/v1/items/{itemId}/delete", GONE),
    Route("bulkDeleteItems", "POST", "/benefit-programs/v1/bulk/items/delete", ONCE),
    Route(
        "bulkDeleteItemsByFilter", "POST", "/benefit-programs/v1/bulk/items/delete-by-filter", ONCE
    ),
    Route("updateItem", "PATCH", "/benefit-programs/v1/items/{item.id}", ONCE),
    Route("bulkUpdateItems", "POST", "/benefit-programs/v1/bulk/items/update", ONCE),
    Route("getItem", "GET", "/benefit-programs/v1/items/{itemId}", READ),
    Route("listItems", "GET", "/benefit-programs/v1/items", READ),
    Route("queryItems", "POST", "/benefit-programs/v1/items/query", READ),
    Route("countItems", "POST", "/benefit-programs/v1/items/count", READ),
    Route(
        "queryPoolDefinitionItems", "POST", "/benefit-programs/v1/pool-definition-items/query", READ
    ),
    Route(
        "removeItemsFromBenefit",
        "POST",
        "/benefit-programs/v1/pool-definition-items/remove-items-from-benefit",
        ONCE,
    ),
    Route(
        "addItemsToBenefit",
        "POST",
        "/benefit-programs/v1/pool-definition-items/add-items-to-benefit",
        ONCE,
    ),
    Route("queryPoolItems", "POST", "/benefit-programs/v1/pool-items/query", READ),
    Route("getBalance", "GET", "/benefit-programs/v1/balances/{poolId}", READ),
    Route("listBalances", "GET", "/benefit-programs/v1/balances", READ),
    Route("queryBalances", "POST", "/benefit-programs/v1/balances/query", READ),
    Route("changeBalance", "POST", "/benefit-programs/v1/balances/{poolId}/change", KEYED),
    Route(
        "revertBalanceChange",
        "POST",
        "/benefit-programs/v1/balances/changes/{transactionId}/revert",
        ONCE,
    ),
    Route("getTransaction", "GET", "/benefit-programs/v1/transactions/{transactionId}", READ),
    Route("queryTransactions", "POST", "/benefit-programs/v1/transactions/query", READ),
    Route("getAsyncJob", "GET", "/async-jobs/v1/async-jobs/{jobId}", READ),
    Route("listAsyncJobItems", "GET", "/async-jobs/v1/async-jobs/{jobId}/items", READ),
    # The service's own, beside the contract.
    Route("getSettings", "GET", "/benefit-programs/v1/settings", READ),
    Route("updateSettings", "PATCH", "/benefit-programs/v1/settings", ONCE),
)

ROUTES: dict[str, Route] = {route.name: route for route in _ROWS}
"""All methods by their names."""
