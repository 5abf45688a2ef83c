"""The replay check: short seeded inputs through the whole pipeline, results compared with a reference.

``make replay`` runs it; CONTRIBUTING.md says when to update the reference.
"""
