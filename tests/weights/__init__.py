"""Checkpoints as other programs read them."""
