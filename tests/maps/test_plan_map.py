from __future__ import annotations

import re
from pathlib import Path

import pytest

from maps.index_page import write_index
from maps.inputs import Inputs
from maps.offline import leaflet_file, safe_script
from maps.plan_map import PlanMap, draw_map
from maps.report import write_report
from tests.maps.frames import EVIL, town

REMOTE = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import""", re.IGNORECASE)


@pytest.fixture(scope="module")
def pages(inputs: Inputs, drawn: PlanMap, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pages")
    drawn.save(folder / "renewal-map.html")
    write_report(inputs, folder)
    write_index(inputs, folder)
    return sorted(folder.glob("*.html"))


def test_no_page_names_an_address_of_any_server(pages: list[Path]) -> None:
    assert len(pages) == 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        # Leaflet's attribution prefix is a string in its source that our page switches off
        own = text.replace(leaflet_file("leaflet.js").decode("utf-8").split("sourceMappingURL")[0].rstrip("\n/# "), "")
        assert REMOTE.search(own) is None, page.name


def test_same_inputs_give_the_same_bytes(drawn: PlanMap) -> None:
    assert draw_map(town()).html == drawn.html


def test_names_from_files_are_escaped_in_every_page(pages: list[Path]) -> None:
    for page in pages:
        assert EVIL not in page.read_text(encoding="utf-8"), page.name


def test_city_and_plan_names_are_escaped(inputs: Inputs) -> None:
    import dataclasses

    html = draw_map(dataclasses.replace(inputs, city=EVIL, plan_name="</script>" + EVIL)).html
    assert EVIL not in html
    assert "{{" not in draw_map(dataclasses.replace(inputs, city="x")).html.split("<body>")[1].split("<script", 1)[0]


def test_template_marks_in_names_stay_text(inputs: Inputs) -> None:
    import dataclasses

    html = draw_map(dataclasses.replace(inputs, plan_name="{{ 7 * 191 }}{% raw %}")).html
    assert "{{ 7 * 191 }}" in html
    assert "1337" not in html.split('id="digonce-config"')[0].split("<aside")[1]


def test_scripts_cannot_end_their_element() -> None:
    assert safe_script("a = '</script>';\n//# sourceMappingURL=x.map") == "a = '<\\/script>';\n"
    assert "<!--" not in safe_script("b = '<!-- x';")


def test_shown_in_a_notebook_inside_a_frame(drawn: PlanMap) -> None:
    shown = drawn._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert shown.startswith("<iframe srcdoc=")
    assert shown.count("<") == 2


def test_held_back_rows_are_a_line_of_their_own_everywhere(pages: list[Path]) -> None:
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.search(r'class="held">.*未入库：5 行，线状 0\.81 公里', text), page.name


def test_english_page_opens_in_english(inputs: Inputs) -> None:
    html = draw_map(inputs, language="en").html
    assert "<title>招远市: pipe renewal map</title>" in html
    assert '"language":"en"' in html
