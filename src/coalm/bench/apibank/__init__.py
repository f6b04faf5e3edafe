"""API-Bank (Paper 5.1): the next call of a conversation, in three conversions."""

from coalm.bench.apibank.damo import ApiBankDamo, ApiBankDamoPrompt
from coalm.bench.apibank.hammer import ApiBankHammer
from coalm.bench.apibank.opening import open_protocol
from coalm.bench.apibank.rows import CallCase, held_out_texts
from coalm.bench.apibank.toolrl import ApiBankToolRL, ApiBankToolRLPrompt

__all__ = [
    "ApiBankDamo",
    "ApiBankDamoPrompt",
    "ApiBankHammer",
    "ApiBankToolRL",
    "ApiBankToolRLPrompt",
    "CallCase",
    "held_out_texts",
    "open_protocol",
]
