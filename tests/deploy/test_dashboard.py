"""The dashboard and the alerts ask for metrics and labels that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from benefit_programs.api.metrics import describe_metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "observe.md"

OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that a scrape or a histogram adds."""

_METRIC = re.compile(r"\b(benefits_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_BY = re.compile(r"\bby \(([^)]*)\)")
_RECORDED = re.compile(r"\bbenefits:[\w:]+")


def labels_of_samples() -> dict[str, set[str]]:
    """The labels of all samples that the page has, by their names."""
    found: dict[str, set[str]] = {}
    for each in describe_metrics():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        for end in ends.get(each.type, ("",)):
            found[each.name + end] = {*each.labels} | OF_PROMETHEUS
    return found


def require_known(expression: str) -> set[str]:
    """Fail for a metric or a label that isn't there; the metrics that are asked for."""
    samples = labels_of_samples()
    names, grouped = set(), set(OF_PROMETHEUS)
    for name, selector in _METRIC.findall(expression):
        assert name in samples, f"{expression}: no metric {name}"
        unknown = {*_LABEL.findall(selector)} - samples[name]
        assert not unknown, f"{expression}: {name} has no {unknown}"
        names.add(name)
        grouped |= samples[name]
    for labels in _BY.findall(expression):
        unknown = {each.strip() for each in labels.split(",")} - grouped
        assert not unknown, f"{expression}: nothing there has {unknown}"
    return names


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_the_dashboard_asks_for_what_there_is() -> None:
    """Each expression of each panel, and between them nearly all that is measured."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in require_known(target["expr"])
    }
    assert {"benefits_requests_total", "benefits_queue_length", "benefits_due_pools"} <= asked
    assert len(dashboard["panels"]) == len({each["title"] for each in dashboard["panels"]})


def test_alerts_ask_for_what_there_is() -> None:
    """Each rule, also for figures that another rule makes."""
    made = {each["record"] for each in rules() if "record" in each}
    for each in rules():
        asked = require_known(each["expr"]) | {*_RECORDED.findall(each["expr"])} & made
        assert asked or each["expr"].startswith("up{")
        assert {*_RECORDED.findall(each["expr"])} <= made


def test_each_alert_has_a_runbook() -> None:
    """Whoever is woken finds a section that says what to do, and each section has an alert."""
    sections = set(re.findall(r"^### (Benefits\w+)$", PAGE.read_text(), re.MULTILINE))
    alerts = {each["alert"]: each for each in rules() if "alert" in each}
    assert {*alerts} == sections
    for name, each in alerts.items():
        link = each["annotations"]["runbook_url"]
        assert f"docs/how-to/observe.md#{name.lower()}" == link
