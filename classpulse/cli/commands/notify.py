"""``classpulse notify``: tell that a lesson has ended, by hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.cli.console import print_json
from classpulse.config.settings import Config, read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.services.notifications.delivery import notification_channels
from classpulse.services.notifications.delivery import send_notification as tell
from classpulse.services.notifications.message import Notification, build_notification, example_notification
from classpulse.services.session_lookup import resolve_session
from db.clock import now_utc


@click.command("notify")
@click.argument("session", required=False)
@click.option("--test", is_flag=True, help="Of a lesson that never was, to try the settings.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def notify_command(config_path: Path, session: str | None, test: bool, as_json: bool) -> int:
    """Send the message about SESSION again (its number, 'last', or a class's name), or a test. One try
    each."""
    config = read_config(config_path)
    if test == (session is not None):
        raise UserError(
            "a message is about one session, or a test: classpulse notify SESSION, or notify --test"
        )
    ways = list(notification_channels(config))
    if not ways:
        raise UserError(
            f"{config.file_name} tells nobody; set notify.email or notify.webhook (docs/guides/notifications.md)"
        )
    failures = {
        one.channel: one for one in tell(config, _requested_notification(config, session), retry_delays_s=())
    }
    if as_json:
        print_json(
            {"sent": [w for w in ways if w not in failures], "failed": [*map(asdict, failures.values())]}
        )
    else:
        for way in ways:
            click.echo(f"{way}: {'NOT sent: ' + failures[way].reason if way in failures else 'sent'}")
    return 1 if failures else 0


def _requested_notification(config: Config, session: str | None) -> Notification:
    if session is None:
        return example_notification(config, now_utc())
    with open_configured_database(config) as engine:
        return build_notification(engine, config, resolve_session(engine, session))
