"""Webhooks: who is told of events, and what became of telling them (see ADR 24)."""
