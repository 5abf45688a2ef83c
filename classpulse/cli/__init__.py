"""The command line: arguments in, exit code and output out. The top layer of ``classpulse``."""
