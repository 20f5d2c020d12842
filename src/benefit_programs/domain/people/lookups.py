"""The ways in which commands find people."""

from __future__ import annotations

from benefit_programs.domain.indexes import Index
from benefit_programs.domain.people.rows import Person, PersonWord
from benefit_programs.domain.values import IdentityType

PERSON = Index(Person, "id")
PERSON_OF = {
    IdentityType.ANONYMOUS_VISITOR: Index(Person, "anonymous_visitor_id", empty_leads_on=False),
    IdentityType.MEMBER: Index(Person, "member_id", empty_leads_on=False),
    IdentityType.WIX_USER: Index(Person, "wix_user_id", empty_leads_on=False),
}
"""Who a beneficiary is, by the kind of the identity."""

PERSON_WORD = Index(PersonWord, "word", "person_id", leads_on=False)
