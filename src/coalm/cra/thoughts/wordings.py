"""The sentences of thoughts where nothing is called, and what the user just did.

Brackets and braces are told of in `phrases`. Each must be true of every moment in which
it is used; none says "is" or "are" about a blank that may hold one thing or several.
"""

# --- what the user just did ---------------------------------------------------------------

AGREED = (
    "[The user|They] [agreed to|accepted] {carried}[, as I suggested|].",
    "[My suggestion|What I suggested] [is fine|is taken]: {carried}.",
)
ANSWERED = (
    "[That answers my question|My question is answered|There is the answer]: {given}.",
    "I had asked for {requested}, and [the user|they] gave {given}.",
    "[The user|They] [answered with|replied with|supplied|now named] {given}.",
    "[What was missing|The missing part] [is here|has come]: {given}.",
)
GAVE = (
    "[The user|They] [gave|named|mentioned|added] {given}.",
    "[New in this turn|From this turn I have|Just heard]: {given}.",
    "[From their words|From this message]: {given}.",
)
WISHED = (
    "[The user|The person] [wants to|would like to|asks to] {aim}.",
    "[This|The request] is a [case|job|matter] for {tool}.",
    "[What is asked for|The goal now] is to {aim}.",
    "[To help here I need|This calls for|The tool for this is] {tool}.",
)
WISHED_GIVEN = (
    "[The user|The person] wants to {aim} and [gives|names|mentions] {given}.",
    "[This|The request] is a [case|job] for {tool}, and it [gives|names|comes with] {given}.",
    "[The goal now|What is asked for] is to {aim}, [given|with] {given}.",
)
TOOK_UP = (
    "[The user|They] [took up|accepted|said yes to] [my offer|the step I proposed], {tool}.",
    "It is a yes to {tool}, the step I [proposed|offered].",
)
CHOSE = (
    "[The user|They] [settled on|chose|decided for|liked] {chosen}.",
    "{chosen} [suits the user|is the choice|was chosen].",
)
CHOSE_SOMETHING = (
    "[The user|They] [took|accepted|liked] [what I offered|the offer].",
    "The offer [suits the user|is taken].",
)
CARRIED = (
    "From [before|earlier in the conversation] I [keep|carry over|take] {carried}.",
    "[Carried over|Settled earlier|Not said now, but known]: {carried}.",
)

# --- no call: something is missing --------------------------------------------------------

LACKS = (
    "{tool} [still lacks|cannot run without|is not complete without] {asked}, so I ask[ first| "
    "before "
    "calling|].",
    "I do not know {asked} yet, which {tool} [requires|cannot do without]: I ask.",
    "[Before a|For the] {tool} call I [need|have to know] {asked}[, so no call yet|].",
    "[No call yet|It is too early for a call]: {tool} requires {asked}, [which nobody has "
    "given|still "
    "unsaid].",
    "I have yet to [learn|hear] {asked} before {tool} [can run|can be called].",
    "What {tool} [misses|still needs] is {asked}; [only the user can tell me|I ask the user].",
)
KNOWN_SO_FAR = (
    "[I have|So far I know|Already settled]: {known}.",
    "Already [there|known]: {known}.",
)
AFTER_THAT = (
    "I ask for {rest} [after that|in a later turn].",
    "[Later|Then] I also need {rest}.",
)
EXAMPLES = ("I [mention|name|suggest] {examples}[ to make it easier|].",)
AIMLESS = (
    "I do not know yet what the user [is after|wants], so I ask[ before any call|].",
    "[No tool fits yet|It is open what is wanted]: I ask what I can do.",
)

# --- no call: a confirmation comes first --------------------------------------------------

CORRECTED = (
    "[The user|They] [corrected|changed] [my summary|the details]: {given}.",
    "[Not right yet|That was a no to my summary]: the user gave {given}.",
    "[A correction came|Something was wrong]: now it is {given}.",
)
CONFIRM = (
    "[Now {tool} has|That gives {tool}] all it requires, but it [acts for the user|takes effect at "
    "once|commits the user], so I [have it confirmed|ask for a yes] first.",
    "{tool} [would be ready|could run], yet it [acts on the user's behalf|is binding]: I [read "
    "back|repeat|sum up] the details [and wait for a yes|before calling].",
    "Before [calling|I call] {tool} I want a yes to {args}.",
    "[No call without a yes|First the confirmation]: {tool} [would use|is to run with] {args}.",
    "I [sum up|repeat] {args} and [let the user confirm|ask for a yes] before {tool} runs.",
)
CONFIRM_AGAIN = (
    "{tool} waits [until|till] the [corrected|new] details are confirmed: {args}.",
    "[Still no call|I do not call yet]: {tool} needs a yes to {args}.",
    "I [read back|sum up] the change, {args}, before {tool} runs.",
)
ASSUMED = (
    "Nobody [named|mentioned] {slot}, so the default {value} [goes into the summary|is what I "
    "confirm].",
    "For {slot} I [propose|take] the default, {value}.",
)

# --- no call: what is needed is there -----------------------------------------------------

KNOWN = (
    "[The user|They] [asked for|asked about] {wanted}. The {source} result [has it|says]: {answers}"
    "[, so no new call is needed|].",
    "[No call needed|I need no call]: the {source} result [already holds|gives] {answers}.",
    "I can [read|find] {wanted} in the {source} result[ that I have|]: {answers}.",
    "I [look|check] in the {source} result[ for {about}|] and find {answers}[; no call for that|].",
    "What the user [wants to know|asks], {wanted}, [came back|was in what came back] with "
    "{source}: "
    "{answers}.",
)
ANOTHER = (
    "[The user|They] [wanted something other than|turned down] {old}, and the {source} results "
    "[also "
    "hold|still have] {offer}: no new [call|search] needed.",
    "[Another one is wanted|Something else is asked for]. {offer} is among the {source} results I "
    "have, so I offer it [without a call|and call nothing].",
    "[Instead of|Other than] {old} the {source} results hold {offer}; I [suggest|name] that"
    "[ without a new search|].",
    "I need no new search: after {old} I can [name|offer] {offer} from the {source} results.",
)
NEXT = (
    "{Taken} [suits the user|is the choice]. {next} [would be|is] the natural next step, but "
    "nobody "
    "asked for it, so I [offer it|ask] instead of calling.",
    "[The user|They] [settled on|decided for|took] {taken}. I ask whether to go on with {next}[ "
    "before doing anything|].",
    "With {taken} [chosen|settled], I [propose|offer] {next}; [calling it unasked would be too "
    "much|it is for the user to say yes].",
    "A choice is made: {taken}. [I offer|Worth offering now is] {next}, which I only call on "
    "request.",
)

# --- no call: nothing is left to do -------------------------------------------------------

MORE_THANKS = (
    "[The user|They] [thanked me|said thanks] and [asked for nothing new|named no new wish], so I "
    "ask whether there is more.",
    "[Thanks came|A thank-you] and no new request: no call, just the question what else I can do.",
    "Nothing is open[ after the thanks|]; I ask if there is anything else.",
)
MORE_DONE = (
    "{done} went through and the user [said thanks|is content]; [no request is open|nothing is "
    "left to call], so I offer further help.",
    "[Thanks for|The thanks are for] {done}. No new request, so no call: I ask [what else I can "
    "do|whether there is more].",
    "With {done} done and no new wish named, I ask if there is anything else.",
)
MORE_NO = (
    "[The user|They] [turned down|declined|said no to] {proposed}, so I call nothing and ask what "
    "else [is needed|I can do].",
    "{proposed} is not wanted: no call. I [ask about|offer] other help.",
    "It is a no to {proposed}; I leave it and ask if there is anything else.",
)
MORE_CHOSE = (
    "{Taken} [suits the user|is the choice] and nothing else is asked, so I [offer further "
    "help|ask "
    "what else I can do].",
    "[The user|They] [took|settled on] {taken}; that needs no call. I ask whether there is more.",
)
MORE = (
    "Nothing is [open|left to call]; I ask whether there is anything else.",
    "No request is open, so I offer further help.",
)
BYE = (
    "The user has no further wish, so [no call is left|there is nothing to call]; I say goodbye.",
    "[That was all|Nothing more is wanted]: I [end|close] politely[, without a call|].",
    "[No more requests|No wish is left]; a [friendly|short] goodbye [is all that is needed|will "
    "do].",
    "The conversation [is over|ends here] for the user; I wish them well.",
)
BYE_DONE = (
    "{done} went through and nothing more is wanted, so I [say goodbye|end politely].",
    "With {done} done the user needs no more: a goodbye, no call.",
    "Nothing is open after {done}; I [wish them well|close with a goodbye].",
)
BYE_CHOSE = (
    "The user [takes|settles on] {taken} and [wants|needs] nothing more: I say goodbye.",
    "{Taken} was all [the user wanted|they needed], so no call is left; I end politely.",
    "With {taken} chosen the user is done; a goodbye [is due|will do].",
)
BYE_NO = (
    "[The user|They] [turned down|declined] {proposed} and asked for no more: I say goodbye, "
    "without "
    "a call.",
    "A no to {proposed}, and no other wish: I [end politely|say goodbye].",
)
PLAIN = (
    "No tool is needed here; I answer the user.",
    "This takes no call, only an answer.",
)
SUCCESS_EARLIER = ("It went through earlier, so I need no call to report the success.",)
NOTHING_MORE = ("There is nothing more to offer from what I have, and I say so.",)
