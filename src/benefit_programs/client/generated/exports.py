# Made by tools/generate_client.py (`make docs`): change what it reads.
"""What is public."""

from __future__ import annotations

from benefit_programs.client import policies
from benefit_programs.client.asynchronous.audit import AsyncAudit, AsyncAuditEntryQuery
from benefit_programs.client.asynchronous.beneficiaries import AsyncBeneficiaries
from benefit_programs.client.asynchronous.client import AsyncBenefitPrograms
from benefit_programs.client.asynchronous.clock import AsyncClock
from benefit_programs.client.asynchronous.events import AsyncEvents
from benefit_programs.client.asynchronous.items import AsyncItemQuery, AsyncItems
from benefit_programs.client.asynchronous.jobs import AsyncAsyncJobs, AsyncJobQuery
from benefit_programs.client.asynchronous.ledger import (
    AsyncBalanceQuery, AsyncBalances, AsyncTransactionQuery, AsyncTransactions,
)
from benefit_programs.client.asynchronous.lots import AsyncLotQuery, AsyncLots
from benefit_programs.client.asynchronous.operating import (
    AsyncApiKeyQuery, AsyncApiKeys, AsyncConsoleUserQuery, AsyncConsoleUsers, AsyncHealth,
    AsyncTenants,
)
from benefit_programs.client.asynchronous.people import AsyncPeople, AsyncPersonQuery
from benefit_programs.client.asynchronous.pool_definitions import (
    AsyncPoolDefinitionQuery, AsyncPoolDefinitions,
)
from benefit_programs.client.asynchronous.pools import AsyncPoolQuery, AsyncPools
from benefit_programs.client.asynchronous.program_definitions import (
    AsyncProgramDefinitionQuery, AsyncProgramDefinitions,
)
from benefit_programs.client.asynchronous.programs import AsyncProgramQuery, AsyncPrograms
from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncPage, AsyncQuery
from benefit_programs.client.asynchronous.reservations import (
    AsyncReservationQuery, AsyncReservations,
)
from benefit_programs.client.asynchronous.scheduled_changes import (
    AsyncScheduledChangeQuery, AsyncScheduledChanges,
)
from benefit_programs.client.asynchronous.settings import AsyncSettings
from benefit_programs.client.asynchronous.statements import AsyncStatements
from benefit_programs.client.asynchronous.views import (
    AsyncPoolDefinitionItemQuery, AsyncPoolDefinitionItems, AsyncPoolItemQuery, AsyncPoolItems,
)
from benefit_programs.client.asynchronous.webhooks import (
    AsyncWebhookDeliveryQuery, AsyncWebhookEndpointQuery, AsyncWebhooks,
)
from benefit_programs.client.errors import (
    ApiError, BadRequest, BalanceExceededLimits, BenefitProgramsError, Conflict, ConnectionFailed,
    DatabaseNotUsable, EligibleAlreadyRedeemed, FailedPrecondition, FieldViolation, InvalidRevision,
    JobFailed, JobStillRunning, JwtNotInstalled, NoEligibleBenefit, NotEnoughBalance, NotFound,
    NotInProcess, NotOneRow, PermissionDenied, PolicyExpressionEvaluatedToFalse, ServerError,
    ServerNotInstalled, Throttled, TimedOut, Unauthenticated, UnreadableAnswer, ValidationError,
    WebhookNotVerified, WrongArgument,
)
from benefit_programs.client.generated.enums import (
    AlertType, AtEnd, AuditEntity, BalanceType, BenefitResultType, CancellationStatus, Cascade,
    ChangeKind, ChangeStatus, DeliveryLog, DeliveryOrigin, DeliveryStatus, ExtendedEntity,
    FeedStart, Figure, FirstDayOfWeek, IdMode, Intent, Interval, JobItemStatus, JobStatus,
    KeyHolderType, LimitRule, LotOrigin, LotStatus, PeopleProviderFailure, PolicyExpressionType,
    PolicyType, PoolDefinitionItemField, PoolItemField, PoolOrigin, PoolStatus, PrincipalKind,
    ProgramChangeKind, ProgramStatus, RenewalActionType, ReservationStatus, Role, StartStatus,
    TimePeriod, TimetableKind, TransactionStatus, UnknownPolicyApps, ValidOn, WebhookFormat,
    WebhookStatus, WeekDay, WhilePaused,
)
from benefit_programs.client.generated.errors import (
    AlreadyExecuted, ApiKeyNotFound, BalanceAlreadyInitialized, BalanceNotFound,
    BenefitAlreadyRedeemed, BenefitNotFound, ChainOperationInProgress, ChangeAlreadyReverted,
    ClockIsMoving, ConsoleUserNotFound, EndDatePassed, EventsRemoved, InProgress,
    InvalidItemReference, ItemAlreadyExists, ItemNotFound, ItemSetNotFound, JobNotCancelable,
    JobNotFound, JobNotRetryable, LotExpired, LotIsStandard, LotNotFound, NotASandbox,
    NotEnoughReserved, NotLatestTransaction, PausedDaysUsedUp, PersonNotFound,
    PoolDefinitionBenefitNotFound, PoolDefinitionNotFound, PoolNotActive, PoolNotFound,
    ProgramAlreadyExists, ProgramDatesFixed, ProgramDefinitionAlreadyExists,
    ProgramDefinitionNotFound, ProgramNotFound, ProgramStatusTransitionNotAllowed,
    RedemptionAlreadyCanceled, ReservationNotFound, ReservationNotOpen, ScheduledChangeNotFound,
    ScheduledChangeOver, SecretKeyMissing, TenantAlreadyExists, TenantNotFound, TooManyLots,
    TooManyReferenced, TooManyReservations, TooManyScheduledChanges, TooManyToCount,
    TooManyToReplay, TooManyWebhookEndpoints, TransactionAlreadySuperseded,
    TransactionNotCancelable, TransactionNotFound, TransactionNotMovable,
    TransactionNotReallocatable, TransactionNotSupersedable, WebhookDeliveryNotFound,
    WebhookEndpointNotFound,
)
from benefit_programs.client.generated.filters import (
    ApiKeyFilter, ApiKeySort, AuditEntryFilter, AuditEntrySort, BalanceFilter, BalanceSort,
    ConsoleUserFilter, ConsoleUserSort, ItemFilter, ItemSort, JobFilter, JobSort, LotFilter,
    LotSort, PersonFilter, PersonSort, PoolDefinitionFilter, PoolDefinitionItemFilter,
    PoolDefinitionItemSort, PoolDefinitionSort, PoolFilter, PoolItemFilter, PoolItemSort, PoolSort,
    ProgramDefinitionFilter, ProgramDefinitionSort, ProgramFilter, ProgramSort, ReservationFilter,
    ReservationSort, ScheduledChangeFilter, ScheduledChangeSort, TransactionFilter, TransactionSort,
    WebhookDeliveryFilter, WebhookDeliverySort, WebhookEndpointFilter, WebhookEndpointSort,
)
from benefit_programs.client.synchronous.audit import Audit, AuditEntryQuery
from benefit_programs.client.synchronous.beneficiaries import Beneficiaries
from benefit_programs.client.synchronous.client import BenefitPrograms
from benefit_programs.client.synchronous.clock import Clock
from benefit_programs.client.synchronous.events import Events
from benefit_programs.client.synchronous.items import ItemQuery, Items
from benefit_programs.client.synchronous.jobs import AsyncJobs, JobQuery
from benefit_programs.client.synchronous.ledger import (
    BalanceQuery, Balances, TransactionQuery, Transactions,
)
from benefit_programs.client.synchronous.lots import LotQuery, Lots
from benefit_programs.client.synchronous.operating import (
    ApiKeyQuery, ApiKeys, ConsoleUserQuery, ConsoleUsers, Health, Tenants,
)
from benefit_programs.client.synchronous.people import People, PersonQuery
from benefit_programs.client.synchronous.pool_definitions import (
    PoolDefinitionQuery, PoolDefinitions,
)
from benefit_programs.client.synchronous.pools import PoolQuery, Pools
from benefit_programs.client.synchronous.program_definitions import (
    ProgramDefinitionQuery, ProgramDefinitions,
)
from benefit_programs.client.synchronous.programs import ProgramQuery, Programs
from benefit_programs.client.synchronous.queries import Listing, Page, Query
from benefit_programs.client.synchronous.reservations import ReservationQuery, Reservations
from benefit_programs.client.synchronous.scheduled_changes import (
    ScheduledChangeQuery, ScheduledChanges,
)
from benefit_programs.client.synchronous.settings import Settings
from benefit_programs.client.synchronous.statements import Statements
from benefit_programs.client.synchronous.views import (
    PoolDefinitionItemQuery, PoolDefinitionItems, PoolItemQuery, PoolItems,
)
from benefit_programs.client.synchronous.webhooks import (
    WebhookDeliveryQuery, WebhookEndpointQuery, Webhooks,
)
from benefit_programs.client.types.audit import AuditEntry, Principal
from benefit_programs.client.types.beneficiaries import (
    Erasure, KeptEvent, KeptLot, KeptRecord, KeptReservation, Merge, UsedRateLimit,
)
from benefit_programs.client.types.bulk import (
    BulkEntry, BulkResult, BulkTotals, EntryError, EntryMetadata,
)
from benefit_programs.client.types.calendars import (
    CreditsAtRenewal, Cycle, RenewalConfiguration, Timetable, TimetableDate,
)
from benefit_programs.client.types.clock import SandboxClock
from benefit_programs.client.types.common import (
    Amount, BalanceAmount, BenefitItem, CreditConfigurationInfo, ExtendedFields, ItemInfo,
    ItemReference, Namespaces, ProgramDefinitionInfo, ProgramInfo, UNSET, Unset,
)
from benefit_programs.client.types.conditions import (
    InstantCondition, InstantOperators, TextCondition, TextOperators,
)
from benefit_programs.client.types.definitions import (
    NewPoolDefinition, PoolDefinition, PoolDefinitionChange, ProgramDefinition,
)
from benefit_programs.client.types.details import (
    Alert, BalanceBelow, Benefit, CancellationTerm, CreditConfiguration, CustomPolicy, Details,
    DetailsChange, FixedIntervalPolicy, Policy, PolicyExpression, PolicyExpressionAnd,
    PolicyExpressionNot, PolicyExpressionOr, RateLimitedPolicy, RolloverConfiguration, Within,
)
from benefit_programs.client.types.events import (
    DomainEvent, EntityActed, EntityCreated, EntityDeleted, EntityUpdated, EventActor, EventEntity,
    EventPage, EventReceiver,
)
from benefit_programs.client.types.identities import (
    AnonymousVisitor, App, Identity, Member, WixUser,
)
from benefit_programs.client.types.items import (
    BenefitInfo, Item, ItemChange, ItemSetReferenceFilter, NewItem, PoolDefinitionInfo,
    PoolDefinitionItem, PoolItem, PoolItemBalance, PoolItemPool, ReferenceFilter,
)
from benefit_programs.client.types.jobs import Job, JobCounts, JobCreator, JobCreatorApp, JobItem
from benefit_programs.client.types.ledger import (
    AdjustBalance, Balance, BalancePoolInfo, ChangeDetails, ChangedBalance, DrawnLot,
    FailedTransactionDetails, RequestedValues, RolloverInfo, SetBalance, SetInitialBalance,
    Transaction, TransactionDetails, TransactionItem, TransactionPoolInfo,
)
from benefit_programs.client.types.lots import ChangedLot, Lot
from benefit_programs.client.types.operating import (
    ApiKey, ApiKeyIdentity, ConsoleUser, CreatedApiKey, InvitedConsoleUser, JobsHealth,
    ProcessHealth, ServiceHealth, Tenant, WebhooksHealth,
)
from benefit_programs.client.types.people import (
    FoundPeople, NewPerson, PeopleProviderProblem, Person, ProvidedPerson,
)
from benefit_programs.client.types.pools import (
    BenefitExplanation, BenefitPoolInfo, BenefitResult, BenefitSelector, Eligibility,
    EligibleBenefit, InactivePool, MissingBenefit, MissingPool, NewRedemption, PolicyFailure, Pool,
    PoolBenefitInfo, PoolChange, Redemption, RefusedByPolicy, RenewalAction, RenewalUpdate,
    SelectedEligibility, TooLittleBalance,
)
from benefit_programs.client.types.programs import Program, ProvisionedProgram, StartedJob
from benefit_programs.client.types.reservations import (
    NewReservation, Reservation, ReservationCancel, ReservationCapture,
)
from benefit_programs.client.types.returns import (
    CanceledItems, Cancellation, MovedRedemption, PaidRedemption, ReferencedCancellation,
)
from benefit_programs.client.types.scheduled_changes import ScheduledChange
from benefit_programs.client.types.settings import (
    ExtendedFieldSchema, PeopleProvider, PolicyProvider, TenantSettings,
)
from benefit_programs.client.types.statements import (
    Activity, ActivityHour, ActivityPeriod, BalanceAsOf, LotAsOf, LotStatement, NextExpiry,
    Outstanding, OutstandingOfDefinition, OutstandingPart, Overview, OverviewBenefit, OverviewPool,
    OverviewProgram, OverviewReservation, PeriodLength, Statement, StatementFigures,
    StatementOfPools, StatementPeriod, StatementRow, StatementSummary,
)
from benefit_programs.client.types.webhooks import (
    CreatedWebhookEndpoint, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookKey,
    WebhookProgress, WebhookTest,
)
from benefit_programs.client.webhooks import Webhook, WebhookHeaders

__all__ = [
    "Activity", "ActivityHour", "ActivityPeriod", "AdjustBalance", "Alert", "AlertType",
    "AlreadyExecuted", "Amount", "AnonymousVisitor", "ApiError", "ApiKey", "ApiKeyFilter",
    "ApiKeyIdentity", "ApiKeyNotFound", "ApiKeyQuery", "ApiKeySort", "ApiKeys", "App",
    "AsyncApiKeyQuery", "AsyncApiKeys", "AsyncAsyncJobs", "AsyncAudit", "AsyncAuditEntryQuery",
    "AsyncBalanceQuery", "AsyncBalances", "AsyncBeneficiaries", "AsyncBenefitPrograms",
    "AsyncClock", "AsyncConsoleUserQuery", "AsyncConsoleUsers", "AsyncEvents", "AsyncHealth",
    "AsyncItemQuery", "AsyncItems", "AsyncJobQuery", "AsyncJobs", "AsyncListing", "AsyncLotQuery",
    "AsyncLots", "AsyncPage", "AsyncPeople", "AsyncPersonQuery", "AsyncPoolDefinitionItemQuery",
    "AsyncPoolDefinitionItems", "AsyncPoolDefinitionQuery", "AsyncPoolDefinitions",
    "AsyncPoolItemQuery", "AsyncPoolItems", "AsyncPoolQuery", "AsyncPools",
    "AsyncProgramDefinitionQuery", "AsyncProgramDefinitions", "AsyncProgramQuery", "AsyncPrograms",
    "AsyncQuery", "AsyncReservationQuery", "AsyncReservations", "AsyncScheduledChangeQuery",
    "AsyncScheduledChanges", "AsyncSettings", "AsyncStatements", "AsyncTenants",
    "AsyncTransactionQuery", "AsyncTransactions", "AsyncWebhookDeliveryQuery",
    "AsyncWebhookEndpointQuery", "AsyncWebhooks", "AtEnd", "Audit", "AuditEntity", "AuditEntry",
    "AuditEntryFilter", "AuditEntryQuery", "AuditEntrySort", "BadRequest", "Balance",
    "BalanceAlreadyInitialized", "BalanceAmount", "BalanceAsOf", "BalanceBelow",
    "BalanceExceededLimits", "BalanceFilter", "BalanceNotFound", "BalancePoolInfo", "BalanceQuery",
    "BalanceSort", "BalanceType", "Balances", "Beneficiaries", "Benefit", "BenefitAlreadyRedeemed",
    "BenefitExplanation", "BenefitInfo", "BenefitItem", "BenefitNotFound", "BenefitPoolInfo",
    "BenefitPrograms", "BenefitProgramsError", "BenefitResult", "BenefitResultType",
    "BenefitSelector", "BulkEntry", "BulkResult", "BulkTotals", "CanceledItems", "Cancellation",
    "CancellationStatus", "CancellationTerm", "Cascade", "ChainOperationInProgress",
    "ChangeAlreadyReverted", "ChangeDetails", "ChangeKind", "ChangeStatus", "ChangedBalance",
    "ChangedLot", "Clock", "ClockIsMoving", "Conflict", "ConnectionFailed", "ConsoleUser",
    "ConsoleUserFilter", "ConsoleUserNotFound", "ConsoleUserQuery", "ConsoleUserSort",
    "ConsoleUsers", "CreatedApiKey", "CreatedWebhookEndpoint", "CreditConfiguration",
    "CreditConfigurationInfo", "CreditsAtRenewal", "CustomPolicy", "Cycle", "DatabaseNotUsable",
    "DeliveryLog", "DeliveryOrigin", "DeliveryStatus", "Details", "DetailsChange", "DomainEvent",
    "DrawnLot", "Eligibility", "EligibleAlreadyRedeemed", "EligibleBenefit", "EndDatePassed",
    "EntityActed", "EntityCreated", "EntityDeleted", "EntityUpdated", "EntryError", "EntryMetadata",
    "Erasure", "EventActor", "EventEntity", "EventPage", "EventReceiver", "Events", "EventsRemoved",
    "ExtendedEntity", "ExtendedFieldSchema", "ExtendedFields", "FailedPrecondition",
    "FailedTransactionDetails", "FeedStart", "FieldViolation", "Figure", "FirstDayOfWeek",
    "FixedIntervalPolicy", "FoundPeople", "Health", "IdMode", "Identity", "InProgress",
    "InactivePool", "InstantCondition", "InstantOperators", "Intent", "Interval",
    "InvalidItemReference", "InvalidRevision", "InvitedConsoleUser", "Item", "ItemAlreadyExists",
    "ItemChange", "ItemFilter", "ItemInfo", "ItemNotFound", "ItemQuery", "ItemReference",
    "ItemSetNotFound", "ItemSetReferenceFilter", "ItemSort", "Items", "Job", "JobCounts",
    "JobCreator", "JobCreatorApp", "JobFailed", "JobFilter", "JobItem", "JobItemStatus",
    "JobNotCancelable", "JobNotFound", "JobNotRetryable", "JobQuery", "JobSort", "JobStatus",
    "JobStillRunning", "JobsHealth", "JwtNotInstalled", "KeptEvent", "KeptLot", "KeptRecord",
    "KeptReservation", "KeyHolderType", "LimitRule", "Listing", "Lot", "LotAsOf", "LotExpired",
    "LotFilter", "LotIsStandard", "LotNotFound", "LotOrigin", "LotQuery", "LotSort", "LotStatement",
    "LotStatus", "Lots", "Member", "Merge", "MissingBenefit", "MissingPool", "MovedRedemption",
    "Namespaces", "NewItem", "NewPerson", "NewPoolDefinition", "NewRedemption", "NewReservation",
    "NextExpiry", "NoEligibleBenefit", "NotASandbox", "NotEnoughBalance", "NotEnoughReserved",
    "NotFound", "NotInProcess", "NotLatestTransaction", "NotOneRow", "Outstanding",
    "OutstandingOfDefinition", "OutstandingPart", "Overview", "OverviewBenefit", "OverviewPool",
    "OverviewProgram", "OverviewReservation", "Page", "PaidRedemption", "PausedDaysUsedUp",
    "People", "PeopleProvider", "PeopleProviderFailure", "PeopleProviderProblem", "PeriodLength",
    "PermissionDenied", "Person", "PersonFilter", "PersonNotFound", "PersonQuery", "PersonSort",
    "Policy", "PolicyExpression", "PolicyExpressionAnd", "PolicyExpressionEvaluatedToFalse",
    "PolicyExpressionNot", "PolicyExpressionOr", "PolicyExpressionType", "PolicyFailure",
    "PolicyProvider", "PolicyType", "Pool", "PoolBenefitInfo", "PoolChange", "PoolDefinition",
    "PoolDefinitionBenefitNotFound", "PoolDefinitionChange", "PoolDefinitionFilter",
    "PoolDefinitionInfo", "PoolDefinitionItem", "PoolDefinitionItemField",
    "PoolDefinitionItemFilter", "PoolDefinitionItemQuery", "PoolDefinitionItemSort",
    "PoolDefinitionItems", "PoolDefinitionNotFound", "PoolDefinitionQuery", "PoolDefinitionSort",
    "PoolDefinitions", "PoolFilter", "PoolItem", "PoolItemBalance", "PoolItemField",
    "PoolItemFilter", "PoolItemPool", "PoolItemQuery", "PoolItemSort", "PoolItems", "PoolNotActive",
    "PoolNotFound", "PoolOrigin", "PoolQuery", "PoolSort", "PoolStatus", "Pools", "Principal",
    "PrincipalKind", "ProcessHealth", "Program", "ProgramAlreadyExists", "ProgramChangeKind",
    "ProgramDatesFixed", "ProgramDefinition", "ProgramDefinitionAlreadyExists",
    "ProgramDefinitionFilter", "ProgramDefinitionInfo", "ProgramDefinitionNotFound",
    "ProgramDefinitionQuery", "ProgramDefinitionSort", "ProgramDefinitions", "ProgramFilter",
    "ProgramInfo", "ProgramNotFound", "ProgramQuery", "ProgramSort", "ProgramStatus",
    "ProgramStatusTransitionNotAllowed", "Programs", "ProvidedPerson", "ProvisionedProgram",
    "Query", "RateLimitedPolicy", "Redemption", "RedemptionAlreadyCanceled", "ReferenceFilter",
    "ReferencedCancellation", "RefusedByPolicy", "RenewalAction", "RenewalActionType",
    "RenewalConfiguration", "RenewalUpdate", "RequestedValues", "Reservation", "ReservationCancel",
    "ReservationCapture", "ReservationFilter", "ReservationNotFound", "ReservationNotOpen",
    "ReservationQuery", "ReservationSort", "ReservationStatus", "Reservations", "Role",
    "RolloverConfiguration", "RolloverInfo", "SandboxClock", "ScheduledChange",
    "ScheduledChangeFilter", "ScheduledChangeNotFound", "ScheduledChangeOver",
    "ScheduledChangeQuery", "ScheduledChangeSort", "ScheduledChanges", "SecretKeyMissing",
    "SelectedEligibility", "ServerError", "ServerNotInstalled", "ServiceHealth", "SetBalance",
    "SetInitialBalance", "Settings", "StartStatus", "StartedJob", "Statement", "StatementFigures",
    "StatementOfPools", "StatementPeriod", "StatementRow", "StatementSummary", "Statements",
    "Tenant", "TenantAlreadyExists", "TenantNotFound", "TenantSettings", "Tenants", "TextCondition",
    "TextOperators", "Throttled", "TimePeriod", "TimedOut", "Timetable", "TimetableDate",
    "TimetableKind", "TooLittleBalance", "TooManyLots", "TooManyReferenced", "TooManyReservations",
    "TooManyScheduledChanges", "TooManyToCount", "TooManyToReplay", "TooManyWebhookEndpoints",
    "Transaction", "TransactionAlreadySuperseded", "TransactionDetails", "TransactionFilter",
    "TransactionItem", "TransactionNotCancelable", "TransactionNotFound", "TransactionNotMovable",
    "TransactionNotReallocatable", "TransactionNotSupersedable", "TransactionPoolInfo",
    "TransactionQuery", "TransactionSort", "TransactionStatus", "Transactions", "UNSET",
    "Unauthenticated", "UnknownPolicyApps", "UnreadableAnswer", "Unset", "UsedRateLimit", "ValidOn",
    "ValidationError", "Webhook", "WebhookAttempt", "WebhookDelivery", "WebhookDeliveryFilter",
    "WebhookDeliveryNotFound", "WebhookDeliveryQuery", "WebhookDeliverySort", "WebhookEndpoint",
    "WebhookEndpointFilter", "WebhookEndpointNotFound", "WebhookEndpointQuery",
    "WebhookEndpointSort", "WebhookFormat", "WebhookHeaders", "WebhookKey", "WebhookNotVerified",
    "WebhookProgress", "WebhookStatus", "WebhookTest", "Webhooks", "WebhooksHealth", "WeekDay",
    "WhilePaused", "Within", "WixUser", "WrongArgument", "policies",
]
