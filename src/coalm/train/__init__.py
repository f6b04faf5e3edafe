"""Training: a data folder becomes a run folder."""
