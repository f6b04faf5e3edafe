"""How services ask, refuse and confirm: the patterns behind `hearing`, over plain lower-case text.

Written from the system's turns of MultiWOZ's validation dialogues, and tried on those of its
test dialogues, which they were not written from.
"""

import re
from collections.abc import Mapping

QUESTION = re.compile(
    r"\?|\b(?:what|which|when|where|how (?:many|long|much)|who)\b|\b(?:please|could you|can you"
    r"|would you|may i|let me|let us|let's)\b.*\b(?:know|tell|give|specify|provide|have|say|start"
    r"|try|choose)\b|\b(?:i(?:'ll| will|'d| would)?(?: also| just| still| first)* need)\b|\bnarrow"
    r"|\bdo you (?:have|want|need|prefer)\b|\b(?:any|a) preference"
)
"""A sentence that asks; not every question has its mark."""
TELLING = re.compile(
    r"^(?:what about|how about|is there anything|anything|what else|how else|can i help"
    r"|how (?:may|can) i)|\b(?:shall|should|may|might|can|could) i (?:book|reserve|suggest"
    r"|recommend|make|get|interest)|\bi(?:'d| would| can| could)? (?:\w+ )?(?:recommend|suggest)"
    r"|\b(?:will|would|does|do|is|are) (?:that|this|it|these|those|either|one"
    r"|they)(?: \w+){0,4} (?:work|suit|do|ok|okay|alright|good|correct|right|interest|acceptable"
    r"|one you)\b|\binterested in (?:it|that|this|these|those|either|any of|one of)"
    r"|^(?!.*\b(?:what|which|when|how many|how long)\b).*\bwould you like (?:me to (?:book"
    r"|reserve|make|get|buy|give|send|call)|to book|to reserve|the (?!train|taxi)|their |more"
    r"|a reservation|a booking|some )|\banything else\b(?!.*\b(?:area|price|food|type)\b)"
)
"""A question that asks for no value, but whether what was offered will do."""
ANY_TIME = re.compile(
    r"\b(?:what|which|particular|certain|specific|preferred|another|different|a|the|and|or|of|your"
    r"|any)\s+(?:\w+\s+)?(?:time|times)\b(?! of year)|\btime (?:would|do|should|frame|slot|of day)"
    r"|^(?:time|times)\b|\bwhen\b"
)
"""A question for a time of the day."""
LEAVE = re.compile(
    r"(?:what|which|that|certain|particular|specific|preferred|when|a|the|your|any|hour"
    r"|about)\b[^.?!]*\b(?:time|when|hour|early|late|soon)?[^.?!]*\b(?:leav|depart|travel|go\b"
    r"|set off|pick(?:ed)? (?:you )?up|head)|departure times?|\bleav\w* at\b|time[^.?!]*\bleave"
)
"""One for when to leave, although arrivals are spoken of as well."""
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "area": re.compile(
        r"\b(?:what|which|any|an?|another|different|specific|particular|certain|preferred|for|on"
        r"|of|or|and|by|the|as|like|,) ?(?:areas?|(?:part|side)s? of (?:town|the city"
        r"|cambridge)|part"
        r"|locations?|region)\b|\blocation preference|\barea preference|\bdistrict"
        r"|\bwhere (?:in (?:town|cambridge|the)|would you like to (?:stay|eat|dine|go|be))"
        r"|\bcentre or\b|\bin mind as to where"
    ),
    "pricerange": re.compile(
        r"\b(?:what|which|any|an?|another|different|specific|particular|certain|preferred|for|on"
        r"|of|or|and|by|the|as|like|your|,) ?(?:price|pricing)|\bprice[- ]?(?:range )?preference"
        r"|\bbudget|\bcheap\b.*\bor\b|\bor expensive\b|\b(?:how much|like to pay|willing to (?:pay"
        r"|spend)|looking to spend|want to spend)\b"
    ),
    "food": re.compile(
        r"\bfood|\bcuisine|\b(?:type|kind|sort)s? of (?:restaurant|meal|dish|place to eat|dining)"
        r"|\bwhat would you like to eat|\bwhat (?:are you|do you feel) .*(?:eat|mood|craving)"
        r"|\bin the mood for|\banother type\b|\bdifferent type\b"
    ),
    "stars": re.compile(
        r"\b(?:star(?: rating| preference|s)?|ratings?)(?! guest| hotel| place| option)\b(?! have"
        r"| is)(?<!4 star)(?<!four star)(?<!\d stars)"
    ),
    "internet": re.compile(r"\bwi-?fi\b|\binternet\b|\bamenit"),
    "parking": re.compile(r"\bparking\b|\bamenit"),
    "name": re.compile(
        r"\bnames?\b(?! for the (?:booking|reservation))|\b(?:which|what) (?:hotel|restaurant"
        r"|attraction|guest ?house|museum|college|place) (?:are|were|do|did|would|will)"
        r"|\b(?:certain|specific|particular) (?:hotel|restaurant|attraction|guest ?house)\b"
    ),
    "people": re.compile(
        r"\bhow many(?! (?:nights?|days?|stars?|hotels?|options))(?: \w+){0,2} ?(?:people|persons?"
        r"|guests?|tickets?|seats?|of you|are|in your|will|would|should|passengers?|travell?ers"
        r"|adults|for|do|rooms?|diners|party|does|$)|\bfor when and how many|\bhow many\?"
        r"|\bnumber of (?:people|guests|tickets|persons|seats|diners|passengers)|\bparty size"
        r"|\bsize of (?:your|the) (?:party|group)|\bhow (?:big|large)\b|\bpeople (?:will|would|are"
        r"|should|in)|\bmany people|\bmany tickets|\bfor how many(?! (?:n|d))|\b(?:how many"
        r"|many) (?:will|are|should|would)"
    ),
    "day": re.compile(
        r"\b(?:what|which|another|different|particular|certain|specific|the|a|and|or|any"
        r"|on)(?: other)? (?:day|date|days|dates)\b(?! trip)|\bdays?(?: and| or| of|/|,)"
        r"|\bday (?:would|will|do|are|should|you|is|were)|\bdate\b|^(?:what|which)? ?day\b"
        r"|\bdates?\b|\bwhen (?:will|would|are|do|did|is|were) (?:you|your)\b[^?]*(?:stay|check"
        r"|arriv(?!e by)|book|room|travel)"
    ),
    "stay": re.compile(
        r"\bhow (?:many nights?|many days?|long)\b|\bnumber of (?:nights?|days)\b|\blength of"
        r"|\b(?:shorter|longer|different) (?:stay|length|trip)|\bmany (?:nights?|days?)\b"
        r"|\bnights\b|\bshorten|\bduration of|\bstay shorter"
    ),
    "departure": re.compile(
        r"\bfrom where|\bwhere\b(?:(?! and | what )[^.?!])*\b(?:from|depart|leav|pick|start|board)"
        r"|\b(?:departure|departing|starting|pick[- ]?up|boarding)(?:,? (?:and"
        r"|/) \w+)? ?(?:location|site|station|point|place|city|address|spot|town|destination)s?\b"
        r"|\b(?:your|the|what) departure(?:,| and destination| ?\?| please|$)|^departure ?,"
        r"|\b(?:are|be|you|that) (?:depart|leav|com|travel)\w* from|\bto and from\b|\bfrom ?\?"
        r"|\bstations\b|\bpick(?:ed)? (?:you )?up\b(?! from)|\b(?:which|what) station"
        r"|\bfrom and to\b"
    ),
    "destination": re.compile(
        r"\bdestin\w+(?! by)|\bwhere\b(?![^.?!]*\b(?:from|pick|depart|leave)\b)[^.?!]*\b(?:go"
        r"|going|to|headed|heading|travel\w*|arriv\w*|off|take you)\b|\bto where|\bgoing to\?"
        r"|\btravell?ing to\b|\bto and from\b|\barrival (?:location|station|site|place|point)"
        r"|\bstations\b|\bheaded|\bheading|\bdrop(?:ped)? (?:you )?off"
    ),
    "arrive_by": re.compile(
        r"\b(?:when|what|which|time|and|or|/|your|an?|by"
        r"|prefer\w*)\b[^.?!]*\barriv(?!al (?:location|station|site|place|point))|\bget (?:there"
        r"|to)\b|\bbe there"
    ),
}
"""What is asked for, by slot, in a sentence that asks."""
KIND = re.compile(
    r"\b(?:type|kind|sort)s?\b|\b(?:something|anything|attraction|activity|activities"
    r"|one) (?:specific|particular|in mind|in particular)|\bspecific in mind"
    r"|\bparticular (?:activity|attraction)|\bwhat (?:would|do) you (?:like|want) to (?:see|do"
    r"|visit)|\binterested in\b|\blike to see\b"
)
"""What sort of attraction is wanted."""
HOTEL_KIND = re.compile(
    r"\b(?:hotels?|guest ?houses?|bed and breakfasts?|b&b) (?:or|versus|vs) |\b(?:type|kind"
    r"|sort)s? of (?:hotel|accom\w*|place|lodging|room)"
)
"""Whether a hotel or a guesthouse is wanted."""
NONE = re.compile(
    r"\b(?:there (?:is|are|were|was|does|do)(?:n't| not|'s not)?(?: \w+){0,2} (?:no|none|nothing"
    r"|n't|any)\b)|\bthere(?:'s| is| are)? (?:no|none|nothing|not)\b|\bthere (?:isn't|aren't"
    r"|weren't|wasn't)\b|\b(?:i|we)(?:'m| am|'ve| have| do| did| could| can| was"
    r"| are)*(?: sorry)?,?(?: but)?(?: i| we)?(?: currently| just| really)* ?(?:no|don't|do not"
    r"|didn't|did not|couldn't|could not|can't|cannot|can not|haven't|have not|wasn't able|unable"
    r"|found no|find no|see no|have no|show no|not (?:find|finding|see|seeing|have|showing|able"
    r"|locate))\b(?! (?:have|need|know)[^.]*(?:phone|fee|price|information|address))[^.?!]*(?:find"
    r"|found|see|seeing|have|show|match|locat|list|offer|restaurant|hotel|attraction|guest|train"
    r"|any|option|result|one|available)|\bno (?:such|match|result|listing|hotel|restaurant|guest"
    r"|attraction|train|place|option|luck|\w+ (?:restaurants?|hotels?|guest ?houses?|attractions?"
    r"|trains?|places?|options?|food)\b)|\bnone (?:of|in|that|match|available|found|are)\b"
    r"|\bnothing (?:match|fits|in|like|available|comes)|\bdoesn't (?:exist|seem to be any)"
    r"|\b(?:not|n't) any\b|\bnone\b|\bdo(?:es)?n't look like there"
)
"""There is nothing of the kind."""
DETAIL = re.compile(
    r"\b(?:fees?|phone|address|postcode|information|open\w*|listed|else|require|call|charge|cost)\b"
)
"""What may be lacking of a place that is there."""
REFUSED = re.compile(
    r"\b(?:booking|reservation)s?\b[^.?!]*\b(?:un(?:fortunately )?(?:successful|available|able)"
    r"|not (?:successful|available|possible|go through|work)|failed|wasn't|was not|could(?:n't"
    r"| not)|didn't|did not|can(?:not|'t))|\b(?:unable|not able|wasn't able|couldn't|could not"
    r"|can't|cannot|n't been able|were not able)\b[^.?!]*\b(?:book|reserv|accommodate|make"
    r"|get you|secure|table|room|do that)|\b(?:is|are|it's|that's) (?:already |sadly )?(?:full"
    r"|taken)\b|\b(?:fully|completely) booked\b|\bsold out\b|\bbooked (?:up|solid|out)\b"
    r"|\bfilled\b|\bunsuccessful\b|\bnot? (?:any )?(?:availability|vacanc|rooms?|tables?)\b"
    r"|\bis(?:n't| not) available\b|\b(?:no|any) (?:rooms?|tables?|availability) (?:available"
    r"|left|for|at|on)\b|\b(?:don't|do not|n't) have (?:any )?(?:availability|(?:a )?rooms?"
    r"|(?:a )?tables?)\b|\b(?:aren't|are not|no) (?:any )?(?:rooms|tables|openings|bookings|seats"
    r"|available)|\b(?:time|day|date|slot|stay|nights?|restaurant"
    r"|hotel)s?\b[^.?!]*\b(?:unavailable|not available|is full|isn't available|are taken)"
    r"|\btry (?:for )?(?:a )?(?:shorter stay|another (?:day|time|date))"
)
"""A booking cannot be made."""
CODE = re.compile(r"\b[A-Z0-9]{8}\b(?!\d)")
"""What a reference looks like."""
PHONE = re.compile(r"\b\d{10,11}\b")
"""What a phone number looks like."""
BOOKED = re.compile(
    r"\breference (?:number|code|no|#|is|:)|\breference\b[^.?!]*\b\w*\d\w*\b|\b(?:is|are|have been"
    r"|has been|been|was|were|got|have|have successfully|successfully|you) (?:now |all |you |it "
    r"|that |successfully )?(?:booked|reserved|made (?:a|the|your) (?:booking|reservation))"
    r"|\bi(?:'ve| have)?(?: \w+)? booked|\bbook(?:ed|ing)[^.?!]*\b(?:was |is )?(?:successful"
    r"|complete|confirmed)|\bbooking completed|\ball set\b|\bable to (?:\w+ )?(?:book|reserve)"
    r"|\b(?:a|your) (?:\w+ )?taxi will be|\bcontact (?:number|no)\b|\breservation (?:is|has been"
    r"|was) (?:made|confirmed)"
)
"""A booking was made."""
FUTURE = re.compile(
    r"\b(?:would you like|do you want|shall i|should i|can i|may i)\b[^.?!]*\b(?:book"
    r"|reserv)\w*[^.!]*\?(?!.*\breference)"
)
"""A booking is only offered."""
