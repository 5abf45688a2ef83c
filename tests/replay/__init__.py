"""The replay check: runs short seeded inputs through the whole pipeline and compares the results with a
reference.

``make replay`` runs it; CONTRIBUTING.md says when to update the reference.
"""
