"""``classpulse notify``: send the notification of a session again, or a test."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.services.notifications.delivery import notification_channels, send_notification
from classpulse.services.notifications.message import Notification, build_notification, example_notification
from classpulse.services.session_lookup import resolve_session
from db.clock import now_utc


@click.command("notify")
@click.argument("session", required=False)
@click.option("--test", is_flag=True, help="Send a test notification to check the settings.")
@json_option
@click.pass_obj
def notify_command(config_path: Path, session: str | None, test: bool, as_json: bool) -> int:
    """Send the notification of SESSION (its number, 'last', or the name of a class) again, or a test. Each
    channel is tried once."""
    config = read_config(config_path)
    if test == (session is not None):
        raise UserError(
            "Give either a session or --test.", "Run 'classpulse notify SESSION' or 'notify --test'."
        )
    channels = list(notification_channels(config))
    if not channels:
        raise UserError(
            f"{config.file_name} configures no notification.",
            "Set notify.email or notify.webhook (docs/guides/notifications.md).",
        )
    notification = _requested_notification(config, session)
    failures = {
        failure.channel: failure for failure in send_notification(config, notification, retry_delays_s=())
    }
    if as_json:
        print_json(
            {
                "sent": [channel for channel in channels if channel not in failures],
                "failed": [*map(asdict, failures.values())],
            }
        )
    else:
        for channel in channels:
            failure = failures.get(channel)
            click.echo(f"{channel}: {'sent' if failure is None else 'NOT sent: ' + failure.reason}")
    return 1 if failures else 0


def _requested_notification(config: Config, session: str | None) -> Notification:
    if session is None:
        return example_notification(config, now_utc())
    with open_configured_database(config) as engine:
        return build_notification(engine, config, resolve_session(engine, session))
