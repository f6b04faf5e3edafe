"""Benchmarks: cases, protocols, scores."""
