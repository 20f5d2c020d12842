"""What refusals and eligibility answers say about their pool and benefit."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from benefit_programs.domain.constraints import (
    DecimalText,
    FreeForm,
    Guid,
    Int32,
    Size,
    Text,
    Undocumented,
)

FAILURES_MAX = 10
"""How many failures of a policy expression a refusal names."""


class BalanceAmount(msgspec.Struct, frozen=True, kw_only=True):
    """The credits of a balance: available and reserved."""

    available: Annotated[int, DecimalText(at_least=None)] | None = None
    reserved: Annotated[int, DecimalText(at_least=None)] | None = None


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pool that an answer is about."""

    balance: BalanceAmount | None = None
    credit_amount: Annotated[int, DecimalText()] | None = None
    display_name: Annotated[str, Text(max_length=128)] | None = None
    description: Annotated[str, Text(max_length=450)] | None = None
    pool_definition_id: Annotated[str, Guid()] | None = None
    credit_unit_type: Annotated[str, Text(max_length=16), Undocumented()] | None = None


class BenefitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The benefit that an answer is about."""

    display_name: Annotated[str, Text(max_length=64)] | None = None
    description: Annotated[str, Text(max_length=256)] | None = None
    benefit_key: Annotated[str, Text(max_length=64)] | None = None
    price: Annotated[int, DecimalText(), Undocumented()] | None = None


class ProgramInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The program that a pool belongs to."""

    id: Annotated[str, Guid()] | None = None
    external_id: Annotated[str, Guid("external")] | None = None
    display_name: Annotated[str, Text(max_length=64)] | None = None


class ProgramDefinitionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The program definition that something was made from."""

    id: Annotated[str, Guid()] | None = None
    external_id: Annotated[str, Guid("external")] | None = None
    display_name: Annotated[str, Text(max_length=64), Undocumented()] | None = None
    description: Annotated[str, Text(max_length=450), Undocumented()] | None = None


class PoolContext(msgspec.Struct, frozen=True, kw_only=True):
    """Details that a refusal about a pool adds, if they are known."""

    pool_info: PoolInfo | None = None
    benefit_info: BenefitInfo | None = None
    program_info: ProgramInfo | None = None
    program_definition_info: ProgramDefinitionInfo | None = None


class PaidRedemption(msgspec.Struct, frozen=True, kw_only=True):
    """What one pool has paid of a redemption by whichever pools pay."""

    transaction_id: Annotated[str, Guid()]
    pool_id: Annotated[str, Guid()]
    benefit_key: Annotated[str, Text(max_length=64)]
    count: Annotated[int, Int32(minimum=1)]
    amount: Annotated[int, DecimalText()]


class FailureDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why one policy refused."""

    code: Annotated[str, Text(min_length=1, max_length=64)] | None = None
    message: Annotated[str, Text(max_length=256)] | None = None
    policy_id: Annotated[str, Guid("app")] | None = None
    app_id: Annotated[str, Guid("app")] | None = None
    error_data: Annotated[dict[str, Any], FreeForm()] | None = None


Failures = Annotated[tuple[FailureDetails, ...], Size(maximum=FAILURES_MAX)]
