"""Clocks, backoff, process identity, shutdown requests and local IPC. Knows nothing about classes or
frames."""
