"""The page of the reference about metrics, made from the instruments."""

from __future__ import annotations

from benefit_programs.api.metrics import Description, describe_metrics

_HEAD = """\
# Metrics

<!-- Generated from the code by `make docs`: change src/benefit_programs/api/metrics.py instead. -->

`/metrics` of a server tells these in Prometheus' format, of all its processes at once. A worker
serves the same page for itself if it has a port: `worker_metrics_port` of the
[settings](settings.md). How to scrape them: [run in production](../how-to/run-in-production.md).

Counters and histograms go on where a lost process stopped, and begin anew when the server starts.
Gauges are sums over the processes that are alive, and at most a second old. `benefits_database_up`,
`benefits_jobs`, `benefits_jobs_oldest_seconds` and `benefits_due_*` come from the database, so all
servers and workers of one database tell the same. There are no numbers of jobs, nor of what is due,
while it is away.

| Metric | Type | Labels | What it tells |
| --- | --- | --- | --- |
"""


def metrics_page() -> str:
    """One row for each metric."""
    rows = (
        f"| `{_shown(each)}` | {each.type} | {', '.join(f'`{label}`' for label in each.labels)} "
        f"| {each.text} |"
        for each in describe_metrics()
    )
    return _HEAD + "\n".join(rows) + "\n"


def _shown(metric: Description) -> str:
    """The name that samples have: those of a counter end in this, whatever it is called."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name
