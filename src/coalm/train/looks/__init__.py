"""Looks at the validation rows while a model trains: what it answers, and which one is best."""
