# The gate: judges the #VSE lines of a script by the compiled policy, as docs/gate-format.md says. Python 3.6 and later.

import re

POLICY = "@POLICY@"

_SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_PART = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_BLANK = " \t\n\r\f\v"


class _Refusal(Exception):
    pass


def _fields(line):
    plain = {"t": "\t", "n": "\n", "\\": "\\"}
    return [re.sub(r"\\(.)", lambda m: plain.get(m.group(1), m.group(0)), field) for field in line.split("\t")]


def read_policy(path):
    """The compiled policy. Raises OSError or ValueError when it cannot be used."""
    with open(path, encoding="utf-8", newline="\n") as file:
        text = file.read()
    lines = text.split("\n")
    if lines[0] != "vse-gate\t1":
        raise ValueError("it is of another version")
    if lines[-2:] != ["end", ""]:
        raise ValueError("it has no end")
    policy = {"keys": {}, "mistakes": {}, "queues": {}, "no-queue": ""}
    queue = None
    for line in lines[1:-2]:
        f = _fields(line)
        what = f[0]
        if line.startswith("#"):
            continue
        if what == "key":
            policy["keys"][f[1]] = {"standard": f[2], "kind": f[3], "rest": f[4:]}
        elif what == "mistake":
            policy["mistakes"][f[1]] = f[2]
        elif what == "no-queue":
            policy["no-queue"] = f[1]
        elif what == "queue":
            queue = {"lines": [], "value": {}, "open": set(), "closed": set(), "require": False}
            policy["queues"][f[1]] = queue
        elif queue is None:
            raise ValueError("it has a line that is not known: " + what)
        elif what == "require":
            queue["require"] = True
        elif what == "value":
            queue["value"][f[1]] = (f[2], f[3])
        elif what in ("open", "closed"):
            queue[what].add(f[1])
        elif what in _LINES:
            queue["lines"].append(f)
        else:
            raise ValueError("it has a line that is not known: " + what)
    return policy


_LINES = frozenset(
    "users-deny groups-deny users-allow groups-allow users-else reserved images-deny images-allow images-else"
    " choice most".split()
)


def _matches(glob, text):
    pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)
    return re.match(pattern + r"\Z", text, re.DOTALL) is not None


def _image_matches(glob, image):
    if ":" not in glob:
        return _matches(glob, image.split(":", 1)[0])
    return _matches(glob, image if ":" in image else image + ":latest")


def _read_value(key, text):
    """What a value stands for. Raises KeyError with the code of the mistake when it is none."""
    kind = key["kind"]
    if kind == "image":
        name, _, tag = text.partition(":")
        if _PART.match(name) and (":" not in text or _PART.match(tag)):
            return text
    elif kind == "file":
        stem = re.match(r"(.*)\.ya?ml\Z", text, re.DOTALL)
        if len(text) <= 1024 and "//" not in text and stem and stem.group(1) and not stem.group(1).endswith("/"):
            return text
    elif kind == "words":
        return text
    elif kind == "choice":
        if text in key["rest"][0].split(","):
            return text
    else:
        number = re.match(r"(-?)([0-9]+)([A-Za-z]*)\Z", text)
        unit = number.group(3) if number else ""
        factor = (1 if kind == "count" and not unit else _SIZES.get(unit) if kind == "size" else None)
        if number and factor:
            # More digits than a double holds are more than everything, and take no time to read.
            digits = number.group(2).lstrip("0")
            value = float("inf") if len(digits) > 15 else int(digits or "0") * factor
            least, most = float(key["rest"][0]), float(key["rest"][1])
            step = int(key["rest"][2]) if len(key["rest"]) > 2 and key["rest"][2] else 1
            if number.group(1) or value < least or value > most or value % step:
                raise KeyError("DIRECTIVE_OUT_OF_RANGE")
            return value
    raise KeyError("DIRECTIVE_BAD_VALUE")


def _fill(text, marks):
    def put(mark):
        return "{" if mark.group(1) == "lb" else str(marks.get(mark.group(1), mark.group(0)))

    return re.sub(r"\{([^{}]*)\}", put, text)


def header(script):
    """The numbers and texts of the #VSE lines of a script."""
    for number, line in enumerate(script.split("\n"), 1):
        bare = line.strip(_BLANK)
        if bare and not bare.startswith("#"):
            return
        rest = line[4:]
        if line.startswith("#VSE") and (not rest or not "!" <= rest[0] <= "~"):
            yield number, line


def _directives(policy, script, marks):
    """What the #VSE lines say, by key, in their order; None without such a line."""
    given = None
    for number, line in header(script):
        given = {} if given is None else given
        here = "%s:%d" % (marks["file"], number)

        def mistake(code, place, key="", value=""):
            text = policy["mistakes"][code]
            return _Refusal(_fill(text, dict(marks, at=place + ": ", key=key, value=value)))

        line = line[:-1] if line.endswith("\r") else line
        words = list(re.finditer(r"[^ \t]+", line[4:]))
        if not words:
            raise mistake("DIRECTIVE_SYNTAX", here)
        for found in words:
            word, column = found.group(), found.start() + 5
            name, equals, text = word.partition("=")
            if re.search(r"[^!-~]|[#\"'`\\]", word) or not equals or not name or not text:
                raise mistake("DIRECTIVE_SYNTAX", here)
            key = policy["keys"].get(name)
            if key is None:
                raise mistake("DIRECTIVE_UNKNOWN_KEY", "%s:%d" % (here, column), name, text)
            place = "%s:%d" % (here, column + len(name) + 1)
            try:
                value = _read_value(key, text)
            except KeyError as code:
                raise mistake(code.args[0], place, name, text) from None
            if name in given:
                raise mistake("DIRECTIVE_DUPLICATE", place, name, text)
            given[name] = (text, value, place)
    return given


def _known(policy, queue, given):
    """What is known of each key: its text, its value, where it is written."""
    known = {}
    for name, key in policy["keys"].items():
        if name in queue["closed"]:
            continue
        if name in given:
            known[name] = given[name]
        elif "vse" in given:
            continue
        elif name in queue["value"]:
            text, place = queue["value"][name]
            known[name] = (text, _read_value(key, text), place)
        elif key["standard"] and name not in queue["open"]:
            known[name] = (key["standard"], _read_value(key, key["standard"]), "")
    return known


def judge(policy, script, queue, user, file, groups=None, nodes=None):
    """None for a script that passes, else the refusal. Who does not know groups or nodes leaves them to the node."""
    try:
        return _judge(policy, script, queue, user, file, groups, nodes)
    except _Refusal as refusal:
        return str(refusal)


def _judge(policy, script, queue_name, user, file, groups, nodes):
    marks = {"user": user, "queue": queue_name, "file": file}
    given = _directives(policy, script, marks)
    queue = policy["queues"].get(queue_name)
    if given is None and not (queue and queue["require"]):
        return None
    given = given or {}
    if queue is None:
        return _fill(policy["no-queue"], marks)
    known = _known(policy, queue, given)
    if nodes is not None:
        known["nodes"] = (str(nodes), nodes, "")
    marks.update((name, one[0]) for name, one in known.items())

    def refusal(text, one=None):
        place = one[2] if one else ""
        return _fill(text, dict(marks, at=place + ": " if place else ""))

    user_allowed = groups_asked = image_allowed = False
    image = known.get("image")
    for f in queue["lines"]:
        what = f[0]
        if what == "users-deny":
            if _matches(f[1], user):
                return refusal(f[2])
        elif what == "groups-deny":
            if any(_matches(f[1], group) for group in groups or ()):
                return refusal(f[2])
        elif what == "users-allow":
            user_allowed = user_allowed or _matches(f[1], user)
        elif what == "groups-allow":
            groups_asked = True
            user_allowed = user_allowed or any(_matches(f[1], group) for group in groups or ())
        elif what == "users-else":
            if not user_allowed and (groups is not None or not groups_asked):
                return refusal(f[1])
        elif what == "reserved":
            one = given.get(f[1])
            if one and one[0] != f[2]:
                marks[f[1]] = one[0]
                return refusal(f[3], one)
        elif what == "images-deny":
            if image and _image_matches(f[1], image[0]):
                return refusal(f[2], image)
        elif what == "images-allow":
            image_allowed = image_allowed or (image is not None and _image_matches(f[1], image[0]))
        elif what == "images-else":
            if image and not image_allowed:
                return refusal(f[1], image)
        elif what == "choice":
            one = known.get(f[1])
            if one and one[0] not in f[2].split(","):
                return refusal(f[3], one)
        elif what == "most":
            product, place, own = 1, None, None
            for name in f[1].split(","):
                one = known.get(name)
                product = product * one[1] if product is not None and one else None
                place = one if one and one[2] else place
                own = given.get(name) or own
            if product is not None and product > float(f[2]):
                return refusal(f[3], own or place)
    if image is None and "image" not in queue["open"] | queue["closed"] and "vse" not in given:
        return refusal(policy["mistakes"]["DIRECTIVE_IMAGE_MISSING"], next(iter(given.values()), None))
    return None


def refusal_of(script, queue, user, file, groups=None):
    """The refusal by the site's policy, or None. Without a policy only scripts with #VSE lines are refused."""
    try:
        policy = read_policy(POLICY)
    except (OSError, ValueError) as why:
        if next(header(script), None) is None:
            return None
        return "vse: jobs with #VSE lines are not taken: the site's compiled policy cannot be used: %s" % why
    return judge(policy, script, queue, user, file, groups)


def cores_of(script):
    """The cores that the #VSE lines ask for on each node, or None."""
    values = dict(word.split("=", 1) for _, line in header(script) for word in line[4:].split() if "=" in word)
    try:
        return int(values["vcpus"]) * int(values.get("vms-per-node", "1"))
    except (KeyError, ValueError):
        return None
