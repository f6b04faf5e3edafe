"""The APIs of API-Bank's levels 1 and 2, written anew from their descriptions and their data.

52 of the paper's 53: the tool searcher is in `coalm.bench.apibank.library`. All but two do
here what they do upstream; a dictionary and a translator ask the network there, so their calls
are only compared. Level 3's APIs are in `coalm.bench.apibank.apis.planned`.
"""

from collections.abc import Mapping

from coalm.bench.apibank.apis import accounts, diary, health, home, lookups
from coalm.bench.apibank.apis.base import Api, Refused, Result, World

__all__ = ["APIS", "DATABASES", "Api", "Refused", "Result", "World"]

APIS: Mapping[str, Api] = {
    api.name: api for api in (*accounts.APIS, *diary.APIS, *health.APIS, *home.APIS, *lookups.APIS)
}
"""Every API by name."""

DATABASES = (
    "Account",
    "Agenda",
    "Alarm",
    "Appointments",
    "Bank",
    "HealthData",
    "History",
    "Hotel",
    "ImageCaptioning",
    "Meeting",
    "QuestionAnswering",
    "Reminder",
    "Scenes",
    "SearchEngine",
    "SpeechRecognition",
    "Stock",
    "Symptom",
    "TimeSwitch",
    "Wiki",
)
"""The databases that they read and write, one JSON file each."""
