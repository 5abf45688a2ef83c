"""The pages of the dashboard: a request in, a response out; each module lists its ``ROUTES``."""
