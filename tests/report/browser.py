"""A Chromium without a network, out of Debian's packages, for tests of pages."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ["chromium", "chromium-driver"]
# What Snakemake's report says of itself: it has the development build of Tailwind within.
KNOWN = '"cdn.tailwindcss.com should not be used in production.'
LOCAL = ("file:", "data:", "blob:")


class Unavailable(Exception):
    """There is no browser, and none can be installed; the message says why."""


@contextmanager
def browser():
    """A driver of selenium, whose browser has a profile of its own and finds no host."""
    _install()
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="blurbench-browser-", ignore_cleanup_errors=True) as profile:
        for argument in (
            "headless",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "disable-dev-shm-usage",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "host-resolver-rules=MAP * ~NOTFOUND",
            f"user-data-dir={profile}",
        ):
            options.add_argument(f"--{argument}")
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        driver.get("about:blank")
        driver.get_log("performance")  # of the page that a new browser opens with
        try:
            yield driver
        finally:
            driver.quit()


def complaints(driver):
    """What was logged since the last call that should not have been, and every address asked for beyond the disk."""
    found = [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    for entry in driver.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            found.append(event["params"]["request"]["url"])
    return [text for text in found if KNOWN not in text and not text.startswith(LOCAL)]


def _install():
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"needs {' and '.join(PACKAGES)}, which only root on Debian can install")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"apt-get {command[0]}: {done.stderr.strip()[-500:]}")


def folder():
    """Where screenshots are kept: SCREENSHOTS of the environment, else a folder of the system's."""
    chosen = Path(os.environ.get("SCREENSHOTS") or Path(tempfile.gettempdir()) / "blurbench-screenshots")
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen
