"""Classpulse: a class video in, an honest report out. Settings, policy and the command line."""
