"""`multiwoz:online`: an agent and simulated users talk, over the real databases."""

from coalm.bench.multiwoz.online.play import OnlineCase, Rules, Simulator
from coalm.bench.multiwoz.online.protocol import MultiWozOnline

__all__ = ["MultiWozOnline", "OnlineCase", "Rules", "Simulator"]
