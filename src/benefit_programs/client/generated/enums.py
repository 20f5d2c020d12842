# Made by tools/generate_client.py (`make docs`): change what it reads.
"""The enums of the contract. Values of newer servers are kept, as text."""

from __future__ import annotations

from benefit_programs.client.types.base import OpenEnum

class AlertType(OpenEnum):
    """What an alert tells of."""
    BALANCE_BELOW = "BALANCE_BELOW"; CREDITS_EXPIRING = "CREDITS_EXPIRING"
    RENEWAL_DUE = "RENEWAL_DUE"; PROGRAM_ENDING = "PROGRAM_ENDING"
    RESERVATION_LAPSING = "RESERVATION_LAPSING"

class AtEnd(OpenEnum):
    """What becomes of a program whose last cycle is over."""
    END = "END"; STAY = "STAY"

class AuditEntity(OpenEnum):
    """The kinds of entity that audit entries name."""
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"; POOL_DEFINITION = "POOL_DEFINITION"; ITEM = "ITEM"
    PERSON = "PERSON"; PROGRAM = "PROGRAM"; POOL = "POOL"; TRANSACTION = "TRANSACTION"; LOT = "LOT"
    SCHEDULED_CHANGE = "SCHEDULED_CHANGE"; JOB = "JOB"; WEBHOOK_ENDPOINT = "WEBHOOK_ENDPOINT"
    WEBHOOK_KEY = "WEBHOOK_KEY"; CLOCK = "CLOCK"; TENANT = "TENANT"; API_KEY = "API_KEY"
    CONSOLE_USER = "CONSOLE_USER"

class BalanceType(OpenEnum):
    """Where credits of a transaction come from or go to."""
    AVAILABLE = "AVAILABLE"; RESERVED = "RESERVED"; EXTERNAL = "EXTERNAL"

class BenefitResultType(OpenEnum):
    """Whether a benefit can be redeemed, or why it can't."""
    ELIGIBLE_BENEFIT = "ELIGIBLE_BENEFIT"; NOT_ENOUGH_BALANCE = "NOT_ENOUGH_BALANCE"
    POLICY_EXPRESSION_EVALUATED_TO_FALSE = "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    POOL_NOT_ACTIVE = "POOL_NOT_ACTIVE"; BENEFIT_NOT_FOUND = "BENEFIT_NOT_FOUND"
    POOL_NOT_FOUND = "POOL_NOT_FOUND"

class CancellationStatus(OpenEnum):
    """What became of a redemption or reservation that was to be canceled."""
    CANCELED = "CANCELED"; ALREADY_CANCELED = "ALREADY_CANCELED"; CAPTURED = "CAPTURED"
    LAPSED = "LAPSED"; FAILED = "FAILED"

class Cascade(OpenEnum):
    """When a change of a definition reaches the programs and pools made from it."""
    NEXT_RENEWAL = "NEXT_RENEWAL"; IMMEDIATELY = "IMMEDIATELY"
    FUTURE_PROVISIONS = "FUTURE_PROVISIONS"

class ChangeKind(OpenEnum):
    """What a change with a date does."""
    PAUSE = "PAUSE"; RESUME = "RESUME"; END = "END"; CASCADE = "CASCADE"

class ChangeStatus(OpenEnum):
    """The status of a change with a date; all but the first are its end."""
    WAITING = "WAITING"; DONE = "DONE"; REFUSED = "REFUSED"; WITHDRAWN = "WITHDRAWN"

class DeliveryLog(OpenEnum):
    """Which deliveries of an endpoint are kept: all, or only those that failed at first."""
    ALL = "ALL"; FAILURES = "FAILURES"

class DeliveryOrigin(OpenEnum):
    """Why an event is delivered: it happened, or somebody asked for it again."""
    FEED = "FEED"; RESEND = "RESEND"; REPLAY = "REPLAY"

class DeliveryStatus(OpenEnum):
    """The life of a delivery. PARKED: it failed until its time was over, and isn't tried again."""
    PENDING = "PENDING"; DELIVERED = "DELIVERED"; PARKED = "PARKED"

class ExtendedEntity(OpenEnum):
    """The kinds of entity whose extended fields callers may set."""
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"; POOL_DEFINITION = "POOL_DEFINITION"
    PROGRAM = "PROGRAM"; POOL = "POOL"; ITEM = "ITEM"

class FeedStart(OpenEnum):
    """Where a consumer without a cursor begins."""
    OLDEST = "OLDEST"; NEWEST = "NEWEST"

class Figure(OpenEnum):
    """What a transaction counts as in a statement."""
    PROVISIONED = "PROVISIONED"; RENEWED = "RENEWED"; GRANTED = "GRANTED"; ADJUSTED = "ADJUSTED"
    RETURNED = "RETURNED"; REDEEMED = "REDEEMED"; RESERVED = "RESERVED"; LAPSED = "LAPSED"

class FirstDayOfWeek(OpenEnum):
    """The day that the weeks of rate limits begin with."""
    MONDAY = "MONDAY"; TUESDAY = "TUESDAY"; WEDNESDAY = "WEDNESDAY"; THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"; SATURDAY = "SATURDAY"; SUNDAY = "SUNDAY"

class IdMode(OpenEnum):
    """Which ids must be GUIDs: all except external ones, all, or only the service's own."""
    DEFAULT = "DEFAULT"; STRICT = "STRICT"; OPEN = "OPEN"

class Intent(OpenEnum):
    """The planned change; a reallocation costs nothing."""
    REDEMPTION = "REDEMPTION"; REALLOCATION = "REALLOCATION"

class Interval(OpenEnum):
    """How long the periods of a statement are, in the tenant's time zone."""
    DAY = "DAY"; WEEK = "WEEK"; MONTH = "MONTH"

class JobItemStatus(OpenEnum):
    """Whether a job succeeded with an entity."""
    UNKNOWN = "UNKNOWN"; SUCCESS = "SUCCESS"; FAILURE = "FAILURE"

class JobStatus(OpenEnum):
    """The status of an async job."""
    INITIALIZED = "INITIALIZED"; PROCESSING = "PROCESSING"; FINISHED = "FINISHED"
    FAILED = "FAILED"; UNKNOWN = "UNKNOWN"

class KeyHolderType(OpenEnum):
    """What a key may stand for."""
    APP = "APP"; MEMBER = "MEMBER"; WIX_USER = "WIX_USER"

class LimitRule(OpenEnum):
    """How an adjustment treats a limit: refuse, stop at it, or bring the balance inside."""
    FAIL = "FAIL"; SOFT_ENFORCE = "SOFT_ENFORCE"; HARD_ENFORCE = "HARD_ENFORCE"

class LotOrigin(OpenEnum):
    """What brought the credits of a lot."""
    PROVISION = "PROVISION"; RENEWAL = "RENEWAL"; ADJUSTMENT = "ADJUSTMENT"; GRANT = "GRANT"
    RETURN = "RETURN"

class LotStatus(OpenEnum):
    """The status of a lot. One that is spent lives again when credits come back."""
    FUTURE = "FUTURE"; LIVE = "LIVE"; SPENT = "SPENT"; EXPIRED = "EXPIRED"

class PeopleProviderFailure(OpenEnum):
    """Why names couldn't be had, or not all of them."""
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"; PROVIDER_FAILED = "PROVIDER_FAILED"
    PROVIDER_ANSWER_INVALID = "PROVIDER_ANSWER_INVALID"

class PolicyExpressionType(OpenEnum):
    """The shape of a node of a policy expression."""
    OPERATOR_NOT = "OPERATOR_NOT"; OPERATOR_AND = "OPERATOR_AND"; OPERATOR_OR = "OPERATOR_OR"
    POLICY = "POLICY"

class PolicyType(OpenEnum):
    """The kind of a policy."""
    FIXED_INTERVAL = "FIXED_INTERVAL"; RATE_LIMITED = "RATE_LIMITED"; CUSTOM = "CUSTOM"

class PoolDefinitionItemField(OpenEnum):
    """The parts of a row that a query can ask for."""
    POOL_DEFINITION = "POOL_DEFINITION"; PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    BENEFIT = "BENEFIT"; ITEM = "ITEM"

class PoolItemField(OpenEnum):
    """The parts of a row that a query can ask for."""
    POOL = "POOL"; PROGRAM = "PROGRAM"; PROGRAM_DEFINITION = "PROGRAM_DEFINITION"; ITEM = "ITEM"
    BENEFIT = "BENEFIT"; BALANCE = "BALANCE"

class PoolOrigin(OpenEnum):
    """How a pool was opened."""
    PROVISION = "PROVISION"; CASCADE = "CASCADE"

class PoolStatus(OpenEnum):
    """The status of a pool."""
    ACTIVE = "ACTIVE"; PAUSED = "PAUSED"; ENDED = "ENDED"; PROVISIONING = "PROVISIONING"
    RENEWING = "RENEWING"; PENDING = "PENDING"

class PrincipalKind(OpenEnum):
    """Who changed something, and through what."""
    API_KEY = "API_KEY"; AGENT = "AGENT"; CONSOLE_USER = "CONSOLE_USER"
    COMMAND_LINE = "COMMAND_LINE"; IN_PROCESS = "IN_PROCESS"; JOB = "JOB"; CALENDAR = "CALENDAR"
    SERVICE = "SERVICE"

class ProgramChangeKind(OpenEnum):
    """What may happen to a program at a date."""
    PAUSE = "PAUSE"; RESUME = "RESUME"; END = "END"

class ProgramStatus(OpenEnum):
    """The status of a program; those in -ING show while an action runs in the background."""
    ACTIVE = "ACTIVE"; PAUSED = "PAUSED"; ENDED = "ENDED"; PROVISIONING = "PROVISIONING"
    PAUSING = "PAUSING"; RESUMING = "RESUMING"; ENDING = "ENDING"

class RenewalActionType(OpenEnum):
    """What a renewal does to a pool besides its credits."""
    END = "END"; UPDATE = "UPDATE"

class ReservationStatus(OpenEnum):
    """The status of a reservation; all but the first are its end."""
    OPEN = "OPEN"; CAPTURED = "CAPTURED"; CANCELED = "CANCELED"; LAPSED = "LAPSED"

class Role(OpenEnum):
    """What somebody does with the service; each may do what the one before may."""
    READER = "READER"; FRONT_DESK = "FRONT_DESK"; MANAGER = "MANAGER"; OPERATOR = "OPERATOR"

class StartStatus(OpenEnum):
    """The status that a program can start with."""
    ACTIVE = "ACTIVE"; PAUSED = "PAUSED"

class TimePeriod(OpenEnum):
    """What a rate limit counts in: a calendar period, all time, a rolling window, or a cycle."""
    DAY = "DAY"; WEEK = "WEEK"; MONTH = "MONTH"; YEAR = "YEAR"; LIFETIME = "LIFETIME"
    ROLLING = "ROLLING"; CYCLE = "CYCLE"

class TimetableKind(OpenEnum):
    """What happens to a program by itself."""
    RESUME = "RESUME"; PAUSE = "PAUSE"; END = "END"; RENEWAL = "RENEWAL"
    MISSED_RENEWAL = "MISSED_RENEWAL"

class TransactionStatus(OpenEnum):
    """The status of a transaction: always COMPLETED, by the commit that writes it."""
    PENDING = "PENDING"; COMPLETED = "COMPLETED"; FAILED = "FAILED"

class UnknownPolicyApps(OpenEnum):
    """How a custom policy counts whose app has no provider."""
    FULFILLED = "FULFILLED"; REFUSED = "REFUSED"

class ValidOn(OpenEnum):
    """What must be in a lot's life for the lot to pay: the moment of redemption, or its date."""
    REDEMPTION = "REDEMPTION"; TARGET_DATE = "TARGET_DATE"

class WebhookFormat(OpenEnum):
    """What an endpoint gets: JSON signed by Standard Webhooks, or a signed JWT."""
    STANDARD = "STANDARD"; JWT = "JWT"

class WebhookStatus(OpenEnum):
    """Whether an endpoint gets events."""
    ACTIVE = "ACTIVE"; INACTIVE = "INACTIVE"; PAUSED = "PAUSED"

class WeekDay(OpenEnum):
    """A day of the week; UNKNOWN means none given."""
    UNKNOWN = "UNKNOWN"; MONDAY = "MONDAY"; TUESDAY = "TUESDAY"; WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"; FRIDAY = "FRIDAY"; SATURDAY = "SATURDAY"; SUNDAY = "SUNDAY"

class WhilePaused(OpenEnum):
    """What becomes of a program's dates while it is paused: the clock runs on, or stops."""
    RUN = "RUN"; STOP = "STOP"
