"""What each field of keys, tenants and the service's health holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import directory_errors, errors
from benefit_programs.wire.types import api_keys, async_jobs, console_users, health, tenants

_KEY = {
    "expiration_date": "The instant at which it ends. Absent if it doesn't by itself.",
    "identity": "Whom it stands for. Left out of a request: a new administrator.",
    "name": "A name for people.",
    "permission_ids": "What it is narrowed to. Empty: it isn't.",
    "scopes": "What it allows. Left out of a request: MANAGE, or READ_LIMITED for a member.",
}
_USER = {
    "email": "What a proxy with single sign-on knows the user by; kept in lower case.",
    "name": "A name for people.",
    "role": "What the user may do.",
}
_TENANT = {
    "name": "A name for people.",
    "sandbox": "Whether it is for tests, with a clock that can be set forward. Default: false.",
    "site_id": "The id of its site. Left out of a request: a new one.",
}

OF_OPERATING: dict[type[Any], dict[str, str]] = {
    errors.JobNotCancelable: {"job_id": "The id of the job.", "status": "What it is now."},
    errors.JobNotRetryable: {"job_id": "The id of the job.", "status": "What it is now."},
    directory_errors.ApiKeyNotFound: {"api_key_id": "The id of the key."},
    directory_errors.ConsoleUserNotFound: {"console_user_id": "The id of the user."},
    directory_errors.TenantNotFound: {"site_id": "The site id."},
    directory_errors.TenantAlreadyExists: {"site_id": "The site id."},
    api_keys.ApiKeyIdentity: {
        "id": "The id of the app, member or administrator.",
        "type": "APP, MEMBER, or WIX_USER for an administrator.",
    },
    api_keys.ApiKey: {**_KEY, "revoked_date": "When it was revoked. Absent if it wasn't."},
    api_keys.CreateApiKeyRequest: {
        **_KEY,
        "role": "What it is for. It stands in place of scopes and permission ids.",
    },
    api_keys.CreateApiKeyResponse: {
        "api_key": "The key that was made.",
        "secret": "What callers send in `Authorization`. It isn't shown again.",
    },
    api_keys.GetApiKeyRequest: {"api_key_id": "The key to read."},
    api_keys.GetApiKeyResponse: {"api_key": "The key."},
    api_keys.QueryApiKeysResponse: {"api_keys": "The keys of this page."},
    api_keys.RevokeApiKeyRequest: {"api_key_id": "The key to revoke."},
    api_keys.RevokeApiKeyResponse: {"api_key": "The key as it is now."},
    console_users.ConsoleUser: {
        **_USER,
        "revoked_date": "When the access was taken away. Absent if it wasn't.",
    },
    console_users.InviteConsoleUserRequest: _USER,
    console_users.InviteConsoleUserResponse: {
        "console_user": "Who was invited.",
        "expiration_date": "Until when the link can be used.",
        "sign_in_path": "The link, to be put behind the address of the service. It works once.",
    },
    console_users.QueryConsoleUsersResponse: {"console_users": "The users of this page."},
    console_users.RevokeConsoleUserRequest: {"console_user_id": "Whose access is taken away."},
    console_users.RevokeConsoleUserResponse: {"console_user": "The user as it is now."},
    async_jobs.QueryAsyncJobsResponse: {"jobs": "The jobs of this page."},
    async_jobs.RetryAsyncJobRequest: {"job_id": "The job to continue."},
    async_jobs.CancelAsyncJobRequest: {"job_id": "The job to give up."},
    async_jobs.ChangedAsyncJobResponse: {"job": "The job as it is now."},
    tenants.Tenant: {**_TENANT, "id": "Its number, which commands on the database take."},
    tenants.CreateTenantRequest: _TENANT,
    tenants.CreateTenantResponse: {"tenant": "The tenant that was made."},
    tenants.GetTenantRequest: {"site_id": "The site id of the tenant to read."},
    tenants.GetTenantResponse: {"tenant": "The tenant."},
    tenants.ListTenantsRequest: {"paging": "The page to read."},
    tenants.ListTenantsResponse: {"tenants": "The tenants of this page."},
    health.ProcessHealth: {
        "database_connections_idle": "Connections to PostgreSQL at rest; 0 on SQLite.",
        "database_connections_used": "Connections to PostgreSQL in use; 0 on SQLite.",
        "date": "What its clock shows.",
        "engine": "SQLITE or POSTGRESQL.",
        "http_connections": "Connections of clients that are open.",
        "queue_length": "Commands that wait for a batch; past 10,000 the answer is 429.",
        "requests_waiting": "Requests that wait for their tenants' turns.",
        "schema_revision": "The revision of the database's schema.",
        "started_date": "When it began to serve.",
        "version": "The version of the service.",
    },
    health.JobsHealth: {
        "failed_recently": "How many of the newest 1,000 jobs failed, canceled ones not counted.",
        "oldest_date": "When the oldest job was asked for that hasn't ended. Absent without one.",
        "running": "Jobs that a runner has begun, and that haven't ended.",
        "waiting": "Jobs that nobody has begun.",
    },
    health.WebhooksHealth: {
        "active": "Endpoints that get events.",
        "deliveries_waiting": "Deliveries that failed, or stand behind one that did, and wait.",
        "inactive": "Endpoints that somebody switched off.",
        "paused": "Endpoints that were paused because they only failed.",
    },
    health.GetHealthResponse: {
        "jobs": "The jobs of the tenant.",
        "process": "The process that answers; another may be in another state.",
        "webhooks": "The webhook endpoints of the tenant.",
    },
}
