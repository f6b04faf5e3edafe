"""Plain claims in a thought, found by their words: a call, a lack, a yes, a number of results.

Patterns run over lower-case text that begins with a blank, one sentence at a time where it
matters. They are kept to what people and models write in many wordings, not to our own
sentences. Each begins with a blank because that is what makes the search fast.
"""

import re
from collections.abc import Iterator

from coalm.corpora.sgd import Service

SENTENCE = re.compile(r"(?<=[a-z0-9_)'\"])[.;!?](?=\s)|, but(?= )| but(?= )| [-\u2013\u2014](?= )")
"""Where a sentence or a clause that may say the opposite begins."""

TOOL_NAME = re.compile(
    r"(?<!\w)(?:[A-Z][a-z]+_\d_)?(?:Find|Search|Get|Book|Buy|Reserve|Play|Lookup|Check|Add|Transfer|"
    r"Schedule|Query|Request|Make|Cancel|List|Order|Rent|Show|Look|Share)[A-Z]\w+\b"
)
"""The name of a tool: a verb and what follows it in one word."""


def _claim(*forms: str) -> re.Pattern[str]:
    return re.compile(rf" (?:{'|'.join(forms)})")


_NOT = r"(?:do not|don't|need not|needn't|cannot|can't|won't|will not|should not|shouldn't|not)"
_USER = r"(?:the user|they|user|the person)(?: has| have)?(?: just| now| also)?"

NO_CALL = _claim(
    r"no(?: (?:new|further|other|more|additional|extra|api|tool|\w+))? "
    r"(?:calls?|tool|search|lookup)\b(?! of)",
    r"without (?:a|any|another|calling)\b",
    r"calls? nothing",
    r"nothing (?:left )?(?:to|is|needs to be) call",
    r"too early",
    r"instead of calling",
    rf"{_NOT}(?: yet)?(?: need to| have to| want to)? (?:call|run|search|query|look up|use)\b",
    r"no (?:need|reason|point) (?:to|for|in)",
    r"(?:can|will) (?:simply|just) (?:reply|answer|respond)\b",
    r"not (?:necessary|needed|required)\b",
    r"still no call",
)
CALLS = _claim(
    r"(?:i|i'll|let me|let's|so|now|and|going to)(?: now| can| will| should| must| need to)*"
    r" (?:call|run|invoke|execute|issue|query|search (?:for|with|again|the|using)|look up|fetch|"
    r"make (?:the|a|this|another) (?:\w+ )?(?:call|search|request|query)|use (?:the )?\w+ to|"
    r"look (?:this|that|it) up)\b",
    r"time to (?:call|run|execute|query|search)\b",
    r"call (?:goes|can go) out",
    r"(?:may|can now) run\b",
    r"can go ahead",
    r"can be called",
    r"(?:i|i'll|i will|i can) (?:book|reserve|buy|purchase|schedule) (?:it|this|that|the|them)\b",
)
HEDGED = _claim(
    r"(?:before|until|till|if|when|once|whether|unless|only|would|could|waits?|instead|without|"
    r"missing|lacks?|yes|asks?|asking|offer|propose|in order|to call|if they|not)\b"
)
"""Words that take back the announcement of a call in the same sentence."""
RESULT = _claim(
    r"results? (?:also |still |already )?(?:has|have|holds?|gives?|says?|shows?|tells?)\b",
    r"(?:in|among|from) the \w+ results?\b",
    r"what came back\b",
    r"(?:result|results|record) (?:that )?(?:came back|confirms|matches)",
)
"""Speaks of what a result says."""
EARLIER = _claim(r"(?:in|among|from) the (?:earlier|previous|prior|last|first) (?:\w+ )?results?\b")
"""Speaks of a result that came before; it may stand beside a call."""
REQUIRES = _claim(r"(?:requires?|required|needs?|needed|takes)\b")
LACKS_AFTER = _claim(
    r"(?:still|also|yet) (?:needs?|lacks?|requires?|missing|have to)\b",
    r"lack(?:s|ing)?\b",
    r"miss(?:es|ing)\b(?! (?:part|piece|one|was|is here|here|has))",
    r"(?:do not|don't|does not|did not|didn't|have not|haven't|has not|hasn't)(?: yet)? "
    r"(?:know|have|known|been told|said|given|mentioned|specified|provided|told me)\b",
    r"cannot (?:\w+ )?(?:run |be called |proceed |call \w+ |search )?without\b",
    r"yet to (?:learn|hear|know)",
    r"not complete without",
    r"(?:need to|have to|must|should) (?:know|find out)\b",
    r"call i (?:need|have to know)\b",
    r"i need the\b",
    r"too early\b",
    r"no call yet\b",
    r"(?:can't|cannot|can not) (?:do anything|go on|continue|proceed) (?:before|until|without)\b",
    r"there is no (?=[^.,;]{1,40}\b(?:yet|so far|in (?:what|their|this|the)|given|named|said)\b)",
    r"incomplete\b",
)
"""Something is missing, and what it is comes behind these words."""
LACKS_BEFORE = _claim(
    r"(?:is|are|was|were)(?: still| yet)? (?:missing|unknown|open|not known|not given|unclear|"
    r"unspecified|not specified|not provided)\b",
    r"still unsaid",
    r"nobody has (?:given|said|named)",
    r"(?:has|have) (?:not|never) (?:yet )?come up",
    r"(?:has|have) (?:not|never) (?:yet )?been (?:given|said|named|specified|provided|mentioned)",
)
"""Something is missing, and what it is stands before these words."""
NONE_MISSING = _claim(
    r"nothing\b.*\b(?:missing|open|lack\w*|holds?|stands?|more)\b",
    r"(?:no|none)\b.*\b(?:missing|open|lack\w*)\b",
    r"lacks? nothing",
    r"no longer (?:missing|open|lacks?)",
    r"has no required argument",
    r"what was missing\b",
    r"missing (?:part|piece)\b",
    r"no preference\b",
)
ASKS_USER = _claim(
    r"i (?:must |should |will |need to |have to )?ask(?: the user| them| for| which| what| when| "
    r"where| whether| if|\.|$)",
    r"(?:let me|better to|i'll|have to) ask\b",
    r"(?:find out|request it|ask)\b.{0,20} (?:first|before|from the user)\b",
    r"and i ask\b",
    r"only the user can\b",
)
WAITS = _claim(
    r"waits? (?:for|until|till)\b",
    r"ask for a yes\b",
    r"i want a yes\b",
    r"let the user confirm\b",
    r"have it confirmed\b",
    r"needs? a yes\b",
    r"no call without a yes\b",
    r"first the confirmation\b",
    r"read back\b",
    r"should confirm\b",
    r"needs? (?:to be confirmed|confirmation|the user's confirmation|their confirmation)\b",
    r"(?:ask|get|want|seek)\w*(?: the user| them)?(?: for| to)? (?:a |the |their )?confirm\w*\b",
    r"confirm (?:the|these|this|it|that|with)\b",
    r"i (?:sum up|repeat)\b(?! (?:\d|that|what was|from))",
)
CONFIRMED = _claim(
    rf"{_USER} (?:confirmed|said yes|says yes|say yes|agreed|accepted|approved|affirmed|took up)\b",
    r"the yes i\b",
    r"(?<!are )(?:confirmed|agreed):",
    r"it is a yes\b",
    r"summary (?:was right|is accepted)\b",
    r"confirmation (?:is|has|was) (?:here|come|given|received)",
)
DECLINED = _claim(
    rf"{_USER} (?:declined|turned down|said no|refused|rejected|corrected|do(?:es)? not want|"
    r"do(?:es)?n't want)",
    r"a no to\b",
    r"is not wanted\b",
)
THANKED = _claim(r"thank(?:ed|s|ing|-you)?\b(?! you for)")
GAVE = _claim(
    rf"{_USER} (?:gave|gives?|named|names?|mentioned|mentions?|added|adds?|answered with|"
    r"replied with|supplied|provided|provides?|specified|specifies|told me)\b",
    r"from (?:their words|this message)\b",
    r"new in this turn\b",
    r"just heard\b",
    r"from this turn i have\b",
)
FAREWELL = _claim(
    r"goodbye\b",
    r"farewell\b",
    r"(?:end|close) politely\b",
    r"wish them well\b",
    r"say bye\b",
    r"end (?:the|this) conversation\b",
    r"close with\b",
)
MORE = _claim(
    r"(?:asks?|question)\b.{0,25}\b(?:more|else)\b(?! option)",
    r"(?:offer|ask about) (?:other|further|more) help\b",
)
COUNT = _claim(
    r"(\d+|one|single|only) results?\b"
    r"(?! (?:gives|is|matches|shows|has|says|that|differs|confirms))"
)
EMPTY = _claim(
    r"came back empty\b",
    r"without a result\b",
    r"no results?\b(?! (?:is|was) shown)",
    r"(?:result list|list of results) is empty\b",
    r"nothing (?:at all|was found|came back|matched|for )",
    r"(?:found|returned|turned up|gave) nothing\b",
    r"there (?:is|are|was|were) no results?\b",
    r"no match\b",
    r"(?:is|was|came) empty\b",
)
FAILED = _claim(
    r"did not (?:go through|work|succeed)\b",
    r"fail(?:s|ed|ure)?\b",
    r"could not be (?:met|had|made|booked)\b",
    r"not (?:possible|available)\b",
    r"(?:unsuccessful|unavailable)\b",
    r"nothing (?:new|better) came\b",
    r"does not help\b",
    r"did not do what\b",
    r"(?:an error|rejected)\b",
)
SUCCEEDED = _claim(
    r"went through\b",
    r"succeeded\b",
    r"worked\b",
    r"a success\b",
    r"success:",
    r"successful(?:ly)?\b",
    r"confirms\b",
    r"(?:is|was|been) (?:booked|reserved|purchased|bought)\b",
    r"report the success\b",
    r"good news\b",
)

_NO_VALUE = (
    r"(?:\w+ed|given|known|chosen|taken|set|fixed|is|was|are|it|this|that|them|same|serves?|acts?) "
)
"""What may stand before `as the city` without being the city: "San Jose is settled as the city"."""

_slots: dict[str, tuple[Service, re.Pattern[str], re.Pattern[str], dict[str, str]]] = {}
"""What `_patterns` made of a service; never changes a result."""


def _patterns(service: Service) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """How the slots of a service are named, alone and with a value."""
    known = _slots.get(service.name)
    if known is None or known[0] is not service:
        names = {form: slot for slot in service.slots for form in (slot, slot.replace("_", " "))}
        anyone = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        alone = re.compile(rf"(?<!\w)({anyone})(?!\w)")
        stated = re.compile(
            rf" (?P<a>{anyone}) = (?P<av>[^,;=]+?)(?=,| and |;|\.(?: |$)|: |$| so |\))"
            rf"| the (?P<b>{anyone}) \((?P<bv>[^()]+(?:\([^()]*\)[^()]*)?)\)"
            rf"| the (?P<d>{anyone}) is (?P<dv>[^,;]+?)(?= instead of | and not )"
            rf"| (?P<cv>(?!{_NO_VALUE})[^ ,;:(]+) as the (?P<c>{anyone})(?!\w)"
        )
        known = _slots[service.name] = (service, alone, stated, names)
    return known[1], known[2], known[3]


def slots_in(text: str, service: Service) -> set[str]:
    """The slots of a service that a text names, in the schema's spelling or in words."""
    alone, _, names = _patterns(service)
    return {names[found] for found in alone.findall(text)}


def values_in(text: str, service: Service) -> Iterator[tuple[str, str]]:
    """Slot and value wherever a text says plainly which value a slot has."""
    if not (" = " in text or ")" in text or " as the " in text or " is " in text):
        return
    _, stated, names = _patterns(service)
    for match in stated.finditer(text):
        name = match["a"] or match["b"] or match["c"] or match["d"]
        value = (match["av"] or match["bv"] or match["cv"] or match["dv"]).strip()
        yield names[name], re.split(r", so |, that is | = ", value)[-1]
