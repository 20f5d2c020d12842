"""The engine by itself: processor time and calls of a redemption, from its command to its answer.

The service runs in this process, without HTTP. Calls of functions are counted by Python's profiler
in a round of their own: their number is the same on a busy machine.
"""

import asyncio
import cProfile
import itertools
import pstats
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import uvloop

from bench.environment import describe_environment
from bench.inprocess import inprocess_client
from bench.names import INPROCESS_POSTGRES, INPROCESS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.scenarios import NAMESPACE, PROVIDER_APP_ID, new_id, set_up
from bench.session import open_place
from benefit_programs.bootstrap import open_service, search_garbage_seldom
from benefit_programs.config import Settings
from benefit_programs.domain.audit_rows import Actor, PrincipalKind, Who
from benefit_programs.domain.redemptions import RedeemBenefit
from benefit_programs.domain.values import Identity, IdentityType, ItemReference
from benefit_programs.engine.engine import Engine

STORES = (INPROCESS_SQLITE, INPROCESS_POSTGRES)
CALLERS_DEFAULT = (1, 64)
REDEMPTIONS = 1_920
"""How many a round has."""

CALLER = Identity(IdentityType.APP, "bench")
ACTOR = Actor(Who(PrincipalKind.API_KEY, "bench"), "redeemBenefit")
HEADING = ("store", "callers", "processor µs", "calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a redemption takes, where so many callers wait: the least of the rounds."""

    store: str
    callers: int
    processor_us: float
    calls: float


def run_engine(chosen: Namespace) -> bool:
    """Measure each store with each number of callers, print it, write the file."""
    names = [name for name in STORES if is_wanted(name, chosen.only)]
    environment = describe_environment()
    spent: list[Spent] = []
    with open_place(names) as place:
        for name in names:
            url = place.create_own_database(name)
            with inprocess_client(url) as client:
                state = set_up(client)
            for callers in chosen.connections or CALLERS_DEFAULT:
                measuring = _measure(url, state, name, callers, rounds=chosen.rounds)
                spent.append(uvloop.run(measuring))
    settings = {"rounds": chosen.rounds, "redemptions": REDEMPTIONS}
    content = {"environment": environment, "settings": settings}
    write_results("engine", {**content, "spent": [asdict(each) for each in spent]})
    rows = [
        (each.store, str(each.callers), f"{each.processor_us:,.1f}", f"{each.calls:,.1f}")
        for each in spent
    ]
    print(f"\n{format_environment(environment, settings)}\n\n{align([HEADING, *rows])}")
    return True


async def _measure(
    url: str, state: dict[str, Any], name: str, callers: int, *, rounds: int
) -> Spent:
    settings = Settings(database_url=url)
    async with open_service(settings, make_first_key=False, with_console=False) as running:
        search_garbage_seldom()
        services = running.services
        tenant = await services.directory.ensure_default_tenant()
        new_command = _commands(state)

        async def redeem(commands: Iterator[RedeemBenefit], engine: Engine) -> None:
            for command in commands:
                await engine.execute(
                    command,
                    tenant_id=tenant.id,
                    caller=CALLER,
                    settings=tenant.settings,
                    actor=ACTOR,
                )

        async def work(profile: cProfile.Profile | None = None) -> float:
            commands = iter([new_command() for _ in range(REDEMPTIONS)])
            before = time.process_time()
            with profile or nullcontext():
                await asyncio.gather(*(redeem(commands, services.engine) for _ in range(callers)))
            return (time.process_time() - before) * 1e6 / REDEMPTIONS

        await work()
        least = min([await work() for _ in range(rounds)])
        profile = cProfile.Profile()
        await work(profile)
    calls = pstats.Stats(profile).total_calls / REDEMPTIONS  # type: ignore[attr-defined]
    return Spent(store=name, callers=callers, processor_us=least, calls=calls)


def _commands(state: dict[str, Any]) -> Callable[[], RedeemBenefit]:
    pools = itertools.cycle(state["poolIds"])
    item = ItemReference(state["itemExternalId"], PROVIDER_APP_ID)
    return lambda: RedeemBenefit(
        pool_id=next(pools),
        namespace=NAMESPACE,
        benefit_key=state["benefitKey"],
        item=item,
        idempotency_key=new_id(),
    )
