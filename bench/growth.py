"""Growth: the same work on a small store and on large ones, in turns; it should take as long."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from statistics import median

from bench.client import Request, Wire
from bench.environment import describe_environment
from bench.growth_report import Sample, format_growth
from bench.growth_stores import open_store
from bench.legs import Leg, Round, Times
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.questions import PAGE_FAR, Question, make_questions
from bench.report import align, format_environment, write_results
from bench.servers import HOST, Place, Server
from bench.session import HttpContender, open_place, print_progress, rotate

STORES = (OURS_POSTGRES, OURS_SQLITE)
CONNECTIONS = 64
ASKED_TIMES = 20
"""So often each question is asked in a round; the first answers of a round don't count."""

UNCOUNTED_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A served store of one size."""

    pools: int
    contender: HttpContender
    server: Server
    questions: dict[str, Question]

    def prepare(self, name: str, page: int) -> Request:
        """Write the request for a page, whose cursor is found by following the pages before."""
        question, cursor = self.questions[name], None
        with self.connect() as wire:
            for _ in range(page - 1):
                _, answer = wire.time(question.ask(cursor))
                cursor = answer["metadata"]["cursors"]["next"]
        return question.ask(cursor)

    def connect(self) -> closing[Wire]:
        """Connect anew."""
        return closing(Wire(host=HOST, port=self.server.port, api_key=self.server.api_key))


def run_growth(chosen: Namespace) -> bool:
    """Measure both engines at all sizes, print it, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    samples: list[Sample] = []
    for store in STORES:
        if is_wanted(store, chosen.only):
            with open_place([store]) as place:
                samples += measure_store(store, place, chosen.pools, times, chosen.rounds)
    settings = {"rounds": chosen.rounds, **asdict(times), "pools": chosen.pools}
    content = {
        "environment": environment,
        "settings": settings,
        "samples": [asdict(each) for each in samples],
    }
    write_results("growth", content)
    print(f"\n{format_environment(environment, settings)}")
    for title, rows in format_growth(content):
        print(f"\n{title}\n{align(rows)}")
    return True


def measure_store(
    store: str, place: Place, sizes: Sequence[int], times: Times, rounds: int
) -> list[Sample]:
    """Serve a store of each size at once, and turn from one to the other all the time."""
    samples: list[Sample] = []
    with ExitStack() as stack:
        served = [stack.enter_context(open_sized(store, place, pools=pools)) for pools in sizes]
        pages = [
            (name, page, [sized.prepare(name, page) for sized in served])
            for name, question in served[0].questions.items()
            for page in ((1, PAGE_FAR) if question.goes_far else (1,))
        ]
        place.write_out()
        for number in range(1, rounds + 1):
            for sized in rotate(served, number - 1):
                rate = measure_redemptions(sized, number, times)
                samples.append(Sample(store, "redeem", None, sized.pools, number, rate))
            for name, page, requests in pages:
                medians = time_in_turns(served, requests)
                samples += [
                    Sample(store, name, page, sized.pools, number, figure)
                    for sized, figure in zip(served, medians, strict=True)
                ]
    return samples


def time_in_turns(served: Sequence[Sized], requests: Sequence[Request]) -> list[float]:
    """Ask each store in turn, several times; the medians in milliseconds."""
    with ExitStack() as stack:
        wires = [stack.enter_context(sized.connect()) for sized in served]
        seconds = [
            [wire.time(request)[0] for wire, request in zip(wires, requests, strict=True)]
            for _ in range(UNCOUNTED_TIMES + ASKED_TIMES)
        ]
    return [median(own) * 1000 for own in zip(*seconds[UNCOUNTED_TIMES:], strict=True)]


def measure_redemptions(sized: Sized, number: int, times: Times) -> float:
    """Redeem from pools all over the store; how many a second."""
    name = sized.contender.name
    leg = Leg("redeem", name, CONNECTIONS)
    measurement = sized.contender.measure(leg, times)
    if measurement.errors:
        raise RuntimeError(f"redemptions failed: {measurement.errors}")
    shown = Leg("redeem", f"{name} {sized.pools:,}", CONNECTIONS)
    print_progress(Round(number=number, leg=shown, measurement=measurement))
    return measurement.per_second


@contextmanager
def open_sized(store: str, place: Place, *, pools: int) -> Iterator[Sized]:
    """Make, serve and connect to a store with so many pools."""
    started = time.perf_counter()
    with open_store(store, place, pools=pools) as (server, state):
        seconds = time.perf_counter() - started
        print(f"{store} with {pools:,} pools is there after {seconds:.0f} s", flush=True)
        yield Sized(
            pools=pools,
            contender=HttpContender(server, state),
            server=server,
            questions={question.name: question for question in make_questions(state)},
        )
