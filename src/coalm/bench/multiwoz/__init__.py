"""MultiWOZ 2.4 (Paper 5.1)."""
