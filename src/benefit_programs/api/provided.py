"""People whom only a tenant's own system knows, asked of its provider and kept nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import structlog
from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.people.provided import PeopleProviderFailure
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.values import Identity
from benefit_programs.providers.people import PeopleFailed, PeopleProvider, PeopleQuestion
from benefit_programs.wire.codec import decoder_for
from benefit_programs.wire.types.common import IdentificationData
from benefit_programs.wire.types.people import PeopleProviderProblem, ProvidedPerson

log = structlog.get_logger(__name__)

PROBLEMS_TOLD_MAX = 3
"""How many mistakes of an answer are named; the others are counted."""

_SPARED = frozenset({"email", "phone"})
"""What is left out by itself if it is wrong; any other mistake leaves the person out."""


class Provided(NamedTuple):
    """Who was told by a provider, and what is wrong, if anything is."""

    people: tuple[ProvidedPerson, ...] = ()
    problem: PeopleProviderProblem | None = None


async def provided_by_text(call: Call, text: str, *, limit: int) -> Provided:
    """Those whom a text finds at the tenant's provider; nobody if there is none."""
    question = PeopleQuestion(tenant_id=call.principal.site_id, text=text, limit=limit)
    return await _ask(call, question, limit, None)


async def provided_by_identity(call: Call, beneficiaries: Sequence[Identity]) -> Provided:
    """Who some beneficiaries are, as the tenant's provider says; nobody if there is none."""
    asked = tuple(dict.fromkeys(beneficiaries))
    if not asked:
        return Provided()
    question = PeopleQuestion(tenant_id=call.principal.site_id, beneficiaries=asked)
    return await _ask(call, question, len(asked), frozenset(asked))


async def _ask(
    call: Call, question: PeopleQuestion, people_max: int, among: Collection[Identity] | None
) -> Provided:
    setting = call.principal.settings.people_provider
    if setting is None:
        return Provided()
    provider = PeopleProvider(setting.url, setting.secret)
    real_now = call.services.engine.now()
    try:
        found = await call.services.people_providers.ask(
            question, provider, now=real_now, apart=call.turn.apart()
        )
    except PeopleFailed as failure:
        problem = PeopleProviderProblem(code=failure.code, message=failure.message)
        return Provided(problem=problem)
    ids = call.principal.settings.id_mode
    provided = read_people(found, among, people_max=people_max, ids=ids)
    if provided.problem:
        # Paths and rules alone: nothing of whom was told about.
        log.warning(
            "people_provider_answer_invalid",
            tenant=question.tenant_id,
            reason=provided.problem.message,
        )
    return provided


def read_people(
    found: Sequence[Any], among: Collection[Identity] | None, *, people_max: int, ids: IdMode
) -> Provided:
    """Those of an answer who can be shown, each once; what is wrong with the others is named.

    Nobody is shown who wasn't asked for: ``among`` says who was, None that anybody may be.
    """
    people: dict[Identity, ProvidedPerson] = {}
    problems: list[str] = []
    for place, document in enumerate(found[:people_max]):
        problems += _read(f"people[{place}]", document, people, among, ids)
    if len(found) > people_max:
        problems.append(f"people has more than the {people_max} that were asked for")
    return Provided(tuple(people.values()), _problem(problems))


def _read(
    path: str,
    document: Any,
    people: dict[Identity, ProvidedPerson],
    among: Collection[Identity] | None,
    ids: IdMode,
) -> Iterator[str]:
    """Add a person of an answer; what keeps it from being added."""
    decoder = decoder_for(ProvidedPerson)
    try:
        person = decoder.decode(document, ids=ids).value
    except Invalid as refusal:
        for each in refusal.violations:
            yield f"{path}{'.' if each.field else ''}{each.field} {each.description}"
        wrong = {each.field for each in refusal.violations}
        if not wrong <= _SPARED:
            return
        # A name helps, whatever way a telephone number is written.
        kept = {name: value for name, value in document.items() if name not in wrong}
        person = decoder.decode(kept, ids=ids).value
    identity = person.beneficiary.identity()
    if among is not None and identity not in among:
        yield f"{path}.beneficiary is nobody who was asked for"
    elif identity in people:
        yield f"{path}.beneficiary was told of before"
    else:
        people[identity] = replace(person, beneficiary=IdentificationData.of(identity))


def _problem(problems: Sequence[str]) -> PeopleProviderProblem | None:
    if not problems:
        return None
    told = list(problems[:PROBLEMS_TOLD_MAX])
    if len(problems) > PROBLEMS_TOLD_MAX:
        told.append(f"and {len(problems) - PROBLEMS_TOLD_MAX} more")
    code = PeopleProviderFailure.PROVIDER_ANSWER_INVALID
    return PeopleProviderProblem(code=code, message="; ".join(told))
