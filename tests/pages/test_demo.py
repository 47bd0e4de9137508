# SPDX-License-Identifier: MIT
"""demo.sh: it is good, says what its check says, and with --keep goes on running until it is told to end."""
import re

from lib import *

URL = re.compile(r"http://127\.0\.0\.1:\d+/\S*")


class Demo:
    def __init__(self, *options):
        self.process = subprocess.Popen(["./demo.sh", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        self.said = ""

    def read_until(self, text):
        for line in self.process.stdout:
            self.said += line.decode("utf-8", "replace")
            if text in self.said:
                return self.said
        raise AssertionError(f"demo.sh ended without {text!r}:\n{self.said}")

    def end(self):
        os.killpg(self.process.pid, signal.SIGINT)  # what Ctrl-C does
        self.said += self.process.stdout.read().decode()
        return self.process.wait(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(DEADLINE)


def runs_and_ends_by_itself(*options):
    with Demo(*options) as demo:
        said = demo.read_until("== all good")
        demo.said += demo.process.stdout.read().decode()
        assert demo.process.wait(DEADLINE) == 0 and demo.said.endswith("== all good\n"), demo.said
        return said


def test_the_demo_is_good_and_its_check_finds_nothing():
    said = runs_and_ends_by_itself()
    assert re.search(r"^good: 2 routes, 2 destinations, 0 warnings$", said, re.M) and "warning:" not in said, said


def test_the_demo_with_a_gateway_is_good():
    if shutil.which("haproxy", path="/usr/sbin:" + os.environ["PATH"]) is None:
        raise Skip("haproxy is not installed")
    runs_and_ends_by_itself("--gateway")


def test_the_demo_with_an_application_is_good():
    said = runs_and_ends_by_itself("--app")
    assert "log in first 401" in said and said.count("same: rows and files") == 3, said


def goes_on_running(*options):
    with Demo("--keep", *options) as demo:
        said = demo.read_until("== Ctrl-C ends it").partition("== everything goes on running")[2]
        work = re.search(r"removes (\S+)", said).group(1)
        upload, ready, metrics = URL.findall(said)
        with open(f"{work}/form.html", encoding="utf-8") as f:
            assert upload in f.read()
        for url in (ready, metrics):
            subprocess.run(["curl", "-sSf", "-o", "/dev/null", url], check=True, timeout=DEADLINE)
        subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-F", "photo[]=@demo.sh;filename=mine.sh", upload], check=True, timeout=DEADLINE)
        assert os.path.exists(f"{work}/stored/42/1-mine.sh"), os.listdir(f"{work}/stored/42")
        for path in re.findall(rf"{re.escape(work)}\S*", said):
            assert os.path.exists(path), path
        assert demo.end() == 0, demo.said
        assert not os.path.exists(work)
        for url in (upload, ready):
            assert not can_connect(int(re.search(r":(\d+)/", url).group(1))), url


def test_kept_it_goes_on_until_it_is_told_to_end():
    goes_on_running()


def test_kept_with_a_gateway_it_goes_on_too():
    if shutil.which("haproxy", path="/usr/sbin:" + os.environ["PATH"]) is None:
        raise Skip("haproxy is not installed")
    goes_on_running("--gateway")
