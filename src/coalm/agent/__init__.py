"""The agent: a model, its tools, and the loop between them."""

from coalm.agent.loop import Agent, Reply, Tool

__all__ = ["Agent", "Reply", "Tool"]
