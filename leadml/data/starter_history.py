"""Write the parts of a first `leadml.toml` that describe a history."""

from leadml.config import Config
from leadml.data.toml_text import comment, entry, listed, quoted


def linked_tables(config: Config) -> list[str]:
    """Return the lines of `[accounts]` and `[contacts]`."""
    lines = []
    for name, table in (("accounts", config.accounts), ("contacts", config.contacts)):
        if table is not None:
            lines += ["", f"[{name}]", entry("path", quoted(table.path))]
            lines.append(entry("id", quoted(table.id)))
    return lines


def activity_tables(config: Config) -> list[str]:
    """Return the lines of `[[activities]]` and `[snapshots]`; none without a history."""
    if not config.has_history:
        return []
    lines = []
    for table in config.activities:
        lines += ["", "[[activities]]", entry("path", quoted(table.path))]
        if table.name:
            lines.append(entry("name", quoted(table.name)))
        lines += [entry("lead", quoted(table.lead)), entry("at", quoted(table.at))]
        if table.kind:
            lines.append(entry("kind", quoted(table.kind), "each value is counted by itself"))
        if table.kind_value:
            lines.append(entry("kind_value", quoted(table.kind_value), "every row is one of these"))
        if table.measures:
            lines.append(entry("measures", listed(table.measures), "summed over each window"))
    snapshots = config.snapshots_or_default()
    lines += [
        "",
        comment("When a lead is looked at, and over which days before that its activities count."),
        "[snapshots]",
        entry("ages", listed(snapshots.ages), "days after its creation, while it is open"),
        entry("windows", listed(snapshots.windows)),
        entry("half_life", quoted(snapshots.half_life), "an activity so old counts half"),
    ]
    if snapshots.as_of:
        as_of = entry("as_of", quoted(snapshots.as_of), "the day the data was exported")
    else:
        as_of = comment('as_of = "2026-01-31"  # the day of the export; else the newest date met')
    return [*lines, as_of]
