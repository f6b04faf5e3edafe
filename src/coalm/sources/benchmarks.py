"""The benchmarks' files, as sources like any other."""

from coalm.sources.model import Source, Wheel

RAW = "https://raw.githubusercontent.com"
_HAMMER_AT = "5e3ca28c40f98e21bae4794d73d5546321533fe3"
_DAMO_AT = "1d76900822d9ecfcd6e9eb0ca64a073cb892b735"
_RELEASES = tuple(
    f"{where}{name}2.4*"
    for where in ("", "data/", "multiwoz/", "MultiWOZ2.4*/data/")
    for name in ("MULTIWOZ", "MultiWOZ", "mwz")
)
"""Where a release of MultiWOZ stands: by itself, in a checkout, where a download puts it."""
_DOMAINS = ("restaurant", "hotel", "attraction", "train", "taxi")
_LEVELS = ("apibank_l1.json", "apibank_l2.json")
_DAMO = (
    "level-1-api.json",
    "level-1-response.json",
    "level-2-api.json",
    "level-2-response.json",
    "level-3.json",
    "level-3-batch-inf.json",
    "level-3-batch-inf-icl.json",
    "level-3-batch-inf-response.json",
)

_DATABASES = (
    *("Account", "Agenda", "Alarm", "Appointments", "Bank", "HealthData", "History", "Hotel"),
    *("ImageCaptioning", "Meeting", "QuestionAnswering", "Reminder", "Scenes", "SearchEngine"),
    *("SpeechRecognition", "Stock", "Symptom", "TimeSwitch", "Wiki"),
)
_TOOLRL = tuple(f"level-{level}-api_processed.json" for level in (1, 2, 3))

BENCHMARKS = (
    Source(
        "multiwoz",
        "MultiWOZ 2.4 test states, databases and ontology",
        "github.com/smartyfh/MultiWOZ2.4; github.com/Tomiinek/MultiWOZ_Evaluation",
        "MIT",
        (
            "multiwoz/mwz24/test_states.jsonl.gz",
            "multiwoz/mwz24/ontology.json",
            *(f"multiwoz/db/{name}_db.json" for name in _DOMAINS),
        ),
        homes=_RELEASES,
        inside={
            "multiwoz/mwz24/test_states.jsonl.gz": "data.json",
            "multiwoz/mwz24/ontology.json": "ontology.json",
            **{f"multiwoz/db/{name}_db.json": f"{name}_db.json" for name in _DOMAINS},
        },
        note="The states were taken out of another project's results, so they are no download; "
        "the authors' release (multiwoz-original) is read in their place where it is.",
    ),
    Source(
        "multiwoz-original",
        "MultiWOZ 2.4 as its authors publish it",
        "github.com/smartyfh/MultiWOZ2.4",
        "MIT",
        ("multiwoz/MULTIWOZ2.4.zip",),
        {"multiwoz/MULTIWOZ2.4.zip": f"{RAW}/smartyfh/MultiWOZ2.4/main/data/MULTIWOZ2.4.zip"},
        usual="nothing",
        homes=("MultiWOZ2.4*", "MULTIWOZ2.4*"),
        inside={"multiwoz/MULTIWOZ2.4.zip": "data/MULTIWOZ2.4.zip"},
        note="Revision and checksum not known: those of the first download are kept.",
    ),
    Source(
        "apibank",
        "API-Bank, Hammer's conversion",
        "github.com/MadeAgents/Hammer, from AlibabaResearch/DAMO-ConvAI",
        "Apache-2.0",
        tuple(f"apibank/hammer/{name}" for name in _LEVELS),
        {
            f"apibank/hammer/{name}": (
                f"{RAW}/MadeAgents/Hammer/{_HAMMER_AT}/data/test/original/{name}"
            )
            for name in _LEVELS
        },
        revision=_HAMMER_AT,
        homes=("Hammer*",),
        inside={f"apibank/hammer/{name}": f"data/test/original/{name}" for name in _LEVELS},
    ),
    Source(
        "apibank-damo",
        "API-Bank, the authors' own test data",
        "github.com/AlibabaResearch/DAMO-ConvAI, api-bank/",
        "Apache-2.0",
        (*(f"apibank/test-data/{name}" for name in _DAMO), "apibank/init_database.tar.gz"),
        {
            f"apibank/{path}": f"{RAW}/AlibabaResearch/DAMO-ConvAI/{_DAMO_AT}/api-bank/{path}"
            for path in (
                *(f"test-data/{name}" for name in _DAMO),
                *(f"init_database/{name}.json" for name in _DATABASES),
            )
        },
        revision=_DAMO_AT,
        homes=("DAMO-ConvAI*",),
        inside={
            **{f"apibank/test-data/{name}": f"api-bank/test-data/{name}" for name in _DAMO},
            "apibank/init_database.tar.gz": "api-bank/init_database",
        },
        note="Of the last commit before its authors moved the files to a hub; no checksums are "
        "known of single databases.",
    ),
    Source(
        "apibank-toolrl",
        "API-Bank, ToolRL's conversion",
        "github.com/qiancheng0/ToolRL, from AlibabaResearch/DAMO-ConvAI",
        "Apache-2.0",
        tuple(f"apibank/toolrl/{name}.gz" for name in _TOOLRL),
        {
            f"apibank/toolrl/{name}": f"{RAW}/qiancheng0/ToolRL/main/benchmarks/API-Bank/{name}"
            for name in _TOOLRL
        },
        homes=("ToolRL*",),
        inside={f"apibank/toolrl/{name}.gz": f"benchmarks/API-Bank/{name}" for name in _TOOLRL},
        note="Revision not known; the checksums hold the bytes.",
    ),
    Source(
        "bfcl",
        "BFCL's questions, answers and environments, as its package",
        "pypi.org/project/bfcl-eval",
        "Apache-2.0",
        (),
        wheel=Wheel(
            "bfcl-eval",
            "2026.3.23",
            "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a",
            1_925_664,
        ),
        revision="2026.3.23",
        note="Read as a zip; it is neither installed nor imported.",
    ),
)
