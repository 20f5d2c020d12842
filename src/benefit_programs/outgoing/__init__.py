"""HTTP requests to URLs that tenants choose: policy providers, and receivers of events."""
