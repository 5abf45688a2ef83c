"""The dashboard: the command line's work for a teacher who never opens a terminal."""
