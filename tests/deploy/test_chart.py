"""What the Helm chart renders to is valid, safe and of this version."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from benefit_programs import __version__
from benefit_programs.config import references, secret_file_variable
from tools.render_chart import (
    CHART,
    RENDERED,
    SCHEMA,
    cases,
    chart_digest,
    helm,
    render,
    schema_json,
)

Document = dict[str, Any]

MADE_UP = "made-up"
"""Is in each secret of the values."""

OLDEST = "1.30.0"
OPERATORS = "monitoring.coreos.com/v1"


def rendered(case: str) -> list[Document]:
    text = (RENDERED / f"{case}.yaml").read_text("utf-8")
    return [each for each in yaml.safe_load_all(text) if each]


def documents() -> list[Document]:
    return [each for case in cases() for each in rendered(case)]


def pod_of(document: Document) -> Document | None:
    if document["kind"] == "Pod":
        return document["spec"]
    if document["kind"] in {"Deployment", "Job"}:
        return document["spec"]["template"]["spec"]
    return None


def pods() -> list[tuple[Document, Document]]:
    every = [each for case in cases() for each in rendered(case)]
    return [(each, pod) for each in every if (pod := pod_of(each)) is not None]


def of_kind(case: str, kind: str) -> dict[str, Document]:
    every = rendered(case)
    return {each["metadata"]["name"]: each for each in every if each["kind"] == kind}


def test_rendered_is_of_this_chart() -> None:
    """What is kept was rendered from the chart as it is: else run `make chart`."""
    assert {path.stem for path in RENDERED.glob("*.yaml")} == set(cases())
    for path in RENDERED.glob("*.yaml"):
        assert chart_digest() in path.read_text("utf-8").partition("\n")[0], path.name


@pytest.mark.full
@pytest.mark.skipif(helm() is None, reason="no helm, on the path or in BENEFITS_HELM")
@pytest.mark.parametrize("case", cases())
def test_helm_renders_what_is_kept(case: str) -> None:
    """Helm makes of the chart what the other tests look at."""
    program = helm()
    assert program is not None
    found = [each for each in yaml.safe_load_all(render(program, case)) if each]
    order = [sorted(every, key=json.dumps) for every in (rendered(case), found)]
    assert order[0] == order[1]


def test_kubernetes_takes_it() -> None:
    """Each thing fits the schemas of the oldest Kubernetes that the chart allows, and the last."""
    known = [each for each in documents() if each["apiVersion"] != OPERATORS]
    others = {each["kind"] for each in documents() if each not in known}
    assert others == {"PodMonitor", "ServiceMonitor"}
    for document in known:
        for version in (OLDEST, kubernetes_validate.latest_version()):
            kubernetes_validate.validate(document, version, strict=True)


def test_pods_have_no_rights() -> None:
    """No pod runs as root, writes to its own files, has capabilities or speaks to the cluster."""
    assert len(pods()) == 11
    for _, pod in pods():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_long_lived_pods_are_probed_and_drained() -> None:
    """Servers and workers have all probes, and more time to end than the service takes."""
    found = [pod for document, pod in pods() if document["kind"] == "Deployment"]
    for pod in found:
        (container,) = pod["containers"]
        assert container.keys() >= {"startupProbe", "livenessProbe", "readinessProbe"}
        wait = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= wait + 10
    assert len(found) == 5


def test_secrets_are_files() -> None:
    """Secrets are in secrets, and reach processes as files: no environment has one."""
    for case in cases():
        for document in rendered(case):
            assert (MADE_UP in json.dumps(document)) == (document["kind"] == "Secret")
    of_files = {secret_file_variable(each.name) for each in references() if each.secret}
    secret = {each.variable for each in references() if each.secret}
    for _, pod in pods():
        for container in pod["containers"]:
            variables = {each["name"]: each["value"] for each in container.get("env", [])}
            assert not variables.keys() & secret
            mounted = {
                f"/etc/benefits/secrets/{item['path']}"
                for volume in pod.get("volumes", [])
                for item in volume.get("secret", {}).get("items", [])
            }
            assert {variables[name] for name in variables.keys() & of_files} == mounted


def test_migration_comes_first_and_alone() -> None:
    """All that the migration needs is there before everything else, and is gone after it."""
    for case in ("least", "most"):
        hooks = [each for each in rendered(case) if each["metadata"]["name"].endswith("-migrate")]
        kinds = {each["kind"]: each["metadata"]["annotations"] for each in hooks}
        expected = {"Job", "NetworkPolicy", "ServiceAccount"}
        assert kinds.keys() == expected | ({"Secret"} if case == "most" else set())
        assert {each["helm.sh/hook"] for each in kinds.values()} == {"pre-install,pre-upgrade"}
        weights = {kind: int(each["helm.sh/hook-weight"]) for kind, each in kinds.items()}
        assert all(weights[kind] < weights["Job"] for kind in kinds if kind != "Job")


def selector_of(document: Document) -> Document:
    """The labels by which something names pods; none if it doesn't."""
    spec = document.get("spec", {})
    if document["kind"] in {"Job", "ServiceMonitor"}:
        return {}
    selector = spec.get("selector") or spec.get("podSelector") or {}
    return selector.get("matchLabels", selector)


def test_selectors_find_their_pods() -> None:
    """What names pods by labels names those of one part, and there are such pods."""
    for case in cases():
        makers = of_kind(case, "Deployment") | of_kind(case, "Job")
        labels = {
            name: each["spec"]["template"]["metadata"]["labels"] for name, each in makers.items()
        }
        for document in rendered(case):
            wanted = selector_of(document).items()
            found = [name for name, each in labels.items() if wanted <= each.items()]
            assert not wanted or found == [document["metadata"]["name"]]


def test_monitor_finds_the_service() -> None:
    """The monitor of the servers names their service and its port."""
    (monitor,) = of_kind("most", "ServiceMonitor").values()
    (service,) = of_kind("most", "Service").values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_jobs_are_done_by_somebody() -> None:
    """Servers do jobs where there are no workers, and leave them to workers where there are."""
    for case in cases():
        deployments = of_kind(case, "Deployment")
        (server,) = (each for name, each in deployments.items() if "worker" not in name)
        (container,) = pod_of(server)["containers"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        has_workers = len(deployments) == 2
        assert variables["BENEFITS_RUN_JOBS"] == ("false" if has_workers else "true")


def test_stopped_release_runs_nothing() -> None:
    """A release that is stopped has no server, and nothing that would start one."""
    (server,) = of_kind("alone", "Deployment").values()
    assert server["spec"]["replicas"] == 0
    assert of_kind("alone", "HorizontalPodAutoscaler") == {}


def test_ingress_lets_no_pages_of_the_cluster_through() -> None:
    """Metrics and health aren't among the paths that the internet reaches."""
    (ingress,) = of_kind("most", "Ingress").values()
    paths = {each["path"] for each in ingress["spec"]["rules"][0]["http"]["paths"]}
    assert paths >= {"/benefit-programs", "/console", "/docs"}
    hidden = ("/metrics", "/healthz", "/readyz")
    assert [page for page in hidden for path in paths if page.startswith(path)] == []


def test_chart_has_the_version_of_the_service() -> None:
    """The chart, its labels and its image have the version of the package."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    for document in rendered("least"):
        assert document["metadata"]["labels"]["app.kubernetes.io/version"] == __version__
    images = {pod["containers"][0]["image"] for _, pod in pods()}
    assert f"registry.example/benefit-programs:{__version__}" in images


def test_schema_knows_the_settings() -> None:
    """The schema of the values has the settings of the code: else run `make docs`."""
    assert SCHEMA.read_text("utf-8") == schema_json()


def test_values_fit_their_schema() -> None:
    """The chart's own values and those of the cases fit; a misspelt name and a secret don't."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    usual = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert usual.keys() == schema["properties"].keys() - {"global"}
    validator = jsonschema_rs.validator_for(schema)
    validator.validate(usual)
    for case in cases():
        validator.validate(
            yaml.safe_load((CHART / "ci" / f"{case}-values.yaml").read_text("utf-8"))
        )
    for wrong in ({"wokers": 2}, {"database_url": "postgresql://db/benefits"}, {"port": 80}):
        assert not validator.is_valid({"settings": wrong})
