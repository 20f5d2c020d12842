"""The service inside the caller's own process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from benefit_programs.client import (
    AdjustBalance,
    AsyncBenefitPrograms,
    BenefitPrograms,
    ConnectionFailed,
    DatabaseNotUsable,
    IdMode,
    NotEnoughBalance,
    ServerError,
    ServerNotInstalled,
    ValidationError,
)
from benefit_programs.client.core import options
from benefit_programs.storage.schema import SchemaError
from tests.support.databases import run_apart
from tests.support.gym import Gym
from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from pathlib import Path


def test_data_stays_in_the_file(tmp_path: Path) -> None:
    """What one process wrote is there when the file is opened again, and can be served after."""
    file = tmp_path / "deep" / "club.db"
    with BenefitPrograms.open(file) as client:
        gym = Gym(client)
        _, pool = gym.provision()
        gym.redeem(pool)
    with BenefitPrograms.open(str(file)) as again:
        assert again.balances.get(pool.id).available == Decimal(90)
    served = ServerProcess([], tmp_path / "log", BENEFITS_DATABASE_URL=f"sqlite:///{file}")
    try:
        assert served.first_key is not None
        with BenefitPrograms(served.url, served.first_key) as client:
            assert client.balances.get(pool.id).available == Decimal(90)
    finally:
        served.stop()


def test_file_has_one_owner(tmp_path: Path) -> None:
    """A file that is open is refused, and free again once it is closed."""
    file = tmp_path / "club.db"
    with BenefitPrograms.open(file), pytest.raises(DatabaseNotUsable):
        BenefitPrograms.open(file).programs.query().first()
    with BenefitPrograms.open(file) as client:
        assert client.programs.query().first() is None


def test_closed_is_closed(tmp_path: Path) -> None:
    """A client that was closed says so, and may be closed twice."""
    client = BenefitPrograms.open(tmp_path / "club.db")
    client.close()
    client.close()
    with pytest.raises(ConnectionFailed, match="closed") as caught:
        client.programs.query().first()
    assert not caught.value.may_have_happened


def test_first_call_opens(tmp_path: Path) -> None:
    """Without `async with` the first call opens the database; many at once open it once."""

    async def work() -> None:
        client = AsyncBenefitPrograms.open(tmp_path / "club.db")
        calls = (client.programs.query().to_list() for _ in range(10))
        assert await asyncio.gather(*calls) == [[]] * 10
        await client.aclose()
        with pytest.raises(ConnectionFailed):
            await client.programs.query().first()

    run_apart(work())


def test_failed_opening_can_be_tried_again(tmp_path: Path) -> None:
    """A client that couldn't open its file opens it as soon as that is free."""

    async def work() -> None:
        owner = AsyncBenefitPrograms.open(tmp_path / "club.db")
        await owner.programs.query().first()
        second = AsyncBenefitPrograms.open(tmp_path / "club.db")
        with pytest.raises(DatabaseNotUsable):
            await second.programs.query().first()
        await owner.aclose()
        async with second:
            assert await second.programs.query().first() is None

    run_apart(work())


def test_threads_may_share_a_client(tmp_path: Path) -> None:
    """Many threads redeem at once: exactly as many succeed as the balance pays for."""
    with BenefitPrograms.open(tmp_path / "club.db") as client, ThreadPoolExecutor(16) as threads:
        gym = Gym(client)
        _, pool = gym.provision()

        def redeem(_: int) -> bool:
            try:
                gym.redeem(pool)
            except NotEnoughBalance:
                return False
            return True

        assert sum(threads.map(redeem, range(32))) == 10
        assert client.balances.get(pool.id).available == 0
        client.balances.change(pool.id, AdjustBalance(value=1))


def test_closing_leaves_nobody_waiting(tmp_path: Path) -> None:
    """Threads that call while another closes the client get an answer or an error, all of them."""
    client = BenefitPrograms.open(tmp_path / "club.db", max_retries=0)
    under_way = threading.Barrier(9)

    def ask(_: int) -> bool:
        under_way.wait()
        try:
            for _ in range(1_000):
                client.programs.query().first()
        except (ConnectionFailed, ServerError):
            return True
        return False

    client.programs.query().first()
    with ThreadPoolExecutor(8) as threads:
        asked = threads.map(ask, range(8))
        under_way.wait()
        client.close()
        assert all(asked)


def test_nothing_is_printed_nor_loaded_for_people(tmp_path: Path) -> None:
    """A library doesn't write on its caller's terminal, and loads no pages that nobody sees."""
    script = (
        "import sys; from benefit_programs.client import BenefitPrograms\n"
        "with BenefitPrograms.open(sys.argv[1]) as client: client.programs.query().first()\n"
        "assert not {'jinja2', 'benefit_programs.console'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, tmp_path / "club.db"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_unprepared_database_is_told(postgres_url: str) -> None:
    """A PostgreSQL database without the schema is refused, and left as it is."""
    with pytest.raises(DatabaseNotUsable) as caught:
        BenefitPrograms.open(postgres_url).programs.query().first()
    assert isinstance(caught.value.__cause__, SchemaError)


def test_settings_count_at_once(tmp_path: Path) -> None:
    """A change of the tenant's settings counts for the next call."""
    with BenefitPrograms.open(tmp_path / "club.db") as client:
        client.settings.update(id_mode=IdMode.STRICT)
        with pytest.raises(ValidationError):
            client.program_definitions.create(namespace="gym", external_id="no-guid")


def test_missing_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the client is installed, open() says what is missing."""
    monkeypatch.setitem(sys.modules, options.INPROCESS, None)
    with pytest.raises(ServerNotInstalled, match="pip install benefit-programs"):
        BenefitPrograms.open("club.db")
