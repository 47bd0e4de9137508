# SPDX-License-Identifier: MIT
"""Manual pages and completion tell what the program knows, and what is installed is what it prints."""
import glob
import pty
import re

from lib import *

COMPLETION = "docker/completion/penstock.bash"


def tell(*args):
    result = subprocess.run([BINARY, *args], stdout=subprocess.PIPE, timeout=DEADLINE, check=True)
    return result.stdout.decode()


def commands():
    """name -> the options of its help, as {"--split N", ...}; from `penstock help NAME`."""
    names = re.findall(r"^\n?penstock (\w+)(?: [^a-z\n].*| )?$", tell("help").split("\n\n", 1)[1], re.M)
    return {name: set(re.findall(r"^  (--[a-z-]+(?: [A-Z=:]+)?)", tell("help", name), re.M)) for name in names}


def plain(page):
    """A page's source without fonts and escapes."""
    return re.sub(r"\\f[BR]", "", page).replace("\\-", "-").replace("\\e", "\\").replace("\\(ti", "~").replace("\\(ha", "^")


def tagged(section):
    """The tags (.TP) of one section of a page's source, and its subsections."""
    return re.findall(r"^\.TP\n(.*)$", section, re.M), re.findall(r"^\.SS (.*)$", section, re.M)


def section(page, name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page, re.M | re.S).group(1)


def test_the_manual_of_the_program_has_every_command_and_option():
    known = commands()
    assert {"run", "check", "explain", "man", "help"} <= set(known) and "--split N" in known["explain"], known
    part = section(plain(tell("man", "1")), "COMMANDS")
    blocks = dict(re.findall(r"^\.SS penstock (\w+)(.*?)(?=^\.SS |\Z)", part, re.M | re.S))
    assert set(blocks) == set(known), (sorted(blocks), sorted(known))
    for name, block in blocks.items():
        assert set(tagged(block)[0]) == known[name], (name, tagged(block)[0], known[name])


def names_of(schema):
    found = set()
    if isinstance(schema, dict):
        found |= {k for k, v in schema.get("properties", {}).items() if isinstance(v, dict) and "description" in v}
        for v in schema.values():
            found |= names_of(v)
    elif isinstance(schema, list):
        for v in schema:
            found |= names_of(v)
    return found


def test_the_manual_of_route_files_has_every_key_of_the_schema():
    schema = json.loads(tell("schema"))
    tags, _ = tagged(section(plain(tell("man", "5")), "REFERENCE"))
    keys = [tag.split()[0] for tag in tags]
    assert set(keys) == names_of(schema) and len(set(keys)) > 50, set(keys) ^ names_of(schema)
    assert all(re.match(r"[a-z_]+  \S", tag) for tag in tags), tags
    for word in ("64MiB", "required", "uuid", "default 127.0.0.1:8081"):
        assert word in plain(tell("man", "5")), word


def test_an_unknown_page_is_refused():
    result = subprocess.run([BINARY, "man", "7"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
    assert result.returncode == 2 and result.stdout == b"" and b"no manual page 7" in result.stderr, result


def test_the_pages_show_nothing_of_the_markdown_that_they_are_made_of():
    for number in "15":
        lines = [line for line in plain(tell("man", number)).splitlines() if re.search(r"\]\(|^#+ |^```|\|---|^\| |(^| )\*+[A-Za-z][\w ]*\*", line)]
        assert not lines, (number, lines)


def lint(page, *command, of="stdout"):
    """Exit code and complaints; man and groff print those on stderr."""
    result = subprocess.run([*command, page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
    return result.returncode, getattr(result, of).decode()


def test_the_pages_are_clean_by_mandoc_groff_and_man():
    for tool in ("mandoc", "groff", "man"):
        if shutil.which(tool) is None:
            raise Skip(f"{tool} is not installed")
    with tempfile.TemporaryDirectory() as at:
        for number in "15":
            page = os.path.join(at, f"page.{number}")
            with open(page, "w", encoding="utf-8") as f:
                f.write(tell("man", number))
            assert lint(page, "mandoc", "-T", "lint") == (0, "")
            assert lint(page, "groff", "-man", "-ww", "-z", "-T", "utf8", of="stderr") == (0, "")
            assert lint(page, "man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", of="stderr") == (0, "")
        bad = os.path.join(at, "bad.1")
        with open(bad, "w", encoding="utf-8") as f:
            f.write(tell("man", "1") + ".SH\n.XX \\fQoops \n")
        assert lint(bad, "mandoc", "-T", "lint")[1], "mandoc can refuse"
        assert lint(bad, "groff", "-man", "-ww", "-z", "-T", "utf8", of="stderr")[1], "groff can refuse"


def test_what_is_installed_is_what_the_program_prints():
    build = os.path.dirname(BINARY)
    with tempfile.TemporaryDirectory() as at:
        subprocess.run(["cmake", "--install", build, "--prefix", at], stdout=subprocess.DEVNULL, check=True, timeout=DEADLINE)
        for page, number in (("man1/penstock.1", "1"), ("man5/penstock.yaml.5", "5")):
            with open(os.path.join(at, "share/man", page), encoding="utf-8") as f:
                assert f.read() == tell("man", number), page
        with open(os.path.join(at, "share/bash-completion/completions/penstock"), encoding="utf-8") as f, \
                open(COMPLETION, encoding="utf-8") as g:
            assert f.read() == g.read()
        assert os.path.exists(os.path.join(at, "lib/systemd/system/penstock.service"))
        assert not glob.glob(os.path.join(at, "etc*")) and not glob.glob(os.path.join(at, "**/*.gz"), recursive=True)


def test_version_and_date_stand_the_same_everywhere():
    with open("docker/debian/changelog", encoding="utf-8") as f:
        entry = f.read().split("\n -- ")
    version = re.match(r"penstock \((\S+)-\d+\)", entry[0]).group(1)
    day = time.strftime("%Y-%m-%d", time.strptime(entry[1].split("  ")[1].split("\n")[0][:-6], "%a, %d %b %Y %H:%M:%S"))
    assert tell("version").startswith(f"penstock {version}\n"), version
    for number, name in (("1", "PENSTOCK"), ("5", "PENSTOCK.YAML")):
        assert tell("man", number).startswith(f'.TH {name} {number} {day} "penstock {version}"\n'), (day, version)
    with open("docker/kubernetes/deployment.yaml", encoding="utf-8") as f:
        assert set(re.findall(r"image: penstock:(\S+)", f.read())) == {version}


# -- completion -----------------------------------------------------------------------------------------------------

def complete(folder, *words):
    """What bash offers for the last word."""
    script = f'''source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}
_penstock "$1" "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"; printf '%s\\n' "${{COMPREPLY[@]}}"'''
    result = subprocess.run(["bash", "--norc", "-uc", script, "bash", os.path.abspath(COMPLETION), BINARY, *words], cwd=folder,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
    assert result.stderr == b"", result.stderr
    return set(result.stdout.decode().split("\n")) - {""}


def test_completion_offers_commands_options_and_files():
    known = commands()
    with tempfile.TemporaryDirectory() as at:
        for name in ("routes.yaml", "other.yaml"):
            open(os.path.join(at, name), "w").close()
        os.mkdir(os.path.join(at, "some folder"))
        everything = {"routes.yaml", "other.yaml", "some folder"}
        assert complete(at, "") == set(known) | {"--help", "--version"}
        assert complete(at, "ex") == {"explain"}
        for name, options in known.items():
            assert complete(at, name, "-") == {o.split()[0] for o in options} | {"--help"}, name
        assert complete(at, "run", "") == complete(at, "check", "a.yaml", "") == everything
        assert complete(at, "run", "r") == {"routes.yaml"}
        assert complete(at, "explain", "--human", "") == everything
        assert complete(at, "try", "") == complete(at, "haproxy", "--out", "") == {"some folder"}
        assert complete(at, "haproxy", "--out", "x", "--native", "o") == {"other.yaml"}
        assert complete(at, "sink", "--port", "") == complete(at, "sink", "") == complete(at, "version", "") == set()
        assert complete(at, "man", "") == {"1", "5"}
        assert complete(at, "help", "sc") == {"schema"}


def test_completion_works_in_an_interactive_bash():
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PATH=f"{os.path.dirname(BINARY)}:{os.environ['PATH']}", TERM="dumb", PS1="$ ", INPUTRC="/dev/null")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    seen = b""
    try:
        os.write(fd, f"source {os.path.abspath(COMPLETION)}\npenstock sch\t#\npenstock explain --hu\t#\n".encode())
        end = time.monotonic() + DEADLINE
        while not (b"penstock schema #" in seen and b"explain --human #" in seen):
            assert time.monotonic() < end, seen
            if has_come(fd, 1):
                seen += os.read(fd, 4096)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
