"""Rows for a trainer: encoded once, shortened by whole turns, packed or grouped, in order."""
