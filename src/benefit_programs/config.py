"""The settings of a process: read once, checked once, never changed.

A setting comes from its default, else from the file that BENEFITS_CONFIG names (TOML), else from
the environment, else from the command line; the last one that says something counts. A secret may
be in a file of its own, which a variable with _FILE at its end names. Limits that protect the
service from its callers are constants beside the code they protect, not settings.
"""

from __future__ import annotations

import os
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints
from urllib.parse import quote, urlsplit

from benefit_programs.setting_files import UnusableFile, read_secret, read_toml

T = TypeVar("T")

ENVIRONMENT_PREFIX = "BENEFITS_"
FILE_VARIABLE = "BENEFITS_CONFIG"
URL_VARIABLE = "BENEFITS_URL"
KEY_VARIABLE = "BENEFITS_API_KEY"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, URL_VARIABLE, KEY_VARIABLE})
"""Variables that are no settings: the first names a file of them, the others are for callers."""
SECRET_FILE_SUFFIX = "_FILE"  # noqa: S105 - the end of a name, no secret
"""Ends the variable that names the file of a secret, as platforms hand secrets to containers."""

SQLITE_URL = "sqlite:///"
POSTGRES_URLS = ("postgresql://", "postgres://")
DATABASE_FILE = "benefits.sqlite3"
DATA_DIR_DEFAULT = Path("data")
HOST_DEFAULT = "127.0.0.1"

WORKERS_MAX = 64
PORT_MAX = 65_535
KEY_LENGTH_MIN = 16
KEY_LENGTH_MAX = 512
BODY_BYTES_DEFAULT = 1_048_576
BODY_BYTES_MIN = 1_024
BODY_BYTES_MAX = 64 * 1_048_576
HEAD_SECONDS_DEFAULT = 20
BODY_SECONDS_DEFAULT = 60
IDLE_SECONDS_DEFAULT = 75
WAIT_SECONDS_MAX = 3_600
REQUESTS_PER_SECOND_MAX = 100_000
REQUESTS_AT_ONCE_MAX = 1_000_000
CORS_ORIGINS_MAX = 100
CORS_ANY_ORIGIN = "*"
OUTGOING_NETWORKS_MAX = 100
CONSOLE_TRUSTED_PROXIES_MAX = 100
REPLICA_URLS_MAX = 8
AGENT_CREDITS_DEFAULT = 20
AGENT_CREDITS_MAX = 1_000_000_000
AGENT_CHANGES_PER_HOUR_DEFAULT = 20
AGENT_CHANGES_PER_HOUR_MAX = 10_000
SECRET_KEY_BYTES = 32
SECRET_KEYS_MAX = 10

Network = IPv4Network | IPv6Network

_BETWEEN_URLS = re.compile(r",?\s+|,(?=postgres(?:ql)?://)")
_URL_SAFE = str.maketrans("-_", "+/")
_RESERVED = frozenset("/?#@[]")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@,]+")


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class Pooler(StrEnum):
    """What stands between the service and PostgreSQL."""

    NONE = "none"
    TRANSACTION = "transaction"


class Agents(StrEnum):
    """What agents may do at /mcp."""

    OFF = "off"
    READ = "read"
    CHANGE = "change"


class WrongSetting(Exception):
    """A setting has a value that can't be used; the message is one line that names it."""


class _Wrong(ValueError):
    """What is wrong about a value, without the name of its setting."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("must be a text that isn't empty")
    return value.strip()


def _whole(minimum: int, maximum: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        text = str(value).strip()
        digits = text.isascii() and text.isdecimal() and not isinstance(value, bool)
        if not digits or len(text) > len(str(maximum)) or not minimum <= int(text) <= maximum:
            raise _Wrong(f"must be a whole number from {minimum} to {maximum}")
        return int(text)

    return read


def _flag(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise _Wrong("must be true or false")
    return text == "true"


def _path(value: object) -> Path:
    try:
        return Path(_text(value)).expanduser()
    except RuntimeError:
        raise _Wrong("must not begin with ~ and a name that no user has") from None


def _url(value: object) -> str:
    url = _text(value)
    is_file = url.startswith(SQLITE_URL) and len(url) > len(SQLITE_URL)
    if not is_file and not url.startswith(POSTGRES_URLS):
        raise _Wrong("must begin with sqlite:/// and a path, or with postgresql://")
    if not is_file:
        _require_escapes(url)
        _require_places(url)
    return url


def _require_escapes(url: str) -> None:
    """Refuse a password that ends its part of the URL, for the rest would be read as the host."""
    user, _, _ = url.partition("://")[2].rpartition("@")
    if not _RESERVED.isdisjoint(user):
        escapes = ", ".join(f"{quote(each, safe='')} for {each}" for each in sorted(_RESERVED))
        raise _Wrong(f"must have escapes in its user and password: {escapes}")


def _require_places(url: str) -> None:
    """Refuse hosts and ports that can't be read; of a PostgreSQL there may be several."""
    try:
        places = urlsplit(url).netloc.rpartition("@")[2].split(",")
        readable = all(urlsplit(f"//{place}").port != 0 for place in places)
    except ValueError:
        readable = False
    if not readable:
        raise _Wrong("must name hosts, with numbers as their ports")


def _replica_urls(value: object) -> tuple[str, ...]:
    """URLs of single servers: what one of several has is not what another has."""
    listed = value if isinstance(value, list) else _BETWEEN_URLS.split(_text(value))
    if len(listed) > REPLICA_URLS_MAX:
        raise _Wrong(f"must have at most {REPLICA_URLS_MAX} URLs")
    urls = tuple(dict.fromkeys(map(_url, listed)))
    if not all(url.startswith(POSTGRES_URLS) and "," not in urlsplit(url).netloc for url in urls):
        raise _Wrong("must be postgresql:// URLs with one host each, with commas between")
    return urls


def _key(value: object) -> str:
    key = _text(value)
    printable = key.isascii() and key.isprintable() and " " not in key
    if not printable or not KEY_LENGTH_MIN <= len(key) <= KEY_LENGTH_MAX:
        raise _Wrong(
            f"must have {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} printable ASCII characters, no spaces"
        )
    return key


def _origins(value: object) -> tuple[str, ...]:
    """Origins as browsers send them: in lower case, without a path or a slash at the end."""
    listed = value if isinstance(value, list) else _text(value).split(",")
    origins = tuple(dict.fromkeys(str(each).strip().lower() for each in listed))
    if len(origins) > CORS_ORIGINS_MAX:
        raise _Wrong(f"must have at most {CORS_ORIGINS_MAX} origins")
    if not all(each == CORS_ANY_ORIGIN or _ORIGIN.fullmatch(each) for each in origins):
        raise _Wrong("must be origins such as https://shop.example, with commas between, or *")
    return origins


def _networks(networks_max: int) -> Callable[[object], tuple[Network, ...]]:
    def read(value: object) -> tuple[Network, ...]:
        listed = value if isinstance(value, list) else _text(value).split(",")
        if len(listed) > networks_max:
            raise _Wrong(f"must have at most {networks_max} networks")
        try:
            return tuple(dict.fromkeys(ip_network(str(each).strip()) for each in listed))
        except ValueError:
            raise _Wrong("must be networks such as 10.0.0.0/8, with commas between") from None

    return read


def decode_secret_key(text: str) -> bytes:
    """A key as files and settings hold it. Raises ValueError."""
    key = decode_base64(text.strip())
    if len(key) != SECRET_KEY_BYTES:
        raise ValueError(f"a key has {SECRET_KEY_BYTES} bytes")
    return key


def decode_base64(text: str) -> bytes:
    """Bytes from either alphabet of base64, with or without padding. Raises ValueError."""
    bare = text.translate(_URL_SAFE).rstrip("=")
    return b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _secret_keys(value: object) -> tuple[bytes, ...]:
    listed = value if isinstance(value, list) else _text(value).split(",")
    if len(listed) > SECRET_KEYS_MAX:
        raise _Wrong(f"must have at most {SECRET_KEYS_MAX} keys")
    try:
        return tuple(dict.fromkeys(decode_secret_key(str(each)) for each in listed))
    except ValueError:
        raise _Wrong(
            f"must be keys of {SECRET_KEY_BYTES} bytes in base64, with commas between"
        ) from None


def _one_of(choices: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return choices(_text(value).lower())
        except ValueError:
            raise _Wrong(f"must be {' or '.join(choices)}") from None

    return read


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """How a setting is read, and what the reference says about it."""

    read: Callable[[object], Any]
    about: str
    default: str
    secret: bool = False


def _at_once(caller: str, rate: str) -> _Setting:
    """How large a burst of a caller may be, beside the setting of its rate."""
    return _Setting(
        read=_whole(1, REQUESTS_AT_ONCE_MAX),
        about=f"How many requests {caller} may make at once after a pause, before `{rate}` "
        f"applies, up to {REQUESTS_AT_ONCE_MAX}.",
        default=f"as `{rate}`",
    )


def _usual_log_format() -> LogFormat:
    return LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may set. Raises WrongSetting for values that don't go together."""

    host: Annotated[
        str,
        _Setting(
            read=_text,
            about="The address to listen on. Anybody who reaches it may try keys, so put a proxy "
            "that speaks TLS before any other address than this one.",
            default=f"`{HOST_DEFAULT}`",
        ),
    ] = HOST_DEFAULT

    port: Annotated[
        int,
        _Setting(
            read=_whole(0, PORT_MAX),
            about=f"The port to listen on, up to {PORT_MAX}; 0 takes any that is free.",
            default="`8080`",
        ),
    ] = 8080

    data_dir: Annotated[
        Path,
        _Setting(
            read=_path,
            about=f"The folder of the SQLite file `{DATABASE_FILE}`, made if it isn't there. Not "
            "used if `database_url` is set.",
            default="`./data`",
        ),
    ] = DATA_DIR_DEFAULT

    database_url: Annotated[
        str | None,
        _Setting(
            read=_url,
            about="The database: `sqlite:///` and the path of a file (an absolute one begins with "
            "a fourth slash), or a `postgresql://` URL, in whose password characters such as `/` "
            "and `#` are written as `%2F` and `%23`. It may name several hosts, with commas "
            "between: the one that takes writes is used ([failover](../how-to/failover.md)).",
            default="the SQLite file in `data_dir`",
            secret=True,
        ),
    ] = None

    postgres_pooler: Annotated[
        Pooler,
        _Setting(
            read=_one_of(Pooler),
            about="`transaction` if `database_url` leads to a pooler that may give each "
            "transaction another connection, such as pgbouncer: the service then keeps nothing in "
            "a connection, which costs round trips. Otherwise `none`.",
            default="`none`",
        ),
    ] = Pooler.NONE

    replica_urls: Annotated[
        tuple[str, ...],
        _Setting(
            read=_replica_urls,
            about="Standby servers of the database that answer reads, as `postgresql://` URLs with "
            "one host each, with commas between (in the file: a list), at most "
            f"{REPLICA_URLS_MAX}. See [replicas](../how-to/replicas.md).",
            default="none",
            secret=True,
        ),
    ] = ()

    bootstrap_api_key: Annotated[
        str | None,
        _Setting(
            read=_key,
            about="A key of your choice for the first tenant, with all rights: accepted from the "
            "first start with it until it is revoked for good. Without it, the first start makes a "
            "key and prints it once.",
            default="none",
            secret=True,
        ),
    ] = None

    log_format: Annotated[
        LogFormat,
        _Setting(
            read=_one_of(LogFormat),
            about="`console` for people, `json` for machines.",
            default="`console` on a terminal, otherwise `json`",
        ),
    ] = field(default_factory=_usual_log_format)

    workers: Annotated[
        int,
        _Setting(
            read=_whole(1, WORKERS_MAX),
            about=f"How many processes serve, up to {WORKERS_MAX}. More than 1 needs PostgreSQL.",
            default="`1`",
        ),
    ] = 1

    run_jobs: Annotated[
        bool,
        _Setting(
            read=_flag,
            about="Whether the server does background jobs itself. If not, they wait for a "
            "`benefits worker` (PostgreSQL only).",
            default="`true`",
        ),
    ] = True

    worker_metrics_port: Annotated[
        int | None,
        _Setting(
            read=_whole(0, PORT_MAX),
            about="The port where a `benefits worker` serves `/metrics`, `/healthz` and `/readyz`, "
            "each worker of a machine at one of its own; 0 takes any that is free. A server has "
            "these pages at its own address.",
            default="none: a worker serves nothing",
        ),
    ] = None

    worker_metrics_host: Annotated[
        str,
        _Setting(
            read=_text,
            about="The address of `worker_metrics_port`. The pages tell how much is done, so let "
            "only those reach another address than this one who watch the service.",
            default=f"`{HOST_DEFAULT}`",
        ),
    ] = HOST_DEFAULT

    body_bytes_max: Annotated[
        int,
        _Setting(
            read=_whole(BODY_BYTES_MIN, BODY_BYTES_MAX),
            about=f"How large a request's body may be, {BODY_BYTES_MIN} to {BODY_BYTES_MAX} bytes; "
            "a larger one is answered with 413.",
            default=f"`{BODY_BYTES_DEFAULT}`",
        ),
    ] = BODY_BYTES_DEFAULT

    head_seconds_max: Annotated[
        int,
        _Setting(
            read=_whole(1, WAIT_SECONDS_MAX),
            about="How many seconds a client has for the address and headers of a request, from "
            f"their first byte, up to {WAIT_SECONDS_MAX}; then the answer is 408.",
            default=f"`{HEAD_SECONDS_DEFAULT}`",
        ),
    ] = HEAD_SECONDS_DEFAULT

    body_seconds_max: Annotated[
        int,
        _Setting(
            read=_whole(1, WAIT_SECONDS_MAX),
            about="How many seconds a client has for the body, after the headers, up to "
            f"{WAIT_SECONDS_MAX}; then the answer is 408. Raise it together with "
            "`body_bytes_max` for clients on slow lines.",
            default=f"`{BODY_SECONDS_DEFAULT}`",
        ),
    ] = BODY_SECONDS_DEFAULT

    idle_seconds_max: Annotated[
        int,
        _Setting(
            read=_whole(1, WAIT_SECONDS_MAX),
            about="How many seconds a connection is kept without a request, also a new one, or "
            f"with an answer that the client stops reading, up to {WAIT_SECONDS_MAX}. Let clients "
            "and proxies close theirs sooner: a client that sends a request while the server "
            "closes the connection can't know whether it was done.",
            default=f"`{IDLE_SECONDS_DEFAULT}`",
        ),
    ] = IDLE_SECONDS_DEFAULT

    requests_per_second: Annotated[
        int,
        _Setting(
            read=_whole(0, REQUESTS_PER_SECOND_MAX),
            about="How many requests one API key may make in a second, on average and in each "
            f"process, up to {REQUESTS_PER_SECOND_MAX}; more are answered with 429 and a "
            "`retry-after`. A bulk request counts as one. 0 sets no limit.",
            default="`0`",
        ),
    ] = 0

    requests_at_once: Annotated[int | None, _at_once("a key", "requests_per_second")] = None

    tenant_requests_per_second: Annotated[
        int,
        _Setting(
            read=_whole(0, REQUESTS_PER_SECOND_MAX),
            about="How many requests a tenant may make in a second with all its keys, on average "
            f"and over all processes of the database, up to {REQUESTS_PER_SECOND_MAX}; more are "
            "answered with 429 and a `retry-after`. A bulk request counts as one. 0 sets no limit. "
            "Give all processes of a database the same.",
            default="`0`",
        ),
    ] = 0

    tenant_requests_at_once: Annotated[
        int | None, _at_once("a tenant", "tenant_requests_per_second")
    ] = None

    cors_origins: Annotated[
        tuple[str, ...],
        _Setting(
            read=_origins,
            about="The origins whose pages may call the service from a browser, such as "
            "`https://shop.example`, with commas between (in the file: a list); `*` allows all. A "
            "key that a page uses can be read by everybody who sees the page: give it a member's "
            f"key. At most {CORS_ORIGINS_MAX}.",
            default="none",
        ),
    ] = ()

    outgoing_networks: Annotated[
        tuple[Network, ...],
        _Setting(
            read=_networks(OUTGOING_NETWORKS_MAX),
            about="The networks beside the public internet to which the service sends requests for "
            "tenants (questions to providers, webhooks), such as `10.1.2.0/24`, with commas "
            "between (in the file: a list). All loopback, private, link-local and other special "
            "addresses are refused unless they are here: whoever administers a tenant chooses the "
            "URLs, and could look around in your network. "
            f"At most {OUTGOING_NETWORKS_MAX}.",
            default="none",
        ),
    ] = ()

    console_trusted_proxies: Annotated[
        tuple[Network, ...],
        _Setting(
            read=_networks(CONSOLE_TRUSTED_PROXIES_MAX),
            about="The networks of proxies that sign people in to the [console]"
            "(../how-to/console.md), such as `10.1.2.3/32`, with commas between (in the file: a "
            "list). What they say in `X-Forwarded-Email` is who a request comes from, so they must "
            "remove that header from requests of others, and nobody else may reach the service "
            f"from there. At most {CONSOLE_TRUSTED_PROXIES_MAX}.",
            default="none",
        ),
    ] = ()

    agents: Annotated[
        Agents,
        _Setting(
            read=_one_of(Agents),
            about="What [agents](../how-to/agents.md) may do at `/mcp`: nothing (`off`), `read`, "
            "or also redeem, give back, move, adjust, pause and resume (`change`), as far as the "
            "key allows it. Needs the extra `benefit-programs[agents]`.",
            default="`off`",
        ),
    ] = Agents.OFF

    agent_credits_max: Annotated[
        int,
        _Setting(
            read=_whole(1, AGENT_CREDITS_MAX),
            about=f"How many credits one change of an agent may move, up to {AGENT_CREDITS_MAX}.",
            default=f"`{AGENT_CREDITS_DEFAULT}`",
        ),
    ] = AGENT_CREDITS_DEFAULT

    agent_changes_per_hour: Annotated[
        int,
        _Setting(
            read=_whole(1, AGENT_CHANGES_PER_HOUR_MAX),
            about="How many changes agents may try within an hour with one key, in each process, "
            f"up to {AGENT_CHANGES_PER_HOUR_MAX}.",
            default=f"`{AGENT_CHANGES_PER_HOUR_DEFAULT}`",
        ),
    ] = AGENT_CHANGES_PER_HOUR_DEFAULT

    secret_key: Annotated[
        tuple[bytes, ...],
        _Setting(
            read=_secret_keys,
            about="The key with which secrets are encrypted that the service must be able to read "
            f"again, such as those that sign webhooks: {SECRET_KEY_BYTES} random bytes in base64 "
            "(`openssl rand -base64 32`). To change it, put the new one before the old, with a "
            "comma between (in the file: a list): the first encrypts, all decrypt. At most "
            f"{SECRET_KEYS_MAX}. On PostgreSQL no such secret can be stored without it.",
            default="with SQLite the file beside the database that ends in `.key`, made when it is "
            "needed first; with PostgreSQL none",
            secret=True,
        ),
    ] = ()

    def __post_init__(self) -> None:
        if self.workers > 1 and self.is_sqlite:
            raise WrongSetting(
                f"workers: {self.workers} processes can't share a SQLite file; use 1, or PostgreSQL"
            )
        if self.replica_urls and self.is_sqlite:
            raise WrongSetting("replica_urls: a SQLite file has no replicas; use PostgreSQL")

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith(SQLITE_URL)

    @property
    def has_pooler(self) -> bool:
        return self.postgres_pooler is Pooler.TRANSACTION

    @property
    def url(self) -> str:
        """The database, whichever setting names it."""
        return self.database_url or f"{SQLITE_URL}{self.data_dir / DATABASE_FILE}"

    @property
    def sqlite_path(self) -> Path:
        """The SQLite file. Only to be asked for where there is one."""
        assert self.is_sqlite
        return Path(self.url.removeprefix(SQLITE_URL))

    def __repr__(self) -> str:
        """The settings that are no secrets."""
        shown = (
            f"{name}={getattr(self, name)!r}" for name, each in _marks().items() if not each.secret
        )
        return f"Settings({', '.join(shown)})"


@cache
def _marks() -> dict[str, _Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}


@dataclass(frozen=True)
class SettingReference:
    """What a reference document says about one setting."""

    name: str
    variable: str
    default: str
    about: str
    secret: bool


def references() -> list[SettingReference]:
    return [
        SettingReference(name, _variable(name), mark.default, mark.about, mark.secret)
        for name, mark in _marks().items()
    ]


def read_settings(
    flags: Mapping[str, object] | None = None, *, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings of this process. Flags that are None say nothing, empty variables neither.

    Raises WrongSetting for the first value that can't be used, for a name in the file that is no
    setting's, and for the file of a secret that can't be read.
    """
    variables = os.environ if environment is None else environment
    file = variables.get(FILE_VARIABLE)
    marks = _marks()
    found: dict[str, tuple[str, object]] = {}
    for name, value in (_read(read_toml, FILE_VARIABLE, file) if file else {}).items():
        if name not in marks:
            raise WrongSetting(f"{name}: is in {file}, but is no setting")
        found[name] = (f"{name} in {file}", value)
    found |= {name: given for name in marks if (given := _given(name, variables))}
    for name, flag in (flags or {}).items():
        if flag is not None:
            found[name] = (f"--{name.replace('_', '-')}", flag)
    return Settings(**{name: _checked(*each, marks[name]) for name, each in found.items()})


def read_variables(*names: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the environment says of some settings, for a service in somebody's own process.

    Raises WrongSetting.
    """
    variables = os.environ if environment is None else environment
    return {
        name: _checked(*given, _marks()[name])
        for name in names
        if (given := _given(name, variables))
    }


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like settings and are none: mostly misspelt."""
    variables = os.environ if environment is None else environment
    known = OTHER_VARIABLES | {_variable(name) for name in _marks()}
    known |= {secret_file_variable(name) for name, mark in _marks().items() if mark.secret}
    return sorted(name for name in variables.keys() - known if name.startswith(ENVIRONMENT_PREFIX))


def _given(name: str, variables: Mapping[str, str]) -> tuple[str, str] | None:
    """What the environment says of a setting, after the variable that says it.

    Raises WrongSetting if a secret is said twice, or its file can't be read.
    """
    variable, file_variable = _variable(name), secret_file_variable(name)
    said = variables.get(variable)
    path = variables.get(file_variable) if _marks()[name].secret else None
    if not path:
        return (variable, said) if said else None
    if said:
        raise WrongSetting(f"{variable} and {file_variable} are set: use one of them")
    return file_variable, _read(read_secret, file_variable, path)


def _checked(source: str, value: object, mark: _Setting) -> Any:
    try:
        return mark.read(value)
    except _Wrong as wrong:
        given = "" if mark.secret else f", not {str(value)!r}"
        raise WrongSetting(f"{source}: {wrong}{given}") from None


def _read(read: Callable[[Path], T], variable: str, path: str) -> T:
    """What the file says that a variable names. Raises WrongSetting."""
    try:
        return read(_path(path))
    except _Wrong as wrong:
        raise WrongSetting(f"{variable}: {wrong}, not {path!r}") from None
    except UnusableFile as unusable:
        raise WrongSetting(f"{variable}: {path} {unusable}") from None


def secret_file_variable(name: str) -> str:
    """The variable that names the file of a secret setting."""
    return _variable(name) + SECRET_FILE_SUFFIX


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()
