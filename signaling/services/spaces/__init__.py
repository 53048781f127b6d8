"""Spaces of organisations: their users, rooms, roles, invites, and who may enter where."""
