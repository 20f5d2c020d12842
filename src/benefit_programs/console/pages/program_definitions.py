"""Definitions of programs: which packs they give, and when their programs renew and end."""

from __future__ import annotations

import asyncio
from typing import Any

from benefit_programs.console.page import BACK_OFFICE, EVERYBODY, GET, Answer, page
from benefit_programs.console.policies import duration_words
from benefit_programs.console.queries import query
from benefit_programs.console.timetables import dates_in_words
from benefit_programs.console.visit import Visit
from benefit_programs.domain.calendars import TERMS
from benefit_programs.wire.codec.naming import to_camel

DEFINITIONS = 50
DATES = 6


@page(GET, "/program-definitions", roles=BACK_OFFICE, template="program_definitions.html")
async def show_all(visit: Visit) -> Answer:
    found = await query(
        visit, "queryProgramDefinitions", {}, limit=DEFINITIONS, cursor=visit.query.get("cursor")
    )
    return {
        "definitions": found["programDefinitions"],
        "metadata": found["metadata"],
        "duration": duration_words,
    }


@page(GET, "/program-definitions/{id}", roles=EVERYBODY, template="program_definition.html")
async def show(visit: Visit) -> Answer:
    answer = await visit.call("getProgramDefinition", {"programDefinitionId": visit.path["id"]})
    definition: dict[str, Any] = answer["programDefinition"]
    stated = {name: definition[name] for name in map(to_camel, TERMS) if name in definition}
    packs, timetable = await asyncio.gather(
        visit.call(
            "findPoolDefinitionsByProgramDefinition",
            {"programDefinitionId": definition["id"], "namespace": definition["namespace"]},
        ),
        visit.call("previewTimetable", {**stated, "limit": DATES}),
    )
    return {
        "definition": definition,
        "packs": packs.get("poolDefinitions", []),
        "dates": dates_in_words(timetable, {}),
        "sees_all": visit.may(show_all),
    }
