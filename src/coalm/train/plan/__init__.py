"""A training run before it is started: does it fit, how long will it take, what will it cost."""

from coalm.train.plan.advise import advice
from coalm.train.plan.plan import Plan, make_plan
from coalm.train.plan.told import plan_lines
from coalm.train.plan.work import GPUS, Data, Machine, data_of, machine

__all__ = [
    "GPUS",
    "Data",
    "Machine",
    "Plan",
    "advice",
    "data_of",
    "machine",
    "make_plan",
    "plan_lines",
]
