"""``python -m classpulse``."""

from classpulse.cli.main import main

main()
