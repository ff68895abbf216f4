import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from page_payload import SCRIPT, sample_payload

from leadml.evaluation.page.render import SCRIPTS, render_page

FOLDER = files("leadml.evaluation.page")
VOID = {"meta", "br", "link"}
BARE = {"title": "Leads", "models": ["model"], "n_leads": 2, "n_won": 1}


class Page(HTMLParser):
    """Collect texts by element and by id of a section; every tag opened has to be closed."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.sections, self.scripts, self.policy = [], [], [], [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "section":
            self.sections.append(attributes["id"])
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            self.scripts.append(text)
        elif self.open and self.open[-1] != "style":
            self.text.append(text)

    def words(self):
        return re.sub(r"[ \n]+", " ", " ".join(self.text))


@pytest.fixture(scope="module")
def payload():
    return sample_payload(n_leads=400, n_sample=10)


@pytest.fixture(scope="module")
def page(payload):
    return Page(render_page(payload))


def test_equal_payloads_give_equal_pages(payload):
    again = json.loads(json.dumps(payload))
    turned = dict(reversed(again.items()))
    assert render_page(turned) == render_page(payload) == render_page(again)


def test_page_reads_without_its_script(payload, page):
    words = page.words()
    sentences = [*payload["warnings"], *payload["verdict"], *payload["notes"]]
    facts = [text for fact in payload["facts"] for text in fact]
    for text in [payload["title"], *sentences, *facts, "Calibration slope", "How to read it"]:
        assert " ".join(text.split()) in words.replace("\N{NO-BREAK SPACE}", " ")


def test_payload_stands_in_the_page_as_it_is(payload, page):
    data, script = page.scripts
    assert json.loads(data) == payload
    assert not set(data) & set("<>&\u2028\u2029")
    assert SCRIPT not in script


def test_text_cannot_break_out_of_the_data():
    hostile = "</script><script>alert(1)</script><!-- \u2028 &amp; é"
    page = Page(render_page({**BARE, "title": hostile, "notes": [hostile]}))
    assert json.loads(page.scripts[0])["title"] == hostile
    assert len(page.scripts) == 2
    assert page.words().count("</script><script>alert(1)</script><!--") == 3  # head, h1 and note


def test_only_the_pages_own_script_may_run(page):
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["img-src"] == "data:"


def test_page_asks_for_nothing_else(payload):
    html = render_page(payload)
    addresses = set(re.findall(r"\w+://[^\"'\s<]*", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"url\((?!#)|@import|\bsrc=", html)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_make_text_nodes_only(name):
    text = FOLDER.joinpath(name).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\(", text
    )
    assert not re.search(r"</script|<!--", text, re.IGNORECASE)
    assert len(text.splitlines()) <= 400


def test_sections_without_figures_are_left_out(payload, page):
    assert Page(render_page(BARE)).sections == ["verdict", "reading"]
    empty = {key: None if payload[key] is None else type(payload[key])() for key in payload}
    assert Page(render_page({**empty, **BARE})).sections == ["verdict", "reading"]
    assert len(page.sections) == 15


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("capacity", "capacity"),
        ("grid", "grid"),
        ("response", "response"),
        ("points", "points"),
        ("leads", "leads"),
        ("what_if", "what-if"),
        ("metrics", "figures"),
        ("structures", "tried"),
    ],
)
def test_section_goes_with_its_key(payload, page, key, section):
    without = Page(render_page({**payload, key: None if key == "capacity" else []}))
    assert set(page.sections) - set(without.sections) == {section}


def test_figures_are_written_alike(payload):
    row = {"metric": "ece", "model": "model", "value": 0.0123, "lower": 0.01, "upper": 0.02}
    less = {"metric": "ece", "model": "model", "other": "rules", "difference": -0.5, "lower": -0.61}
    less |= {"upper": -0.4, "higher_is_better": False, "better": "model"}
    unknown = {"metric": "roc_auc", "model": "model", "value": None, "lower": None, "upper": None}
    shown = Page(render_page({**payload, "metrics": [row, unknown], "differences": [less]})).words()
    words = shown.replace("\N{NO-BREAK SPACE}", "~")
    assert "1.2~% 1.0 to 2.0~%" in words
    assert "better \N{MINUS SIGN}50.0~pp \N{MINUS SIGN}61.0 to \N{MINUS SIGN}40.0~pp" in words
    assert "outranks a lost one –" in words


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        render_page({**BARE, "n_won": float("nan")})


@pytest.mark.parametrize("theme", [0, 1])
def test_colors_are_read_on_their_ground(theme):
    style = FOLDER.joinpath("page.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", style)
    colors = {name: both[theme] for name, *both in pairs}
    words = {"ink", "muted", "accent", "good", "bad", "hot", "warm", "cold"}
    words |= {f"m{place}" for place in range(5)}
    for ground in ("paper", "raised"):
        for name in words:
            assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground)
        # borders and reference lines: WCAG 2.2, 1.4.11
        assert contrast(colors["firm"], colors["paper"]) >= 3


def contrast(one, other):
    """Return the contrast of two colours: WCAG 2.2, relative luminance."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
