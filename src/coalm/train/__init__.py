"""Training: a data folder becomes a run folder, on TRL and accelerate."""

from coalm.train.progress import Progress
from coalm.train.run import Trained, train
from coalm.train.settings import Fsdp, Lora, Quant, TrainSettings

__all__ = ["Fsdp", "Lora", "Progress", "Quant", "TrainSettings", "Trained", "train"]
