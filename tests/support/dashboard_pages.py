# SPDX-License-Identifier: Apache-2.0
"""Horizon by a person's eyes and hands: pages read, buttons pressed, fields filled."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

# A browser and what steers it, by the Debian packages that bring them.
PROGRAMS = {"chromium": "chromium", "chromedriver": "chromium-driver"}
PATIENCE = 60.0
PAUSE = 0.1
# A page of tables fits, and so does the launch wizard.
WIDTH, HEIGHT = 1280, 960
MODAL = "//div[contains(@class, 'modal-content')]"
TERMINAL = "return document.querySelector('.terminal')?.innerText"
QUIET = """
const http = angular.element(document.body).injector().get('$http');
return http.pendingRequests.length + jQuery.active === 0;
"""
PICTURES = "return [...document.querySelectorAll('svg')].map(each => each.textContent).join()"
# Text of the element itself and of all in it, with single spaces.
TEXT = "normalize-space(.)"


@contextlib.contextmanager
def browser(url: str) -> Iterator["Browser"]:
    """Open a browser that nobody sees.

    Args:
        url: the dashboard's.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which no browser of root's has
        "--disable-dev-shm-usage",
        "--disable-gpu",
        f"--window-size={WIDTH},{HEIGHT}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield Browser(driver, url)
    finally:
        driver.quit()


@dataclass
class Browser:
    """A browser with a page of the dashboard."""

    driver: Any
    url: str
    clicks: int = field(default=0)

    # Looking

    def wait(self, condition: Callable[[], Any], what: str, patience: float | None = None) -> Any:
        """Wait for something to be on the page and return it."""
        patience = patience or PATIENCE
        deadline = time.monotonic() + patience
        while not (found := self._try(condition)):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience:.0f} s for {what}; there is: {self.text}")
            time.sleep(PAUSE)
        return found

    @staticmethod
    def _try(condition: Callable[[], Any]) -> Any:
        try:
            return condition()
        except WebDriverException:  # the page has changed in between, or something lies over it
            return None

    @property
    def text(self) -> str:
        """Text on the page."""
        return str(self.driver.find_element(By.TAG_NAME, "body").text)

    def sees(self, text: str, patience: float | None = None) -> str:
        """Wait for a text; return all that can be read."""
        return str(self.wait(lambda: self.text if text in self.text else None, text, patience))

    def find(self, path: str) -> WebElement:
        """Wait for a visible element, by XPath."""
        return self.wait(lambda: self._visible(path), path)

    def _visible(self, path: str) -> WebElement | None:
        found = self.driver.find_elements(By.XPATH, path)
        return next((each for each in found if each.is_displayed()), None)

    def row(self, name: str) -> str:
        """Return the cells of a table's row by name; nothing without such a row."""
        found = self._try(lambda: self._visible(row_of(name)))
        return str(self._try(lambda: found.text) or "") if found else ""

    @property
    def is_quiet(self) -> bool:
        """State of the page: True without an open request."""
        return bool(self._try(lambda: self.driver.execute_script(QUIET)))

    @property
    def menu(self) -> list[str]:
        """Pages of the menu, by path."""
        links = self.driver.find_elements(By.CSS_SELECTOR, "#sidebar a, .sidebar a")
        paths = {each.get_dom_attribute("href") or "" for each in links}
        return sorted(path.lstrip("/") for path in paths if path.startswith("/"))

    def drawn(self) -> str:
        """Return what is written in the page's pictures."""
        return str(self._try(lambda: self.driver.execute_script(PICTURES)) or "")

    def screenshot(self, path: Path) -> None:
        """Keep what is seen."""
        self.driver.save_screenshot(str(path))

    # Doing

    def open(self, page: str) -> None:
        """Go to a page, by its path."""
        self.driver.get(self.url + page)
        self._settled()

    def reload(self) -> None:
        """Have the page anew."""
        self.driver.refresh()
        self._settled()

    def _settled(self) -> None:
        script = "return document.readyState === 'complete' && !document.querySelector('.loading')"
        self.wait(lambda: self.driver.execute_script(script), "the page to be loaded")

    def click(self, path: str) -> None:
        """Click an element, by XPath, as soon as possible."""

        def clicked() -> bool:
            element = self._visible(path)
            if element is None or not element.is_enabled():
                return False
            element.click()
            return True

        self.wait(clicked, f"{path} to be clicked")
        self.clicks += 1

    def press(self, label: str, within: str = "") -> None:
        """Press a button, or follow a link, by label."""
        self.click(within + _labelled(label))

    def fill(self, name: str, text: str, within: str = "") -> None:
        """Type into a field, by its id or name."""
        element = self.find(f"{within}//*[@id={_quoted(name)} or @name={_quoted(name)}]")
        element.clear()
        element.send_keys(text)

    def choose(self, name: str, label: str) -> None:
        """Choose an entry of a list, by the list's id or name and the entry's first words."""
        path = f"//select[@id={_quoted(name)} or @name={_quoted(name)}]"
        script = "arguments[0].dispatchEvent(new Event('change', {bubbles: true}))"

        def chosen() -> bool:
            element = self.driver.find_element(By.XPATH, path)
            options = [
                each.get_attribute("textContent").strip() for each in Select(element).options
            ]
            index = next((i for i, each in enumerate(options) if each.startswith(label)), None)
            if index is None:
                return False
            self.driver.execute_script("arguments[0].selectedIndex = arguments[1]", element, index)
            self.driver.execute_script(script, element)
            return True

        self.wait(chosen, f"{label} to be chosen as {name}")
        self.clicks += 2

    def attach(self, name: str, path: Path) -> None:
        """Give a file to a field for files."""
        field = self.wait(lambda: self.driver.find_element(By.NAME, name), name)
        field.send_keys(str(path))

    def act(self, name: str, action: str) -> None:
        """Choose an action of a row, as button or from the menu."""
        row = row_of(name)
        self.wait(lambda: self.driver.find_elements(By.XPATH, row + _labelled(action)), action)
        if self._visible(row + _labelled(action)) is None:
            self.click(f"{row}//*[contains(@class, 'dropdown-toggle')]")
        self.press(action, row)

    def confirm(self, label: str) -> None:
        """Press the button of a dialogue, and wait until the dialogue is gone."""
        self.press(label, MODAL)
        self.wait(lambda: not self._visible(MODAL), "the dialogue to be gone")

    def offered(self, name: str) -> list[str]:
        """Return the actions in the menu at the end of a row."""
        row = row_of(name)
        self.click(f"{row}//*[contains(@class, 'dropdown-toggle')]")
        return self.find(f"{row}//ul[contains(@class, 'dropdown-menu')]").text.splitlines()

    def log_in(self, name: str, password: str) -> None:
        """Log in without a session."""
        self.driver.get(self.url)
        self.driver.delete_all_cookies()
        self.open("auth/login/")
        self.fill("id_username", name)
        self.fill("id_password", password)
        self.click("//button[@id='loginBtn']")
        self.wait(lambda: "auth/login" not in self.driver.current_url, "the login")
        self._settled()

    # The launch wizard

    def launch(self, **choices: str) -> None:
        """Go through the wizard of a new server, without its last click.

        Args:
            choices: by step ``name``, ``image`` or ``snapshot``, ``flavor``, ``network``,
                ``group``, ``key`` and, as ``NAME=value``, ``metadata``.
        """
        self.open("project/instances/")
        self.press("Launch Instance")
        self.fill("name", choices["name"], f"{MODAL}")
        steps = {
            "image": "Source",
            "snapshot": "Source",
            "flavor": "Flavor",
            "network": "Networks",
            "group": "Security Groups",
            "key": "Key Pair",
        }
        for choice, step in steps.items():
            if choice in choices:
                self.step(step)
                if choice == "snapshot":
                    self.choose("boot-source-type", "Instance Snapshot")
                self.allocate(choices[choice])
        if "metadata" in choices:
            self.step("Metadata")
            self.add_metadata(*choices["metadata"].split("=", 1))

    def step(self, title: str) -> None:
        """Go to a step of a wizard."""
        self.click(f"{MODAL}//li[contains(@class, 'nav-item')]//a[span[{TEXT}={_quoted(title)}]]")

    def allocate(self, name: str) -> None:
        """Move a row from the lower table of a wizard's step to the upper, unless there already."""
        step = "//div[contains(@class, 'step') and not(contains(@class, 'ng-hide'))]"
        row = f"//tr[td[{TEXT}={_quoted(name)}]]"
        taken = f"{step}//div[contains(@class, 'transfer-allocated')]{row}"
        offered = f"{step}//div[contains(@class, 'transfer-available')]{row}//button"
        either = self.wait(lambda: self._visible(taken) or self._visible(offered), name)
        if either.tag_name == "button":
            self.click(offered)
            self.find(taken)

    def add_metadata(self, name: str, value: str) -> None:
        """Add an entry in a wizard's step of metadata."""
        self.fill("customItem", name)
        self.click("//input[@name='customItem']/following-sibling::span/button")
        item = f"//div[contains(@class, 'metadata-tree-item')][.//span[{TEXT}={_quoted(name)}]]"
        self.fill("property", value, item)

    def finish(self) -> None:
        """Press the last button of a wizard, and wait until it is gone."""
        self.click(f"{MODAL}//button[contains(@class, 'finish')]")
        self.wait(lambda: not self._visible(MODAL), "the wizard to be gone")

    # The other forms

    def upload(self, name: str, path: Path) -> None:
        """Go through the form of a new image, without its last click."""
        self.open("project/images")
        self.press("Create Image")
        self.fill("imageForm-name", name)
        self.attach("image_file", path)
        self.choose("imageForm-format", "Docker")

    def stack(self, name: str, password: str, template: Path, **parameters: str) -> None:
        """Go through the forms of a new stack, without the last click.

        Args:
            name: name of the stack.
            password: the tenant's, for which the form asks.
            template: path of the template.
            parameters: values typed into fields; the rest stays as in the form.
        """
        self.open("project/stacks/")
        self.press("Launch Stack")
        self.choose("id_template_source", "File")
        self.attach("template_upload", template)
        self.press("Next", MODAL)
        self.fill("stack_name", name)
        self.fill("password", password, MODAL)
        for parameter, value in parameters.items():
            self.fill(f"__param_{parameter}", value)

    # The console

    @contextlib.contextmanager
    def console(self, server: str) -> Iterator[None]:
        """Look into a server's console, which is a page in the frame of another."""
        self.open("project/instances/")
        self.press(server)
        self.press("Console")
        self.driver.switch_to.frame(self.find("//iframe[@id='console_embed']"))
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    def terminal(self) -> str:
        """Return what the console's terminal shows."""
        shown = self._try(lambda: self.driver.execute_script(TERMINAL))
        return str(shown or "").replace("\xa0", " ")

    def types(self, text: str) -> None:
        """Type into the console's terminal."""
        terminal = self.driver.find_element(By.CLASS_NAME, "terminal")
        ActionChains(self.driver).click(terminal).send_keys(text).perform()


def row_of(name: str) -> str:
    """Return the XPath of a table's row, by name."""
    cell = f"{TEXT}={_quoted(name)}"
    return f"//tr[@data-display={_quoted(name)} or td[{cell}] or td//a[{cell}]]"


def _labelled(label: str) -> str:
    condition = f"{TEXT}={_quoted(label)} or @value={_quoted(label)}"
    return f"//*[self::button or self::a or self::input][{condition}]"


def _quoted(text: str) -> str:
    # XPath has no escapes.
    return f'"{text}"' if '"' not in text else f"'{text}'"
