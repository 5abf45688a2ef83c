"""Data set report: faces and their statistics in, an HTML page with charts and findings in words out."""
