"""Pages of several boxes: structure, policy, safety, size, sameness, and that what they say follows from the rows."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.bench.published import Published, Unit
from ipsecbench.comparison.boxes import rank_boxes
from ipsecbench.comparison.compare import compare
from ipsecbench.comparison.model import Box, Comparison, Outcome
from ipsecbench.comparison.security_cost import security_costs
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import UNKNOWN_DATE, VERDICT_KINDS, DatasetVerdict, Source
from ipsecbench.errors import UsageError
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import text_of
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic
from ipsecbench.report.comparison.boxes import MOST_NAMED
from ipsecbench.report.comparison.page import (
    LARGEST_PAGE_BYTES,
    MOST_BOXES,
    Layout,
    layout_of,
    render_comparison,
    write_comparison,
)

HOSTILE = (
    "<img src=x onerror=alert(1)><b>\"'&",
    "x" * 400,
    "\u202egnp.exe\u202c and \x1b[31mred",
    "A & B</script><script>alert(1)</script>",
    "",
    "x" * 399,
    "\ud800 lone surrogate",
)
Make = Callable[..., Dataset]


def _box(dataset: Dataset, name: str, price: float | None = None) -> Box:
    return Box(name, f"title of {name}", dataset, f"/somewhere/{name}.ipsecbench.json", price)


def imported(name: str, unfit: bool = False, flags: tuple[str, ...] = ("cpu-time",), scale: float = 1.0) -> Dataset:
    """A dataset as ``openssl speed`` of others gives it."""
    rows = []
    for size, speed in ((16, 90e6), (1024, 800e6), (8192, 900e6)):
        work = Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128", size)
        ns = size / (speed * scale) * 1e9
        published = (Published(speed * scale, Unit("B/s"), 7),)
        row_flags = (*flags, "engine-cpu-time") if unfit and size == 8192 else flags
        estimate = Estimate(ns, ns * 0.95, ns * 1.05)
        rows.append(Measurement(work, Status.OK, (), estimate, flags=row_flags, published=published))
    source = Source(
        "openssl-speed", f"{name}.txt", "ab" * 32, device=name, url="https://example.org/a<b>", licence="CC0"
    )
    return Dataset(
        UNKNOWN_DATE,
        "0.1.0",
        None,
        "finished",
        {},
        {"hardware": {"cpu": {"model": name}}, "libraries": []},
        tuple(rows),
        source=source,
        verdicts=(DatasetVerdict("cpu-time", "seconds of processor time, <not> elapsed ones"),),
    )


def pair(make_dataset: Make) -> Comparison:
    before = make_dataset("x86-aes", label="firmware 1", lab={"aes128gcm16": 40.0})
    after = make_dataset("x86-aes", scale=0.9, label="firmware 2", lab={"aes128gcm16": 40.0})
    return compare([_box(before, "before"), _box(after, "after")])


def several(make_dataset: Make, names: tuple[str, ...] = ("one", "two", "three")) -> Comparison:
    kinds = ("x86-aes", "arm-no-aes", "mips-no-aes")
    return compare(
        [
            _box(make_dataset(kinds[place % 3], scale=1 + place / 50), name, 100.0 * (place + 1))
            for place, name in enumerate(names)
        ]
    )


def _pair(make_dataset: Make) -> str:
    return render_comparison(pair(make_dataset), command="ipsecbench report a b")


def _boxes(make_dataset: Make) -> str:
    return render_comparison(several(make_dataset))


def _ranked(make_dataset: Make) -> str:
    comparison = several(make_dataset)
    boxes = [comparison.baseline, *(one.box for one in comparison.boxes)]
    wanted = Requirements(goal_mbit_per_second=200)
    ranking = rank_boxes(boxes, load_policy("nist"), wanted)
    return render_comparison(comparison, ranking, security_costs(boxes, wanted.traffic))


def _imported(make_dataset: Make) -> str:
    datasets = [imported("board"), imported("engine board", unfit=True), imported("gcm", flags=("spread-assumed",))]
    return render_comparison(compare([_box(one, str(place)) for place, one in enumerate(datasets)]))


def _hostile(make_dataset: Make) -> str:
    return render_comparison(several(make_dataset, HOSTILE))


def _nothing(make_dataset: Make) -> str:
    return render_comparison(compare([_box(imported("a"), "a"), _box(make_dataset(), "b")]))


CASES: dict[str, Callable[[Make], str]] = {
    "pair": _pair,
    "boxes": _boxes,
    "ranked": _ranked,
    "imported": _imported,
    "hostile": _hostile,
    "nothing-in-common": _nothing,
}
_PAGES: dict[str, Any] = {}


@pytest.fixture(params=list(CASES))
def page(request: pytest.FixtureRequest, make_dataset: Make, read_page: Callable[[str], Any]) -> Any:
    """The page of each case, made once."""
    return _page(request.param, make_dataset, read_page)


def _page(case: str, make_dataset: Make, read_page: Callable[[str], Any]) -> Any:
    if case not in _PAGES:
        _PAGES[case] = read_page(CASES[case](make_dataset))
    return _PAGES[case]


def _data(page: Any) -> Any:
    return json.loads(page.by_id("ipsecbench-data").text)


def test_every_element_is_closed_in_its_place(page: Any) -> None:
    assert page.html.startswith("<!DOCTYPE html>")
    assert page.faults == []


def test_ids_are_unique_and_every_reference_within_the_page_has_its_target(page: Any) -> None:
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    wanted = {node.attributes["href"].removeprefix("#") for node in page.all("a")}
    for name in ("aria-labelledby", "aria-describedby"):
        wanted |= {word for node in page.all() for word in node.attributes.get(name, "").split()}
    assert wanted <= set(ids)


def test_headings_go_down_one_level_at_a_time(page: Any) -> None:
    levels = [int(node.name[1]) for node in page.all() if re.fullmatch("h[1-6]", node.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_nothing_is_loaded_and_nothing_can_run_but_the_pages_own_script(page: Any) -> None:
    loading = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping", "xlink:href", "style"}
    for node in page.all():
        assert not loading & set(node.attributes), node.name
        assert node.attributes.get("href", "#").startswith("#")
        assert not [name for name in node.attributes if name.startswith("on")]
    assert not [name for name in ("link", "iframe", "img", "object", "base") if page.all(name)]
    assert [node.attributes.get("type") for node in page.all("script")] == ["application/json", None]
    policy = next(node.attributes["content"] for node in page.all("meta") if "http-equiv" in node.attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_same_inputs_give_the_same_bytes(make_dataset: Make) -> None:
    for make in CASES.values():
        assert make(make_dataset) == make(make_dataset)


def test_foreign_names_are_text_and_bounded(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    page = _page("hostile", make_dataset, read_page)
    assert "x" * 130 not in page.html
    assert not re.search("[\u202a-\u202e\x1b\ud800]", page.html)
    names = [
        node.text.strip() for node in page.by_id("standing-table").all("th") if node.attributes.get("scope") == "row"
    ]
    assert len(set(names)) == len(HOSTILE) - 1
    assert any(name.startswith("A & B</script>") for name in names)
    assert [box["name"][:4] for box in _data(page)["boxes"]][:2] == ["<img", "xxxx"]


def test_before_and_after_says_how_many_rows_changed(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    comparison = pair(make_dataset)
    assert layout_of(comparison) is Layout.PAIR
    page = _page("pair", make_dataset, read_page)
    (box,) = comparison.boxes
    counts = Counter(one.outcome for one in box.ratios)
    # Every time is nine tenths of what it was, so that every rate is a ninth higher.
    assert counts == {Outcome.FASTER: len(box.ratios)}
    assert page.by_id("verdict-title").text == "Faster, and nowhere slower"
    (sentence,) = (node.text for node in page.all("p") if node.attributes.get("class") == "sentence")
    assert sentence.startswith(f"{len(box.ratios)} rows faster; ")
    lines = page.by_id("row-table").all("tr")[1:]
    assert len(lines) == len(box.ratios)
    for line, one in zip(lines, box.ratios, strict=True):
        cells = [node for node in line.children if node.name in ("th", "td")]
        assert cells[0].text == one.workload.algorithm
        assert float(cells[7].attributes["data-sort"]) == pytest.approx(one.base_ns.median / one.other_ns.median, 1e-4)
        assert float(cells[7].attributes["data-sort"]) == pytest.approx(1 / 0.9, 1e-3)
        assert cells[8].text == "faster"


def test_tiers_never_share_a_table_or_an_axis(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    lab = {"aes128gcm16": 40.0, "aes256gcm16": 40.0, "chacha20poly1305": 30.0}
    boxes = [_box(make_dataset("x86-aes", lab=lab), "a"), _box(make_dataset("arm-no-aes", lab=lab), "b")]
    page = read_page(render_comparison(compare(boxes), layout=Layout.BOXES))
    tiers = {tier.value for tier in Tier}
    data = _data(page)
    for matrix in data["matrices"]:
        assert len({view["key"][0] for view in matrix["views"]}) == 1
    assert {matrix["views"][0]["key"][0] for matrix in data["matrices"]} == {"primitive", "packet-loop", "tun-lab"}
    groups = [node.attributes["data-group"] for node in page.all("ul") if "data-group" in node.attributes]
    assert len(groups) > 1
    assert len({group.split("-rate-")[0] for group in groups}) == len(
        {group.split("-rate-")[0] for group in groups} & {f"sizes-{tier}" for tier in tiers}
    )


def test_verdicts_stand_beside_the_figures_as_text(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    page = _page("imported", make_dataset, read_page)
    table = page.by_id("matrix-primitive-rate")
    cells = [node for node in table.all("td") if node.attributes.get("data-sort") != "-1"]
    assert cells
    doubtful = [cell for cell in cells if "doubt" in cell.text]
    # Two of the three boxes were divided by processor time.
    assert len(doubtful) == 2
    legend = page.by_id("verdicts").text
    assert VERDICT_KINDS["cpu-time"].title in legend
    assert VERDICT_KINDS["engine-cpu-time"].title in legend
    assert VERDICT_KINDS["spread-assumed"].title not in legend
    assert "seconds of processor time, <not> elapsed ones" in page.by_id("sources").text
    for words in ("CC0", "https://example.org/a<b>", "day not stated", "engine board"):
        assert words in page.by_id("sources").text


def test_what_is_unfit_is_shown_and_never_compared(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    datasets = [imported("a"), imported("b", unfit=True, flags=("cpu-time",))]
    comparison = compare([_box(one, name) for one, name in zip(datasets, "ab", strict=True)])
    page = read_page(render_comparison(comparison, layout=Layout.BOXES))
    data = _data(page)
    unfit = [figure for row in data["rows"] for figure in row[6] if len(figure) > 6]
    assert len(unfit) == 1
    assert len(comparison.boxes[0].ratios) == 2
    assert "is not what it seems" in page.by_id("refused-table").text


def test_the_data_has_every_figure_and_ratios_follow_from_it(
    make_dataset: Make, read_page: Callable[[str], Any]
) -> None:
    comparison = several(make_dataset)
    data = _data(_page("boxes", make_dataset, read_page))
    assert data["format"] == "ipsecbench comparison"
    assert data["rows_left_out"] == 0
    boxes = [comparison.baseline, *(one.box for one in comparison.boxes)]
    found = 0
    for tier, provider, operation, algorithm, size, cores, figures in data["rows"]:
        sized = {"mix": size} if isinstance(size, str) else {"size_bytes": size}
        work = Workload(Tier(tier), provider, operation, algorithm, cores=cores, **sized)
        for number, median, lower, upper, *_ in figures:
            row = boxes[number].dataset.get(work)
            assert row is not None
            assert row.ns_per_operation is not None
            ns = row.ns_per_operation
            assert (median, lower, upper) == pytest.approx((ns.median, ns.lower, ns.upper), rel=1e-4)
            found += 1
    assert found == sum(1 for box in boxes for row in box.dataset.measurements if row.usable)


def test_facts_in_the_data_are_those_that_differ(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    data = _data(_page("boxes", make_dataset, read_page))
    models = data["facts"]["processor"]
    assert len(models["values"]) == 3
    assert models["values"][models["boxes"][1]].startswith("Synthetic Cortex-A53")


def test_the_ranking_comes_first_and_names_the_best(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    page = _page("ranked", make_dataset, read_page)
    assert page.by_id("verdict-title").text.startswith(
        "1 of 3 boxes reaches 200 Mbit/s of IMIX 7:4:1 under the policy nist"
    )
    table = page.by_id("ranking-table")
    first = table.all("tr")[1]
    assert first.all("th")[0].text.startswith("one")
    assert "Cheapest of those that reach it: one, 100." in page.html
    assert page.by_id("cost-table-1").all("tr")[1].all("th")[0].text == "one"
    assert page.by_id("front-packet-loop-section")


def test_a_priced_box_alone_in_its_tier_is_named_below_the_price_chart(
    make_dataset: Make, read_page: Callable[[str], Any]
) -> None:
    measured = make_dataset()
    sheet = Sheet(text_of(b"", "t.csv"), "tunnel-table", label="gateway")
    tunnel = Workload(Tier.ON_WIRE, "tunnel-table", "both", "aes128gcm16", 1400)
    sheet.figure(tunnel, 2000.0, Unit.MEGABITS)
    boxes = [_box(measured, "one", 100), _box(measured, "two", 200), _box(sheet.dataset(), "gateway", 300)]
    wanted = Requirements(traffic=Traffic(size_bytes=1400))
    page = read_page(render_comparison(compare(boxes), rank_boxes(boxes, load_policy("modern"), wanted)))
    assert "share no axis with these: gateway: 300, 2.00 Gbit/s." in page.by_id("front-packet-loop-section").text


def test_fifty_boxes_with_long_names_stay_below_a_megabyte_and_a_half(make_dataset: Make) -> None:
    kinds = ("x86-aes", "arm-no-aes", "mips-no-aes")
    made = [make_dataset(kind, sizes=(64, 128, 256, 512, 576, 1024, 1280, 1400, 9000)) for kind in kinds]
    boxes = []
    for number in range(50):
        dataset = made[number % 3]
        rows = tuple(_scaled(row, 1 + number / 17) for row in dataset.measurements)
        name = f"{number}{HOSTILE[1]}"
        boxes.append(_box(replace(dataset, measurements=rows, label=name), name, 1 + number))
    wanted = Requirements(goal_mbit_per_second=500)
    ranking = rank_boxes(boxes, load_policy("modern"), wanted)
    html = render_comparison(compare(boxes), ranking, security_costs(boxes, wanted.traffic))
    assert len(html.encode()) <= LARGEST_PAGE_BYTES < 1_500_000
    data = json.loads(re.findall(r'id="ipsecbench-data">(.*?)</script>', html, re.DOTALL)[0])
    assert len(data["rows"]) > 100


def _scaled(row: Measurement, factor: float) -> Measurement:
    ns = row.ns_per_operation
    if ns is None:
        return row
    return replace(row, samples=(), ns_per_operation=Estimate(ns.median * factor, ns.lower * factor, ns.upper * factor))


def test_too_many_boxes_are_refused_in_one_line(make_dataset: Make) -> None:
    comparison = pair(make_dataset)
    many = replace(comparison, boxes=comparison.boxes * MOST_BOXES)
    with pytest.raises(UsageError, match=rf"^{MOST_BOXES + 1} boxes are too many for one page"):
        render_comparison(many)


def test_the_file_is_written_whole(make_dataset: Make, tmp_path: Any) -> None:
    path = tmp_path / "page.html"
    size = write_comparison(path, pair(make_dataset))
    assert path.stat().st_size == size
    assert path.read_text(encoding="utf-8").endswith("</html>\n")


def test_every_chart_has_its_figures_as_a_table(make_dataset: Make, read_page: Callable[[str], Any]) -> None:
    for case in ("pair", "ranked"):
        page = _page(case, make_dataset, read_page)
        ids = {node.attributes.get("id") for node in page.all("table")}
        for node in page.all("section"):
            if "chart-section" in node.attributes.get("class", ""):
                assert node.attributes["id"].replace("-section", "-table") in ids
        drawings = [node for node in page.all("svg") if node.attributes.get("role") == "img"]
        assert drawings
        assert all(node.all("title") and node.all("desc") for node in drawings)


def test_drawings_stay_within_their_frames(page: Any) -> None:
    for drawing in page.all("svg"):
        _, _, width, height = map(float, drawing.attributes["viewbox"].split())
        for path in drawing.all("path"):
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.attributes["d"]):
                assert -1 <= float(x) <= width + 1
                assert -1 <= float(y) <= height + 1
        assert all(math.isfinite(float(node.attributes["x"])) for node in drawing.all("text"))


def test_many_boxes_with_one_verdict_are_not_all_named_and_rows_without_figures_left_out(
    make_dataset: Make, read_page: Callable[[str], Any]
) -> None:
    made, other = make_dataset(), imported("board")
    boxes = [_box(made, "base"), *(_box(made, f"same {number}") for number in range(14)), _box(other, "board")]
    page = read_page(render_comparison(compare(boxes)))
    found = {node.all("dt")[0].text: node.all("dd")[0].text for node in page.by_id("groups").all("div")}
    assert found["No difference beyond noise"].count("same") == MOST_NAMED
    assert f"and {14 - MOST_NAMED} more" in found["No difference beyond noise"]
    assert found["Nothing to compare"] == "board"
    rows = [node.all("th")[0].text for node in page.by_id("matrix-primitive-rate").all("tr")[1:]]
    assert len(rows) == 15
    assert "board" not in rows
    assert "1 boxes have no such figure" not in page.html
    assert "1 box has no such figure" in page.html
