"""Asks a dashboard of this computer whether it answers."""

from __future__ import annotations

import http.client
import ssl

from classpulse.config.server import ServeSettings

PROBE_TIMEOUT_S = 4.0

WILDCARD_HOSTS = frozenset({"0.0.0.0", "::"})
"""Where it may listen, but cannot be asked."""


def probe_dashboard(settings: ServeSettings) -> str | None:
    """None where it answers, else what is wrong in a few words."""
    host = "127.0.0.1" if settings.host in WILDCARD_HOSTS else settings.host
    connection: http.client.HTTPConnection
    if settings.uses_tls:
        # It is ours, on this computer; its certificate is for the name that browsers use.
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            host, settings.port, timeout=PROBE_TIMEOUT_S, context=trusting
        )
    else:
        connection = http.client.HTTPConnection(host, settings.port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no answer at {host}:{settings.port} ({error})"
    finally:
        connection.close()
    return None if status == http.client.OK else f"answer {status} at {host}:{settings.port}"
