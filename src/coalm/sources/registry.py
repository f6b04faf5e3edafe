"""Every source by name: where it comes from, at which revision, under which licence.

A revision is a commit of the repository, or of the dataset on the hub, in which the files
have the pinned bytes. Where `revision` is empty it is not known; then a pinned
checksum still holds the bytes, or the first download's is kept and holds from then on.
"""

from coalm.sources.benchmarks import BENCHMARKS
from coalm.sources.model import Source
from coalm.sources.pins import pins

RAW = "https://raw.githubusercontent.com"
HUB = "https://huggingface.co/datasets"


def _github(repo: str, commit: str, paths: dict[str, str]) -> dict[str, str]:
    return {ours: f"{RAW}/{repo}/{commit}/{theirs}" for ours, theirs in paths.items()}


def _hub(dataset: str, revision: str, paths: dict[str, str]) -> dict[str, str]:
    return {ours: f"{HUB}/{dataset}/resolve/{revision}/{theirs}" for ours, theirs in paths.items()}


_INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
_ORIGINAL = tuple(f"2017-06-custom-intent-engines/{i}/train_{i}_full.json" for i in _INTENTS)
_SONOS, _SONOS_AT = "sonos/nlu-benchmark", "997306f09d1f518d7149094584b18aa42520affd"
_SPLIT, _SPLIT_AT = (
    "uiuc-conversational-ai-lab/Accountable-DST",
    "9a8138128a78d91c81eac9d7136477d7944bbd14",
)

_SNIPS = (
    Source(
        "snips",
        "SNIPS, the usual 13,084 / 700 / 700 split",
        f"github.com/{_SONOS}; split by {_SPLIT}",
        "CC0-1.0",
        ("snips/dst_split/train.json.gz",),
        {"snips/dst_split/train.json": f"{RAW}/{_SPLIT}/{_SPLIT_AT}/snips.zip"},
        revision=_SPLIT_AT,
        instead="snips-original",
        note="The split comes in a zip; the member with the pinned bytes is taken out of it.",
    ),
    Source(
        "snips-original",
        "SNIPS, the original 13,784 training requests",
        f"github.com/{_SONOS}",
        "CC0-1.0",
        tuple(f"snips/{path}" for path in _ORIGINAL),
        _github(_SONOS, _SONOS_AT, {f"snips/{path}": path for path in _ORIGINAL}),
        revision=_SONOS_AT,
        homes=("nlu-benchmark*",),
        inside={f"snips/{path}": path for path in _ORIGINAL},
        note="train_PlayMusic_full.json is Latin-1; every other file is UTF-8.",
    ),
)

_SGD, _SGD_AT = (
    "google-research-datasets/dstc8-schema-guided-dialogue",
    "83015913ce89528de6fd8a47f076298be0d59c84",
)


def _sgd(name: str, split: str, count: int, usual: str) -> Source:
    members = ("schema.json", *(f"dialogues_{n:03}.json" for n in range(1, count + 1)))
    return Source(
        name,
        f"Schema-Guided Dialogue, {split}",
        f"github.com/{_SGD}",
        "CC-BY-SA-4.0",
        (f"sgd/{split}.tar.gz",),
        _github(_SGD, _SGD_AT, {f"sgd/{split}/{m}": f"{split}/{m}" for m in members}),
        revision=_SGD_AT,
        members={f"sgd/{split}.tar.gz": members},
        noun=f"{split} files",
        usual=usual,
        homes=("dstc8-schema-guided-dialogue*",),
        inside={f"sgd/{split}.tar.gz": split},
    )


def _older() -> Source:
    folder = "sgd/older_annotation_2019"
    found = {path: pin for path, pin in pins().items() if path.startswith(f"{folder}/")}
    members = tuple(path.removeprefix(f"{folder}/") for path in found)
    return Source(
        "sgd-2019",
        "Schema-Guided Dialogue, the older annotation of 34 files",
        f"github.com/{_SGD}",
        "CC-BY-SA-4.0",
        (f"{folder}.tar.gz",),
        {
            f"{folder}/{m}": f"{RAW}/{_SGD}/{found[f'{folder}/{m}'].commit}/"
            + m.replace("_2019/", "/")
            for m in members
        },
        members={f"{folder}.tar.gz": members},
        noun="older files",
        note="States and system acts only: no service calls and no results. Commits by file.",
    )


_HAMMER, _HAMMER_AT = "MadeAgents/Hammer", "5e3ca28c40f98e21bae4794d73d5546321533fe3"
_SEAL = "fairyshine/Seal-Tools"
_GLAIVE, _GLAIVE_AT = "juicyzhou/tool-use-finetune", "b84ec30556113c1d37b2fa67fc16be34b42c1b03"
_TOOLACE_AT = "6bda777c88d21e5a204703c1ee45597a8fa4f734"
_XLAM_AT = "26d14ebfe18b1f7b524bd39b404b50af5dc97866"
_IRRELEVANCE_AT = "34323bf09efc7e4a394998a0fa91ff997617c369"
_CALLS = "function_calling"

_FUNCTION_CALLING = (
    Source(
        "toolace",
        "ToolACE",
        "huggingface.co/datasets/Team-ACE/ToolACE",
        "Apache-2.0",
        ("toolace/toolace_100_restored.jsonl.gz",),
        _hub("Team-ACE/ToolACE", _TOOLACE_AT, {"toolace/data.json": "data.json"}),
        "the first 100 of 11,300 dialogues",
        revision=_TOOLACE_AT,
        whole=("toolace/data.json",),
        usual="100 of 11,300 dialogues",
        homes=("ToolACE*",),
        inside={"toolace/data.json": "data.json"},
        note="Revision and checksum of the whole as several public projects pin them.",
    ),
    Source(
        "xlam-60k",
        "xlam-function-calling-60k",
        "huggingface.co/datasets/Salesforce/xlam-function-calling-60k",
        "CC-BY-4.0",
        (f"{_CALLS}/xlam/xlam_function_calling_60k.json",),
        _hub(
            "Salesforce/xlam-function-calling-60k",
            _XLAM_AT,
            {f"{_CALLS}/xlam/xlam_function_calling_60k.json": "xlam_function_calling_60k.json"},
        ),
        revision=_XLAM_AT,
        gates=("gated",),
        usual="nothing",
        homes=("xlam-function-calling-60k*",),
        inside={f"{_CALLS}/xlam/xlam_function_calling_60k.json": "xlam_function_calling_60k.json"},
        note="Accept the terms on its page, then set HF_TOKEN. No checksum is published.",
    ),
    Source(
        "xlam-irrelevance",
        "xlam-irrelevance-7.5k",
        "huggingface.co/datasets/MadeAgents/xlam-irrelevance-7.5k",
        "CC-BY-NC-4.0",
        (f"{_CALLS}/xlam/xlam-7.5k-irrelevance.json",),
        _hub(
            "MadeAgents/xlam-irrelevance-7.5k",
            _IRRELEVANCE_AT,
            {f"{_CALLS}/xlam/xlam-7.5k-irrelevance.json": "xlam-7.5k-irrelevancek.json"},
        ),
        revision=_IRRELEVANCE_AT,
        gates=("non-commercial",),
        usual="nothing",
        homes=("xlam-irrelevance-7.5k*", "XLAM-7.5k-Irrelevance*"),
        inside={f"{_CALLS}/xlam/xlam-7.5k-irrelevance.json": "xlam-7.5k-irrelevancek.json"},
        note="Some who use it read its card as CC-BY-4.0; the stricter reading is taken here.",
    ),
    Source(
        "hammer",
        "Hammer's published masked rows",
        f"github.com/{_HAMMER}",
        "Apache-2.0",
        (f"{_CALLS}/hammer/masking_sft_data_example.json",),
        _github(
            _HAMMER,
            _HAMMER_AT,
            {
                f"{_CALLS}/hammer/masking_sft_data_example.json": (
                    "data/train/masking_sft_data_example.json"
                )
            },
        ),
        revision=_HAMMER_AT,
        homes=("Hammer*",),
        inside={
            f"{_CALLS}/hammer/masking_sft_data_example.json": (
                "data/train/masking_sft_data_example.json"
            )
        },
        beside=("xlam-60k", "xlam-irrelevance"),
        usual="10 published rows in place of 67,500",
    ),
    Source(
        "toolrl",
        "ToolRL's 400 supervised rows of ToolACE, Hammer and xLAM",
        "github.com/qiancheng0/ToolRL",
        "Apache-2.0",
        (f"{_CALLS}/toolrl/rlla_sft_400.json.gz",),
        {
            f"{_CALLS}/toolrl/rlla_sft_400.json": (
                f"{RAW}/qiancheng0/ToolRL/main/dataset/rlla_4k_raw/rlla_sft.json"
            )
        },
        homes=("ToolRL*",),
        inside={f"{_CALLS}/toolrl/rlla_sft_400.json.gz": "dataset/rlla_4k_raw/rlla_sft.json"},
        note="Revision not known; the checksum holds the bytes.",
    ),
    Source(
        "glaive",
        "Glaive function calling v2, sample",
        f"github.com/{_GLAIVE}",
        "Apache-2.0",
        (f"{_CALLS}/glaive/glaive_ms_swift_1000.jsonl.gz",),
        _github(
            _GLAIVE,
            _GLAIVE_AT,
            {
                f"{_CALLS}/glaive/glaive_ms_swift_1000.jsonl": (
                    "data/glaive-function-calling-v2-ms-swift/glaive-ms-swift-sample-1000.jsonl"
                )
            },
        ),
        "1,000 of 113,000 dialogues",
        revision=_GLAIVE_AT,
        usual="1,000 of 113,000 dialogues",
        homes=("tool-use-finetune*",),
        inside={
            f"{_CALLS}/glaive/glaive_ms_swift_1000.jsonl.gz": (
                "data/glaive-function-calling-v2-ms-swift/glaive-ms-swift-sample-1000.jsonl"
            )
        },
        note="The conversion's repository is MIT, the dialogues Apache-2.0.",
    ),
    Source(
        "sealtools",
        "Seal-Tools, development set",
        f"github.com/{_SEAL}",
        "Apache-2.0",
        (f"{_CALLS}/sealtools/dev.jsonl.gz", f"{_CALLS}/sealtools/tool.jsonl.gz"),
        {
            f"{_CALLS}/sealtools/dev.jsonl": (
                f"{RAW}/{_SEAL}/0ad3824f85b636905be61427b75fe139ff0b3036/"
                "Seal-Tools_Dataset/dev.jsonl"
            ),
            f"{_CALLS}/sealtools/tool.jsonl": (
                f"{RAW}/{_SEAL}/91b8ad1d399129efd0e89437c594ecb9667c1151/"
                "Seal-Tools_Dataset/tool.jsonl"
            ),
        },
        revision="0ad3824f85b636905be61427b75fe139ff0b3036",
        homes=("Seal-Tools*",),
        inside={
            f"{_CALLS}/sealtools/{name}.jsonl.gz": f"Seal-Tools_Dataset/{name}.jsonl"
            for name in ("dev", "tool")
        },
        note="tool.jsonl is of commit 91b8ad1.",
    ),
)

SOURCES: dict[str, Source] = {
    s.name: s
    for s in (
        *_SNIPS,
        _sgd("sgd", "train", 127, "96 of 127 train files"),
        _sgd("sgd-dev", "dev", 20, "17 of 20 dev files"),
        _sgd("sgd-test", "test", 34, "24 of 34 test files"),
        _older(),
        *_FUNCTION_CALLING,
        *BENCHMARKS,
    )
}
"""Every source by name. The miniature holds the same paths, some of them unpacked."""
