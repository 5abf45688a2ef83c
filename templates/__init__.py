"""Jinja2 templates of the report, the settings file and, later, the dashboard."""
