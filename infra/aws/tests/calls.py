"""What each function asks of AWS, read from the Rust source: from its routes to the calls of the SDK.

Not a compiler: functions are found by name, and a name that several have leads to all of them, so what is found may be more
than what can happen, never less. What it cannot tell is an error, not a guess.
"""

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Calls of the SDK, and what IAM wants to see for them. A missing object is told from a forbidden one only to who may list.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
DYNAMO = {
    "get_item": "dynamodb:GetItem",
    "put_item": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
    "delete_item": "dynamodb:DeleteItem",
}
# A transaction needs the permissions of its parts.
PARTS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
S3 = {
    "put_object": {"s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "complete_multipart_upload": {"s3:PutObject"},
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "get_object": {"s3:GetObject", "s3:ListBucket"},
    "head_object": {"s3:GetObject", "s3:ListBucket"},
    "head_bucket": {"s3:ListBucket"},
    "delete_object": {"s3:DeleteObject"},
}
KINDS = {"blob": "blobs", "upload": "uploads", "render": "renders", "record": "records"}
# Whose key it is that these read from a record.
READ_KEYS = {
    "elsewhere": "records",
    "delete_output": "renders",
    "part_key": "renders",
    "get_render_file": "renders",
    "get_render_poster": "renders",
}
# Methods of the standard library and of others, which say nothing without knowing of what.
COMMON = {"new", "from", "get", "take", "text", "parse", "name", "title", "kind", "all", "send", "description", "schema", "default"}


@dataclass
class Fn:
    """A function of the source."""

    name: str
    file: str
    owner: str
    signature: str
    body: str
    calls: set = field(default_factory=set)


def plain(source: str) -> str:
    """Source without comments, texts and tests, so that braces and names are code."""
    out, at = [], 0
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\.[^\']*|[^\'\\])\'', re.S)
    for match in pattern.finditer(source):
        out.append(source[at : match.start()])
        out.append('""' if '"' in match.group() else "' '" if match.group()[0] == "'" else "")
        at = match.end()
    text = "".join(out) + source[at:]
    while (test := re.search(r"#\[cfg\(test\)\]\s*mod \w+\s*\{", text)):
        text = text[: test.start()] + text[closing(text, test.end() - 1) + 1 :]
    return text


def closing(text: str, at: int) -> int:
    """Where the brace at `at` is closed."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError("a brace is never closed")


def functions(folder: str) -> list[Fn]:
    """Every function below a folder, or of a file."""
    top = ROOT / folder
    found = []
    for path in sorted(top.rglob("*.rs")) if top.is_dir() else [top]:
        text = plain(path.read_text())
        owners = []
        for impl in re.finditer(r"^impl(?:<[^>]*>)?\s+([^{;]+?)\s*\{", text, re.M):
            owners.append((impl.end() - 1, closing(text, impl.end() - 1), impl.group(1)))
        for match in re.finditer(r"\bfn (\w+)", text):
            brace = re.compile(r"[{;]").search(text, match.end())
            # A signature with a closing semicolon is a trait's; one in brackets (`[u8; 4]`) is none.
            while brace and brace.group() == ";" and text[: brace.start()].count("[") > text[: brace.start()].count("]"):
                brace = re.compile(r"[{;]").search(text, brace.end())
            if not brace or brace.group() == ";":
                continue
            end = closing(text, brace.start())
            owner = next((o for start, stop, o in owners if start < match.start() < stop), "")
            file = str(path.relative_to(ROOT))
            found.append(Fn(match.group(1), file, owner, text[match.end() : brace.start()], text[brace.start() : end + 1]))
    return found


def constant(name: str, file: str) -> str:
    """The text of a constant of this name."""
    match = re.search(rf'const {name}: &str = "([^"]*)"', (ROOT / file).read_text())
    if not match:
        raise LookupError(f"{file} has no constant {name}")
    return match.group(1)


@functools.cache
def keys_of(kind: str) -> str:
    """The pattern of IAM for all keys of a kind in the bucket, from how the code writes one."""
    source = (ROOT / "shared/objects/src/s3.rs").read_text()
    order = re.search(r'format!\("\{\}/\{\}/\{\}", part\((\w+)\), part\((\w+)\), part\((\w+)\)\)', source).groups()
    pattern = "/".join({"kind": kind, "tenant": "*", "name": "*"}[part] for part in order)
    # A star of IAM's stands for any text, slashes included.
    return pattern.replace("*/*", "*")


class Source:
    """The source that functions of Lambda's run."""

    def __init__(self):
        self.app = functions("shared/http/src") + functions("shared/agent/src")
        self.store = functions("shared/store/src/dynamo")
        self.objects = functions("shared/objects/src/s3.rs")
        self.boot = functions("shared/boot/src/lambda.rs")
        self.named = {}
        for function in self.app:
            self.named.setdefault(function.name, []).append(function)

    # ── the adapters ──────────────────────────────────────────────────────────
    def of_objects(self, operation: str) -> set:
        """What IAM wants for an operation of the object store, whoever's key it is. Signing asks nothing of AWS; what is signed is
        done by whoever has the link, with the permissions of whoever signed."""
        start = [f for f in self.objects if f.name == operation and "ObjectStore" in f.owner]
        wanted = set()
        for function in within(start, self.objects):
            for call in re.findall(r"\.(\w+)\(\)", function.body):
                wanted |= S3.get(call, set())
        # A link is only made for an object that is there, and is not listed for whoever has none.
        return wanted - {"s3:ListBucket"} if operation.startswith("presign") else wanted

    def of_store(self, operation: str) -> set:
        """What an operation of the session store wants, as (action, resource)."""
        start = [f for f in self.store if f.name == operation and f.owner.startswith("SessionStore for")]
        if not start:
            raise LookupError(f"the session store has no {operation}")
        wanted = set()
        for function in within(start, self.store):
            body = function.body
            for call, action in DYNAMO.items():
                if re.search(rf"\.{call}\(\)", body):
                    wanted.add((action, "table"))
            for part, action in PARTS.items():
                if re.search(rf"\b{part}::builder\(\)", body):
                    wanted.add((action, "table"))
            for index in re.findall(r"index: (None|Some\(\w+\))|\.index_name\((\w+)\)", body):
                name = re.sub(r"Some\((\w+)\)", r"\1", index[0] or index[1])
                where = "table" if name == "None" else "index/" + constant(name, "shared/store/src/dynamo/table.rs")
                wanted.add(("dynamodb:Query", where))
            wanted |= self.of_keys(function, "self.objects")
        return wanted

    # ── the app ───────────────────────────────────────────────────────────────
    def of_keys(self, function: Fn, receiver: str = "") -> set:
        """What a function asks of the object store."""
        body = function.body
        operations = re.findall(r"\bobjects(?:\(\))?\s*\.\s*(\w+)\(", body)
        operations += ["get"] * len(re.findall(r"\bread_all\(", body))
        wanted = set()
        for operation in operations:
            if operation == "as_ref":
                continue
            actions = self.of_objects(operation)
            kinds = {KINDS[kind] for kind in re.findall(r"ObjectKey::(\w+)\(", body) if kind in KINDS}
            kinds |= {READ_KEYS[name] for name in READ_KEYS if name == function.name or re.search(rf"\b{name}\(", body)}
            if not kinds and actions - {"s3:ListBucket"}:
                raise LookupError(f"{function.file}: {function.name}: whose key is it? Say so in READ_KEYS")
            for action in actions:
                wanted |= {(action, "bucket")} if action == "s3:ListBucket" else {(action, kind) for kind in kinds}
        return wanted

    def called(self, function: Fn) -> list[Fn]:
        """Functions of the app that this one may call."""
        found = []
        text = function.signature + " " + function.body
        for match in re.finditer(r"([\w)?]+)?\s*(\.|::)?\s*\b(\w+)\s*(?:::<[^;{}]*?>)?\(", text):
            receiver, link, name = match.groups()
            if receiver in ("store", "objects") or re.search(r"(?:store|objects)\(\)\s*\.\s*$", text[: match.start(3)]):
                continue
            candidates = self.named.get(name, [])
            if link == "." and receiver == "self":
                own = [f for f in candidates if f.owner == function.owner]
                candidates = own or candidates
            elif link == "::" and receiver:
                of_type = [f for f in candidates if re.search(rf"\b{receiver}\b", f.owner)]
                of_file = [f for f in candidates if Path(f.file).stem == receiver or f.file.endswith(f"/{receiver}/mod.rs")]
                candidates = of_type or of_file or ([f for f in candidates if f.owner == function.owner] if receiver == "Self" else [])
            elif link == ".":
                if receiver == "studio" or text[: match.start(3)].rstrip().endswith(("studio.", "studio\n.")):
                    candidates = [f for f in candidates if f.owner == "Studio"]
                elif name in COMMON:
                    continue
            else:
                candidates = [f for f in candidates if not f.owner and f.file == function.file] or [
                    f for f in candidates if not f.owner
                ]
            found += candidates
        # What is taken from a request is made by its type.
        for kind in re.findall(r"\b(\w+)\b", function.signature):
            made = self.named.get("from_request_parts", []) + self.named.get("from_request", [])
            found += [f for f in made if f.owner.rstrip().endswith(f"for {kind}")]
        return found

    def reached(self, start: list[Fn]) -> list[Fn]:
        """These, and all that they may call."""
        seen, todo = {}, list(start)
        while todo:
            function = todo.pop()
            if id(function) not in seen:
                seen[id(function)] = function
                todo += self.called(function)
        return list(seen.values())

    def wanted_by(self, start: list[Fn]) -> set:
        """What these ask of AWS, all that they call included."""
        wanted = set()
        for function in self.reached(start):
            for operation in re.findall(r"\bstore(?:\(\))?\s*\.\s*(\w+)\(", function.body):
                wanted |= self.of_store(operation)
            wanted |= self.of_keys(function)
            if re.search(r"\bdispatcher\s*\.\s*dispatch\(", function.body):
                wanted.add(("lambda:InvokeFunction", "janitor"))
        return wanted

    # ── the functions ─────────────────────────────────────────────────────────
    def mounts(self) -> dict:
        """`MOUNTS`: name to router, whether it streams, and seconds."""
        text = plain_but_texts(ROOT / "shared/http/src/lib.rs")
        found = {}
        for block in re.findall(r"pub const \w+: Mount = Mount \{(.*?)\n\};", text, re.S):
            value = lambda name: re.search(rf"{name}: ([^\n]+),", block).group(1)  # noqa: E731
            found[value("name").strip('"')] = {
                "router": value("router"),
                "stream": value("stream") == "true",
                "timeout": int(re.search(r"from_secs\((\d+)\)", block).group(1)),
            }
        return found

    def handlers(self, router: str) -> list[Fn]:
        """Handlers of a router, and of those that it merges."""
        module, name = router.split("::")[-2:]
        file = "shared/http/src/routes/" + ("mod" if module == "routes" else module) + ".rs"
        function = next(f for f in self.app if f.file == file and f.name == name)
        found = []
        names = re.findall(r"routes!\(([^)]*)\)", function.body) + re.findall(r"\b(?:get|post|put|patch|delete)\((\w+)\)", function.body)
        for name in ",".join(names).split(","):
            found += [f for f in self.app if f.file == file and f.name == name.strip()]
        for other in re.findall(r"(\w+::router)\(\)", function.body):
            found += self.handlers(other)
        return found

    def wanted(self) -> dict:
        """Name of each function to what it asks of AWS, as (action, resource)."""
        found = {}
        for name, mount in self.mounts().items():
            start = self.handlers(mount["router"])
            if not start:
                raise LookupError(f"{name} has no handlers")
            text = plain_but_texts(ROOT / start[0].file)
            files = {f.file for f in start}
            posts = any(re.search(r"utoipa::path\(\s*post", (ROOT / file).read_text()) for file in files)
            # Every POST passes the memory of idempotency keys.
            if posts:
                start = start + [f for f in self.app if f.file.endswith("idempotency.rs") and f.name == "keyed"]
            assert text
            found[name] = self.wanted_by(start)
        # The worker: what its two ways in call of the studio, and itself.
        ways = [f for f in self.boot if f.name in ("run", "tend")]
        start, own = [], set()
        for way in ways:
            for call in re.findall(r"\.(\w+)\(", way.body):
                start += [f for f in self.named.get(call, []) if f.owner == "Studio" and call in ("run_errand", "tend")]
            if re.search(r"invoker\s*\.\s*dispatch\(", way.body):
                own.add(("lambda:InvokeFunction", "janitor"))
        if len({f.name for f in start}) != 2:
            raise LookupError("the worker's ways into the studio have other names now")
        found["janitor"] = self.wanted_by(start) | own
        return found


def plain_but_texts(path: Path) -> str:
    """A file's text without comments."""
    return re.sub(r"//[^\n]*", "", path.read_text())


def within(start: list[Fn], module: list[Fn]) -> list[Fn]:
    """These, and all of the module that they may call."""
    seen, todo = {}, list(start)
    while todo:
        function = todo.pop()
        if id(function) in seen:
            continue
        seen[id(function)] = function
        for receiver, name in re.findall(r"(self\s*\.\s*|\w+::|(?<![\w.:]))(\w+)\(", function.body):
            if receiver.startswith("self"):
                todo += [f for f in module if f.name == name and not re.search(r"\w+ for ", f.owner)]
                # A method of the trait, called on oneself, where there is no other of that name.
                if not any(f.name == name and not re.search(r"\w+ for ", f.owner) for f in module):
                    todo += [f for f in module if f.name == name]
            else:
                todo += [f for f in module if f.name == name and not f.owner]
    return list(seen.values())


if __name__ == "__main__":
    for name, wanted in Source().wanted().items():
        print(name)
        for action, resource in sorted(wanted):
            print(f"  {action:28} {resource}")
