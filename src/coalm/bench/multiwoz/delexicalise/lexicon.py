"""What the databases know, as rows of words -> placeholder: names, addresses and closed values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coalm.bench.multiwoz.delexicalise.words import keys
from coalm.bench.multiwoz.slots import AREAS, DAYS, PRICES

Key = tuple[str, ...]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Domain to the rows of its database."""

STREETS = frozenset(
    keys("road street avenue lane way close terrace crescent drive court parade passage")
)
"""A name before one of these is a street's."""

_DISTRICTS = ("city centre", "fen ditton", "cherry hinton", "chesterton", "newnham", "cambridge")
"""What stands at the end of an address and is often left out."""

_TAILS: Sequence[Key] = tuple(
    keys(words)
    for words in (
        "restaurant",
        "restaurant bar",
        "restaurant and bar",
        "restaurant and coffee bar",
        "hotel",
        "guest house",
        "bed and breakfast",
        "nightclub",
        "cinema",
        "cafe",
        "pizzeria",
    )
)
"""What stands at the end of a name and is often left out."""

_COMMON = frozenset(
    keys("""ask bridge city clare curry express golden gonville grafton home house india jesus kings
    little place queens royal station the travellers trinity university village world cambridge
    varsity regent regency castle club meze soul""")
)
"""Words that, alone, are more likely something else than the venue."""

ONLY_CAPITAL: frozenset[Key] = frozenset({("ask",), ("the", "place")})
"""Names that are ordinary words: taken for names only if they are written as such."""

_HOSPITAL = ("Addenbrookes Hospital", "Hills Road", "CB20QQ", "01223245151")
"""Which the hospital's database leaves out: it lists departments."""

_OTHER_WORDS = (
    ("bed and breakfast", "b and b"),
    ("bed and breakfast", "bnb"),
    ("b and b", "bed and breakfast"),
    ("archaelogy", "archaeology"),
    ("scudamores", "scudamore"),
    ("nandos", "nando"),
    ("johns", "john"),
    ("punting co", "punting company"),
    ("punting co", "punters"),
    ("parkside pools", "parkside pool"),
    ("parkside pools", "parkside swimming pool"),
    ("junction", "junction theatre"),
    ("riverside brasserie", "the riverside brasserie"),
    ("caffe", "cafe"),
    ("hotel du vin and bistro", "hotel du vin"),
    ("huntingdon marriott", "marriott"),
    ("express by holiday inn", "holiday inn express"),
    ("express by holiday inn cambridge", "express by holiday inn"),
    ("restaurant 2 2", "restaurant 22"),
    ("restaurant 1 7", "restaurant 17"),
    ("queens", "queen"),
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is to be found in a text."""

    words: Mapping[str, Sequence[tuple[Key, str]]]
    """First word -> what begins with it, the longest first, each with its placeholder."""
    phones: Mapping[str, str]
    """Digits -> placeholder."""
    postcodes: Mapping[str, str]
    """Lower case, no blanks -> placeholder."""
    trains: frozenset[str]
    """Ids in upper case."""
    cars: frozenset[str]
    colours: frozenset[str]


def build(rows: Rows, taxis: Mapping[str, Sequence[str]]) -> Lexicon:
    """The lexicon of some databases."""
    found: dict[Key, set[str]] = {}
    for key, placeholder in _entities(rows):
        if key:
            found.setdefault(key, set()).add(placeholder)
    by_first: dict[str, list[tuple[Key, str]]] = {}
    for key, placeholders in found.items():
        by_first.setdefault(key[0], []).append((key, _one(placeholders)))
    for entries in by_first.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return Lexicon(
        by_first,
        _column(rows, "phone", lambda v: "".join(c for c in v if c.isdigit()), _HOSPITAL[3]),
        _column(rows, "postcode", lambda v: "".join(v.lower().split()), _HOSPITAL[2].lower()),
        frozenset(str(row["trainID"]).upper() for row in rows.get("train", ()) if "trainID" in row),
        frozenset(taxis.get("taxi_types", ())),
        frozenset(taxis.get("taxi_colors", ())),
    )


def _one(placeholders: set[str]) -> str:
    """A name that two domains share is a name of neither; what is least likely comes last."""
    for kind in ("name", "address"):
        domains = sorted(p for p in placeholders if p.endswith(f"_{kind}"))
        if domains:
            return domains[0] if len(domains) == 1 else f"value_{kind}"
    return min(placeholders)


def _column(rows: Rows, column: str, plain: Any, hospital: str) -> dict[str, str]:
    found: dict[str, set[str]] = {hospital: {f"hospital_{column}"}}
    for domain, of in rows.items():
        for row in of:
            value = plain(str(row.get(column) or ""))
            if value:
                found.setdefault(value, set()).add(f"{domain}_{column}")
    return {
        value: min(placeholders) if len(placeholders) == 1 else f"value_{column}"
        for value, placeholders in found.items()
    }


def _entities(rows: Rows) -> Iterator[tuple[Key, str]]:
    for domain, of in rows.items():
        for row in of:
            for name in _texts(row.get("name")):
                yield from ((key, f"{domain}_name") for key in _names(name))
            for address in _texts(row.get("address")):
                yield from ((key, f"{domain}_address") for key in _addresses(address))
            for column, placeholder in (
                ("food", "value_food"),
                ("department", "hospital_department"),
                ("departure", "value_place"),
                ("destination", "value_place"),
            ):
                yield from ((keys(text), placeholder) for text in _texts(row.get(column)))
    yield from ((key, "hospital_name") for key in (keys(_HOSPITAL[0]), ("addenbrookes",)))
    yield keys(_HOSPITAL[1]), "hospital_address"
    yield from ((keys(area), "value_area") for area in AREAS)
    yield from ((keys(day), "value_day") for day in DAYS)
    yield from ((keys(price), "value_pricerange") for price in (*PRICES, "moderately"))


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) and value.strip() not in ("", "?") else []


def _names(name: str) -> Iterator[Key]:
    """A name and the other ways to say it."""
    said = {keys(name)}
    for one, other in _OTHER_WORDS:
        said |= {_replaced(key, keys(one), keys(other)) for key in set(said)}
    for key in set(said):
        said |= {
            key[: -len(tail)]
            for tail in _TAILS
            if key[-len(tail) :] == tail
            and (_stands_alone(key[: -len(tail)]) or key[: -len(tail)] in ONLY_CAPITAL)
        }
    for key in said:
        bare = key[1:] if key[:1] == ("the",) else key
        # "the place" stays whole: "place" alone would be found everywhere.
        yield bare if len(bare) > 1 or bare in ONLY_CAPITAL or _stands_alone(bare) else key
        if key[-1:] == ("cambridge",) and len(bare) > 2:
            yield bare[:-1]


def _stands_alone(key: Key) -> bool:
    rest = tuple(word for word in key if word != "the")
    return len(rest) > 1 or bool(rest and len(rest[0]) > 3 and rest[0] not in _COMMON)


def _replaced(key: Key, one: Key, other: Key) -> Key:
    for i in range(len(key) - len(one) + 1):
        if key[i : i + len(one)] == one:
            return key[:i] + other + key[i + len(one) :]
    return key


def _addresses(address: str) -> Iterator[Key]:
    """An address, without its district, and its first part if that alone says where."""
    whole = keys(address)
    yield whole
    for district in map(keys, _DISTRICTS):
        if whole[-len(district) :] == district and len(whole) - len(district) > 1:
            yield whole[: -len(district)]
    parts = [keys(part) for part in address.split(",") if part.strip()]
    yield from (part for part in parts if len(part) > 1 and part[-1] in STREETS)
    # "Doubletree by Hilton Cambridge Granta Place Mill Lane": the street says it, too.
    numbered = next((i for i, word in enumerate(whole) if i and word[0].isdigit()), None)
    if numbered is not None and len(whole) - numbered > 2:
        yield from _addresses(" ".join(whole[numbered:]))


def entries(lexicon: Lexicon) -> Iterable[tuple[Key, str]]:
    """Everything in the lexicon that is made of words."""
    return (entry for of in lexicon.words.values() for entry in of)
