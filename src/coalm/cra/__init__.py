"""Conversational ReAct dialogues (CRA, Paper 4.1) from SGD, and the checks they must pass."""
