"""One ``Document`` per history command."""
