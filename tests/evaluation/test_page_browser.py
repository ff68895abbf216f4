"""The page in a real browser: headless Chromium by Playwright, where both are there."""

import json
import re
import shutil

import numpy as np
import pytest
from page_payload import MODELS, SCRIPT, compute_score, draw_values, sample_payload

from leadml.evaluation.page.render import render_page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def payload():
    return sample_payload(n_leads=1500)


@pytest.fixture(scope="module")
def address(payload, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(payload), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *QUIET]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Open the page; at the end nothing may have been said, failed or asked for."""
    contexts, said, asked = [], [], []

    def open_page(width=1440, height=1000, **settings):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **settings
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        sync_api.expect(page.locator(".drawing:not(:has(svg))")).to_have_count(0)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {address}


def test_everything_is_drawn_and_nothing_is_said(open_page, payload):
    page = open_page()
    assert page.title() == payload["title"]
    assert page.locator("section").count() == 15
    charts = page.locator("svg[role=img]")
    assert charts.count() >= 14
    labels = [chart.get_attribute("aria-label") for chart in charts.all()]
    assert all(labels)
    assert not re.search(r"undefined|NaN|null|Infinity", page.locator("main").inner_text())


def test_every_chart_has_its_numbers(open_page):
    page = open_page()
    for figure in page.locator("figure.chart:has(svg)").all():
        figure.locator("details.numbers > summary").first.click()
    tables = page.locator("figure.chart details.numbers table")
    assert tables.count() == page.locator("figure.chart:has(svg)").count()
    assert not re.search(r"undefined|NaN|null|Infinity", " ".join(tables.all_inner_texts()))


def test_slider_moves_sentence_and_table(open_page, payload):
    page = open_page()
    slider, sentence = page.locator("#capacity-slider"), page.locator("#capacity-sentence")
    before = sentence.inner_text()
    slider.fill("40")  # the fraction 0.31
    row = next(row for row in payload["capacity"]["rows"] if row["fraction"] == 0.31)
    calls = f"{row['n_leads'] / 26:.0f} calls a week"
    assert sentence.inner_text() != before
    assert calls in sentence.inner_text()
    first = page.locator("#capacity-table tbody tr").first.inner_text().split("\t")
    assert first[0] == "model"
    assert first[2] == f"{row['n_won']:.0f}"
    assert first[6:] == [f"{row['n_leads']:,}", f"{row['n_leads'] / 26:.0f}"]
    assert page.locator("#capacity-calls").input_value() == f"{row['n_leads'] / 26:.0f}"


def test_calls_typed_in_move_the_slider(open_page):
    page = open_page()
    page.locator("#capacity-calls").fill("50")
    assert "ith 50 calls a week" in page.locator("#capacity-sentence").inner_text()
    assert page.locator("#capacity-slider").get_attribute("aria-valuetext").endswith("50 a week")


def test_sentence_says_when_no_difference_can_be_shown(open_page, payload):
    page = open_page()
    said = {True: "no difference can be shown", False: "95 % interval"}
    fractions = sorted({row["fraction"] for row in payload["capacity"]["rows"]})
    for place in (12, 20, 50, 90):
        page.locator("#capacity-slider").fill(str(place))
        row = payload["capacity"]["differences"][place]
        assert row["fraction"] == fractions[place]
        text = page.locator("#capacity-sentence").inner_text().replace("\N{NO-BREAK SPACE}", " ")
        holds_zero = row["lower"] <= 0 <= row["upper"]
        assert said[holds_zero] in text
        assert ("no difference" in text) == holds_zero


def test_keyboard_reaches_and_moves_the_slider(open_page):
    page = open_page()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "capacity-slider":
            break
    else:
        pytest.fail("Tab did not reach the slider")
    before = page.locator("#capacity-sentence").inner_text()
    value = int(page.locator("#capacity-slider").input_value())
    page.keyboard.press("ArrowRight")
    assert page.locator("#capacity-slider").input_value() == str(value + 1)
    assert page.locator("#capacity-sentence").inner_text() != before


def test_marks_speak_to_pointer_and_keyboard(open_page):
    page = open_page()
    chart, tip = page.locator("[data-figure=bands] svg"), page.locator("#tip")
    chart.locator(".bar").first.hover()
    sync_api.expect(tip).to_contain_text("Hot, model")
    page.mouse.move(2, 2)
    sync_api.expect(tip).to_be_hidden()
    chart.press("ArrowRight")
    chart.press("End")
    sync_api.expect(tip).to_contain_text("Cold, rules")
    assert re.search(r"95 % interval.*leads", tip.inner_text(), re.DOTALL)
    page.keyboard.press("Escape")
    sync_api.expect(tip).to_be_hidden()


def test_what_if_computes_as_python_does(open_page, payload):
    page = open_page()
    panel = payload["what_if"]
    leads = draw_values(panel["fields"], 100, np.random.default_rng(1))
    leads += [[None] * 4, [10.5, "never seen", 99.0, "DE"], [0, "fair", 0, "US"]]
    found = page.evaluate("leads => leads.map(values => leadml.score(values))", leads)
    for values, scores in zip(leads, found, strict=True):
        for model in panel["models"]:
            expected, got = compute_score(model, values), scores[model["name"]]
            lines = {line["feature"]: line["points"] for line in got["lines"]}
            assert got["raw"] == pytest.approx(expected["raw"], abs=1e-9)
            assert got["score"] == expected["score"]
            assert got["probability"] == pytest.approx(expected["probability"], abs=1e-9)
            assert lines == pytest.approx(expected["lines"], abs=1e-9)


def test_what_if_panel_follows_its_fields(open_page, payload):
    page = open_page()
    panel = payload["what_if"]
    values = [field["typical"] for field in panel["fields"]]
    page.locator("[data-field=visits_30d]").fill("11")
    page.locator("[data-field=source]").select_option(label=SCRIPT)
    page.locator("[data-field=emails_opened]").fill("")
    values[:3] = 11, SCRIPT, None
    for model in panel["models"]:
        expected = compute_score(model, values)
        card = page.locator(f"#what-if-scores [data-model={model['name']}]")
        assert card.locator("b").inner_text() == str(expected["score"])
        assert f"{100 * expected['probability']:.1f}" in card.inner_text()
    assert page.locator(".sum tr.changed").count() >= 3
    page.locator("#what-if-reset").click()
    assert page.locator("[data-field=visits_30d]").input_value() == "2"
    assert page.locator(".sum tr.changed").count() == 0


def test_lead_is_found_and_opened_in_what_if(open_page, payload):
    page = open_page()
    lead = payload["leads"][17]
    page.locator("#lead-search").fill(lead["lead_id"])
    card = page.locator("#lead-card")  # what is found is shown, without a click
    assert lead["lead_id"] in card.inner_text()
    for name in MODELS:
        assert str(lead["scores"][name]["score"]) in card.inner_text()
    page.locator("#open-what-if").click()
    shown = page.locator("#what-if-scores b").all_inner_texts()
    assert shown == [str(lead["scores"][name]["score"]) for name in MODELS]
    page.locator("#lead-search").fill("no such id")
    assert page.locator("#lead-results button").count() == 0
    assert card.inner_text() == ""
    assert page.locator("#open-what-if").count() == 0


def test_disagreement_opens_both_sums(open_page, payload):
    page = open_page()
    rows = page.locator(".lead-row")
    assert rows.count() == len(payload["disagreement"])
    rows.first.locator("summary").click()
    assert rows.first.locator(".sum").count() == 2


def test_filter_and_show_all_of_points(open_page, payload):
    page = open_page()
    box = page.locator("#points input[type=search]")
    assert page.locator("#points-list figure").count() == len(payload["points"])
    box.fill("referral")
    assert page.locator("#points-list h3").all_inner_texts() == ["Source context"]


def test_script_in_a_category_stays_text(open_page):
    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert page.locator("script").count() == 2
    assert page.locator("[data-field=source] option", has_text=SCRIPT).count() == 1
    for summary in page.locator("#points-list summary").all():
        summary.click()
    assert page.locator("#points-list th", has_text=SCRIPT).count() == 1


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_width_overflows(open_page, width):
    page = open_page(width)
    for details in page.locator("details > summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_long_names_and_ids_do_not_overflow(browser, payload, tmp_path):
    text = json.dumps(payload).replace('"L-', '"7927b2df-8bba-4d29-b9a2-b6e0beafc')
    text = text.replace('"rules"', '"champion of 2025-11 (the starter rule book)"')
    path = tmp_path / "long.html"
    path.write_text(render_page(json.loads(text)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    sync_api.expect(page.locator(".drawing:not(:has(svg))")).to_have_count(0)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert width <= 390


def test_print_hides_controls_and_is_light(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    for hidden in ("#capacity-slider", "#theme", ".contents", "#points input[type=search]"):
        assert not page.locator(hidden).is_visible()
    for shown in ("#capacity-sentence", "#capacity-table", "[data-figure=bands] svg .bar"):
        assert page.locator(shown).first.is_visible()
    assert ground(page) == "rgb(255, 255, 255)"


def test_theme_follows_the_system_and_the_button(open_page):
    assert ground(open_page()) == "rgb(255, 255, 255)"
    page = open_page(color_scheme="dark")
    assert ground(page) == "rgb(17, 22, 27)"
    button = page.locator("#theme")
    assert button.inner_text() == "Light"
    button.click()
    assert ground(page) == "rgb(255, 255, 255)"
    assert button.inner_text() == "Dark"


def test_without_scripts_the_words_are_there(browser, address, payload):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert payload["verdict"][0].split(",")[0] in page.inner_text("#verdict")
    assert "Calibration slope" in page.inner_text("#figures")
    assert not page.locator("#points").is_visible()
    context.close()


def test_page_of_one_model_without_weeks(browser, payload, tmp_path):
    alone = {name: payload[name] for name in ("title", "n_leads", "n_won", "unit", "response")}
    rows = [row for row in payload["capacity"]["rows"] if row["model"] == "model"]
    alone["capacity"] = {"weeks": None, "chosen": 0.1, "rows": rows, "differences": []}
    alone |= {"models": ["model"], "reliability": {"model": payload["reliability"]["model"]}}
    path = tmp_path / "alone.html"
    path.write_text(render_page(alone), encoding="utf-8")
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    assert "Among the 150 best-scored leads the model finds" in page.inner_text("#capacity")
    assert page.locator("#capacity-calls").count() == 0
    page.close()
    assert errors == []


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")
