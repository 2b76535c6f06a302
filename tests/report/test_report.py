"""The report of a run in a browser without a network: `make test-report`.

Of a tiny run; with RUNS="smoke laptop" of finished runs too, results/{run} of config/{run}.yaml. Screenshots at both
widths are kept, to be looked at: the message of the last line of `-rP` says where.
"""

import os
import subprocess
import sys
import time
from zipfile import ZipFile

import pytest
import yaml
from browser import Unavailable, browser, complaints, folder
from workflow import ROOT, tiny

WIDTHS = (1400, 700)
HEIGHT = 1000
REPORT_S, REPORT_MB, FIGURE_MB = 60, 60, 2  # at laptop size
RUNS = os.environ.get("RUNS", "").split()
SHOWN = (".svg", ".html")
MAKE = ["--scheduler", "greedy", "--report-stylesheet", "rules/captions/report.css"]


def tiny_report(path):
    """Of one dataset of one problem, so that it takes a minute."""
    tree = tiny(path / "tree")
    tree.config["problems"] |= dict.fromkeys(("colloids", "fusion", "segmentation"))
    tree.problem["methods"] = {}
    tree.problem["datasets"]["report"]["methods"] = ["ours", "cve", "cramer_rao", "prior_mean"]
    tree.problem["datasets"] |= dict.fromkeys(("report_no_shape", "report_mistakes"))
    tree.snakemake()
    tree.snakemake("--report", str(path / "report.zip"), *MAKE)
    return tree.config["run"]


def report_of(run, path):
    """Of a finished run of this tree."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", f"config/{run}.yaml", *MAKE]
    start = time.monotonic()
    subprocess.run([*command, "--report", str(path / "report.zip")], cwd=ROOT, check=True, capture_output=True)
    assert time.monotonic() - start < REPORT_S
    return run


@pytest.fixture(scope="module", params=["tiny", *RUNS])
def report(request, tmp_path_factory):
    """(name of the run, path of its report.html)."""
    path = tmp_path_factory.mktemp("report")
    run = tiny_report(path) if request.param == "tiny" else report_of(request.param, path)
    with ZipFile(path / "report.zip") as archive:
        archive.extractall(path)
    return run, path / "report/report.html"


@pytest.fixture(scope="module", params=WIDTHS)
def page(request, report):
    """(driver, name of the run) of the open report; screenshots are named by run and width."""
    run, path = report
    try:
        with browser() as driver:
            driver.set_window_size(request.param, HEIGHT)
            driver.get(path.as_uri())
            driver.keep = lambda name: driver.save_screenshot(folder() / f"{run}_{request.param}_{name}.png")
            yield driver, run
    except Unavailable as error:
        pytest.skip(str(error))


def wait(driver, condition, what):
    """What a condition gives once it holds."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 30, poll_frequency=0.05).until(condition, f"{driver.title}: {what}")


def elements(driver, selector):
    return driver.find_elements("css selector", selector)


def click(driver, text):
    """On an entry of the menu."""
    found = [link for link in elements(driver, "nav a") if link.text.strip() == text]
    assert len(found) == 1, f"{text}: found {len(found)} entries of the menu"
    driver.execute_script("arguments[0].click()", found[0])


def home(driver):
    driver.execute_script("app.setView({navbarMode: 'menu', content: 'rulegraph'})")
    wait(driver, lambda d: elements(d, "#rulegraph canvas, #rulegraph svg"), "the graph of rules")


def in_frame(driver, cells="table.dataTable tbody td"):
    """Into the page that the report shows, once its tables are there, by default those that can be sorted."""
    driver.switch_to.frame(wait(driver, lambda d: elements(d, "iframe"), "a page")[0])
    wait(driver, lambda d: elements(d, cells), f"{cells} of a table")


def column(driver, table, heading):
    """The texts of a column as they are shown, and its heading."""
    heads = elements(driver, f"{table} thead th")
    (number,) = (i for i, head in enumerate(heads) if head.text.startswith(heading))
    cells = elements(driver, f"{table} tbody td:nth-child({number + 1})")
    return [cell.text for cell in cells], heads[number]


def test_the_report_is_small(report):
    _, path = report
    assert sum(file.stat().st_size for file in path.parent.rglob("*")) < REPORT_MB * 1e6
    for figure in path.parent.rglob("*.svg"):
        assert figure.stat().st_size < FIGURE_MB * 1e6, figure.name


def test_the_first_page_says_what_was_run_and_what_came_out(page):
    driver, run = page
    home(driver)
    driver.keep("first_page")
    text = elements(driver, "#app .prose")[0].text
    assert text.startswith(f"blurbench: {run}")
    for term in ("configuration", "seed", "made", "commit", "machine", "software"):
        assert f"{term}:" in text
    assert "has the best RMSE of ln D" in text and "Limit" in text
    layers = ["config", "smoke" if run == "tiny" else run]
    seeds = [yaml.safe_load((ROOT / f"config/{layer}.yaml").read_text()).get("seed") for layer in layers]
    assert text.split("seed:")[1].split()[0] == str(seeds[1] or seeds[0])
    assert complaints(driver) == []


def test_the_summary_is_sorted_and_filtered(page):
    driver, _ = page
    home(driver)
    (link,) = (link for link in elements(driver, "#app .prose a") if link.text.startswith("Summary"))
    driver.execute_script("arguments[0].click()", link)
    in_frame(driver)
    driver.keep("summary")
    table = "#of_diffusion"
    before, head = column(driver, table, "RMSE of ln D")
    for reverse in (False, True):
        head.click()
        after, _ = column(driver, table, "RMSE of ln D")
        assert [float(text) for text in after] == sorted(map(float, before), reverse=reverse)
    driver.keep("summary_sorted")
    (search,) = (
        field for field in elements(driver, f"{table} tfoot input") if field.get_attribute("placeholder") == "kind"
    )
    search.send_keys("learned")
    kinds, _ = column(driver, table, "kind")
    assert set(kinds) == {"learned"} and 0 < len(kinds) < len(before)
    driver.switch_to.default_content()
    assert complaints(driver) == []


def test_every_category_shows_what_it_holds_with_a_caption(page):
    """Each picture and page is whole; each entry says what it is and, of scores, in how many items."""
    driver, run = page
    held = driver.execute_script("return categories")
    about = driver.execute_script("return results")
    assert {"all problems", "diffusion"} <= set(held)
    for category, parts in held.items():
        for part, files in parts.items():
            home(driver)
            click(driver, category)
            if len(parts) > 1:
                click(driver, part)
            rows = wait(driver, lambda d: elements(d, "nav tbody tr"), f"the entries of {category}, {part}")
            toggles = elements(driver, "nav fieldset")
            assert len(rows) * (2 if toggles else 1) == len(files), f"{category}, {part}"
            driver.keep(f"{category}_{part}")
            for file in files:
                check_caption(about[file]["caption"], category, file)
                show(driver, file, about[file])
                driver.keep(f"{category}_{part}_{file.rpartition('/')[2]}") if file.endswith(SHOWN) else None
    assert complaints(driver) == []


def check_caption(caption, category, file):
    assert len(caption) > 60 and "system-message" not in caption, f"{file}: found {caption!r}, expected a caption"
    if category not in ("all problems", "recordings"):
        assert "Items:" in caption, f"{file}: the caption does not say in how many items"


def show(driver, file, entry):
    """Open an entry as its eye does, and see that it is whole."""
    content = {".svg": "img", ".html": "html"}.get(f".{file.rpartition('.')[2]}")
    if content is None:
        return  # saved, not shown
    view = {"content": content, "contentPath": entry["data_uri"], "resultPath": file}
    driver.execute_script("app.setView(arguments[0])", view)
    if content == "html":
        in_frame(driver, *["table td"] * ("/cards/" in file))  # which are not sorted
        driver.switch_to.default_content()
        return
    source = f"return [...document.images].filter(i => i.src.endsWith('{entry['data_uri']}') && i.complete)"
    (picture,) = wait(driver, lambda d: d.execute_script(source), f"the picture {file}")
    assert picture.get_property("naturalWidth") > 0, f"{file}: found a broken picture"
    assert picture.location["y"] >= 0, f"{file}: its top is out of reach"
