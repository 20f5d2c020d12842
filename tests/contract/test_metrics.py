"""What a service counts and measures, on both stores."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benefit_programs import __version__
from tests.support.lifecycle import limit_requests, open_idle, run_jobs
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from prometheus_client import Metric

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(benefits_\w+)` \| (\w+) \|", re.MULTILINE)


async def metrics_of(service: Service) -> dict[str, Metric]:
    page = (await service.client.get("/metrics")).text
    return {each.name: each for each in text_string_to_metric_families(page)}


def samples_of(metrics: dict[str, Metric], name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by the values of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for metric in metrics.values()
        for sample in metric.samples
        if sample.name == name
    }


async def test_batches_and_commits_are_counted(own_service: Service) -> None:
    """Each write is in a batch and in a commit; nothing waits once all are answered."""
    wallet = await open_wallet(own_service, amount="100")
    before = await metrics_of(own_service)
    for _ in range(3):
        await wallet.caller.call("redeemBenefit", wallet.redemption())
    after = await metrics_of(own_service)
    for name in ("benefits_batch_commands_sum", "benefits_commit_seconds_count"):
        assert samples_of(after, name)[()] - samples_of(before, name)[()] == 3
    assert samples_of(after, "benefits_queue_length")[()] == 0
    (build,) = after["benefits_build_info"].samples
    assert build.labels["version"] == __version__
    assert samples_of(after, "benefits_database_up")[()] == 1


async def test_jobs_are_counted_as_they_wait_and_end(database_url: str) -> None:
    """A job that nobody does yet is told with its age; one that was done is counted."""
    async with open_idle(database_url) as service:
        wallet = await open_wallet(service)
        await limit_requests(service)
        service.running.services.authenticator.forget()
        change = {"id": wallet.definition["id"], "revision": "1", "displayName": "Gold"}
        request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
        await service.call("updatePoolDefinition", request)
        metrics = await metrics_of(service)
        assert samples_of(metrics, "benefits_jobs") == {("waiting",): 1, ("running",): 0}
        assert samples_of(metrics, "benefits_jobs_oldest_seconds")[()] > 0
        assert samples_of(metrics, "benefits_jobs_ended_total") == {}
        await run_jobs(service)
        metrics = await metrics_of(service)
        assert samples_of(metrics, "benefits_jobs_ended_total") == {("done",): 1}


async def test_page_of_the_reference_names_all_metrics(service: Service) -> None:
    """The table of docs/reference/metrics.md has each metric of the page with its type."""
    metrics = await metrics_of(service)
    shown = dict(ROW.findall(PAGE.read_text("utf-8")))
    served = {
        f"{name}_total" if metric.type == "counter" else name: metric.type
        for name, metric in metrics.items()
        if not name.endswith("_created")
    }
    assert shown == served
