"""What the sync and the async client share: requests, answers and retries, without any I/O."""
