"""``python -m classpulse``."""

from classpulse.cli import main

main()
