"""The timetables of programs, to be read."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import GET, POST, READ_LIMITED, method
from benefit_programs.domain.calendars import ProgramTerms, terms_of
from benefit_programs.domain.errors import Invalid, ProgramNotFound
from benefit_programs.domain.outlook import DATES_DEFAULT, ReadOutlook, outlook, preview
from benefit_programs.wire import calendar_views as views
from benefit_programs.wire.types import calendars as wire


@method(
    "getProgramTimetable",
    GET,
    "/benefit-programs/v1/programs/{programId}/timetable",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    refuses=(ProgramNotFound,),
    is_addition=True,
)
async def get(call: Call, request: wire.GetProgramTimetableRequest) -> wire.TimetableResponse:
    now, settings = call.now, call.principal.settings
    question = ReadOutlook(request.program_id)
    state = await call.load([question], now=now)
    return views.timetable(
        outlook(
            state,
            request.program_id,
            now=now,
            limit=request.limit or DATES_DEFAULT,
            zone=settings.time_zone,
        )
    )


@method(
    "previewTimetable",
    POST,
    "/benefit-programs/v1/program-definitions/timetable",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
    is_addition=True,
)
async def show(call: Call, request: wire.PreviewTimetableRequest) -> wire.TimetableResponse:
    begin = call.now if request.from_date is None else request.from_date
    if request.end_date is not None and request.end_date <= begin:
        raise Invalid.because(
            "endDate", "must be later than the begin", rule_name="end_in_the_future"
        )
    return views.timetable(
        preview(
            terms_of(request) or ProgramTerms(),
            begin=begin,
            limit=request.limit or DATES_DEFAULT,
            zone=call.principal.settings.time_zone,
        )
    )
