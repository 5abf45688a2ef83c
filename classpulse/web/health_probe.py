"""A liveness probe for the dashboard on this computer."""

from __future__ import annotations

import http.client
import ssl

from classpulse.config.server import ServeSettings

PROBE_TIMEOUT_S = 4.0

WILDCARD_HOSTS = frozenset({"0.0.0.0", "::"})
"""Addresses to listen on that cannot be connected to."""


def probe_dashboard(settings: ServeSettings) -> str | None:
    """None if the dashboard answers, else a short description of the problem."""
    host = "127.0.0.1" if settings.host in WILDCARD_HOSTS else settings.host
    connection: http.client.HTTPConnection
    if settings.uses_tls:
        # The certificate is for the public host name, not for this address; the connection stays on this
        # computer.
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, settings.port, timeout=PROBE_TIMEOUT_S, context=tls)
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
