"""What the words in a column's name say: its role, its family, and whether to use it at all.

Names are matched as lower-case words: `TotalVisits` and `total_visits` both read `total visits`.
The families and BANT are those of the field's textbooks; the lists hold the words of CRM exports.
"""

import re

from leadml.config import Family


def _texts(listed: str) -> frozenset[str]:
    return frozenset(listed.split(", "))


#: Texts that forms and CRMs write where nobody answered.
MISSING_TEXTS = _texts(
    "-, --, ---, ., ?, n/a, na, #n/a, nan, none, null, nil, unknown, undefined, unspecified, "
    "select, (blank), blank, missing, not specified, not provided, not available, not applicable, "
    "not set, no answer, select one, please select, -- select --, --select--, - select -, "
    "--none--, -none-"
)
WON_TEXTS = _texts(
    "1, yes, y, true, t, won, win, converted, customer, success, successful, signed, purchased, "
    "sold, accepted, approved, booked, enrolled, subscribed, closed won, deal won, won deal, "
    "closed (won)"
)
LOST_TEXTS = _texts(
    "0, no, n, false, f, lost, lose, loss, failed, failure, fail, declined, rejected, "
    "disqualified, unqualified, cancelled, canceled, dead, junk, unsuccessful, dropped, "
    "closed lost, deal lost, lost deal, closed (lost), not converted, not interested"
)

_CLOSING = r"(clos(e|ed|ing)|won|win|lost|loss|conversion|converted|churn(ed)?|outcome|deal)"
#: Words of each role, the most telling pattern first.
ID_NAMES = (
    r"(lead|prospect|opportunity|contact|deal|case|record|customer|row)? ?(id|uuid|guid)",
    r".*\b(id|uuid|guid|key)",
    r".*\b(number|no|nr|code|ref|reference)",
)
OUTCOME_NAMES = (
    r"(is |has )?(converted|won|closed won|outcome|deal stage|opportunity stage)( .*days)?"
    r"|(converted|conversion|target|label|y|is customer|lead outcome|deal outcome)",
    r"(lead |deal |opportunity |current |final )?(status|stage|result|response|success|state)",
    r"(subscribed|purchased|enrolled|signed|bought|deposit|success)",
)
CREATED_NAMES = (
    r"(lead |prospect |opportunity |record )?(created|creation|create)( ?(date|at|on|time|day))?",
    r".*\b(created|engage|engaged|inquiry|enquiry|signup|sign up|registered|registration|received"
    r"|opened|open|entry|submitted|submission|captured|start|first seen|lead)"
    r"( ?(date|at|on|time))?",
    r"(date|day|timestamp|time)",
)
CLOSED_NAMES = (
    r"(deal |opportunity |actual )?(closed|close|closing)( ?(date|at|on|time|day))?",
    r"(won|lost|converted|conversion|decision|decided|outcome|end|ended|resolved)"
    r" ?(date|at|on|time)?",
)
ACCOUNT_NAMES = (
    r"(account|company|organi[sz]ation|org|employer)( (id|key|number|no|name))?",
    r"(customer|client|business|firm) (id|key|number|no|name)",
)
VALUE_NAMES = (
    r"(deal|opportunity|contract|expected|estimated|sales?|order)( deal| contract)?"
    r" (value|amount|size|acv|revenue)|(expected |opportunity estimated )?(acv|arr|mrr|tcv|amount)",
    r"(closed?|won) (value|amount)",
)

#: Columns that were written with or after the outcome, with the reason; searched in this order.
AFTER_OUTCOME = (
    (
        rf"\b{_CLOSING} (date|at|on|day|time|value|amount|revenue|price|reason|month|quarter)\b"
        r"|\breason (for )?(lost|loss|won|closing|rejection)\b|\b(lost|loss|rejection) reason\b"
        r"|\b(sales|deal) cycle\b|\bdays to (close|conver)|\binvoice|\bcontract signed\b|\bchurn",
        "It is written when the deal closes, so it gives the outcome away.",
    ),
    (
        r"^(last |call |contact |last call |last contact )?duration$",
        "The length of a contact is known only after it. Take it back if it is older than the "
        "moment of scoring.",
    ),
    (
        r"^tags?$|\blead (quality|rating|grade)\b|\bdisposition\b|\bforecast|\bwin probability\b"
        r"|^probability$|\bnext steps?\b|\b(call|meeting) (result|outcome)\b",
        "Sales fills it in while working the lead, so it may carry the outcome.",
    ),
    (
        r"\b(last )?(modified|updated|update)( (date|at|on|by|time))?$",
        "It is overwritten with every change of the record, also after the outcome.",
    ),
)
#: A state "as of the export": used, but worth a look.
LOOK = (
    r"^last( notable)? (activity|action|event|status|touch|engagement|page)|^lead (profile|score)"
)

PROTECTED = (
    r"\b(gender|sex|race|ethnic\w*|religio\w+|nationality|citizenship|marital|married|disabilit\w+"
    r"|disabled|pregnan\w+|sexual|birth ?(day|date)|date of birth|dob|salutation)\b"
    r"|^(age|(customer|contact|person|client) age|age (group|band|range|class|bracket))$"
)
SALUTATIONS = _texts("mr, mrs, ms, miss, mx, herr, frau, mme, m, sir, madam")
PERSON_NAMES = r"((first|last|full|middle|contact|given|family|lead) )?name|surname"
PHONE_NAMES = r"\b(phone|mobile|telephone|tel|cell|fax)\b"
TITLE_NAMES = r"\b(title|designation)\b|^(job )?(role|position)$"
CODE_NAMES = r"\b(zip|postal|post|postcode|plz|naics|sic|area) ?(code)?$"

#: What a column says about a lead's engagement when it grows.
ENGAGED = (
    r"\b(visit|page ?view|views?\b|time spent|(web )?minutes|session|click|opens?\b|opened|download"
    r"|repl(y|ies)|webinar|demo|attend|log ?ins?\b|form|trial|meetings)"
)
NOT_ENGAGED = (
    r"\b(bounces?|bounced|opt|do not|unsub\w*|since|age|last|complain\w*|spam|first|trend|change"
    r"|delta|until|to|no show|cancel\w*|tickets?|cases?|errors?)\b"
)
OPTED_OUT = (
    r"\b(do not|opt(ed)? ?out|unsub\w*|bounced?|bounces|spam|complain\w*"
    r"|no (e ?mail|calls?))"
)

#: Family of a column by its words; the first that matches wins.
FAMILY_WORDS: tuple[tuple[str, Family], ...] = (
    (
        r"\b(source|origin|campaign|channel|medium|utm|referr\w*|hear|heard|keyword|advert\w*|ad|ads"
        r"|magazine|newspaper|recommendations?|forums?|search)\b",
        "context",
    ),
    (
        r"\b(e ?mails?|mails?|newsletter|opens|opened|unsub\w*|bounced|bounces|repl(y|ies)|replied"
        r"|opt(ed)? ?(in|out)|receive|updates?|subscription)\b",
        "email",
    ),
    (
        r"\b(visits?|pages?|page ?views?|views?|sessions?|time spent|web\w*|clicks?|downloads?"
        r"|demos?|trial|forms?|events?|activit\w+|chats?|content|log ?ins?|usage|touch\w*"
        r"|engagement|interactions?|calls?|meetings?|videos?|blog|social|free copy|attend\w*|bounce"
        r"|minutes|linkedin|messages|opportunity|do not)\b",
        "behavioral",
    ),
    (
        r"\b(company|industry|sector|employees?|headcount|revenue|turnover|firm|organi[sz]ation|account"
        r"|technolog\w+|subsidiar\w+|ownership|funding|founded|established|b2b|vertical|naics|sic"
        r"|competitors?|stack|maturity|locations|stores|size|office|divisions?)\b",
        "firmographic",
    ),
    (
        r"\b(title|job|role|occupation|position|designation|seniority|department|function|education\w*"
        r"|speciali\w+|degree|qualification|experience|country|city|state|region|province|county"
        r"|zip|postal|postcode|area|address|location|language|income|salary|profile|skills?|phone"
        r"|mobile|telephone|interests?|matters|household|loan|housing|mortgage|credit|default"
        r"|certificat\w+|profession)\b",
        "demographic",
    ),
    (  # last, so that "page views last month" and "product page visits" stay behaviour
        r"\b(agent|rep|owner|manager|territory|team|product|series|price|month|weekday|day|quarter"
        r"|season|year|contact)\b",
        "context",
    ),
)
FAMILY_MEANS = {
    "demographic": "who the person is",
    "firmographic": "what the company is",
    "behavioral": "what the lead did",
    "email": "how the lead reacts to e-mail",
    "context": "where, when or with whom the lead came in",
    "bant": "a BANT question",
}
BANT_WORDS = {
    "budget": r"\b(budget|spending power|willing to spend|price range)\b",
    "authority": r"\b(authority|decision ?maker|decision power|buyer role|buying role"
    r"|purchas\w+ (role|power))\b",
    "need": r"\b(needs?|pain|pain points?|problem|challenges?|use ?case|requirements?)\b",
    "time": r"\b(time ?(frame|line|scale)|timing|urgency|(purchase|decision|implementation|buying)"
    r" (date|time|horizon|window|period)|when .*(buy|start|purchase)|go live)\b",
}


def words_of(name: str) -> str:
    """Return a column's name as lower-case words.

    Examples
    --------
    >>> words_of("TotalVisits"), words_of("Job-Title_2"), words_of("companyURL")
    ('total visits', 'job title 2', 'company url')
    """
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", split.casefold()))


def says(pattern: str, name: str) -> bool:
    """Return whether a column's name holds the words of `pattern`.

    Examples
    --------
    >>> says(PROTECTED, "Marital_Status"), says(PROTECTED, "age"), says(PROTECTED, "lead_age_days")
    (True, True, False)
    """
    return re.search(pattern, words_of(name)) is not None


def family_of(name: str) -> Family | None:
    """Return the family that a column's name speaks of, or None where it says nothing.

    Examples
    --------
    >>> [family_of(name) for name in ("Lead Source", "emails_opened", "TotalVisits", "x1")]
    ['context', 'email', 'behavioral', None]
    """
    return next((family for words, family in FAMILY_WORDS if says(words, name)), None)


def rank(patterns: tuple[str, ...], name: str) -> int | None:
    """Return the place of the first pattern that the whole name fits, or None.

    Examples
    --------
    >>> rank(ID_NAMES, "Prospect ID"), rank(ID_NAMES, "Lead Number"), rank(ID_NAMES, "City")
    (0, 2, None)
    """
    words = words_of(name)
    return next((i for i, pattern in enumerate(patterns) if re.fullmatch(pattern, words)), None)
