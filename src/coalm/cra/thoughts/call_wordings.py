"""The sentences of thoughts around a call (see `phrases` for brackets and braces).

Each must be true of every moment in which `calls` uses it. None needs to know whether a
blank holds one thing or several, so none says "is" or "are" about one.
"""

# --- before a call: what the user just did ------------------------------------------------

CONFIRMED = (
    "[The user|They] [confirmed|said yes to|agreed to] [what I summed up|my summary|the details]: "
    "{args}.",
    "The yes I [waited for|needed] [is here|has come]: {args}.",
    "[Confirmed|Agreed]: {args}.",
    "The summary [was right|is accepted][ as it stood|], with {args}.",
)
ACCEPTED = (
    "[The user|They] [accepted|took|agreed to] [the alternative|what I offered instead]: "
    "{changes}.",
    "[The other option|My alternative] [suits the user|is fine with them]: {changes}.",
    "[It is a yes|They say yes] to the [new|other] option: {changes}.",
)
ACCEPTED_SAME = (
    "[The user|They] [accepted|agreed to] what I offered: {args}.",
    "[It is a yes|They say yes] to my offer, with {args}.",
)
WANTED_TOO = (
    "[They|The user] also [asked about|wanted to know|asked for] {wanted}, which the result [may|"
    "should] tell.",
    "The question about {wanted} [comes with it|comes on top]; I look for the answer in the "
    "result.",
)
CHANGED = (
    "[The search changes|The wish has changed|This differs from before]: {changes}.",
    "[Compared with|Since] my last {tool} call, {changes}.",
    "[The user|They] [asked for it differently|changed the request]: {changes}.",
)
OTHERS = (
    "[The user|They] [asked for something else|wanted another option|passed on the last offer].",
    "[Another option is wanted|Something else is asked for].",
)

# --- before a call: why it is made --------------------------------------------------------

READY = (
    "{tool} requires {required}, [which I have|and nothing of that is open], so I [call it|can "
    "call "
    "it|make the call].",
    "[With|Knowing] {required}, I [can call|call|have all I need for] {tool}.",
    "[Nothing that {tool} requires is open|No required argument of {tool} is open]: I [call "
    "it|make "
    "the call].",
    "{Required}: that is [all|everything] {tool} requires, so [I call it|the call goes out].",
    "[So|Now] I call {tool}, which [needed|requires] {required}[ and no more|].",
)
READY_FREE = (
    "{tool} has no required argument, so I [call it|can call it at once] with what I have.",
    "I can call {tool} [at once|right away]: it requires nothing more.",
)
AGAIN = (
    "[The earlier results|What I found before|The last results] [no longer fit|were for other "
    "values|do not cover this], so I call {tool} again.",
    "[That needs|This takes] [a new|another] {tool} call[, since the old results were for "
    "something "
    "else|].",
    "So I [run|call] {tool} [again|once more][ with the new values|].",
)
REPEAT = (
    "So I call {tool} again [with the same values|as before].",
    "That takes another {tool} call with [the same|unchanged] values.",
)
MAY_RUN = (
    "[So|Now] {tool} [may run|can go ahead|can be called].",
    "I [call|run] {tool} [now|with exactly these values].",
    "[That clears|This clears] the way for {tool}.",
    "[Nothing holds {tool} back now|Nothing stands in the way of {tool} any more].",
)
LEFT_OUT = (
    "I leave out {free}, since [there is no preference|anything will do].",
    "[No preference means that|Anything goes there, so] {free} [stays|remains] out of the call.",
)
DEFAULTS = (
    "For {slot} [nothing was said|no wish was named], so the default {value} [holds|applies].",
    "{Slot} [stays at|keeps] its default, {value}.",
)

# --- after a call -------------------------------------------------------------------------

FOUND_MANY = (
    "{tool} [found|returned|came back with] {count} results. I [name|suggest|propose|offer] {offer}"
    "[ first|].",
    "[There are|I have] {count} results, [and I begin with|of which I offer|and I name] {offer}.",
    "[Of the {count} results|Out of {count} results] I [suggest|pick|name] {offer}.",
    "{count} results [came back|are there]; I [begin|start] with {offer}.",
)
FOUND_ONE = (
    "[There is|I found|{tool} returned] [just|exactly|only] one result: {offer}. I [offer it|pass "
    "it "
    "on|tell the user].",
    "[The only|The one|The single] result [is|gives] {offer}, so [that is what I offer|I tell the "
    "user].",
    "One result came back[ from {tool}|], {offer}; [the user should hear it|I report it|I offer "
    "that].",
)
FITS = (
    "It [fits|matches] {facts}.",
    "[In the result I see|The result says] {facts}.",
    "[That goes with|This agrees with] {facts}.",
)
WENT_THROUGH = (
    "[The result|What came back] [confirms|repeats|shows] {facts}, so [it went through|{tool} "
    "worked].",
    "{tool} [succeeded|went through|worked]: [the result has|I see] {facts}.",
    "[It worked|Success|Done]: {tool} [came back with|returned] {facts}[, as asked|].",
    "[The one result|The record that came back] matches what was asked, {facts}: a success.",
)
REPORT = (
    "[I tell the user|The user should hear that it worked|I report the success].",
    "[So I can tell them|Time to say so|I pass on the good news].",
)
ANSWERS_TOO = (
    "[It also|The result also] [tells|holds|answers the question about] {answers}.",
    "[Asked about by the user|What they also wanted]: {answers}.",
)
INSTEAD = (
    "{tool} did not [go through|work] as asked: in the result {differs}. I [offer|propose] "
    "[that|the "
    "change] instead.",
    "[Not possible as asked|The exact wish could not be met]: in the result {differs}. I ask "
    "whether "
    "that [would do|suits].",
    "What came back is another option: {differs}. So [what was asked for failed|the wish failed], "
    "and I [offer this|propose it] instead.",
)
INSTEAD_PLAIN = (
    "It did not [work|go through], but [the result still gives|I can still offer] {offer}; I ask "
    "whether that [would do|suits].",
)
EMPTY = (
    "{tool} came back [empty|without a result] for {args}. I [say so|tell the user] and ask what "
    "else I can do.",
    "[No result|Nothing] for {args}: {tool} [failed|did not work]. I [admit it|report that] and "
    "offer [other|further] help.",
    "The [list of results|result list] is empty, so {tool} did not work with {args}; I tell the "
    "user "
    "and ask [what next|how to go on].",
)
FAILED = (
    "In the result {differs}, so {tool} did not do what was asked. I [say so|tell the user] and "
    "ask "
    "what else I can do.",
    "What was asked for [could not be had|failed]: in the result {differs}. I report that and "
    "offer "
    "further help.",
)
FAILED_PLAIN = (
    "What {tool} [returned|gave back] [does not help here|is nothing new to offer]. I [say so|tell "
    "the user] and ask what else I can do.",
    "Nothing [new|better] came of {tool}; I report that and offer further help.",
)
TOLD = (
    "{tool} [returned|gave me|came back with] {answers}; [that answers the question|I tell the "
    "user].",
    "[The result says|Now I know] {answers}, so I can answer.",
)
