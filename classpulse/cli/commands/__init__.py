"""The commands: one module per command or group, found by the table in ``classpulse.cli.main``."""
