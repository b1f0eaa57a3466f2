"""The pages as a person meets them: a real browser with its network cut off."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import shapely

from maps.index_page import write_index
from maps.inputs import Inputs
from maps.outputs import MAP_NAME
from maps.palette import stroke
from maps.plan_map import PlanMap, draw_map
from maps.report import write_report
from maps.views import make_views
from tests.maps.conftest import Tab
from tests.maps.frames import EVIL, town

pytestmark = pytest.mark.browser

INK = """([text, size]) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.font = `${size * 0.7}px ` + getComputedStyle(document.body).fontFamily;
  context.fillText(text, size * 0.1, size * 0.8);
  return Array.from(context.getImageData(0, 0, size, size).data).filter((_, i) => i % 4 === 3).join(",");
}"""


def test_map_draws_every_feature_with_the_network_cut(tab: Tab, map_path: Path, drawn: PlanMap, inputs: Inputs) -> None:
    tab.open_map(map_path)
    unchecked = tab.page.locator("#layers input:not(:checked)")
    while unchecked.count():
        unchecked.first.check()
    tab.page.wait_for_function("digonce.counts().valves > 0 && digonce.counts().events > 0")
    counts = tab.evaluate("digonce.counts()")
    assert counts == drawn.counts == tab.evaluate("digonce.totals()")
    assert inputs.pairs is not None
    assert inputs.projects is not None
    assert inputs.leaks is not None
    assert inputs.roads is not None
    assert inputs.buildings is not None
    assert inputs.valves is not None
    assert counts == {
        "segments": len(inputs.segments),
        "overlaps": inputs.pairs["segment_id"].nunique(),
        "projects": len(inputs.projects) - 1,
        "bans": 2,
        "bans_to_come": 2,
        "leaks": len(inputs.leaks),
        "events": 2,
        "valves": len(inputs.valves),
        "compounds": 1,
        "roads": len(inputs.roads),
        "buildings": len(inputs.buildings),
    }
    assert tab.requests == []
    assert tab.complaints == []


def test_ink_is_on_the_map_where_a_segment_lies_and_none_where_its_layer_is_off(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    probe = """(id) => {
      const canvas = digonce.canvases.pipes;
      const [x, y] = digonce.pixel(id);
      const box = canvas._element.getBoundingClientRect();
      const ratio = canvas._element.width / box.width;
      return Array.from(canvas.context.getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data);
    }"""
    assert tab.evaluate(probe, "GAS-0001")[3] > 200
    for sign in (".sign-segments", ".sign-bar"):
        tab.page.locator(f"#layers label:has({sign}) input").first.uncheck()
    # the canvas is drawn anew with the next frame, not at once
    tab.page.wait_for_function(f"(id) => ({probe})(id)[3] === 0", arg="GAS-0001")
    assert tab.evaluate("digonce.counts().segments") == 0


@pytest.mark.parametrize("segment_id", ["GAS-0000", "GAS-0017", "GAS-0039"])
def test_click_on_a_segment_shows_its_id_and_facts(tab: Tab, map_path: Path, segment_id: str) -> None:
    tab.open_map(map_path)
    x, y = tab.evaluate("(id) => digonce.pixel(id)", segment_id)
    tab.page.mouse.click(x, y)
    popup = tab.page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert popup.locator("h3").inner_text() == segment_id
    assert "燃气" in popup.inner_text()
    assert "主要原因" in popup.inner_text()


def test_popup_of_a_segment_in_a_project_names_metres_project_and_year(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    assert tab.evaluate("digonce.select('GAS-0001')") is True
    text = tab.page.locator(".leaflet-popup-content").inner_text()
    for part in ("龙馨佳苑改造", "51.3 米", "2027", "B-1", "与计划期相交", "灰口铸铁应改造"):
        assert part in text
    assert tab.evaluate("digonce.select('no such segment')") is False


def test_click_on_nothing_opens_nothing_and_on_a_leak_shows_the_leak(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    tab.page.mouse.click(1380, 880)
    assert tab.page.locator(".leaflet-popup-content").count() == 0
    x, y = tab.evaluate(
        """() => {
          const s = digonce.sheets.leaks.shapes;
          const p = digonce.map.latLngToContainerPoint(digonce.map.unproject(L.point(s.x[2], s.y[2]), 0));
          const b = digonce.map.getContainer().getBoundingClientRect();
          return [p.x + b.left, p.y + b.top];
        }"""
    )
    tab.page.mouse.click(x, y)
    assert tab.page.locator(".leaflet-popup-content h3").inner_text() == "L-3"


def test_leaks_hide_no_pipe_from_afar_and_lie_above_them_from_near(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    seen = """([zoom, colour]) => {
      digonce.map.setView(digonce.map.getCenter(), zoom, { animate: false });
      return Object.fromEntries(["pipes", "marks"].map((stack) => {
        const canvas = digonce.canvases[stack];
        canvas._draw();
        const { data } = canvas.context.getImageData(0, 0, canvas._element.width, canvas._element.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4)
          count += data[i + 3] > 0 && colour.every((part, k) => Math.abs(part - data[i + k]) < 8);
        return [stack, count];
      }));
    }"""
    colour = [int(stroke("leak").colour[place : place + 2], 16) for place in (1, 3, 5)]
    afar, near = (tab.evaluate(seen, [zoom, colour]) for zoom in (14, 16))
    assert afar["marks"] == 0 < afar["pipes"]
    assert near["pipes"] == 0 < near["marks"]


def test_search_finds_street_compound_and_segment_with_the_keyboard_alone(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    field = tab.page.locator("#search input")
    wanted = (("金城", "道路", "金城路"), ("龙馨", "小区", "龙馨佳苑"), ("gas-0023", "管段", "GAS-0023"))
    for query, kind, title in wanted:
        field.fill(query)
        assert kind in tab.page.locator("#results li").first.inner_text()
        field.press("Enter")
        popup = tab.page.locator(".leaflet-popup-content")
        popup.wait_for()
        assert popup.locator("h3").inner_text() == title
    field.fill("nowhere at all")
    assert "没有找到" in tab.page.locator("#results").inner_text()
    assert tab.evaluate("digonce.selected.length") == 1
    field.press("Enter")
    assert tab.evaluate("digonce.selected.length") == 0


@pytest.mark.parametrize("zoom", [11, 16, 19, 22])
def test_what_is_found_is_seen_whole_and_no_nearer_than_its_surroundings(tab: Tab, map_path: Path, zoom: int) -> None:
    tab.open_map(map_path)
    field = tab.page.locator("#search input")
    for segment_id in ("GAS-0000", "GAS-0023", "GAS-0039"):
        tab.evaluate("(zoom) => digonce.map.setZoom(zoom, { animate: false })", zoom)
        field.fill(segment_id)
        field.press("Enter")
        found = tab.evaluate(
            """(id) => {
              const sheet = digonce.sheets.segments, map = digonce.map;
              const [west, north, east, south] = sheet.boxOf([sheet.header.ids.indexOf(id)]);
              const corner = (x, y) => map.unproject(L.point(x, y), 0);
              const box = L.latLngBounds(corner(west, south), corner(east, north));
              return { isSeen: map.getBounds().contains(box), zoom: map.getZoom(), nearest: map.getBoundsZoom(box) };
            }""",
            segment_id,
        )
        assert found["isSeen"]
        assert min(18, found["nearest"]) - 1 <= found["zoom"] <= 18


def test_the_hint_of_the_search_is_read_whole(browser: Any, map_path: Path) -> None:
    for width in (400, 1280):
        context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(map_path.as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        for language in ("zh", "en"):
            page.evaluate("(language) => digonce.panel.setLanguage(language)", language)
            room, needed = page.evaluate(
                """() => {
                  const field = document.querySelector("#search input"), style = getComputedStyle(field);
                  const context = document.createElement("canvas").getContext("2d");
                  context.font = style.font;
                  const inner = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
                  return [inner, context.measureText(field.placeholder).width];
                }"""
            )
            assert needed <= room, (width, language)
        context.close()


def test_search_finds_a_project_by_its_name_and_by_its_id(tab: Tab, map_path: Path, inputs: Inputs) -> None:
    tab.open_map(map_path)
    assert inputs.projects is not None
    field = tab.page.locator("#search input")
    drawn = inputs.projects[inputs.projects.geometry.notna() & ~inputs.projects.geometry.is_empty]
    for project_id, name in drawn["name"].items():
        for query in (str(name), str(project_id)):
            field.fill(query)
            tab.page.locator("#results li", has_text=str(project_id)).dispatch_event("mousedown")
            popup = tab.page.locator(".leaflet-popup-content")
            assert popup.locator("h3").inner_text() == project_id
            assert str(name) in popup.inner_text()


def test_street_popup_adds_up_the_kilometres_of_its_segments(tab: Tab, map_path: Path, inputs: Inputs) -> None:
    tab.open_map(map_path)
    tab.evaluate("digonce.panel.open(['street', '罗峰大街'])")
    own = inputs.segments[inputs.segments["street_name"] == "罗峰大街"]
    text = tab.page.locator(".leaflet-popup-content").inner_text()
    assert f"{len(own)}" in text
    assert f"{round(own['length_m'].sum() / 1000, 3):.3f} 公里" in text


def test_names_from_files_never_run(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    tab.evaluate("digonce.select('GAS-0035')")
    assert EVIL in tab.page.locator(".leaflet-popup-content").inner_text()
    tab.page.locator("#search input").fill("script")
    tab.page.locator("#search input").press("Enter")
    tab.evaluate("digonce.map.setZoom(17)")
    assert tab.evaluate("window.evil") is None
    assert tab.page.locator("img[src=x]").count() == 0


def test_language_switch_changes_every_word(tab: Tab, map_path: Path) -> None:
    tab.open_map(map_path)
    tab.evaluate("digonce.select('GAS-0001')")
    assert tab.page.locator("h1").inner_text() == "招远市地下管线改造一张图"
    tab.page.locator("[data-language]").click()
    assert tab.page.locator("h1").inner_text() == "招远市: pipe renewal map"
    assert tab.page.locator("#search input").get_attribute("placeholder") == "Segment, street, compound, project"
    assert "Material" in tab.page.locator(".leaflet-popup-content").inner_text()
    shown = tab.page.locator("#panel").inner_text().replace("招远市", "").replace("五年计划", "").replace("中文", "")
    assert re.findall(r"[\u4e00-\u9fff]+", shown) == []
    assert tab.evaluate("document.documentElement.lang") == "en"


def test_every_view_recolours_and_its_legend_adds_up(tab: Tab, map_path: Path, inputs: Inputs) -> None:
    tab.open_map(map_path)
    whole = inputs.segments["length_m"].sum() / 1000
    for view in make_views(inputs):
        tab.page.locator(f"input[value={view.key}]").check(force=True)
        rows = tab.page.locator("table.legend:visible tbody tr")
        kilometres = [float(row.get_attribute("data-km") or "nan") for row in rows.all()]
        assert sum(kilometres) == pytest.approx(whole)
        assert tab.evaluate("digonce.sheets.segments.classes.length") == len(view.classes) == len(kilometres)


@pytest.mark.parametrize("text", ["管", "段"])
def test_chinese_glyphs_are_not_boxes(tab: Tab, map_path: Path, text: str) -> None:
    tab.open_map(map_path)
    tofu = tab.evaluate(INK, ["\U0010fffe", 64])
    glyph = tab.evaluate(INK, [text, 64])
    other = tab.evaluate(INK, ["线", 64])
    assert len(set(glyph.split(","))) > 1
    assert glyph != tofu
    assert glyph != other


def test_phone_has_no_sideways_scroll_and_its_panel_folds(phone: Tab, map_path: Path) -> None:
    phone.open_map(map_path)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 400
    details = phone.page.locator("#details")
    assert not details.is_visible()
    phone.page.locator("#toggle").focus()
    phone.page.keyboard.press("Enter")
    assert details.is_visible()
    assert phone.evaluate("document.getElementById('details').scrollWidth") <= 400
    assert phone.page.locator("#toggle").get_attribute("aria-expanded") == "true"


def test_map_of_the_census_alone_says_what_is_missing(tab: Tab, tmp_path: Path) -> None:
    tab.open_map(draw_map(town(is_bare=True)).save(tmp_path / "bare.html"))
    text = tab.page.locator(".remarks").inner_text()
    for word in ("digonce score", "digonce plan", "漏点", "相关工程"):
        assert word in text
    assert tab.evaluate("digonce.counts()") == {"segments": 40}
    assert tab.complaints == []


def test_map_without_any_segment_opens_with_a_notice(tab: Tab, inputs: Inputs, tmp_path: Path) -> None:
    empty = dataclasses.replace(town(is_bare=True), segments=inputs.segments.iloc[:0])
    tab.open_map(draw_map(empty).save(tmp_path / "empty.html"))
    assert "尚未导入管段" in tab.page.locator("#notice").inner_text()
    assert tab.complaints == []


def test_old_browser_is_told_in_plain_words(tab: Tab, map_path: Path) -> None:
    tab.page.add_init_script("delete window.DecompressionStream")
    tab.open(map_path)
    tab.page.wait_for_function("!document.getElementById('notice').hidden")
    assert "Chromium" in tab.page.locator("#notice").inner_text()


def test_damaged_file_is_told_in_plain_words(tab: Tab, drawn: PlanMap, tmp_path: Path) -> None:
    cut, count = re.subn(r'(id="digonce-layer-segments">)[^<]{200}', r"\1", drawn.html)
    assert count == 1
    (tmp_path / "cut.html").write_text(cut, encoding="utf-8")
    tab.open(tmp_path / "cut.html")
    tab.page.wait_for_function("!document.getElementById('notice').hidden")
    assert "不完整" in tab.page.locator("#notice").inner_text()


def test_report_and_index_open_offline_and_fit_a_phone(
    phone: Tab, inputs: Inputs, drawn: PlanMap, tmp_path: Path
) -> None:
    drawn.save(tmp_path / MAP_NAME)
    write_report(inputs, tmp_path)
    index = write_index(inputs, tmp_path)
    for page in (tmp_path / "overlap-report.html", index):
        phone.open(page)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 400
        assert phone.evaluate("window.evil") is None
    phone.page.locator(".files a").first.click()
    phone.page.wait_for_selector("html[data-ready=yes]")
    assert phone.requests == []
    assert phone.complaints == []


def test_map_opens_on_the_city_where_one_segment_lies_4000_km_away(tab: Tab, inputs: Inputs, tmp_path: Path) -> None:
    shapes = list(inputs.segments.geometry)
    shapes[-1] = shapely.transform(shapes[-1], lambda points: points - 4_000_000.0)
    strayed = dataclasses.replace(inputs, segments=inputs.segments.set_geometry(shapes, crs=inputs.segments.crs))
    tab.open_map(draw_map(strayed).save(tmp_path / "strayed.html"))
    x, y = tab.evaluate("digonce.pixel('GAS-0017')")
    assert 372 < x < 1400
    assert 0 < y < 900
    assert tab.evaluate("digonce.counts().segments") == len(shapes) - 1
    assert "GAS-0039" in tab.page.locator(".remarks").inner_text()
    assert tab.complaints == []


def test_popup_on_a_phone_can_be_closed_by_its_cross(phone: Tab, map_path: Path) -> None:
    phone.open_map(map_path)
    # the map glides until the whole popup is in sight
    at_rest = """async (selector) => {
      const edge = () => document.querySelector(selector).getBoundingClientRect();
      const frame = () => new Promise(requestAnimationFrame);
      for (let still = 0, last = edge(); still < 12; still++) {
        await frame();
        if (edge().x !== last.x || edge().y !== last.y) still = 0;
        last = edge();
      }
      const box = edge();
      const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return found !== null && found.closest(selector) !== null;
    }"""
    for segment_id in ("GAS-0000", "GAS-0019", "GAS-0039"):
        assert phone.evaluate("(id) => digonce.select(id)", segment_id) is True
        assert phone.evaluate(at_rest, ".leaflet-popup-close-button")
        assert phone.evaluate(at_rest, ".leaflet-popup-content h3")
    phone.page.locator(".leaflet-popup-close-button").click()
    phone.page.wait_for_function("document.querySelector('.leaflet-popup') === null")
    assert phone.page.locator("#whole").is_visible()


def test_english_money_stays_in_its_card_and_popups_have_its_unit(tab: Tab, inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.batches is not None
    dear = dataclasses.replace(inputs, batches=inputs.batches.assign(cost_cny=49_940_000.0, saving_cny=1e9))
    write_report(dear, tmp_path, "en")
    for page in (write_index(dear, tmp_path, language="en"), tmp_path / "overlap-report.html"):
        tab.open(page)
        for width in (400, 1280):
            tab.page.set_viewport_size({"width": width, "height": 900})
            cards = "Array.from(document.querySelectorAll('.numbers div'))"
            wide = f"{cards}.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
            assert tab.evaluate(wide) == []
    tab.open_map(draw_map(dear, language="en").save(tmp_path / "map.html"))
    tab.evaluate("digonce.select('GAS-0001')")
    assert "0.1 million CNY" in tab.page.locator(".leaflet-popup-content").inner_text()
