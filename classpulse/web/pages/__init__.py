"""The dashboard's pages: each module has its ``ROUTES``."""
