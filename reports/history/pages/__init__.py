"""What each command of the history puts on a page: a ``Document`` of what the data say."""
