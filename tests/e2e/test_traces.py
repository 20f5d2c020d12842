"""What a collector is told of requests, batches, jobs and deliveries; nobody waits for it."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.calls import Caller, benefit, guid
from tests.support.collector import Collector
from tests.support.databases import PostgresDatabases
from tests.support.looking import LOOK_PAUSE_SECONDS, wait_until
from tests.support.provider import PolicyServer
from tests.support.receiver import Receiver
from tests.support.service import Server
from tests.support.serving import STOP_SECONDS_MAX, start_benefits
from tests.support.wallet import Wallet, open_wallet
from tests.support.webhooks import REDEEMED, create_endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.collector import Told
    from tests.support.postgres import PostgresServer
    from tests.support.provider import Answer
    from tests.support.serving import Command

pytestmark = pytest.mark.anyio

DONE = "FINISHED"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REQUESTS_AT_ONCE = 24
SERVING_PROCESSES = 2
HIDDEN = "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)"
"""A module in the place of one that is to be missing."""

CONNECTIONS_AT_ONCE, CONNECTIONS_MAX = 8, 200


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector().running() as collector:
        yield collector


def file_in(folder: Path) -> str:
    """The URL of a database that isn't there yet."""
    return f"sqlite:///{folder}/benefits.sqlite3"


@contextmanager
def serving(url: str, log: Path, collector: Collector, **more: Any) -> Iterator[Server]:
    server = Server(url, log, **collector.variables, **more)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(file_in(folder), folder / "log", collector) as server:
        yield server


@asynccontextmanager
async def calling(server: Server, key: str | None = None) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield Caller(client, key or server.make_key())


def parent(trace_id: str, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{PARENT}-{flags}"}


def new_trace() -> str:
    return guid().replace("-", "")


async def redeem(wallet: Wallet, **headers: str) -> str:
    answer = await wallet.caller.call("redeemBenefit", wallet.redemption(), **headers)
    return answer["transactionId"]  # type: ignore[no-any-return]


def hides(text: str, *secrets: str) -> bool:
    return any(each in text for each in secrets)


def tree(spans: list[Told], root: str) -> dict[str, list[str]]:
    """The names of the spans under each span, in the order of their names."""
    names = {each.id: each.name for each in spans} | {root: "caller"}
    found: dict[str, list[str]] = {}
    for each in spans:
        found.setdefault(names[each.parent_id], []).append(each.name)
    return {name: sorted(set(under)) for name, under in found.items()}


async def test_a_redemption_is_a_tree(server: Server, collector: Collector) -> None:
    """Request, batch and statements are where they belong, in the caller's trace, by ids alone."""
    trace = new_trace()
    async with calling(server) as caller:
        wallet = await open_wallet(caller)
        await redeem(wallet, **parent(trace), tracestate="vendor=x")
    spans = collector.trace(trace, "redeemBenefit", "batch", "commit")
    expected = {
        "caller": ["redeemBenefit"],
        "redeemBenefit": ["batch"],
        "batch": ["commit", "load", "write"],
    }
    assert expected == {
        name: [each for each in under if each != "look up"]
        for name, under in tree(spans, PARENT).items()
    }
    request = next(each for each in spans if each.name == "redeemBenefit")
    assert (
        request.attributes["http.response.status_code"],
        request.attributes["http.request.method"],
        request.state,
        request.has_failed,
    ) == (200, "POST", "vendor=x", False)
    tables = [each.attributes["db.collection.name"] for each in spans if each.name == "load"]
    assert "pools" in ", ".join(tables).split(", ")
    secrets = (caller.key, wallet.pool_id, wallet.reference()["externalId"])
    assert not [each for each in spans for secret in secrets if str(secret) in each.text]


async def test_requests_and_their_batch_are_linked(server: Server, collector: Collector) -> None:
    """A batch is in the trace of its first request, and linked with the others both ways."""
    async with calling(server) as caller:
        wallet = await open_wallet(caller, amount="1000")
        traces = [new_trace() for _ in range(REQUESTS_AT_ONCE)]
        await asyncio.gather(*(redeem(wallet, **parent(each)) for each in traces))
    found = [each for trace in traces for each in collector.trace(trace, "redeemBenefit")]
    requests = {each.id: each for each in found if each.name == "redeemBenefit"}
    batches = {each.id: each for each in found if each.name == "batch"}
    carried = {each.id: [each.parent_id, *each.links] for each in batches.values()}
    assert sorted(requests) == sorted(id_ for ids in carried.values() for id_ in ids)
    assert max(map(len, carried.values())) > 1
    for batch, (_, *others) in carried.items():
        assert [[batch]] * len(others) == [requests[each].links for each in others]


async def test_events_and_deliveries_go_on_in_the_trace(
    server: Server, collector: Collector
) -> None:
    """An event names its request's place, and a receiver is told of the delivery's own."""
    trace, unsampled = new_trace(), new_trace()
    async with Receiver().running() as receiver, calling(server) as caller:
        wallet = await open_wallet(caller)
        await create_endpoint(caller, receiver, eventTypes=[REDEEMED])
        await redeem(wallet, **parent(trace), tracestate="vendor=x")
        await redeem(wallet, **parent(unsampled, "00"))
        await receiver.until(lambda: len(receiver.received) > 1)
    spans = collector.trace(trace, "redeemBenefit", "delivery")
    delivery = next(each for each in spans if each.name == "delivery")
    request = next(each for each in spans if each.name == "redeemBenefit")
    first, second = receiver.received
    assert request.id == delivery.parent_id
    assert f"00-{trace}-{request.id}-01" == first.event["traceparent"]
    assert "vendor=x" == first.event["tracestate"] == first.headers["tracestate"]
    assert f"00-{trace}-{delivery.id}-01" == first.headers["traceparent"]
    passed_on = f"00-{unsampled}-{PARENT}-00"
    assert [passed_on] * 2 == [second.event["traceparent"], second.headers["traceparent"]]
    assert receiver.url not in delivery.text
    assert not [each for each in collector.spans if each.trace_id == unsampled]


async def start_job(caller: Caller, **headers: str) -> tuple[str, str]:
    """Have somebody erased; the job, and the id of the person, which is for nobody to see."""
    member = guid()
    program = {"beneficiary": {"memberId": member}}
    await open_wallet(caller, program=program)
    answer = await caller.call("eraseBeneficiary", program, **headers)
    return answer["jobId"], member


def chunks(collector: Collector, job_id: str) -> list[Told]:
    return [each for each in collector.spans if each.attributes.get("benefits.job.id") == job_id]


async def test_a_job_tells_of_its_chunks(server: Server, collector: Collector) -> None:
    """A chunk is a trace of its own, with its batch, linked with the request that ordered it."""
    trace, unsampled = new_trace(), new_trace()
    async with calling(server) as caller:
        passed_by, _ = await start_job(caller, **parent(unsampled, "00"))
        job_id, member = await start_job(caller, **parent(trace))
        collector.until(lambda: chunks(collector, job_id))
        asked = {"jobId": passed_by}
        while (await caller.call("getAsyncJob", asked))["job"]["status"] != DONE:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    (request,) = (
        each for each in collector.trace(trace, "eraseBeneficiary") if not each.name.islower()
    )
    chunk = chunks(collector, job_id)[0]
    spans = collector.trace(chunk.trace_id, "job chunk", "batch", "commit")
    assert trace != chunk.trace_id
    assert {request.id} == {id_ for each in chunks(collector, job_id) for id_ in each.links}
    assert {"batch", "query"} >= {*tree(spans, "")["job chunk"]}
    assert not [each for each in collector.spans if member in each.text]
    assert chunks(collector, passed_by) == []


async def test_providers_are_told_of_the_trace(server: Server, collector: Collector) -> None:
    """Questions are parts of the request, with what came of them, and no word of the tenant's."""
    traces = refused, failed, looked_up, unsampled = [new_trace() for _ in range(4)]
    app, secret = guid(), "a secret that nobody sees"
    custom = {"type": "POLICY", "policyOptions": {"customOptions": {"appId": app, "id": guid()}}}
    judged = benefit("towel", price="1", policyExpression=custom)
    no: Answer = {"fulfilled": False, "details": {"code": "NO_TOWELS"}}
    with PolicyServer(lambda _: no).running() as provider:
        async with calling(server) as caller:
            wallet = await open_wallet(caller, judged)
            of_app = {"appId": app, "url": provider.url, "secret": secret}
            of_people = {"url": provider.url, "secret": secret}
            settings = {"policyProviders": [of_app], "peopleProvider": of_people}
            await caller.call("updateSettings", {"settings": settings})
            for status, trace, flags in (
                (200, refused, "01"),
                (500, failed, "01"),
                (200, unsampled, "00"),
            ):
                provider.status = status
                await caller.refusal("redeemBenefit", wallet.redemption(), **parent(trace, flags))
            provider.decide = lambda _: {"people": []}
            whom = {"beneficiaries": [wallet.program["beneficiary"]]}
            await caller.call("lookUpPeople", whom, **parent(looked_up))
    told = {
        trace: next(each for each in collector.trace(trace, name, root) if each.name == name)
        for trace, name, root in (
            (refused, "ask policy provider", "redeemBenefit"),
            (failed, "ask policy provider", "redeemBenefit"),
            (looked_up, "ask provider of people", "lookUpPeople"),
        )
    }
    outcomes = [
        (
            each.attributes["benefits.provider.outcome"],
            each.attributes["http.response.status_code"],
            each.has_failed,
        )
        for each in told.values()
    ]
    expected = [("REFUSED", 200, False), ("PROVIDER_FAILED", 500, True), ("ANSWERED", 200, False)]
    assert expected == outcomes
    assert app == told[refused].attributes["benefits.app_id"]
    places = [f"00-{trace}-{told[trace].id}-01" for trace in (refused, failed)]
    places += [f"00-{unsampled}-{PARENT}-00", f"00-{looked_up}-{told[looked_up].id}-01"]
    assert places == provider.places
    hidden = (secret, provider.url, provider.url.split("/")[2], "NO_TOWELS")
    assert not [
        each for each in collector.spans if each.trace_id in traces and hides(each.text, *hidden)
    ]


@pytest.mark.parametrize(
    "header", ["00", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-' or 1=1", "x" * 7000]
)
async def test_a_hostile_header_begins_a_trace(
    server: Server, collector: Collector, header: str
) -> None:
    """The request is answered as any other, in a trace that begins with it."""
    name = "queryItems"
    async with calling(server) as caller:
        before = len([each for each in collector.spans if each.name == name])
        await caller.call(name, {}, traceparent=header, tracestate="=,")
    collector.until(lambda: len([each for each in collector.spans if each.name == name]) > before)
    request = [each for each in collector.spans if each.name == name][-1]
    assert (request.parent_id, request.state) == ("", "")
    assert request.trace_id != TRACE


async def test_log_lines_name_the_trace(server: Server) -> None:
    """The line of a request has the ids with which its trace is found, recorded or not."""
    trace = new_trace()
    async with calling(server) as caller:
        await caller.call("queryItems", {}, **parent(trace, "00"), x_request_id=trace)
    await wait_until(lambda: trace in server.log)
    lines = [json.loads(line) for line in server.log.splitlines() if trace in line]
    assert [trace] == [each["trace_id"] for each in lines]


async def test_metrics_are_those_of_the_page(server: Server, collector: Collector) -> None:
    """The same names, types and numbers, with the buckets as OTLP counts them."""
    async with calling(server) as caller:
        await caller.call("queryPrograms", {})
        page = (await caller.client.get("/metrics")).text
    told = {each.name for each in text_string_to_metric_families(page) if each.samples}

    def counted() -> list[Any]:
        metric = collector.metrics.get("benefits_request_seconds")
        points = metric.histogram.data_points if metric else ()
        return [
            each
            for each in points
            if "queryPrograms" in {label.value.string_value for label in each.attributes}
        ]

    collector.until(counted)
    point = counted()[0]
    assert told == {*collector.metrics}
    assert (1, len(point.explicit_bounds) + 1) == (point.count, len(point.bucket_counts))
    assert point.count == sum(point.bucket_counts)
    assert not point.HasField("min")
    assert collector.metrics["benefits_requests"].sum.is_monotonic


async def test_the_last_metrics_go_out_at_the_end(tmp_path: Path) -> None:
    """What was counted since the last export isn't lost with the process."""
    with Collector().running() as last:
        hour = {"OTEL_METRIC_EXPORT_INTERVAL": "3600000"}
        server = Server(file_in(tmp_path), tmp_path / "log", **(last.variables | hour))
        async with calling(server) as caller:
            await caller.call("queryPrograms", {})
        assert not last.metrics
        assert server.stop() == 0
        assert "benefits_jobs" in last.metrics
        points = last.metrics["benefits_request_seconds"].histogram.data_points
        assert 1 in {each.count for each in points}


@contextmanager
def working(url: str, log: Path, collector: Collector) -> Iterator[Command]:
    """A worker, which does jobs."""
    with log.open("a") as errors:
        worker = start_benefits(
            "worker",
            stdout=errors.fileno(),
            stderr=errors.fileno(),
            BENEFITS_DATABASE_URL=url,
            **collector.variables,
        )
    try:
        yield worker
        worker.terminate()
        assert worker.wait(STOP_SECONDS_MAX) == 0
    finally:
        worker.kill()


async def test_processes_share_a_trace(
    collector: Collector, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Each process tells of its own work, under an id of its own, in the caller's one trace."""
    databases = PostgresDatabases(postgres_server)
    url, trace, ordering = databases.create(), new_trace(), new_trace()
    try:
        with (
            serving(
                url, tmp_path / "1", collector, workers=SERVING_PROCESSES, BENEFITS_RUN_JOBS="false"
            ) as server,
            working(url, tmp_path / "2", collector) as worker,
        ):
            async with calling(server) as caller:
                wallet = await open_wallet(caller, amount="1000")
                job_id, _ = await start_job(caller, **parent(ordering))
                redeemed = await redeem_everywhere(server, wallet, trace, collector)
            collector.until(lambda: chunks(collector, job_id))
            spans = collector.trace(trace, "redeemBenefit", "commit")
    finally:
        databases.drop(url)
    assert tree(spans, PARENT)["batch"] == ["commit", "load", "write"]
    assert {"postgresql"} == {
        each.attributes["db.system.name"] for each in spans if "db.system.name" in each.attributes
    }
    assert len(redeemed) == SERVING_PROCESSES
    assert {worker.pid} == {each.process for each in chunks(collector, job_id)}
    instances = {
        each["service.instance.id"]
        for each in collector.resources
        if each["process.pid"] in {*redeemed, worker.pid}
    }
    assert len(instances) == SERVING_PROCESSES + 1
    ordered = [
        each.id
        for each in collector.trace(ordering, "eraseBeneficiary")
        if each.parent_id == PARENT
    ]
    assert ordered == [id_ for each in chunks(collector, job_id)[:1] for id_ in each.links]


async def redeem_everywhere(
    server: Server, wallet: Wallet, trace: str, collector: Collector
) -> set[int]:
    """Redeem over new connections until all processes have told of it; these."""

    async def redeem_once() -> None:
        async with calling(server, wallet.caller.key) as caller:
            other = Wallet(caller, wallet.definition, wallet.program, wallet.pool_id)
            await redeem(other, **parent(trace))

    def told() -> list[int]:
        return [
            each.process
            for each in collector.spans
            if (each.trace_id, each.name) == (trace, "redeemBenefit")
        ]

    for count in range(CONNECTIONS_AT_ONCE, CONNECTIONS_MAX + 1, CONNECTIONS_AT_ONCE):
        await asyncio.gather(*(redeem_once() for _ in range(CONNECTIONS_AT_ONCE)))
        collector.until(lambda count=count: len(told()) == count)  # type: ignore[misc]
        if len({*told()}) == SERVING_PROCESSES:
            break
    return {*told()}


async def test_a_collector_that_says_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """Requests are answered, and the end comes long before the exporters would give up."""
    with Collector().running() as silent:
        silent.stop_answering()
        server = Server(file_in(tmp_path), tmp_path / "log", **silent.variables)
        async with calling(server) as caller:
            wallet = await open_wallet(caller)
            for _ in range(5):
                await redeem(wallet)
        assert server.stop() == 0


async def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    """The same where nobody listens; the log has nothing of what headers for it hold."""
    with Collector().running() as gone:
        variables = gone.variables | {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=hush"}
    server = Server(file_in(tmp_path), tmp_path / "log", **variables)
    async with calling(server) as caller:
        await redeem(await open_wallet(caller))
    assert server.stop() == 0
    assert "hush" not in server.log


async def test_a_server_without_the_extra_says_so(tmp_path: Path, collector: Collector) -> None:
    """It serves as always, and the log names what would have to be installed."""
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "opentelemetry.py").write_text(HIDDEN)
    paths = os.pathsep.join([str(hiding), *filter(None, [os.environ.get("PYTHONPATH")])])
    with serving(file_in(tmp_path), tmp_path / "log", collector, PYTHONPATH=paths) as server:
        async with calling(server) as caller:
            await redeem(await open_wallet(caller))
    (line,) = (json.loads(line) for line in server.log.splitlines() if "telemetry" in line)
    assert line["event"] == "telemetry isn't exported: pip install 'benefit-programs[otel]'"
    assert (line["level"], line["missing"]) == ("warning", "opentelemetry")
