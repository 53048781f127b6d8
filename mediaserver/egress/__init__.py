"""Where a composed program goes."""
