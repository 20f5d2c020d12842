"""Beneficiaries: the people who have programs."""

from __future__ import annotations

from benefit_programs.client.types.base import Part
from benefit_programs.client.types.identities import Identity


class Erasure(Part, frozen=True, kw_only=True):
    """The job that erases a beneficiary, and the pseudonym that stands for them from now on."""

    job_id: str
    beneficiary: Identity


class Merge(Part, frozen=True, kw_only=True):
    """The job that gives a beneficiary what a visitor had."""

    job_id: str
