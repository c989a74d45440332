"""The dashboard where people use it: JupyterLab, chromium, a simulator, and no internet."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from livestream_nb.dashboard.live import FOLDER, SCRIPTS
from tests.lab import (
    DELAY,
    THROUGHPUT,
    TIMELINE,
    Notebook,
    chromium,
    jupyterlab,
    menu,
    needs_browser,
    notebook_of,
    run_all,
    run_code,
)

pytestmark = [pytest.mark.browser, needs_browser]

START = """
from livestream_nb import Simulator

sim = Simulator(speed=20)
reader = sim.reader(tz="Europe/Zurich").start()
reader
"""
SOON = 60_000
TALL = 4_000  # JupyterLab takes what is out of sight out of the page
LEFT = """
import threading
from ipywidgets.widgets.widget import _instances
names = [thread.name for thread in threading.enumerate() if "livestream" in thread.name]
print("left", sorted(names), len(_instances))
"""
ANNOUNCED = """
window.announced = [];
new MutationObserver(() => window.announced.push(
    document.querySelector('.livestream-spoken').textContent
)).observe(document.querySelector('.livestream-spoken'), {childList: true});
"""

HELD = """(source) => {
    const {holder} = new Function(`${source}; return {holder}`)();
    const take = holder();
    let held = [];
    const row = (name, time) => ({name, time, until: time + 1});
    const steps = [
        [row("a", 1), row("b", 2)],
        [row("b", 2), row("c", 3)],
        [row("b", 2), row("d", 3)],
        [],
    ];
    return steps.map((rows) => {
        const {gone, fresh} = take(rows);
        held = [...held.filter((row) => !gone.includes(row)), ...fresh];
        return held.map((each) => each.name);
    });
}"""
DRAWN = """async (source) => {
    const view = {
        runs: 0,
        width: () => 600,
        signal() {},
        change() {},
        changeset: () => ({remove() { return this; }, insert() { return this; }}),
        runAsync() { this.runs += 1; },
    };
    const embed = async () => ({view});
    const charts = new Function("vegaEmbed", `${source}; return charts`)(embed);
    const none = () => ({origin: 0, time: new Uint8Array(0), until: new Uint8Array(0)});
    const signals = (end, note = "") => ({window_start: 0, window_end: end, now: end, note});
    const traits = {
        spec: {signals: [], data: []},
        throughput: none(),
        delay: none(),
        states: {sentences: [], names: [], rows: []},
        live: {signals: signals(600_000)},
    };
    const el = document.body.appendChild(document.createElement("div"));
    const {draw} = await charts({get: (name) => traits[name]}, el);
    const drawn = (changed) => {
        const before = view.runs;
        Object.assign(traits, changed);
        draw();
        return view.runs - before;
    };
    const at = (end, note) => drawn({live: {signals: signals(end, note)}});
    const seen = {
        soon: [at(600_400), at(600_800), at(601_200), at(601_600)],
        stopped: [at(601_600), at(601_600)],
        noted: [at(601_600, "no hits"), at(601_600, "no hits")],
        rows: [drawn({delay: none()}), drawn({})],
    };
    el.remove();
    return seen;
}"""
WHOLE = (0.0, 1.0)
DEAF = """
pump = reader.dashboard()._pump
def deaf(action):
    del pump.ask
pump.ask = deaf
"deaf for once"
"""
REDDER = """
document.body.style.setProperty("--jp-ui-font-color1", "rgb(200, 0, 0)");
document.body.dataset.jpThemeName = "Redder";
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("lab")
    with jupyterlab(folder, notebook_of(START)) as address, chromium(height=TALL) as browser:
        opened = Notebook(browser.page, browser.strangers, [])
        browser.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        run_all(browser.page, address)
        opened.plot.wait_for(timeout=SOON)
        yield opened


def test_all_charts_move(notebook: Notebook) -> None:
    """While hits arrive the counter rises, and all charts draw themselves anew."""
    expect(notebook.view).to_contain_text("streaming", timeout=SOON)
    before = notebook.hits
    for panel in (THROUGHPUT, TIMELINE, DELAY):
        notebook.moves(panel)
    assert notebook.hits > before
    delay = notebook.view.locator(".livestream-figures > div", has_text="delay").locator("dd")
    expect(delay).to_have_text(re.compile(r"^(\d[\d.]*|\d+ min \d+) s$"), timeout=SOON)


def test_rows_that_are_not_wanted_any_more_go(notebook: Notebook) -> None:
    """Of the rows that Vega holds, those stay that are wanted again, and all others go."""
    source = (FOLDER / "rows.js").read_text("utf-8")
    assert notebook.page.evaluate(HELD, source) == [["a", "b"], ["b", "c"], ["b", "d"], []]


def test_draws_what_can_be_seen(notebook: Notebook) -> None:
    """Time is drawn once it has moved by a pixel, or stands still; rows and words are at once."""
    source = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    assert notebook.page.evaluate(DRAWN, source.split("export default")[0]) == {
        "soon": [0, 0, 1, 0],
        "stopped": [1, 0],
        "noted": [1, 0],
        "rows": [1, 0],
    }


def test_the_viewer_chooses_a_column(notebook: Notebook) -> None:
    """Top values of pages come first; another column is chosen from a list, and is live."""
    values = notebook.view.locator(".livestream-values li")
    expect(values.filter(has_text="home:Home")).to_have_count(1, timeout=SOON)
    notebook.view.get_by_label("Top values of").select_option("geoCountry")
    expect(values.filter(has_text="usa")).to_have_count(1, timeout=SOON)
    count = values.first.locator(".livestream-count")
    before = count.inner_text()
    expect(count).not_to_have_text(before, timeout=SOON)


def test_the_viewer_chooses_how_much_time(notebook: Notebook) -> None:
    """Another span is shown in the charts at once, and in words below the top values."""
    before = notebook.pixels(THROUGHPUT)
    notebook.view.get_by_role("radio", name="1 min").check()
    expect(notebook.view).to_contain_text("of the last 1 min.", timeout=SOON)
    assert notebook.pixels(THROUGHPUT) != before
    notebook.view.get_by_role("radio", name="10 min").check()
    expect(notebook.view).to_contain_text("of the last 10 min.", timeout=SOON)


def test_the_keyboard_reaches_every_control(notebook: Notebook) -> None:
    """Tab goes through the controls in order; arrows choose a span and do not leave the cell."""
    notebook.button("Stop").focus()
    reached = []
    for _ in range(2):
        notebook.page.keyboard.press("Tab")
        reached.append(notebook.page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "INPUT":
            notebook.page.keyboard.press("ArrowRight")
            expect(notebook.view.get_by_role("radio", name="1 h")).to_be_checked()
            expect(notebook.view).to_contain_text("of the last 1 h.", timeout=SOON)
    assert reached == ["INPUT", "SELECT"]
    notebook.page.keyboard.press("Shift+Tab")
    notebook.page.keyboard.press("ArrowLeft")
    expect(notebook.view).to_contain_text("of the last 10 min.", timeout=SOON)
    notebook.page.keyboard.press("d")
    notebook.page.keyboard.press("d")
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(1)


def test_tells_why_and_until_when_it_waits(notebook: Notebook) -> None:
    """After a drop the badge says cooldown, the countdown ticks, and the change is said once."""
    notebook.page.evaluate(ANNOUNCED)
    run_code(notebook.page, "while not sim.drop(ghost=80): pass")
    expect(notebook.view).to_contain_text("cooldown", timeout=SOON)
    moment = notebook.view.locator(".livestream-moment")
    expect(moment).to_have_text(re.compile(r"next attempt in (\d+ min )?\d+ s"))
    expect(notebook.view.locator(".livestream-reason")).to_contain_text("lost")
    before = moment.inner_text()
    expect(moment).not_to_have_text(before, timeout=2_000)
    announced = notebook.page.evaluate("window.announced")
    assert len(announced) == 1
    assert announced[0].startswith("cooldown. The connection was lost")


def test_the_countdown_ticks_without_the_kernel(notebook: Notebook) -> None:
    """Between two updates the browser counts by itself, even while the kernel stands still."""
    cell = run_code(notebook.page, "import re; re.match('(a|a)*b', 'a' * 24); 'stood still'")
    moment, seen = notebook.view.locator(".livestream-moment"), set()
    for _ in range(15):
        notebook.page.wait_for_timeout(100)
        seen.add(moment.inner_text())
    assert len(seen) > 5
    expect(cell.locator(".jp-OutputArea-output")).to_have_text("'stood still'", timeout=SOON)


def test_recovers(notebook: Notebook) -> None:
    """After the wait, and one refusal, it streams again."""
    expect(notebook.view).to_contain_text("streaming", timeout=SOON)
    assert int(notebook.figure("connects")) in (2, 3)


def test_a_second_view_shows_the_same(notebook: Notebook) -> None:
    """The reader shown in another cell is the same view, with what was chosen in the first."""
    run_code(notebook.page, "reader")
    views = notebook.page.locator(".livestream")
    expect(views).to_have_count(2, timeout=SOON)
    second = views.last
    second.locator(".livestream-plot canvas").wait_for(timeout=SOON)
    expect(second.get_by_label("Top values of")).to_have_value("geoCountry")
    second.get_by_role("radio", name="1 h").check()
    expect(notebook.view.get_by_role("radio", name="1 h")).to_be_checked(timeout=SOON)
    second.get_by_role("radio", name="10 min").check()
    expect(second.get_by_role("radio", name="10 min")).to_be_checked()
    expect(notebook.view.get_by_role("radio", name="10 min")).to_be_checked(timeout=SOON)


def test_goes_on_while_a_cell_runs(notebook: Notebook) -> None:
    """A busy cell does not hold up the charts, and interrupting it does not end them."""
    cell = run_code(notebook.page, "import time\nwhile True: time.sleep(0.1)")
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[*]:")
    for panel in (THROUGHPUT, DELAY):
        notebook.moves(panel)
    menu(notebook.page, "Kernel", "Interrupt Kernel")
    expect(cell).to_contain_text("KeyboardInterrupt", timeout=SOON)
    notebook.moves(THROUGHPUT)


def test_running_the_cell_again_leaves_nothing_behind(notebook: Notebook) -> None:
    """After six runs of the cell there are the threads and widgets of one."""
    before = run_code(notebook.page, LEFT).locator(".jp-OutputArea-output")
    expect(before).to_contain_text("left", timeout=SOON)
    again = "for _ in range(6): display(sim.reader(tz='Europe/Zurich').start())\nprint('done')"
    expect(run_code(notebook.page, again)).to_contain_text("done", timeout=SOON)
    after = run_code(notebook.page, LEFT).locator(".jp-OutputArea-output")
    expect(after).to_have_text(before.inner_text(), timeout=SOON)
    cell = run_code(notebook.page, "reader = sim.reader(tz='Europe/Zurich').start()\nreader")
    cell.locator(".livestream-plot canvas").wait_for(timeout=SOON)
    expect(notebook.page.locator(".livestream-plot canvas")).to_have_count(1, timeout=SOON)
    expect(notebook.view.get_by_label("Top values of")).to_have_value("geoCountry")


def test_a_cell_that_makes_a_simulator_ends_the_one_before(notebook: Notebook) -> None:
    """However often a cell makes a simulator and a reader anew, there is one of each."""
    code = "other = Simulator()\nother.reader().start()"
    run_code(notebook.page, code).locator(".livestream-plot canvas").wait_for(timeout=SOON)
    before = run_code(notebook.page, LEFT).locator(".jp-OutputArea-output")
    expect(before).to_contain_text("livestream-simulator", timeout=SOON)
    cell = notebook.page.locator(".jp-CodeCell").filter(has_text="other = Simulator()")
    for _ in range(3):
        made = notebook.page.locator(".livestream").last.element_handle()
        cell.locator(".cm-content").click()
        notebook.page.keyboard.press("Control+Enter")
        notebook.page.wait_for_function("(view) => !view.isConnected", arg=made)
        cell.locator(".livestream-plot canvas").wait_for(timeout=SOON)
    after = run_code(notebook.page, LEFT).locator(".jp-OutputArea-output")
    expect(after).to_have_text(before.inner_text(), timeout=SOON)


def test_no_serious_finding_of_axe(notebook: Notebook) -> None:
    """axe-core has no serious finding in the view."""
    results = Axe().run(notebook.page, context=".livestream")
    found = [
        (each["id"], each["impact"], [node["html"][:200] for node in each["nodes"]])
        for each in results.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert found == []
    assert results.response["passes"]


def test_fits_a_narrow_cell(notebook: Notebook) -> None:
    """In a narrow window nothing sticks out of the cell, and the charts always fill it."""
    notebook.page.set_viewport_size({"width": 700, "height": TALL})
    notebook.page.wait_for_timeout(1_000)
    outputs = notebook.page.locator(".jp-OutputArea-output")
    cell = outputs.filter(has=notebook.page.locator(".livestream-plot")).first.bounding_box()
    parts = [
        notebook.plot,
        notebook.button("Stop"),
        notebook.view.get_by_text("quarantined"),
        notebook.view.get_by_label("Top values of"),
        notebook.view.locator(".livestream-share").first,
    ]
    boxes = [part.bounding_box() for part in parts]
    assert cell is not None
    assert cell["x"] + cell["width"] <= 700
    assert [
        box for box in boxes if box and box["x"] + box["width"] > cell["x"] + cell["width"] + 1
    ] == []
    assert None not in boxes
    for width in (700, 1280):
        notebook.page.set_viewport_size({"width": width, "height": TALL})
        notebook.page.wait_for_timeout(1_000)
        whole, drawn = notebook.view.bounding_box(), notebook.plot.bounding_box()
        assert whole is not None
        assert drawn is not None
        assert 0.9 * whole["width"] < drawn["width"] <= whole["width"]


def test_comes_back_after_a_reload(notebook: Notebook) -> None:
    """When the page is loaded anew, the view is there again, and live."""
    menu(notebook.page, "File", "Save Notebook")
    notebook.page.wait_for_timeout(1_000)
    notebook.page.reload()
    notebook.plot.wait_for(timeout=SOON)
    expect(notebook.view).to_contain_text("streaming", timeout=SOON)
    expect(notebook.view.get_by_label("Top values of")).to_have_value("geoCountry")
    notebook.moves(THROUGHPUT)


def test_stop_stops(notebook: Notebook) -> None:
    """Stop ends the stream, as soon as the kernel is free: the charts come to rest."""
    cell = run_code(notebook.page, "import time\nwhile True: time.sleep(0.1)")
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[*]:")
    notebook.button("Stop").click()
    badge = notebook.view.locator(".livestream-badge")
    if badge.inner_text() != "stopped":
        expect(notebook.view.get_by_role("button", name="Stopping…")).to_be_visible()
        menu(notebook.page, "Kernel", "Interrupt Kernel")
    expect(badge).to_have_text("stopped", timeout=SOON)
    expect(notebook.button("Stop")).to_be_disabled()
    expect(notebook.button("Start")).to_be_enabled()
    notebook.page.wait_for_timeout(3_000)
    stopped, still = notebook.hits, notebook.pixels(THROUGHPUT)
    notebook.page.wait_for_timeout(1_500)
    assert notebook.pixels(THROUGHPUT) == still
    assert notebook.hits == stopped


def test_starts_again(notebook: Notebook) -> None:
    """The Start button goes on with the stream, once the minute is over."""
    before = notebook.hits
    notebook.button("Start").click()
    expect(notebook.view.locator(".livestream-badge")).to_have_text("streaming", timeout=SOON)
    notebook.moves(THROUGHPUT)
    assert notebook.hits > before


def test_a_button_asks_again(notebook: Notebook) -> None:
    """When the kernel has dropped what a button asked for, the button asks again by itself."""
    done = run_code(notebook.page, DEAF)
    expect(done.locator(".jp-OutputArea-output")).to_have_text("'deaf for once'", timeout=SOON)
    notebook.button("Stop").click()
    expect(notebook.view.get_by_role("button", name="Stopping…")).to_be_visible()
    expect(notebook.view.locator(".livestream-badge")).to_have_text("stopped", timeout=10_000)


def test_a_view_at_rest_stays(notebook: Notebook) -> None:
    """After another reader was made, the view of the one that was stopped stays, in any theme."""
    another = "reader.stop()\nreader = sim.reader(tz='Europe/Zurich').start()\nreader"
    run_code(notebook.page, another)
    expect(notebook.page.locator(".livestream")).to_have_count(2, timeout=SOON)
    expect(notebook.page.locator(".livestream-plot canvas")).to_have_count(2, timeout=SOON)
    expect(notebook.view.locator(".livestream-badge")).to_have_text("stopped")
    expect(notebook.button("Start")).to_be_hidden()
    moment = notebook.view.locator(".livestream-moment")
    told, still = moment.inner_text(), notebook.pixels(WHOLE)
    notebook.page.wait_for_timeout(2_000)
    assert notebook.pixels(WHOLE) == still
    notebook.page.evaluate(REDDER)
    notebook.page.wait_for_timeout(1_000)
    assert notebook.pixels(WHOLE) != still
    assert moment.inner_text() == told


def test_says_when_the_kernel_is_gone(notebook: Notebook) -> None:
    """Twelve seconds after the kernel's last word the live view says that it is stale."""
    ended, live = (getattr(notebook.page.locator(".livestream"), it) for it in ("first", "last"))
    stale = live.locator(".livestream-stale")
    expect(stale).to_be_hidden()
    menu(notebook.page, "Kernel", "Restart Kernel…")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(stale).to_be_visible(timeout=SOON)
    expect(stale).to_contain_text("No update from the kernel for")
    expect(ended.locator(".livestream-stale")).to_contain_text("at rest")
    moment = live.locator(".livestream-moment").inner_text()
    notebook.page.wait_for_timeout(500)
    assert live.locator(".livestream-moment").inner_text() == moment


def test_nothing_left_this_machine(notebook: Notebook) -> None:
    """In all that no request went anywhere but localhost, and no script failed."""
    assert notebook.strangers == []
    assert notebook.errors == []
