"""Persistence: what outlives a conference and a restart. Queries by subject; they return dataclasses, not rows."""
