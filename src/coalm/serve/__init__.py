"""The agent behind an API that OpenAI's clients know, and on a page."""
