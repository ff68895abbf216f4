"""Write the first `leadml.toml` and `rules.toml`, for people to read and edit."""

import pandas as pd

from leadml.config import BANT_LETTERS, FAMILIES
from leadml.data.schema import Proposal
from leadml.data.sources import clean_cells
from leadml.data.starter_history import activity_tables, linked_tables
from leadml.data.starter_rules import StarterRule, family_caps, rules_of
from leadml.data.toml_text import array_table, comment, entry, listed, quoted, table
from leadml.data.words import FAMILY_MEANS

_CONFIG_HEAD = """\
# What each column of the leads means. leadml wrote this file from the data: read it once, and
# correct what it got wrong. LOOK marks columns that may know the outcome: exclude them if so.
"""
_HANDOFF = """
# What marketing and sales agreed a lead needs before sales gets it. Fill it in together.
[handoff]
# required = ["Phone"]           # columns that must not be empty
# sales_ready = ["Demo request"] # yes/no columns: one of them must be true
min_fit = 0         # 0 to 100; 50 is the average lead
min_engagement = 0
"""
_RULES_HEAD = """\
# A first rule book: what a sales person would guess, written without a look at who was won.
# Edit me: change points, add what you know about your buyers, delete what you do not believe.
# The most that each family can add:
"""
_TEMPLATES_HEAD = """
# Columns about which the data alone says nothing. Take away the "# " and give points to the values
# that you sell to, and minus points to those that you do not.
"""


def config_toml(proposal: Proposal) -> str:
    """Return a proposal as the text of a commented `leadml.toml`.

    Parameters
    ----------
    proposal : Proposal

    Returns
    -------
    str
        `load_config` reads it as `proposal.config`.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadml.data.schema import infer_config
    >>> leads = pd.DataFrame({"id": [1, 2], "won": ["yes", "no"], "City": ["Ulm", "Bonn"]})
    >>> print(config_toml(infer_config(leads, "leads.csv")))  # doctest: +ELLIPSIS
    # What each column of the leads means. ...
    [leads]
    path = "leads.csv"
    id = "id"  # Every lead has its own value here: the id.
    ...
    demographic = [  # who the person is
      "City",  # A category of 2 values.
    ]
    ...
    """
    config, notes = proposal.config, proposal.notes
    leads, outcome, features = config.leads, config.outcome, config.features
    lines = [_CONFIG_HEAD, "[leads]", entry("path", quoted(leads.path))]
    keys = ("id", "created", "account", "contact", "value", "contacted")
    roles = {key: getattr(leads, key) for key in keys}
    lines += [
        *(entry(key, quoted(name), notes.get(name, "")) for key, name in roles.items() if name),
        entry("missing", listed(leads.missing), "texts that mean empty, whatever their case"),
        *linked_tables(config),
        "",
        "[outcome]",
        *([entry("path", quoted(outcome.path))] if outcome.path else []),
        *([entry("lead", quoted(outcome.lead))] if outcome.lead else []),
        entry("column", quoted(outcome.column), notes.get(outcome.column, "")),
        entry("won", listed(outcome.won)),
        entry("lost", listed(outcome.lost), "every other value, and empty, is open"),
    ]
    if outcome.closed:
        lines.append(entry("closed", quoted(outcome.closed), notes.get(outcome.closed, "")))
    lines.append(entry("horizon", quoted(outcome.horizon), "the time a lead has to be won"))
    lines += activity_tables(config)
    lines += ["", "# A column in none of these lists is not used.", "[features]"]
    for family in FAMILIES[:-1]:
        lines += _column_list(family, getattr(features, family), notes, FAMILY_MEANS[family])
    unfair = "never used to score, only to check fairness"
    lines += _column_list("protected", features.protected, notes, unfair)
    if features.keep:
        lines += _column_list("keep", features.keep, {}, "used whatever the leak check says")
    bant = {key: name for key, name in features.bant.model_dump().items() if name}
    lines += ["", "# Which columns tell budget, authority, need and time.", "[features.bant]"]
    lines += [
        entry(key, quoted(bant[key])) if key in bant else f'# {key} = "a column"'
        for key in BANT_LETTERS
    ]
    lines += table("features.kinds", {n: quoted(kind) for n, kind in features.kinds.items()})
    if features.monotone:
        lines += ["", "# 1: more never lowers the score; -1: more never raises it."]
    lines += table("features.monotone", {n: str(v) for n, v in features.monotone.items()})[1:]
    if features.exclude:
        lines += ["", "# Columns not used, and why."]
    lines += table("features.exclude", {n: quoted(why) for n, why in features.exclude.items()})[1:]
    lines += ["", "# Scores at which a lead is hot or warm; 50 is a lead of average chance."]
    lines += ["[bands]", f"hot = {config.bands.hot:g}", f"warm = {config.bands.warm:g}"]
    return "\n".join(lines) + "\n" + _HANDOFF


def starter_rules_toml(leads: pd.DataFrame, proposal: Proposal) -> str:
    """Return a first `rules.toml` for these leads, written without a look at the outcomes.

    Parameters
    ----------
    leads : DataFrame of shape (n_leads, n_columns)
    proposal : Proposal

    Returns
    -------
    str
        The positive points add up to about 100, to less where little can be guessed.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadml.data.schema import infer_config
    >>> leads = pd.DataFrame({"id": [1, 2, 3, 4], "won": ["yes", "no", "no", "no"]})
    >>> leads["visits"] = [0, 1, 3, 4]
    >>> print(starter_rules_toml(leads, infer_config(leads, "leads.csv")))
    # A first rule book: what a sales person would guess, ...
    [caps]
    behavioral = 15  # what the lead did
    # 15 points in all
    <BLANKLINE>
    [[rules]]
    name = "visits"
    family = "behavioral"
    column = "visits"
    per_unit = 4
    cap = 15
    <BLANKLINE>
    """
    leads = clean_cells(leads, proposal.config.leads.missing)
    rules = rules_of(leads, proposal.config)
    caps = family_caps(rules)
    lines = [_RULES_HEAD + "[caps]"]
    lines += [entry(family, str(cap), FAMILY_MEANS[family]) for family, cap in caps.items()]
    lines.append(comment(f"{sum(caps.values())} points in all"))
    live = [rule for rule in rules if not rule.template]
    for rule in live:
        lines += ["", *_rule_lines(rule)]
    templates = [rule for rule in rules if rule.template]
    if templates:
        lines.append(_TEMPLATES_HEAD.rstrip("\n"))
    for rule in templates:
        # a book needs one rule: where nothing is known, the first stands there with 0 points
        spare = not live and rule is templates[0]
        lines += ["", *(line if spare else f"# {line}" for line in _rule_lines(rule))]
    return "\n".join(lines) + "\n"


def _column_list(key: str, names: list[str], notes: dict[str, str], means: str) -> list[str]:
    # the list's own comment says the family already
    own = {name: notes.get(name, "").replace(f": {means}.", ".", 1) for name in names}
    rows = [f"  {quoted(name)},  {comment(note)}" for name, note in own.items()]
    return [f"{key} = [  {comment(means)}", *rows, "]"] if names else []


def _rule_lines(rule: StarterRule) -> list[str]:
    worth = {"per_unit": rule.per_unit, "cap": rule.points} if rule.per_unit else {}
    values = {
        "name": rule.name,
        "family": rule.family,
        **({"bant": rule.bant} if rule.bant else {}),
        "column": rule.column,
        **rule.when,
        **(worth or {"points": rule.points}),
    }
    return array_table("rules", values, rule.why)
