"""Providers: services of tenants that judge custom policies, or know people, asked over HTTP."""
