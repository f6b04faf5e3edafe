"""API-Bank (Paper 5.1)."""
