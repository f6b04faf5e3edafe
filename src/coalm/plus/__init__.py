"""Rows beyond the paper that are made of CRA conversations."""
