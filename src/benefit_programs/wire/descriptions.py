"""What each field of the wire holds, in a sentence: the text of the reference.

``COMMON`` has the fields that mean the same wherever they stand. ``OF_TYPES`` has what a field
means in one type and in those derived from it, and counts first. What the type of a field says
anyway (its format, its limits, who sets it) is not repeated here.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import details, errors, explanations, values
from benefit_programs.wire.descriptions_of_beneficiaries import OF_BENEFICIARIES
from benefit_programs.wire.event_descriptions import EVENTS
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
from benefit_programs.wire.types import settings as tenant_settings

COMMON = {
    "additional_data": "Values of the caller's own, which policy providers get.",
    "balance": "The balance of the pool.",
    "balances": "The balances of this page.",
    "beneficiary": "Whom the program belongs to.",
    "benefit_info": "The benefit that this is about, where it is known.",
    "benefit_key": "The name of a benefit, unique within its pool or pool definition.",
    "bulk_action_metadata": "How many entries succeeded, and how many failed.",
    "bytes_max": "How many bytes are taken at the most.",
    "cancellation_transaction_id": "The transaction that gave the credits back.",
    "cascade": "When the change reaches the programs and pools that were made before.",
    "category": "What kind of item it is, in the provider app's own words. Absent if it has none.",
    "code": "What happened, as a name for programs.",
    "correlation_id": "The id of the transaction that began the chain; its own if it began one.",
    "created_date": "When it was created.",
    "credit_amount": "The credits that the pool gets when it is provisioned and renewed.",
    "credit_configuration": "How the balance is filled. Absent if the pool has no credits.",
    "credit_unit_type": "The kind of unit that the credits count.",
    "current_status": "The status that the program has.",
    "cursor": (
        "Where the page begins: `next` or `prev` of another answer of this method. It brings its"
        " filter and sort along."
    ),
    "cursors": "Where the pages beside this one begin.",
    "data": "The facts of the error, by name.",
    "description": "What it is, for people.",
    "details": "Benefits, credits and policies.",
    "display_name": "Its name, for people.",
    "effective_date": "The moment that it counts for. Absent: when it was created.",
    "entity_id": "The id of the entity.",
    "error": "Why it failed. Absent if it succeeded.",
    "exists_in_namespace": (
        "The namespace that has it. Only for administrators, and only if another one does."
    ),
    "extended_fields": "Values that apps keep here. Absent if there are none.",
    "content_type": "The content type that was sent. Absent if there was none.",
    "external_id": "Its id in the words of whoever made it.",
    "external_program_definition_id": (
        "The external id of the program definition. Absent if the program has none."
    ),
    "external_program_id": "The external id of the program, unique within its namespace.",
    "failure_details": "The policies that stood in the way.",
    "field_mask": "Which fields to change. Without one, those that are there.",
    "fields": "What to fill in beside the ids. Nothing if it is left out.",
    "filter": "Fields, each with a value or operators such as `$gt`. Without one, all rows.",
    "filters": "The references to look for; an item must fit one of them.",
    "has_next": "Whether a row follows this page.",
    "id": "Its id, made by the service.",
    "idempotency_key": (
        "The caller's name for this one intention: asked again with the same key, it is not done"
        " again."
    ),
    "instructing_party": "Who asked for the change. Default: the caller.",
    "item": "The item.",
    "item_count": "How many items it was for.",
    "item_id": "The id of the item.",
    "item_ids": "The items to delete.",
    "item_info": "The item's name. Only if `fields` asks for ITEM.",
    "item_metadata": "What became of the entry.",
    "item_reference": "The item that this is about.",
    "item_revision": "The revision of the item.",
    "item_search_key": (
        "Provider app, category and external id, joined by slashes; the middle part is empty"
        " without a category."
    ),
    "item_set_id": "The item set: the items that one benefit pays for.",
    "items": "The items of this page.",
    "job_id": "The job that does the work; it may have finished already.",
    "latest_transaction_id": "The transaction that took its place.",
    "metadata": "What the page says about itself.",
    "namespace": "The namespace of the app that keeps the program or definition.",
    "next": "The cursor of the next page. Absent on the last one.",
    "order": "In which direction. Default: ASC.",
    "original_transaction_id": "The transaction that was given back.",
    "pending_transaction_id": "The transaction that isn't completed yet.",
    "pool": "The pool.",
    "pool_definition": "The pool definition.",
    "pool_definition_id": "The id of the pool definition.",
    "pool_definition_revision": "The revision of the pool definition that this comes from.",
    "pool_definitions": "The pool definitions.",
    "pool_id": "The id of the pool.",
    "pool_info": "The pool that this is about, where it is known.",
    "pool_revision": "The revision of the pool.",
    "pool_status": "The status that the pool has.",
    "pools": "The pools of this page.",
    "prev": "The cursor of the previous page. Absent on the first one.",
    "price": "What one item costs. Absent: 0.",
    "program": "The program.",
    "program_definition": "The program definition.",
    "program_definition_id": "The id of the program definition.",
    "program_definition_ids": "The program definitions that it belongs to.",
    "program_definition_info": "The program definition that this is about, where it is known.",
    "program_definitions": "The program definitions that it belongs to.",
    "program_id": "The id of the program.",
    "program_info": "The program that this is about, where it is known.",
    "programs": "The programs of this page.",
    "provider_app_id": "The app that sells the item.",
    "query": "Which rows, in which order, and which page of them.",
    "removed": "Always false: what was removed is found no more.",
    "requested": "The credits that were asked for.",
    "requested_status": "The status that was asked for.",
    "results": "What became of each entry, in the order of the request.",
    "retry_after": "After how many seconds to try again.",
    "return_entity": "Whether the results hold the entities. Default: false.",
    "reverted_transaction_id": "The transaction that gave it back.",
    "revision": (
        "Grows by 1 with each change, from 1. A change names the one that it was made for, and is"
        " refused if there is a newer one."
    ),
    "settings": "The settings.",
    "same_request": (
        "Whether the key was used for this very request. Absent where that isn't known."
    ),
    "sort": "The order of the rows. Default: the newest first. Ties are broken by id.",
    "source": "Where the credits come from.",
    "source_balance_type": "Where the credits would come from.",
    "superseded_transaction_id": "The transaction whose place this one takes.",
    "supported": "The content types that are read.",
    "target": "Where the credits go to.",
    "target_balance_type": "Where the credits would go to.",
    "target_date": "When the item is to be used; policies are judged at that moment. Default: now.",
    "transaction": "The transaction.",
    "transaction_id": "The id of the transaction.",
    "transactions": "The transactions of this page.",
    "type": "Which of the options is there; may be left out.",
    "unit_display_name": "What people call the credits, such as `tokens`.",
    "unit_type": "The kind of unit that the credits count.",
    "updated_date": "When it was changed last.",
}

_PROGRAMLESS = {
    "program_definition_id": "The id of the program definition. Absent if the program has none.",
}
_OF_PAIRS = {
    "benefit_info": "Names and price of the benefit. Only if `fields` asks for BENEFIT.",
    "created_date": "When the item came to it: the later of the dates of both.",
    "revision": "The sum of the revisions of both; grows when either changes.",
    "updated_date": "When either of both was changed last.",
}

OF_TYPES: dict[type[Any], dict[str, str]] = {
    **OF_BENEFICIARIES,
    # What several families use.
    common.IdentificationData: {
        "anonymous_visitor_id": "The id of a visitor who isn't known by name.",
        "app_id": "The id of an app; only in answers, of whoever gave an instruction.",
        "identity_type": "Which of the ids is there; may be left out of requests.",
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
    common.CursorPaging: {"limit": "How many rows a page has at the most. Default: 50."},
    common.CursorQuery: {"cursor_paging": "Which page, and how large."},
    common.CursorPagingMetadata: {"count": "How many rows this page has."},
    common.ApplicationError: {"description": "What happened, for people."},
    common.ItemMetadata: {
        "id": "The id of the entity. Absent if none was made.",
        "original_index": "The place of the entry in the request, from 0.",
        "success": "Whether it was done.",
    },
    common.BulkActionMetadata: {
        "total_failures": "How many entries failed.",
        "total_successes": "How many entries succeeded.",
        "undetailed_failures": "Always 0: every failure is told.",
    },
    # Details: benefits, credits, policies.
    details.Details: {
        "additional_data": "Values of the caller's own, which pools get with the details.",
        "benefits": "What the credits can be spent on.",
        "policy_expression": "When its benefits may be redeemed. Absent: always.",
    },
    details.Benefit: {
        "additional_data": "Values of the caller's own, which pools get with the benefit.",
        "benefit_key": (
            "The name of the benefit, unique here. As long as it stays the same, so does the item"
            " set."
        ),
        "item_set_id": "The items that the benefit pays for, shared by all pools that have it.",
        "policy_expression": (
            "When this benefit may be redeemed. Absent: as the pool's own policy says."
        ),
        "price": "What one item costs. Absent: 0. Above 0 only with a credit configuration.",
        "provider_app_id": "The app that sells all items of the benefit.",
    },
    details.CreditConfiguration: {
        "amount": "What a balance opens with, and gets at each renewal. Absent: 0.",
        "rollover_configuration": "What is left at a renewal and stays. Absent: nothing.",
    },
    details.RolloverConfiguration: {
        "balance_cap": "How many of the credits that are left stay. Absent: all.",
        "enabled": "Whether credits that are left stay at a renewal. Default: false.",
    },
    details.PolicyExpression: {
        "operator_and_options": "Holds if all of its expressions do.",
        "operator_not_options": "Holds if its expression doesn't.",
        "operator_or_options": "Holds if one of its expressions does.",
        "policy_options": "A single policy.",
    },
    details.PolicyExpressionNot: {"expression": "What must not hold."},
    details.PolicyExpressionAnd: {"expressions": "What must hold, all of it."},
    details.PolicyExpressionOr: {"expressions": "Of which one must hold."},
    details.Policy: {
        "custom_options": "A provider decides.",
        "fixed_interval_options": "Holds at certain hours.",
        "rate_limited_options": "Holds a number of times for each day or month.",
    },
    details.FixedIntervalPolicy: {
        "from_hour": "The hour at which it begins, in the tenant's time zone. Absent: 0.",
        "from_minute": "The minute at which it begins. Absent: 0.",
        "from_week_day": (
            "The day on which it begins; with `toWeekDay` it is one stretch from day to day."
            " Absent: any day."
        ),
        "to_hour": (
            "The hour at which it ends; that moment is no part of it. Absent: the end of the day,"
            " or 0 if there is a `toMinute`."
        ),
        "to_minute": "The minute at which it ends. Absent: 0.",
        "to_week_day": "The day on which it ends. Absent: any day.",
    },
    details.RateLimitedPolicy: {
        "quota_id": (
            "What its uses are counted under; stays while the policy keeps its place and period."
        ),
        "time_period": "The calendar period to count in, in the tenant's time zone.",
        "times": "How many items may be redeemed in each period.",
    },
    details.CustomPolicy: {
        "additional_data": "Values of the caller's own, which the provider gets.",
        "app_id": "The app whose provider is asked.",
        "id": "The policy's name for its provider.",
    },
    # Refusals, and what they tell.
    errors.FieldViolation: {
        "data": "The limit as `threshold`, or the wanted format as `type`. Absent if neither.",
        "description": "What is wrong about it, for people.",
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
        "reserved": "Credits that are set aside. 0 as long as nothing can be reserved.",
    },
    explanations.PoolInfo: {
        "description": "What the pool is, for people.",
        "display_name": "The name of the pool, for people.",
    },
    explanations.BenefitInfo: {
        "description": "What the benefit is, for people.",
        "display_name": "The name of the benefit, for people.",
    },
    explanations.FailureDetails: {
        "app_id": "The app of the custom policy. Absent for other policies.",
        "code": "Why the policy doesn't hold, as a name for programs.",
        "error_data": "The figures, as the policy or its provider tells them.",
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
        "filter": "Which items of the namespace. It must be there: `{}` finds all.",
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
        "cursor_paging": "Which page, and how large.",
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
        "cascade_type": "When its programs end. Default: FUTURE_PROVISIONS, they live on.",
    },
    program_definitions.QueryProgramDefinitionsResponse: {
        "program_definitions": "The program definitions of this page.",
    },
    # Programs and pools.
    programs.Program: {
        **_PROGRAMLESS,
        "program_definition": "Its ids. Absent if the program has none.",
        "status": "Whether it is in force; while an action is under way, which one.",
        "target_status": "The status that the action under way leads to. Absent without one.",
    },
    programs.PoolDefinitionLookupId: {
        "pool_definition_id": "The program gets one pool, of this pool definition.",
        "program_definition_id": "The program gets a pool of each of its pool definitions.",
    },
    programs.ProvisionProgramRequest: {
        "display_name": "The name of the program, for people.",
        "external_program_id": "Your id of the program, unique within the namespace.",
        "pool_definition_lookup_id": "What the program is made from.",
        "program_status": "How it starts. Default: ACTIVE.",
    },
    pools.Pool: {
        **_PROGRAMLESS,
        "origin": "Whether provisioning made it, or a cascade later.",
        "previous_status": "The status before the last change of it. Absent if there was none.",
        "program": "Ids and name of the program.",
        "program_definition": (
            "Ids and names of the program definition. Absent if the program has none."
        ),
        "renewal_action": "What the next renewal does besides its credits. Absent: nothing.",
        "renewal_count": "How many times it was renewed.",
        "status": "Whether its benefits can be redeemed.",
    },
    pools.PoolRenewalAction: {
        "type": "Whether the pool ends, or takes what its definition says.",
        "update_options": "What the pool takes. Absent if it ends.",
    },
    pools.BulkUpdatePoolsRequest: {"pools": "The changes, done one after the other."},
    pools.BulkPoolResult: {"item": "The pool. Only if `returnEntity` asked for it."},
    pools.RedeemBenefitRequest: {
        "additional_data": (
            "Values of the caller's own; policy providers get them, and they are kept with the"
            " event."
        ),
        "beneficiary": "Whose pool it must be. Absent: not checked.",
        "count": "How many items. Default: 1.",
        "target_date": (
            "When the item is to be used; policies are judged at that moment, the credits go at"
            " once. Default: now."
        ),
    },
    pools.ReallocateBenefitRequest: {
        "beneficiary": "Whose pool it must be.",
        "target_date": "The new date; policies are judged at that moment.",
        "transaction_id": "The latest transaction of the redemption.",
    },
    pools.ReallocateBenefitResponse: {"transaction_id": "The transaction of the new date."},
    pools.CancelRedemptionRequest: {"transaction_id": "The latest transaction of the redemption."},
    pools.CancelRedemptionResponse: {
        "transaction_id": "The transaction that gives the credits back.",
    },
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
        "policy_expression_evaluated_to_false_options": "A policy stands in the way.",
        "pool_not_active_options": "The pool is paused or has ended.",
        "pool_not_found_options": "There is no such pool.",
        "type": "Which of the options is there.",
    },
    eligibility.EligibilityCheckResult: {
        "benefit_results": "A result for each benefit that was looked at.",
    },
    eligibility.CheckBenefitEligibilityRequest: {
        "beneficiary": "Whose pool it must be. Absent: not checked.",
        "benefit_key": "Which benefit. Absent: all of the pool that hold the item.",
        "count": "How many items. Default: 1.",
        "intent": "What is to be done. Default: REDEMPTION; a REALLOCATION needs no balance.",
    },
    eligibility.CheckBenefitEligibilityResponse: {"result": "The results of the pool's benefits."},
    eligibility.BenefitSelector: {
        "benefit_key": "Which benefit. Absent: all of the pool that hold the item.",
        "count": "How many items. Default: 1.",
    },
    eligibility.BulkCheckBenefitEligibilityRequest: {
        "beneficiary": "Whose pools they must be. Absent: not checked.",
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
            "Whose pools to look at. Absent: the member's own with a member's key, else those of"
            " everybody in the namespace."
        ),
        "count": "How many items. Default: 1.",
    },
    eligibility.GetEligibleBenefitsResponse: {
        "eligible_benefits": "The benefits that can pay, the oldest pool first.",
    },
    eligibility.CheckBenefitEligibilityByFilterRequest: {
        "beneficiary": (
            "Whose pools to look at. Absent: the member's own with a member's key, else those of"
            " everybody in the namespace."
        ),
        "count": "How many items.",
        "pool_selector": "Which of the pools to look at. Absent: all.",
    },
    eligibility.CheckBenefitEligibilityByFilterResponse: {
        "results": "The results of each pool, the oldest first.",
    },
    eligibility.PoolSelector: {"pool_statuses": "Only pools of these statuses. Absent: all."},
    # Balances and transactions.
    balances.PoolInfo: {
        **_PROGRAMLESS,
        "credit_rollover_configuration": "What stays at a renewal. Absent: nothing.",
        "id": "The id of the pool.",
        "status": "The status that the pool has.",
    },
    balances.RolloverConfigurationInfo: {
        "balance_cap": "How many of the credits that are left stay. Absent: all.",
        "enabled": "Whether credits that are left stay at a renewal.",
    },
    balances.Balance: {
        "amount": "The credits.",
        "extended_fields": "Always absent: nothing can be kept with a balance.",
        "id": "The id of the pool, which is the balance's too.",
        "last_transaction_id": "The newest transaction. Absent if there is none yet.",
        "pool_info": "The pool that has the balance.",
    },
    balances.ListBalancesRequest: {
        "cursor_paging": "Which page, and how large.",
        "pool_ids": "Only the balances of these pools. Absent: all.",
    },
    balances.SetInitialOptions: {
        "beneficiary": "Whose balance it must be. Absent: not checked.",
        "value": "The credits that the balance is to have.",
    },
    balances.SetOptions: {"target_balance_type": "What to set; only AVAILABLE can be."},
    balances.AdjustOptions: {
        "beneficiary": "Whose balance it must be. Absent: not checked.",
        "limit_rule": "What happens at a limit. Default: FAIL.",
        "lower_limit": "The limit below which the balance must not fall. Default: 0.",
        "superseded_transaction_id": "Not taken: nothing can be superseded by hand.",
        "upper_limit": "The limit above which the balance must not rise. Absent: none.",
        "value": "The credits to add; below 0, to take away.",
    },
    balances.ChangeBalanceRequest: {
        "adjust_options": "Add to the balance, or take from it.",
        "set_initial_options": "Set the balance, if it has no transactions yet.",
        "set_options": "Set the balance.",
        "transaction_details": "What the transaction is to say.",
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
        "item": "The item as it was then. Absent if it was for none.",
        "origin": "Where the change came from, as its caller said.",
        "reason": "Why: what the caller said, or the name of what the service did.",
    },
    transactions.NewTransactionDetails: {
        "benefit_key": "The benefit that it is about, if any.",
        "origin": "Where the change comes from, in the caller's own words.",
        "reason": "Why, in the caller's own words.",
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
        "error_code": "What happened, as a name for programs.",
        "error_message": "What happened, for people.",
        "response_status": "The status that the caller got.",
    },
    transactions.Transaction: {
        "amount": "How many credits went from `source` to `target`. 0 for a reallocation.",
        "details": "What it was for.",
        "extended_fields": "Always absent: nothing can be kept with a transaction.",
        "external_id": "Always absent: transactions have no ids of callers.",
        "failed_options": "Always absent: what fails makes no transaction.",
        "idempotency_key": "The key that its caller gave. Absent if none was asked for.",
        "instructing_party": "Who asked for it.",
        "pool": "The pool as it was then.",
        "related_transaction_id": "The transaction that it gives back. Absent if it gives none.",
        "requested_values": "What was asked for. Only where a limit made it something else.",
        "revision": "Always 1: transactions never change.",
        "status": "Always COMPLETED: the commit that writes it completes it.",
        "superseded_transaction_id": "The transaction whose place it takes, if any.",
    },
    # Jobs.
    async_jobs.JobCreatorApp: {"app_id": "The id of the app."},
    async_jobs.JobCreator: {
        "app_id_options": "Which app. Absent if it was somebody else.",
        "type": "What kind of caller: APP, MEMBER or USER.",
    },
    async_jobs.JobCounts: {
        "error_by_code_count": "How many failures each code has.",
        "fail_count": "On how many things it failed.",
        "success_count": "How many things are done.",
        "total": "How many things there are to do, as far as that is known.",
    },
    async_jobs.Job: {
        "counts": "How far it is.",
        "created_by": "Who asked for the work.",
        "metadata": "What it does, as `kind`, and to what, as `subjectId`.",
        "status": "Whether it has begun, and how it ended.",
    },
    async_jobs.JobItem: {
        "job_id": "The id of the job.",
        "created_date": "When the job was created.",
        "id": "The id of what was worked on.",
        "metadata": "What kind of thing it is, as `entity`.",
        "status": "Whether it was done.",
        "updated_date": "When the job was changed last.",
    },
    async_jobs.GetAsyncJobResponse: {"job": "The job."},
    async_jobs.GetAsyncJobRequest: {"job_id": "The id of the job."},
    async_jobs.ListAsyncJobItemsRequest: {
        "job_id": "The id of the job.",
        "paging": "Which page, and how large.",
    },
    async_jobs.ListAsyncJobItemsResponse: {"job_items": "The things of this page."},
    # Settings.
    tenant_settings.PolicyProviderData: {
        "app_id": "The app whose custom policies it judges; each has one provider at the most.",
        "secret": "What questions are signed with. Never answered; left out, it stays.",
        "url": "Where it is asked: an absolute http or https address.",
    },
    tenant_settings.ExtendedFieldSchemaData: {
        "entity": "The kind of entity whose fields these are.",
        "namespace": "The namespace within the extended fields.",
        "read_app_ids": "The apps that may read the fields, beside those that may write.",
        "schema": "What the fields must look like, as a JSON Schema (draft 2020-12).",
        "write_app_ids": "The apps that may read and change the fields.",
    },
    **EVENTS,
    errors.EventsRemoved: {
        "cursor": "The cursor that was sent.",
        "oldest_cursor": "Where the feed begins now.",
    },
    tenant_settings.TenantSettingsData: {
        "extended_field_schemas": "The schemas of extended fields, one per entity and namespace.",
        "extended_fields_require_schema": (
            "Whether extended fields need a schema for their namespace. Default: false."
        ),
        "id_mode": "Which ids must be GUIDs. Default: DEFAULT.",
        "job_retention_days": "How many days a job can be read after its end. Default: 30.",
        "policy_providers": "Who judges custom policies, one per app.",
        "strict_requests": (
            "Whether requests with fields that would be ignored are refused. Default: false."
        ),
        "time_zone": "The IANA name of the time zone that policies are judged in. Default: UTC.",
        "unknown_policy_apps": (
            "How a custom policy counts whose app has no provider. Default: FULFILLED."
        ),
    },
}


def description_of(type_: type[Any], attribute: str) -> str | None:
    """What a field of a type holds; None if nobody has said it yet."""
    for each in type_.__mro__:
        found = OF_TYPES.get(each, {}).get(attribute)
        if found is not None:
            return found
    return COMMON.get(attribute)
