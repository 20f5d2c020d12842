"""What operators do: keys, tenants, and a look at how the service is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_field, reads_rows
from benefit_programs.client.generated.enums import Role
from benefit_programs.client.generated.filters import (
    ApiKeyFilter,
    ApiKeySort,
    ConsoleUserFilter,
    ConsoleUserSort,
)
from benefit_programs.client.types.operating import (
    ApiKey,
    ApiKeyIdentity,
    ConsoleUser,
    CreatedApiKey,
    InvitedConsoleUser,
    ServiceHealth,
    Tenant,
)

AsyncApiKeyQuery: TypeAlias = AsyncQuery[ApiKey, ApiKeyFilter, ApiKeySort]
AsyncConsoleUserQuery: TypeAlias = AsyncQuery[ConsoleUser, ConsoleUserFilter, ConsoleUserSort]

_CREATED = reads(CreatedApiKey)
_KEY = reads_field("apiKey", ApiKey)
_KEYS = reads_rows("apiKeys", ApiKey)
_INVITED = reads(InvitedConsoleUser)
_USER = reads_field("consoleUser", ConsoleUser)
_USERS = reads_rows("consoleUsers", ConsoleUser)
_TENANT = reads_field("tenant", Tenant)
_TENANTS = reads_rows("tenants", Tenant)
_HEALTH = reads(ServiceHealth)


class AsyncApiKeys(AsyncMethods):
    """The keys of the tenant. Needs an administrator's key with the scope to operate."""

    async def create(
        self,
        name: str,
        *,
        identity: ApiKeyIdentity | None = None,
        role: Role | None = None,
        scopes: Sequence[str] = (),
        permission_ids: Sequence[str] = (),
        expiration_date: datetime | None = None,
    ) -> CreatedApiKey:
        """Make a key: of a role, or of scopes and permission ids. Its secret is shown only here.

        It stands for a new administrator unless an identity is given. It allows no more than the
        key of this client, and lives no longer.

        Raises:
            ValidationError: It would allow more, or what is given can't be.
        """
        fields = document(
            name=name,
            identity=identity,
            role=role,
            scopes=scopes or None,
            permission_ids=permission_ids or None,
            expiration_date=expiration_date,
        )
        return await self._session.call("createApiKey", _CREATED, fields)

    async def get(self, api_key_id: str) -> ApiKey:
        """Read a key.

        Raises:
            ApiKeyNotFound: The tenant has no such key.
        """
        fields = document(api_key_id=api_key_id)
        return await self._session.call("getApiKey", _KEY, fields)

    def query(
        self,
        filter: ApiKeyFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ApiKeySort] = (),
    ) -> AsyncApiKeyQuery:
        """Find keys, those that are revoked or expired too."""
        return begin(self._session, Plan(name="queryApiKeys", read=_KEYS), filter, sort)

    async def revoke(self, api_key_id: str) -> ApiKey:
        """Close a key for good. No server takes it any more when the call returns.

        Raises:
            ApiKeyNotFound: The tenant has no such key.
            PermissionDenied: It is a key of the installation, and this client's isn't.
        """
        fields = document(api_key_id=api_key_id)
        return await self._session.call("revokeApiKey", _KEY, fields)


class AsyncConsoleUsers(AsyncMethods):
    """Who may use the console. Needs an administrator's key with the scope to operate."""

    async def invite(
        self, name: str, *, role: Role, email: str | None = None
    ) -> InvitedConsoleUser:
        """Give somebody access, by a link that signs in once, within 15 minutes.

        Whoever has access already gets a new link. The role allows no more than the key of this
        client, which must not end by itself.

        Raises:
            ValidationError: It would allow more, or the user has another role or address.
        """
        fields = document(name=name, role=role, email=email)
        return await self._session.call("inviteConsoleUser", _INVITED, fields)

    def query(
        self,
        filter: ConsoleUserFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ConsoleUserSort] = (),
    ) -> AsyncConsoleUserQuery:
        """Find who has access, and who had it once."""
        return begin(self._session, Plan(name="queryConsoleUsers", read=_USERS), filter, sort)

    async def revoke(self, console_user_id: str) -> ConsoleUser:
        """Take somebody's access away for good. All sessions end at once.

        Raises:
            ConsoleUserNotFound: The console of the tenant has no such user.
        """
        fields = document(console_user_id=console_user_id)
        return await self._session.call("revokeConsoleUser", _USER, fields)


class AsyncTenants(AsyncMethods):
    """The tenants of the installation. Needs a key of the installation."""

    async def create(
        self, name: str, *, site_id: str | None = None, sandbox: bool | None = None
    ) -> Tenant:
        """Make a tenant, with a new site id unless one is given. It has no keys yet.

        Raises:
            TenantAlreadyExists: Another tenant has the site id.
        """
        fields = document(name=name, site_id=site_id, sandbox=sandbox)
        return await self._session.call("createTenant", _TENANT, fields)

    async def get(self, site_id: str) -> Tenant:
        """Read a tenant.

        Raises:
            TenantNotFound: No tenant has this site id.
        """
        return await self._session.call("getTenant", _TENANT, document(site_id=site_id))

    def list(self) -> AsyncListing[Tenant]:
        """List all tenants, the oldest first."""
        plan = Plan(name="listTenants", read=_TENANTS, paging_field="paging")
        return AsyncListing(self._session, plan)


class AsyncHealth(AsyncMethods):
    """How the service is. Needs an administrator's key with the scope to operate."""

    async def get(self) -> ServiceHealth:
        """Read how the process is that answers, and how the tenant's jobs and webhooks are."""
        return await self._session.call("getHealth", _HEALTH, {})
