"""What each field of the contract holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import details, errors, explanations, values
from benefit_programs.wire.descriptions.calendar_fields import (
    OF_ANSWERED_PROGRAM,
    OF_PROVISIONING,
)
from benefit_programs.wire.types import (
    async_jobs,
    balances,
    common,
    eligibility,
    items,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    transactions,
)

COMMON = {
    "additional_data": "The caller's own values. Policy providers get them.",
    "balance": "The balance of the pool.",
    "balances": "The balances of this page.",
    "beneficiary": "The owner of the program.",
    "benefit_info": "The benefit, if it is known.",
    "benefit_key": "The name of a benefit, unique within its pool or pool definition.",
    "benefit_results": "Whether or why not each of the benefits can be redeemed.",
    "bulk_action_metadata": "How many entries succeeded, and how many failed.",
    "bytes_max": "The largest number of bytes that is accepted.",
    "cancellation_transaction_id": "The transaction that gave the credits back.",
    "cascade_date": (
        "When the cascade happens, if not at once: the definition changes now, and what was made"
        " from it before follows at this date. Only with IMMEDIATELY or NEXT_RENEWAL."
    ),
    "cascade": "When the change reaches existing programs and pools.",
    "category": "The provider app's category for the item. Absent if there is none.",
    "code": "What happened, as a fixed name.",
    "correlation_id": "The id of the first transaction of the chain; its own if it is the first.",
    "created_date": "When it was created.",
    "credit_amount": "The credits that the pool gets when it is provisioned and renewed.",
    "credit_configuration": "How the balance is filled. Absent if the pool has no credits.",
    "credit_unit_type": "The kind of unit that the credits count.",
    "current_status": "The status that the program has.",
    "cursor": (
        "Where the page begins: `next` or `prev` of an earlier answer of this method. It includes"
        " the filter and the sort."
    ),
    "cursors": "The cursors of the next and the previous page.",
    "data": "The facts of the error, by name.",
    "description": "A description for people.",
    "details": "Benefits, credits and policies.",
    "display_name": "A name for people.",
    "effective_date": "The moment that it counts for. Absent: when it was created.",
    "entity_id": "The id of the entity.",
    "error": "Why it failed. Absent if it succeeded.",
    "exists_in_namespace": (
        "The namespace that has it. Only for administrators, and only if it is another one."
    ),
    "extended_fields": "Values that apps keep here. Absent if there are none.",
    "content_type": "The content type that was sent. Absent if there was none.",
    "external_id": "The id that its creator gave it.",
    "external_program_definition_id": (
        "The external id of the program definition. Absent if the program has none."
    ),
    "external_program_id": "The external id of the program, unique within its namespace.",
    "external_reference": "What it belongs to elsewhere, for example `booking:123`.",
    "failure_details": "The policies that refused.",
    "field_mask": "The fields to change. Default: those in the request.",
    "fields": "The parts to fill in besides the ids. Default: none.",
    "filter": "Fields, each with a value or operators such as `$gt`. Default: all rows.",
    "filters": "The references to look for; an item must fit one of them.",
    "has_next": "Whether there is a next page.",
    "id": "Its id, made by the service.",
    "idempotency_key": (
        "The caller's name for this change. A second request with the same key doesn't repeat it."
    ),
    "instructing_party": "Who asked for the change. Default: the caller.",
    "item": "The item.",
    "item_count": "The number of items.",
    "item_id": "The id of the item.",
    "item_ids": "The items to delete.",
    "item_info": "The item's name. Only if `fields` asks for ITEM.",
    "item_metadata": "The result of the entry.",
    "item_reference": "The reference of the item.",
    "item_revision": "The revision of the item.",
    "item_search_key": (
        "Provider app, category and external id, joined by slashes; the middle part is empty"
        " without a category."
    ),
    "item_set_id": "The item set: the items that one benefit pays for.",
    "items": "The items of this page.",
    "job_id": "The job that does the work; it may have finished already.",
    "latest_transaction_id": "The transaction that took its place.",
    "lot": "The lot.",
    "lot_id": "The id of the lot.",
    "lots": "The lots of this page.",
    "metadata": "The number of rows of the page, and the cursors.",
    "namespace": "The namespace of the program or definition.",
    "next": "The cursor of the next page. Absent on the last one.",
    "order": "The direction. Default: ASC.",
    "original_transaction_id": "The transaction that was given back.",
    "pending_transaction_id": "The transaction that isn't completed yet.",
    "pool": "The pool.",
    "pool_definition": "The pool definition.",
    "pool_definition_id": "The id of the pool definition.",
    "pool_definition_revision": "The revision of the pool definition that this comes from.",
    "pool_definitions": "The pool definitions.",
    "pool_id": "The id of the pool.",
    "pool_info": "The pool, if it is known.",
    "pool_revision": "The revision of the pool.",
    "pool_status": "The status that the pool has.",
    "pools": "The pools of this page.",
    "prev": "The cursor of the previous page. Absent on the first one.",
    "price": "What one item costs. Absent: 0.",
    "program": "The program.",
    "program_definition": "The program definition.",
    "program_definition_id": "The id of the program definition.",
    "program_definition_ids": "The program definitions that it belongs to.",
    "program_definition_info": "The program definition, if it is known.",
    "program_definitions": "The program definitions that it belongs to.",
    "program_id": "The id of the program.",
    "program_info": "The program, if it is known.",
    "programs": "The programs of this page.",
    "provider_app_id": "The app that sells the item.",
    "query": "The filter, the order and the page.",
    "reason": "Why, in your own words, for the audit. Transactions don't show it.",
    "removed": "Always false: removed entities aren't returned.",
    "requested": "The credits that were asked for.",
    "requested_status": "The status that was asked for.",
    "results": "The result of each entry, in the order of the request.",
    "retry_after": "The seconds to wait before trying again.",
    "return_entity": "Whether the results hold the entities. Default: false.",
    "reverted_transaction_id": "The transaction that gave it back.",
    "revision": (
        "Begins with 1 and grows by 1 with each change. Send the revision that you have read: the"
        " change is refused if there is a newer one."
    ),
    "settings": "The settings.",
    "same_request": ("Whether the key was used for the same request. Absent if that isn't known."),
    "sort": "The order of the rows. Default: the newest first. Ties are broken by id.",
    "source": "Where the credits come from.",
    "source_balance_type": "Where the credits would come from.",
    "superseded_transaction_id": "The transaction that this one supersedes.",
    "supported": "The content types that are supported.",
    "target": "Where the credits go to.",
    "target_balance_type": "Where the credits would go to.",
    "target_date": "The date of use. Policies are judged at that moment. Default: now.",
    "transaction": "The transaction.",
    "transaction_id": "The id of the transaction.",
    "transactions": "The transactions of this page.",
    "type": "Which of the options is set. May be left out.",
    "unit_display_name": "What people call the credits, such as `tokens`.",
    "unit_type": "The kind of unit that the credits count.",
    "updated_date": "When it was last changed.",
}

_PROGRAMLESS = {
    "program_definition_id": "The id of the program definition. Absent if the program has none.",
}
_OF_PAIRS = {
    "benefit_info": "Names and price of the benefit. Only if `fields` asks for BENEFIT.",
    "created_date": "When the item was added: the later of the dates of both.",
    "revision": "The sum of the revisions of both; grows when either changes.",
    "updated_date": "When either of both was last changed.",
}

OF_CONTRACT: dict[type[Any], dict[str, str]] = {
    # What several families use.
    common.IdentificationData: {
        "anonymous_visitor_id": "The id of an anonymous visitor.",
        "app_id": "The id of an app. Only in answers, as an instructing party.",
        "identity_type": "Which of the ids is set. May be left out of requests.",
        "member_id": "The id of a site member.",
        "wix_user_id": "The id of a user of the account.",
    },
    common.ItemReferenceData: {"external_id": "The id of the item in the provider app."},
    values.ItemReference: {"external_id": "The id of the item in the provider app."},
    common.ExtendedFields: {
        "namespaces": "An object for each namespace, which holds the fields of one app.",
    },
    common.CreditConfigurationInfo: {
        "amount": "The credits that a pool gets when it is provisioned and renewed.",
    },
    common.ItemInfo: {"display_name": "The name of the item, for people."},
    common.Sorting: {"field_name": "The field to sort by, one that the method can sort by."},
    common.CursorPaging: {"limit": "The largest number of rows on a page. Default: 50."},
    common.CursorQuery: {
        "cursor_paging": "The page and its size.",
        "scan_limit": (
            "How many rows to look at for the page, in the order of createdDate or id: of the value"
            " that an indexed field must have, or of all. A page may then be short, or empty, and"
            " have a next one all the same. Send it with each page."
        ),
    },
    common.CursorPagingMetadata: {"count": "The number of rows on this page."},
    common.ApplicationError: {"description": "What happened, for people."},
    common.ItemMetadata: {
        "id": "The id of the entity. Absent if none was made.",
        "original_index": "The place of the entry in the request, from 0.",
        "success": "Whether the entry succeeded.",
    },
    common.BulkActionMetadata: {
        "total_failures": "How many entries failed.",
        "total_successes": "How many entries succeeded.",
        "undetailed_failures": "Always 0: every failure has its details.",
    },
    # Details: benefits, credits, policies.
    details.Details: {
        "additional_data": "The caller's own values. Pools get them with the details.",
        "alerts": "What to tell of by events: a low balance, or something that will happen soon.",
        "benefits": "The benefits that the credits can be spent on.",
        "policy_expression": "When its benefits may be redeemed. Absent: always.",
    },
    details.Benefit: {
        "additional_data": "The caller's own values. Pools get them with the benefit.",
        "benefit_key": (
            "The name of the benefit, unique in the details. The item set stays as long as the name"
            " does."
        ),
        "cancellation_terms": (
            "What share of the credits comes back, by how early a cancellation comes. After the"
            " last of the terms nothing does. Absent: always all."
        ),
        "item_set_id": "The items that the benefit pays for, shared by all pools that have it.",
        "policy_expression": (
            "When this benefit may be redeemed. Absent: the policy of the pool decides."
        ),
        "price": "What one item costs. Absent: 0. Above 0 only with a credit configuration.",
        "provider_app_id": "The app that sells all items of the benefit.",
    },
    details.PolicyExpression: {
        "operator_and_options": "Holds if all of its expressions do.",
        "operator_not_options": "Holds if its expression doesn't.",
        "operator_or_options": "Holds if one of its expressions does.",
        "policy_options": "A single policy.",
    },
    details.PolicyExpressionNot: {"expression": "The expression that must not hold."},
    details.PolicyExpressionAnd: {"expressions": "The expressions that must all hold."},
    details.PolicyExpressionOr: {"expressions": "The expressions of which one must hold."},
    details.Policy: {
        "custom_options": "A provider decides.",
        "fixed_interval_options": "Holds at certain hours.",
        "rate_limited_options": "Holds a number of times for each period.",
    },
    details.FixedIntervalPolicy: {
        "from_hour": "The hour at which it begins, in the tenant's time zone. Absent: 0.",
        "from_minute": "The minute at which it begins. Absent: 0.",
        "from_week_day": (
            "The day on which it begins. With `toWeekDay` it is one interval over several days."
            " Absent: any day."
        ),
        "to_hour": (
            "The hour at which it ends, exclusive. Absent: the end of the day, or 0 if there is a"
            " `toMinute`."
        ),
        "to_minute": "The minute at which it ends. Absent: 0.",
        "to_week_day": "The day on which it ends. Absent: any day.",
    },
    details.RateLimitedPolicy: {
        "quota_id": (
            "The name of the count. It stays while the policy keeps its place and period."
        ),
        "rolling_duration": (
            "How long the window of ROLLING is: weeks, days of 24 hours, hours, minutes and"
            " seconds, such as P7D. No other period has it. An addition to the contract."
        ),
        "time_period": (
            "The period to count in. DAY, WEEK, MONTH and YEAR are those of the calendar in the"
            " tenant's time zone, LIFETIME never ends, ROLLING is any time as long as"
            " `rollingDuration`, and CYCLE is a cycle of the program's timetable. All but DAY and"
            " MONTH are additions to the contract."
        ),
        "times": "How many items may be redeemed in each period.",
    },
    details.CustomPolicy: {
        "additional_data": "The caller's own values. The provider gets them.",
        "app_id": "The app whose provider is asked.",
        "id": "A name of the policy, for its provider.",
    },
    # Refusals, and what they tell.
    errors.FieldViolation: {
        "data": "The limit as `threshold`, or the wanted format as `type`. Absent if neither.",
        "description": "What is wrong with it, for people.",
        "field": "The path of the field in the request, with indexes.",
        "rule_name": "The name of the rule. Only if `violatedRule` is OTHER.",
        "violated_rule": "The kind of rule that it breaks.",
    },
    errors.BalanceExceededLimits: {
        "lower_limit": "The limit below which the balance must not fall.",
        "upper_limit": "The limit above which the balance must not rise. Absent if there is none.",
    },
    errors.BenefitAlreadyRedeemed: {
        "idempotency_key": "The key that was used.",
        "transaction_id": "The transaction of the first redemption.",
    },
    errors.AlreadyExecuted: {
        "idempotency_key": "The key that was used.",
        "job_id": "The job of the first execution, if it was an action on a program.",
        "transaction_id": "The transaction of the first execution. Absent if it changed nothing.",
    },
    errors.JobNotFound: {"job_id": "The id of the job."},
    errors.NotEnoughBalance: {
        "available_balance": "The credits that the pool has.",
        "requested_balance": "The credits that it would cost.",
    },
    explanations.BalanceAmount: {
        "available": "Credits that can be spent.",
        "reserved": "Credits that reservations hold.",
    },
    explanations.PoolInfo: {
        "description": "A description of the pool, for people.",
        "display_name": "The name of the pool, for people.",
    },
    explanations.BenefitInfo: {
        "description": "A description of the benefit, for people.",
        "display_name": "The name of the benefit, for people.",
    },
    explanations.FailureDetails: {
        "app_id": "The app of the custom policy. Absent for other policies.",
        "code": "Why the policy doesn't hold, as a fixed name.",
        "error_data": "Details of the policy or its provider.",
        "message": "Why the policy doesn't hold, for people.",
        "policy_id": "The id of the custom policy. Absent for other policies.",
    },
    # Pool definitions and items.
    pool_definitions.BulkCreatePoolDefinitionsRequest: {
        "pool_definitions": "The pool definitions to create.",
    },
    pool_definitions.BulkUpdatePoolDefinitionsRequest: {
        "pool_definitions": "The changes, done one after the other.",
    },
    pool_definitions.BulkDeletePoolDefinitionsRequest: {
        "pool_definition_ids": "The pool definitions to delete.",
    },
    pool_definitions.BulkPoolDefinitionResult: {
        "item": "The pool definition. Only if `returnEntity` asked for it.",
    },
    items.BulkItemResult: {"item": "The item. Only if `returnEntity` asked for it."},
    items.BulkCreateItemsRequest: {"items": "The items to create."},
    items.BulkUpdateItemsRequest: {"items": "The changes, done one after the other."},
    items.BulkDeleteItemsByFilterRequest: {
        "filter": "Which items of the namespace. Required: `{}` finds all.",
    },
    items.CountItemsResponse: {"count": "How many items there are."},
    items.ItemFilter: {
        "by_item_set_id_and_reference_options": "References within item sets.",
        "by_reference_options": "References in any item set.",
        "namespace": "Only items of this namespace.",
    },
    items.ByReferenceFilter: {
        "category": "Only this category; empty text means none. Absent: any.",
        "external_id": "Only this external id. Absent: any.",
        "provider_app_id": "Only of this app. Absent: any.",
    },
    items.ByItemSetIdAndReferenceFilter: {"item_set_id": "Only of this item set. Absent: any."},
    items.ListItemsRequest: {
        "cursor_paging": "The page and its size.",
        "filter": "Which items. Absent: all.",
    },
    pool_definition_items.AddItemsToBenefitRequest: {
        "item_references": "The items, of the benefit's own provider app.",
    },
    pool_definition_items.PoolDefinitionItem: {
        **_OF_PAIRS,
        "id": "Its id, made from those of the pool definition and the item.",
        "pool_definition": (
            "Names and credits of the pool definition. Only if `fields` asks for POOL_DEFINITION."
        ),
        "program_definitions": (
            "The program definitions that it belongs to, by their ids; with their names if `fields`"
            " asks for PROGRAM_DEFINITION."
        ),
    },
    pool_definition_items.QueryPoolDefinitionItemsResponse: {
        "pool_definition_items": "The pool definition items of this page.",
    },
    program_definitions.DeleteProgramDefinitionRequest: {
        "cascade_type": "When its programs end. Default: FUTURE_PROVISIONS, which ends none.",
    },
    program_definitions.QueryProgramDefinitionsResponse: {
        "program_definitions": "The program definitions of this page.",
    },
    # Programs and pools.
    programs.Program: {
        **_PROGRAMLESS,
        **OF_ANSWERED_PROGRAM,
        "program_definition": "Its ids. Absent if the program has none.",
        "status": "Its status. While an action is running, the status names the action.",
        "target_status": "The status after the running action. Absent if none is running.",
    },
    programs.PoolDefinitionLookupId: {
        "pool_definition_id": "The program gets one pool, of this pool definition.",
        "program_definition_id": "The program gets a pool of each of its pool definitions.",
    },
    programs.PauseProgramRequest: {
        "until_date": (
            "When the program resumes by itself: later than now. Absent: when somebody resumes it."
        ),
    },
    programs.ProvisionProgramRequest: {
        **OF_PROVISIONING,
        "display_name": "The name of the program, for people.",
        "external_program_id": "Your id of the program, unique within the namespace.",
        "pool_definition_lookup_id": "What the program is made from.",
        "program_status": "How it starts. Default: ACTIVE.",
    },
    pools.Pool: {
        **_PROGRAMLESS,
        "origin": "Whether a provisioning or a cascade opened it.",
        "previous_status": "The status before its last change. Absent if there was none.",
        "program": "Ids and name of the program.",
        "program_definition": (
            "Ids and names of the program definition. Absent if the program has none."
        ),
        "renewal_action": "The pending change for the next renewal. Absent: none.",
        "renewal_count": "How many times it was renewed.",
        "status": "Whether its benefits can be redeemed.",
    },
    pools.PoolRenewalAction: {
        "type": "Whether the pool ends, or is updated from its definition.",
        "update_options": "The new values of the pool. Absent if it ends.",
    },
    pools.BulkUpdatePoolsRequest: {"pools": "The changes, done one after the other."},
    pools.BulkPoolResult: {"item": "The pool. Only if `returnEntity` asked for it."},
    pools.RedeemBenefitRequest: {
        "additional_data": (
            "The caller's own values. Policy providers get them, and the event keeps them."
        ),
        "beneficiary": "The owner that the pool must have. Absent: not checked.",
        "count": "How many items. Default: 1.",
        "target_date": (
            "The date of use. Policies are judged at that moment; the credits are spent at once."
            " Default: now."
        ),
    },
    pools.ReallocateBenefitResponse: {"transaction_id": "The transaction of the new date."},
    pool_items.PoolInfo: {"status": "The status that the pool has."},
    pool_items.BalanceInfo: {"available": "Credits that can be spent."},
    pool_items.PoolItem: {
        **_OF_PAIRS,
        **_PROGRAMLESS,
        "balance": "The pool's balance. Only if `fields` asks for BALANCE.",
        "id": "Its id, made from those of the pool and the item.",
        "pool": "Names, status and credits of the pool. Only if `fields` asks for POOL.",
        "program": "Ids and name of the program. Only if `fields` asks for PROGRAM.",
        "program_definition": (
            "Ids and names of the program definition. Only if `fields` asks for PROGRAM_DEFINITION."
        ),
    },
    pool_items.QueryPoolItemsResponse: {"pool_items": "The pool items of this page."},
    # Eligibility.
    eligibility.NotEnoughBalance: {
        "available_balance": "The credits that the pool has.",
        "requested_balance": "The credits that it would cost.",
    },
    eligibility.BenefitResult: {
        "benefit_not_found_options": "There is no such benefit, or it doesn't hold the item.",
        "eligible_benefit_options": "The benefit can be redeemed.",
        "not_enough_balance_options": "The balance can't pay.",
        "policy_expression_evaluated_to_false_options": "A policy refused.",
        "pool_not_active_options": "The pool is paused or has ended.",
        "pool_not_found_options": "There is no such pool.",
        "type": "Which of the options is there.",
    },
    eligibility.EligibilityCheckResult: {
        "benefit_results": "A result for each benefit that was checked.",
    },
    eligibility.CheckBenefitEligibilityRequest: {
        "beneficiary": "The owner that the pool must have. Absent: not checked.",
        "benefit_key": "The benefit. Absent: all benefits of the pool that hold the item.",
        "count": "How many items. Default: 1.",
        "intent": "The planned change. Default: REDEMPTION. A REALLOCATION needs no balance.",
    },
    eligibility.CheckBenefitEligibilityResponse: {"result": "The results of the pool's benefits."},
    eligibility.BenefitSelector: {
        "benefit_key": "The benefit. Absent: all benefits of the pool that hold the item.",
        "count": "How many items. Default: 1.",
    },
    eligibility.BulkCheckBenefitEligibilityRequest: {
        "beneficiary": "The owner that the pools must have. Absent: not checked.",
        "benefit_selectors": "The questions.",
    },
    eligibility.BulkEligibilityCheckResult: {
        "benefit_selector": "The question.",
        "result": "Its answer.",
    },
    eligibility.BulkCheckBenefitEligibilityResponse: {
        "results": "The answers, in the order of the questions.",
    },
    eligibility.GetEligibleBenefitsRequest: {
        "beneficiary": (
            "The owner of the pools. Absent: the member of a member's key, else everybody in the"
            " namespace."
        ),
        "count": "How many items. Default: 1.",
    },
    eligibility.GetEligibleBenefitsResponse: {
        "eligible_benefits": "The benefits that can pay, the oldest pool first.",
    },
    eligibility.CheckBenefitEligibilityByFilterRequest: {
        "beneficiary": (
            "The owner of the pools. Absent: the member of a member's key, else everybody in the"
            " namespace."
        ),
        "count": "How many items.",
        "pool_selector": "Which of these pools to check. Absent: all.",
    },
    eligibility.CheckBenefitEligibilityByFilterResponse: {
        "results": "The results of each pool, the oldest first.",
    },
    eligibility.PoolSelector: {"pool_statuses": "Only pools of these statuses. Absent: all."},
    # Balances and transactions.
    balances.PoolInfo: {
        **_PROGRAMLESS,
        "credit_rollover_configuration": "The unused credits that stay at a renewal. Absent: none.",
        "id": "The id of the pool.",
        "status": "The status that the pool has.",
    },
    balances.RolloverConfigurationInfo: {
        "balance_cap": "The largest amount of unused credits that stays. Absent: all stay.",
        "enabled": "Whether unused credits stay at a renewal.",
    },
    balances.Balance: {
        "amount": "The credits.",
        "extended_fields": "Always absent: balances have no extended fields.",
        "id": "The id of the pool, which is the balance's too.",
        "last_transaction_id": "The newest transaction. Absent if there is none yet.",
        "pool_info": "The pool that has the balance.",
    },
    balances.ListBalancesRequest: {
        "cursor_paging": "The page and its size.",
        "pool_ids": "Only the balances of these pools. Absent: all.",
    },
    balances.SetInitialOptions: {
        "beneficiary": "The owner that the balance must have. Absent: not checked.",
        "value": "The new amount of credits.",
    },
    balances.SetOptions: {"target_balance_type": "The balance type to set: only AVAILABLE."},
    balances.AdjustOptions: {
        "beneficiary": "The owner that the balance must have. Absent: not checked.",
        "limit_rule": "What happens at a limit. Default: FAIL.",
        "lower_limit": "The limit below which the balance must not fall. Default: 0.",
        "superseded_transaction_id": "Not taken: nothing can be superseded by hand.",
        "upper_limit": "The limit above which the balance must not rise. Absent: none.",
        "value": "The credits to add, or to subtract if it is negative.",
    },
    balances.ChangeBalanceRequest: {
        "adjust_options": "Add to the balance, or subtract from it.",
        "set_initial_options": "Set the balance, if it has no transactions yet.",
        "set_options": "Set the balance.",
        "transaction_details": "The details of the transaction.",
    },
    balances.ChangeBalanceResponse: {
        "balance": "The balance as it is now.",
        "transaction_id": "The transaction. Absent if nothing changed.",
    },
    balances.RevertBalanceChangeRequest: {
        "idempotency_key": "Not used: a transaction is reverted once.",
        "transaction_id": "The transaction to revert.",
    },
    balances.RevertBalanceChangeResponse: {
        "transaction_id": "The transaction that goes the other way.",
    },
    transactions.TransactionItem: {"external_id": "The id of the item in the provider app."},
    transactions.TransactionDetails: {
        "benefit_key": "The benefit that was redeemed. Absent if none was.",
        "forfeited": "What a late cancellation didn't give back. Absent if it gave all.",
        "item": "The item at that time. Absent if there was none.",
        "moved_from_transaction_id": "The redemption of another pool whose place it took.",
        "moved_to_transaction_id": "The redemption of another pool that took its place.",
        "origin": "The origin of the change, as its caller named it.",
        "reason": "The caller's reason, or the name of the operation.",
    },
    transactions.NewTransactionDetails: {
        "benefit_key": "The benefit that the change concerns, if any.",
        "origin": "The origin of the change, in the caller's own words.",
        "reason": "The reason, in the caller's own words.",
    },
    transactions.PoolInfo: {
        **_PROGRAMLESS,
        "benefit_display_name": "The name of the benefit that was redeemed, for people.",
        "display_name": "The name of the pool, for people.",
        "id": "The id of the pool.",
    },
    transactions.RequestedValues: {
        "amount": "The credits that were asked for.",
    },
    transactions.FailedTransactionDetails: {
        "error_code": "What happened, as a fixed name.",
        "error_message": "What happened, for people.",
        "response_status": "The status that the caller got.",
    },
    transactions.Transaction: {
        "amount": "How many credits went from `source` to `target`. 0 for a reallocation.",
        "details": "Its item, benefit and reason.",
        "due_date": "When it happened by itself, if it was booked later than that.",
        "extended_fields": "Always absent: transactions have no extended fields.",
        "external_id": "Always absent: transactions have no external ids.",
        "external_reference": "What it belongs to elsewhere, as its caller said.",
        "failed_options": "Always absent: a failed change makes no transaction.",
        "idempotency_key": "The caller's idempotency key. Absent if there was none.",
        "instructing_party": "Who asked for it.",
        "lots": "The lots with their parts of the amount. Absent: all of it is the standard lot's.",
        "pool": "The pool at that time.",
        "related_transaction_id": "The transaction that it gives back. Absent if there is none.",
        "reservation_id": "The reservation that it captures or releases. Absent for others.",
        "requested_values": "The requested values. Only if a limit changed them.",
        "revision": "Always 1: transactions never change.",
        "status": "Always COMPLETED: the commit that writes it completes it.",
        "superseded_transaction_id": "The transaction that it supersedes, if any.",
    },
    # Jobs.
    async_jobs.JobCreatorApp: {"app_id": "The id of the app."},
    async_jobs.JobCreator: {
        "app_id_options": "The app. Absent for other callers.",
        "type": "The kind of caller: APP, MEMBER or USER.",
    },
    async_jobs.JobCounts: {
        "error_by_code_count": "The number of failures for each code.",
        "fail_count": "The number of failures.",
        "success_count": "The number of successes.",
        "total": "The number of things to do, as far as it is known.",
    },
    async_jobs.Job: {
        "counts": "Its progress.",
        "created_by": "Who asked for the job.",
        "metadata": "What it does, as `kind`, and to what, as `subjectId`.",
        "status": "Whether it is running, and how it ended.",
    },
    async_jobs.JobItem: {
        "job_id": "The id of the job.",
        "created_date": "When the job was created.",
        "id": "The id of the entity that the job changed.",
        "metadata": "The kind of entity, as `entity`.",
        "status": "Whether the job succeeded with it.",
        "updated_date": "When the job was last changed.",
    },
    async_jobs.GetAsyncJobResponse: {"job": "The job."},
    async_jobs.GetAsyncJobRequest: {"job_id": "The id of the job."},
    async_jobs.ListAsyncJobItemsRequest: {
        "job_id": "The id of the job.",
        "paging": "The page and its size.",
    },
    async_jobs.ListAsyncJobItemsResponse: {"job_items": "The job items of this page."},
    errors.EventsRemoved: {
        "cursor": "The cursor that was sent.",
        "oldest_cursor": "Where the feed begins now.",
    },
}
