"""Staying connected: one patient connection per slot, and a journal of what became of it."""
