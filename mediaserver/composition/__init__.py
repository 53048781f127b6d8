"""The composite: who is shown where, drawn and mixed."""
