"""Checks of the settings and of this process, for which no database is asked."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path

from benefit_programs.cli.doctor.findings import (
    SettingsCheck,
    Verdict,
    fail,
    listed,
    ok,
    skipped,
    warn,
)
from benefit_programs.config import (
    CORS_ANY_ORIGIN,
    FILE_VARIABLE,
    Network,
    Settings,
    unknown_variables,
)
from benefit_programs.config import references as settings_there_are
from benefit_programs.encryption import key_file_of
from benefit_programs.storage.postgres import CONNECTIONS_MAX

DESCRIPTORS_NEEDED = 256
"""With fewer a process can hardly serve: its database, its log and some callers."""

DESCRIPTORS_ADVISED = 1_024
WIDE_PREFIX = 8
"""A network with a prefix up to this has more addresses than anybody's proxies."""

_METADATA_ADDRESS = ip_address("169.254.169.254")
"""Where clouds tell any program of a machine the machine's own keys."""

_OTHERS_MAY = 0o077


def look_at_variables(environment: Mapping[str, str]) -> Verdict:
    """Whether all variables that look like settings are some."""
    unknown = unknown_variables(environment)
    if not unknown:
        return ok("All variables that begin with BENEFITS_ are known.")
    known = [each.variable for each in settings_there_are()]
    meant = {name: get_close_matches(name, known, 1) for name in unknown}
    shown = [f"{name} ({meant[name][0]}?)" if meant[name] else name for name in unknown]
    return warn(
        f"No settings: {listed(shown)}.", "Correct or remove them; docs/reference/settings.md."
    )


def look_at_combinations(settings: Settings) -> Verdict:
    """Settings that are each right and together do nothing, or not what they seem to."""
    if settings.is_sqlite and not settings.run_jobs:
        return fail(
            "run_jobs is false, and no other process can do the jobs of a SQLite file.",
            "Set BENEFITS_RUN_JOBS=true.",
        )
    idle = [
        burst
        for burst, rate in (
            ("requests_at_once", "requests_per_second"),
            ("tenant_requests_at_once", "tenant_requests_per_second"),
        )
        if getattr(settings, burst) is not None and not getattr(settings, rate)
    ]
    if settings.is_sqlite and settings.has_pooler:
        idle.append("postgres_pooler")
    if settings.is_sqlite and settings.worker_metrics_port is not None:
        idle.append("worker_metrics_port")
    if idle:
        return warn(
            f"Without effect: {', '.join(idle)}.",
            "Set the rate beside a burst, and use PostgreSQL for workers and poolers.",
        )
    return ok("The settings go together.")


def look_at_address(settings: Settings) -> Verdict:
    """Who may reach the service."""
    if CORS_ANY_ORIGIN in settings.cors_origins:
        return warn(
            "Pages of any origin may call the service (cors_origins is *).",
            "Name the origins of your own pages.",
        )
    if is_loopback(settings.host):
        return ok(f"The service listens on {settings.host}: this machine alone reaches it.")
    return warn(
        f"The service listens on {settings.host} without TLS: who reaches it may try keys.",
        "Let only a proxy that speaks TLS reach it, or set BENEFITS_HOST=127.0.0.1.",
    )


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def look_at_proxies(settings: Settings) -> Verdict:
    """Whose word on who somebody is counts in the console."""
    proxies = settings.console_trusted_proxies
    if not proxies:
        return ok("No proxy signs people in to the console; they do it by links and keys.")
    if wide := _wide(proxies):
        return fail(
            f"Whoever calls from {listed(wide)} may sign in to the console as anybody.",
            "Name only the addresses of your proxies in BENEFITS_CONSOLE_TRUSTED_PROXIES.",
        )
    if is_loopback(settings.host) and not any(_has_loopback(each) for each in proxies):
        return warn(
            f"The service listens on {settings.host}, where no trusted proxy calls from.",
            "Add 127.0.0.1/32 if the proxy runs on this machine, or set BENEFITS_HOST.",
        )
    return ok(f"Proxies sign people in to the console from {listed([*map(str, proxies)])}.")


def look_at_outgoing(settings: Settings) -> Verdict:
    """Where tenants can make the service send requests."""
    networks = settings.outgoing_networks
    if not networks:
        return ok("Requests for tenants go to the public internet alone.")
    if wide := _wide(networks):
        return warn(
            f"Tenants may have requests sent anywhere within {listed(wide)}.",
            "Name only the networks of your receivers and policy providers.",
        )
    if any(_METADATA_ADDRESS in each for each in networks):
        return fail(
            f"Tenants may ask {_METADATA_ADDRESS}, where a cloud tells the keys of this machine.",
            "Leave 169.254.0.0/16 out of BENEFITS_OUTGOING_NETWORKS.",
        )
    if any(map(_has_loopback, networks)):
        return warn(
            "Tenants may have requests sent to this machine itself.",
            "Leave loopback out of BENEFITS_OUTGOING_NETWORKS, unless a receiver runs here.",
        )
    return ok(f"Requests for tenants also go to {listed([*map(str, networks)])}.")


def _wide(networks: tuple[Network, ...]) -> list[str]:
    """The networks that are larger than somebody's own can be; 10.0.0.0/8 is private."""
    return [
        str(each)
        for each in networks
        if each.prefixlen < WIDE_PREFIX or (each.prefixlen == WIDE_PREFIX and each.is_global)
    ]


def _has_loopback(network: Network) -> bool:
    return any(ip_address(each) in network for each in ("127.0.0.1", "::1"))


def look_at_descriptors(settings: Settings) -> Verdict:
    """How many files and connections a process may have open."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return ok("A process may open any number of files and connections.")
    own = 0 if settings.is_sqlite else 2 * CONNECTIONS_MAX * (1 + len(settings.replica_urls))
    callers = limit - own
    finding = f"A process started like this one may open {limit} files and connections."
    remedy = "Raise the limit: LimitNOFILE= in the unit, or `ulimit -n`."
    if callers < DESCRIPTORS_NEEDED:
        return fail(finding, remedy)
    return warn(finding, remedy) if callers < DESCRIPTORS_ADVISED - own else ok(finding)


def look_at_secret_files(environment: Mapping[str, str], settings: Settings | None) -> Verdict:
    """Whether others on this machine can read what only the service may."""
    files = [Path(name)] if (name := environment.get(FILE_VARIABLE)) else []
    if settings is not None and settings.is_sqlite:
        files += [settings.sqlite_path, key_file_of(settings.sqlite_path)]
    there = [each for each in files if each.exists()]
    if not there:
        return skipped("There is no file with settings, data or keys.")
    readable = [str(each) for each in there if _is_open(each)]
    if readable:
        return warn(
            f"Others on this machine can read {listed(readable)}.",
            f"chmod go= {' '.join(readable)}",
        )
    return ok("Only their owner can read the files with settings, data and keys.")


def _is_open(file: Path) -> bool:
    """Whether others may read a file, and also get to it."""
    is_shut_in = not file.resolve().parent.stat().st_mode & _OTHERS_MAY
    return bool(file.stat().st_mode & _OTHERS_MAY) and not is_shut_in


CHECKS = (
    SettingsCheck("combinations", look_at_combinations),
    SettingsCheck("address", look_at_address),
    SettingsCheck("console proxies", look_at_proxies),
    SettingsCheck("outgoing networks", look_at_outgoing),
    SettingsCheck("open files", look_at_descriptors),
)
