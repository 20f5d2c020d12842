"""Searches through a million people, asked by one who types, with worst cases among them."""

import asyncio
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from statistics import quantiles
from uuid import UUID

from msgspec.structs import astuple, replace

from bench.client import Request, Wire
from bench.databases import open_session
from bench.environment import describe_environment
from bench.inprocess import inprocess_client
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.scenarios import PREFIX
from bench.servers import HOST, Place, Server, prepare_server
from bench.session import open_place
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.people.words import search_of, words_in

STORES = (OURS_POSTGRES, OURS_SQLITE)
PEOPLE_DEFAULT = 1_000_000
CHUNK = 50_000
ASKED_TIMES = 200
UNCOUNTED_TIMES = 20
LIMIT = 20
"""How many people a page shows."""

SCRAMBLE = 0x9E3779B97F4A7C15
"""Odd, so that its multiples spread over 64 bits and none comes twice."""

BITS_64 = 2**64 - 1
CREATED = 1_750_000_000_000
"""When all of them were made."""

_FIRST = ("ka", "lo", "mi", "su", "te", "ra", "ani", "bel", "cor", "dag", "ele", "fi")
_LAST = ("ber", "son", "ler", "ovi", "ski", "mann", "hart", "quist", "ando", "ides", "wood", "ley")

QUESTIONS = {
    "one letter": "a",
    "two letters": "an",
    "a name of a tenth": "anna",
    "a name of a tenth, and a letter": "anna s",
    "two frequent names, a fiftieth has both": "anna smith",
    "two names of a tenth each, nobody has both": "anna zimmer",
    "two beginnings": "kalo ber",
    "a telephone number": "30 1234567",
    "an e-mail address": "anna.smith.500@",
    "what nobody has": "xylophon",
}


HEADINGS = ("question", "best ms", "p50 ms", "p99 ms", "found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How long one kind of question takes in one store, in milliseconds."""

    store: str
    question: str
    best: float
    p50: float
    p99: float
    found: int


def run_people(chosen: Namespace) -> bool:
    """Search through so many people on both engines, print it, write the file."""
    environment = describe_environment()
    samples: list[Sample] = []
    for store in STORES:
        if is_wanted(store, chosen.only):
            with open_place([store]) as place:
                samples += _measure(store, place, chosen.people)
    settings = {"people": chosen.people, "times": ASKED_TIMES, "limit": LIMIT}
    content = {
        "environment": environment,
        "settings": settings,
        "samples": [asdict(each) for each in samples],
    }
    write_results("people", content)
    print(f"\n{format_environment(environment, settings)}")
    for store in STORES:
        rows = [
            (
                each.question,
                *(f"{ms:.1f}" for ms in (each.best, each.p50, each.p99)),
                str(each.found),
            )
            for each in samples
            if each.store == store
        ]
        if rows:
            print(f"\n{store}\n{align([HEADINGS, *rows])}")
    return True


def _measure(store: str, place: Place, people: int) -> list[Sample]:
    url = place.create_own_database(f"people-{store}")
    with inprocess_client(url) as client:
        client.post(f"{PREFIX}/people/query", {})  # makes the tenant
    started = time.perf_counter()
    asyncio.run(fill_people(url, people))
    print(f"{store}: {people:,} people after {time.perf_counter() - started:.0f} s", flush=True)
    with prepare_server(store, place, database_url=url).start() as server:
        return [_ask(store, server, name, text) for name, text in _questions().items()]


def _questions() -> dict[str, str]:
    return {**QUESTIONS, "an id": _member(500)}


def _ask(store: str, server: Server, name: str, text: str) -> Sample:
    body = {"text": text, "cursorPaging": {"limit": LIMIT}}
    request = Request("POST", f"{PREFIX}/people/search", body)
    with closing(Wire(host=HOST, port=server.port, api_key=server.api_key)) as wire:
        answers = [wire.time(request) for _ in range(UNCOUNTED_TIMES + ASKED_TIMES)]
    seconds = [each for each, _ in answers[UNCOUNTED_TIMES:]]
    cuts = quantiles(seconds, n=100, method="inclusive")
    found = len(answers[-1][1]["people"])
    return Sample(
        store=store,
        question=name,
        best=min(seconds) * 1000,
        p50=cuts[49] * 1000,
        p99=cuts[98] * 1000,
        found=found,
    )


async def fill_people(url: str, people: int, member_ids: Sequence[str] = ()) -> None:
    """Give the first tenant a directory of so many people; these members are among them."""
    columns = ["tenant_id", *Person.__struct_fields__]
    made = _make(people, member_ids)
    async with open_session(url) as session:
        await session.hurry()
        ((tenant_id,),) = await session.fetch("select min(id) from tenants")
        words: list[tuple[int, str, str]] = []
        while chunk := list(islice(made, CHUNK)):
            rows = [(tenant_id, *astuple(each)) for each in chunk]
            await session.copy("people", columns, rows)
            words += [
                (tenant_id, word, each.id) for each in chunk for word in words_in(each.search)
            ]
        # In their order, for it is quicker.
        words.sort()
        await session.copy("person_words", ["tenant_id", "word", "person_id"], words)
        await session.settle()


def _make(people: int, member_ids: Sequence[str]) -> Iterator[Person]:
    """People of whom a tenth is called Anna, another one Zimmer, and some Anna Smith."""
    for number in range(people):
        known = number < len(member_ids)
        yield _with_search(number, member_ids[number] if known else _member(number), _names(number))


def _names(number: int) -> tuple[str, str]:
    bits = (number * SCRAMBLE) & BITS_64
    parts = [(bits >> shift) & 0xFF for shift in range(0, 48, 8)]
    first = "".join(_FIRST[each % len(_FIRST)] for each in parts[:2]).capitalize()
    last = "".join(_LAST[each % len(_LAST)] for each in parts[2:5]).capitalize()
    if number % 10 == 0:
        first = "Anna"
    if number % 50 == 0:
        last = "Smith"
    if number % 10 == 1:
        last = "Zimmer"
    return first, last


def _member(number: int) -> str:
    return str(UUID(int=number * (SCRAMBLE << 64 | SCRAMBLE) % 2**128, version=4))


def _with_search(number: int, member_id: str, names: tuple[str, str]) -> Person:
    first, last = names
    person = Person(
        id=str(UUID(int=(CREATED << 80 | 0x7000_8000 << 48) + number)),
        revision=1,
        created=CREATED,
        updated=CREATED,
        search="",
        member_id=member_id,
        display_name=f"{first} {last}",
        email=f"{first}.{last}.{number}@example.com".lower(),
        phone=f"+49 30 {number + 1_000_000:07}",
    )
    return replace(person, search=search_of(person))
