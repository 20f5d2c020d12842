"""Statements."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.asynchronous.queries import AsyncListing
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_rows
from benefit_programs.client.types.statements import (
    Activity,
    BalanceAsOf,
    PeriodLength,
    Statement,
    StatementOfPools,
    StatementRow,
)

_AS_OF = reads(BalanceAsOf)
_STATEMENT = reads(Statement)
_ROWS = reads_rows("rows", StatementRow)
_STATEMENTS = reads(StatementOfPools)
_ACTIVITY = reads(Activity)


class AsyncStatements(AsyncMethods):
    """How credits became more or less, and what was there at any time."""

    async def as_of(self, pool_id: str, date: datetime) -> BalanceAsOf:
        """Read what a balance was at an instant, also what was booked only later.

        Raises:
            BalanceNotFound: There is no such pool.
        """
        return await self._session.call(
            "getBalanceAsOf", _AS_OF, document(pool_id=pool_id, date=date)
        )

    async def get(
        self,
        pool_id: str,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
        *,
        by_lot: bool = False,
    ) -> Statement:
        """Read the statement of a pool: what it adds up to, and its first 50 rows.

        The period includes its start and excludes its end. Without them it begins with the pool and
        ends now. ``rows`` reads all rows.

        Raises:
            BalanceNotFound: There is no such pool.
        """
        fields = document(
            pool_id=pool_id, from_date=from_date, to_date=to_date, by_lot=by_lot or None
        )
        return await self._session.call("getStatement", _STATEMENT, fields)

    def rows(
        self,
        pool_id: str,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
    ) -> AsyncListing[StatementRow]:
        """Read all rows of the statement of a pool, in the order in which they were booked."""
        plan = Plan(
            name="getStatement",
            read=_ROWS,
            paging_field="cursorPaging",
            beside=document(pool_id=pool_id),
            first_only=document(from_date=from_date, to_date=to_date),
        )
        return AsyncListing(self._session, plan)

    async def of_pools(
        self,
        from_date: datetime,
        to_date: datetime | None = None,
        *,
        by: PeriodLength = "MONTH",
        namespace: str | None = None,
        program_definition_id: str | None = None,
        pool_definition_id: str | None = None,
    ) -> StatementOfPools:
        """Read what became of the credits of many pools, and what is outstanding now.

        Without a namespace or a definition all pools of the tenant are meant.
        """
        fields = document(
            from_date=from_date,
            to_date=to_date,
            by=by,
            namespace=namespace,
            program_definition_id=program_definition_id,
            pool_definition_id=pool_definition_id,
        )
        return await self._session.call("getStatements", _STATEMENTS, fields)

    async def activity(
        self,
        from_date: datetime,
        to_date: datetime | None = None,
        *,
        by: PeriodLength = "MONTH",
        namespace: str | None = None,
        program_definition_id: str | None = None,
        pool_definition_id: str | None = None,
    ) -> Activity:
        """Read what happened to the credits of many pools, by periods, weekdays and hours.

        Of very many transactions only the newest ones are read.
        """
        fields = document(
            from_date=from_date,
            to_date=to_date,
            by=by,
            namespace=namespace,
            program_definition_id=program_definition_id,
            pool_definition_id=pool_definition_id,
        )
        return await self._session.call("getActivity", _ACTIVITY, fields)
