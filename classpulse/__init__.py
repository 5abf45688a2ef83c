"""Classpulse: class videos in, reports with honest uncertainty out. Settings, use cases, dashboard and
command line."""
