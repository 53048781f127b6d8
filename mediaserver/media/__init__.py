"""Decoded pictures and sound, shared by recording, composition and ingest."""
