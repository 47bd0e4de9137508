# SPDX-License-Identifier: MIT
"""Headless Firefox, driven as geckodriver does, by its own Marionette protocol: a TCP socket, `LENGTH:JSON` both ways. The
standard library only. The methods are those of browser.Browser."""
import json
import os
import shutil
import socket
import subprocess
import tempfile

from browser import ELEMENT
from lib import Skip, wait_for

PROGRAMS = ("firefox-esr", "firefox")


def program():
    return next((p for p in PROGRAMS if shutil.which(p)), None)


class Firefox:
    def __init__(self, script=True):
        if program() is None:
            raise Skip("firefox IS NOT INSTALLED")
        self.profile, self.count, self.process = tempfile.mkdtemp(prefix="penstock-firefox-"), 0, None
        with open(f"{self.profile}/user.js", "w", encoding="ascii") as f:
            for key, value in self.preferences(script).items():
                f.write(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise

    @staticmethod
    def preferences(script):
        return {"marionette.port": 0, "javascript.enabled": script, "devtools.jsonview.enabled": False, "browser.shell.checkDefaultBrowser": False,
                "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False, "network.captive-portal-service.enabled": False,
                "network.connectivity-service.enabled": False, "extensions.getAddons.cache.enabled": False, "app.normandy.enabled": False,
                "browser.safebrowsing.update.enabled": False, "services.settings.server": "http://127.0.0.1:9/", "toolkit.telemetry.enabled": False}

    def start(self):
        log = open(f"{self.profile}/log", "wb")
        self.process = subprocess.Popen([program(), "--headless", "--no-remote", "--marionette", "--profile", self.profile, "about:blank"],
                                        stdout=log, stderr=log, env={**os.environ, "HOME": self.profile})
        log.close()
        port = wait_for(self.port, "Firefox listens for its driver", 120)
        self.socket = socket.create_connection(("127.0.0.1", port), 300)
        self.reader = self.socket.makefile("rb")
        self.read()  # who it is
        self.ask("WebDriver:NewSession", acceptInsecureCerts=True)

    def port(self):
        if self.process.poll() is not None:
            with open(f"{self.profile}/log", encoding="utf-8", errors="replace") as f:
                raise AssertionError("Firefox ended: " + f.read()[-2000:])
        try:
            with open(f"{self.profile}/MarionetteActivePort", encoding="ascii") as f:
                return int(f.read() or 0)
        except OSError:
            return 0

    def read(self):
        length = b""
        while not length.endswith(b":"):
            digit = self.reader.read(1)
            assert digit, "Firefox has gone"
            length += digit
        return json.loads(self.reader.read(int(length[:-1])))

    def ask(self, command, **parameters):
        self.count += 1
        message = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self.read()
        assert number == self.count, (number, self.count)
        assert error is None, f"{command}: {error['message'][:600]}"
        return result["value"] if isinstance(result, dict) and list(result) == ["value"] else result

    def go(self, url):
        self.ask("WebDriver:Navigate", url=url)

    def url(self):
        return self.ask("WebDriver:GetCurrentURL")

    def forget(self):
        self.ask("WebDriver:DeleteAllCookies")

    def find(self, selector):
        return self.ask("WebDriver:FindElement", using="css selector", value=selector)[ELEMENT]

    def type(self, selector, text):
        self.ask("WebDriver:ElementSendKeys", id=self.find(selector), text=text)

    def click(self, selector):
        self.ask("WebDriver:ElementClick", id=self.find(selector))

    def text(self, selector):
        return self.ask("WebDriver:GetElementText", id=self.find(selector))

    def run(self, script, *arguments):
        return self.ask("WebDriver:ExecuteScript", script=script, args=list(arguments))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
        shutil.rmtree(self.profile, ignore_errors=True)
