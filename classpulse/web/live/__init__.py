"""The live page: session data and daemon status in; rows, charts and cached page parts out."""
