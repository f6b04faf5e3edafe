"""The Berkeley Function Calling Leaderboard (Paper 5.1)."""
