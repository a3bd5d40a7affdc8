"""The template as CloudFormation gets it, and what is wrong with it."""

import functools
import json
import logging
import os
import re
import subprocess
import tempfile
from pathlib import Path

import boto3
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from calls import KINDS, ROOT, Source, keys_of

AWS = ROOT / "infra/aws"
logging.getLogger("samtranslator").setLevel(logging.ERROR)

BUFFERED_AT_MOST = 29_000  # What API Gateway waits for an answer that it passes on as a whole.
# Errors that CloudFront keeps for a while where it is not told otherwise.
ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}
LIBRARIES = {"SSL_CERT_FILE"}  # Read by libraries, which have names of their own for it.
MODEL_KEYS = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY"}
ADDRESS = re.compile(r"path/(\d{4}-\d{2}-\d{2})/functions/.*\$\{AWS::StackName\}-(\w+)/(response-streaming-invocations|invocations)$")


@functools.cache
def assembled() -> str:
    """The template with the API in it, as it is deployed."""
    return subprocess.run(["node", str(AWS / "assemble.mjs")], check=True, capture_output=True, text=True).stdout


def transformed(text: str) -> dict:
    """What SAM makes of it."""
    text = re.sub(r"CodeUri: \S+", "CodeUri: s3://bucket/key", text)
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(yaml_parse(text), {})


def lint(template: dict) -> list[str]:
    """What cfn-lint says of a transformed template."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        # W3005: SAM names dependencies that are there already. W1030: a parameter that may be empty is only used where it is not.
        done = subprocess.run(
            ["cfn-lint", "--format", "parseable", "--ignore-checks", "W3005", "W1030", "--", file.name],
            capture_output=True,
            text=True,
        )
    return [line.split(":", 5)[-1] for line in done.stdout.splitlines() if line.strip()]


@functools.cache
def source() -> tuple[dict, dict]:
    """What the code serves by each function, and what each asks of AWS."""
    read = Source()
    return read.mounts(), read.wanted()


class Template:
    """A transformed template, with names for its parts."""

    def __init__(self, text: str):
        self.text = text
        self.whole = transformed(text)
        self.resources = self.whole["Resources"]

    def of_type(self, kind: str) -> dict:
        return {name: it for name, it in self.resources.items() if it["Type"] == kind}

    def functions(self) -> dict:
        """Name of each function to its properties."""
        found = {}
        for it in self.of_type("AWS::Lambda::Function").values():
            name = it["Properties"]["FunctionName"]["Fn::Sub"]
            found[name.removeprefix("${AWS::StackName}-")] = it["Properties"]
        return found

    def body(self) -> dict:
        (api,) = self.of_type("AWS::ApiGateway::RestApi").values()
        return api["Properties"]["Body"]

    def headers(self) -> dict:
        """What the canvas comes with, beside its policy."""
        config = self.resources["CanvasHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
        security = config["SecurityHeadersConfig"]
        found = {item["Header"].lower(): item["Value"] for item in config.get("CustomHeadersConfig", {}).get("Items", [])}
        found["x-content-type-options"] = "nosniff" if security.get("ContentTypeOptions", {}).get("Override") else ""
        found["x-frame-options"] = security.get("FrameOptions", {}).get("FrameOption", "")
        found["referrer-policy"] = security.get("ReferrerPolicy", {}).get("ReferrerPolicy", "")
        return found

    # ── what must hold ────────────────────────────────────────────────────────
    def problems(self) -> list[str]:
        """What is wrong with it, each in a sentence."""
        found = []
        for check in (self.of_routes, self.of_functions, self.of_permissions, self.of_state, self.of_secrets, self.of_the_canvas):
            found += check()
        return found

    def of_routes(self) -> list[str]:
        found, (mounts, _) = [], source()
        stages = self.of_type("AWS::ApiGateway::Stage").values()
        if not all(any("ThrottlingRateLimit" in m for m in it["Properties"].get("MethodSettings", [])) for it in stages):
            found.append("requests are not throttled")
        if any(it["Properties"].get("StageName") for it in self.of_type("AWS::ApiGateway::Deployment").values()):
            found.append("there is a stage beside the one that is throttled")
        if any(m.get("MetricsEnabled") for it in stages for m in it["Properties"].get("MethodSettings", [])):
            found.append("metrics of each route are paid for")
        if not self.body().get("x-amazon-apigateway-policy"):
            found.append("the API lets in what does not come through the distribution")
        for path, methods in self.body()["paths"].items():
            # What API Gateway takes for a part of a path: plain letters, or a name in braces, whose last may hold the rest.
            parts = path.removeprefix("/").split("/")
            if not path.startswith("/") or not all(re.fullmatch(r"[\w.:-]+|\{\w+\}", part) for part in parts[:-1]) or not re.fullmatch(r"[\w.:-]+|\{\w+\+?\}", parts[-1]):
                found.append(f"{path} is no path that API Gateway takes")
            for method, route in methods.items():
                if sorted(it["name"] for it in route["parameters"]) != sorted(re.findall(r"\{(\w+)\+?\}", path)):
                    found.append(f"{method} {path} has other parameters than its path names")
                to = route["x-amazon-apigateway-integration"]
                address = ADDRESS.search(to["uri"]["Fn::Sub"])
                if not address:
                    found.append(f"{method} {path} goes nowhere")
                    continue
                date, name, how = address.groups()
                stream = mounts[name]["stream"]
                wanted = ("STREAM", "2021-11-15", "response-streaming-invocations") if stream else ("BUFFERED", "2015-03-31", "invocations")
                if (to["responseTransferMode"], date, how) != wanted:
                    found.append(f"{method} {path} of {name} is not {wanted[0]} in all its parts")
                seconds = mounts[name]["timeout"]
                if to["timeoutInMillis"] != (seconds * 1000 if stream else min(seconds * 1000, BUFFERED_AT_MOST)):
                    found.append(f"{method} {path} of {name} has another time than the function")
        called = {p["Properties"]["FunctionName"]["Ref"] for p in self.of_type("AWS::Lambda::Permission").values() if p["Properties"]["Principal"] == "apigateway.amazonaws.com"}
        for name in mounts:
            if f"{name.capitalize()}Function" not in called:
                found.append(f"API Gateway may not call {name}")
        return found

    def of_functions(self) -> list[str]:
        found, (mounts, _), functions = [], source(), self.functions()
        known = (ROOT / "docs/CONFIGURATION.md").read_text()
        if set(functions) != {*mounts, "janitor"}:
            found.append(f"the functions are {sorted(functions)}")
        groups = self.of_type("AWS::Logs::LogGroup")
        if not groups or not all("RetentionInDays" in it["Properties"] for it in groups.values()):
            found.append("logs are kept for ever")
        for name, it in functions.items():
            seconds = mounts[name]["timeout"] if name in mounts else 900
            if it["Timeout"] != seconds:
                found.append(f"{name} has {it['Timeout']} s, and needs {seconds}")
            if it.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") not in groups:
                found.append(f"{name} makes a log group of its own")
            variables = it["Environment"]["Variables"]
            if variables.get("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH") != "1":
                found.append(f"{name} sees the name of the stage in every path")
            for variable in variables:
                if not variable.startswith("AWS_LAMBDA_") and variable not in LIBRARIES and f"`{variable}`" not in known:
                    found.append(f"{name} is told {variable}, which nobody reads")
            if not re.search(rf'-{name}"?\n(?:      .*\n)*?      CodeUri: \.\./\.\./target/lambda/{name}/\n', self.text):
                found.append(f"{name} is another program")
        schedules = [it["Properties"] for it in self.of_type("AWS::Events::Rule").values()]
        if not any(s.get("ScheduleExpression") == "rate(1 minute)" and s["Targets"][0]["Arn"].get("Fn::GetAtt", [""])[0] == "JanitorFunction" for s in schedules):
            found.append("nobody goes on with work that was cut off")
        return found

    def of_permissions(self) -> list[str]:
        found, (_, wanted) = [], source()
        for name, it in self.functions().items():
            role = self.resources[it["Role"]["Fn::GetAtt"][0]]["Properties"]
            if role.get("ManagedPolicyArns"):
                found.append(f"{name} may what others wrote")
            has, needs = set(), wanted[name] | {("logs:CreateLogStream", "logs"), ("logs:PutLogEvents", "logs")}
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    resources = statement["Resource"]
                    for resource in resources if isinstance(resources, list) else [resources]:
                        has |= {(action, place(resource)) for action in statement["Action"]}
            for action, resource in sorted(needs - has):
                found.append(f"{name} may not {action} on {resource}, and does")
            for action, resource in sorted(has - needs):
                found.append(f"{name} may {action} on {resource}, and does not")
        return found

    def of_state(self) -> list[str]:
        found = []
        (table,) = self.of_type("AWS::DynamoDB::Table").values()
        made = json.loads(definition())
        for field, value in made.items():
            if table["Properties"].get(field) != value:
                found.append(f"the table's {field} is not what the code says")
        if table.get("DeletionPolicy") != "Retain" or self.resources["FilesBucket"].get("DeletionPolicy") != "Retain":
            found.append("what people made goes with the stack")
        for name, bucket in self.of_type("AWS::S3::Bucket").items():
            closed = bucket["Properties"].get("PublicAccessBlockConfiguration", {})
            if sorted(closed.values()) != [True] * 4:
                found.append(f"{name} can be opened to the public")
        rules = self.resources["FilesBucket"]["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("AbortIncompleteMultipartUpload" in rule for rule in rules):
            found.append("uploads that were cut off are paid for for ever")
        first = keys_of("uploads").split("*")[0]
        if not any(rule.get("Prefix") == first and rule.get("ExpirationInDays", 0) >= 1 for rule in rules):
            found.append("uploads that were never committed are paid for for ever")
        # Everything else that is there is spoken of by the table, and goes when the code says so.
        if any(rule.get("ExpirationInDays") and rule.get("Prefix") != first for rule in rules):
            found.append("files that are in use vanish")
        return found

    def of_secrets(self) -> list[str]:
        found = []
        secrets = re.findall(r"^\| `(\w+)`, `\1_FILE`", (ROOT / "docs/CONFIGURATION.md").read_text(), re.M)
        for name, it in self.functions().items():
            variables = it["Environment"]["Variables"]
            # What is needed, and whatever else is a secret: what may also be given as a file.
            for variable in sorted({"KODA_SECRET", "E2B_API_KEY"} | (set(secrets) & set(variables))):
                value = json.dumps(variables.get(variable))
                # Whoever asks no model has no key of one.
                if variable in MODEL_KEYS and name != "janitor":
                    if "known-to-the-worker" not in value or "resolve" in value:
                        found.append(f"{name} has {variable}, and asks no model")
                    continue
                if "{{resolve:secretsmanager:" not in value:
                    found.append(f"{variable} of {name} does not come from Secrets Manager")
        for name, parameter in self.whole["Parameters"].items():
            if re.search(r"password|token|apikey", name, re.I) and parameter.get("NoEcho") is not True:
                found.append(f"{name} is shown to whoever may look at the stack")
        return found

    def of_the_canvas(self) -> list[str]:
        found = []
        source = (ROOT / "shared/http/src/guard.rs").read_text()
        policy = re.search(r'let policy = format!\(\s*"(.*?)",\s*state', source, re.S).group(1)
        policy = " ".join(policy.replace("\\\n", " ").split())
        headers = self.resources["CanvasHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        said = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"][0]
        said = " ".join(said.replace(" ${Files}", "{files}").replace("https://*.${E2bDomain}", "{}").split())
        if said != policy:
            found.append(f"the canvas's policy is\n  {said}\nand koda-server's\n  {policy}")
        for header, value in self.headers().items():
            if f'"{value.lower()}"' not in source.lower():
                found.append(f"koda-server says another {header} than {value}")
        for header in re.findall(r"set\(\s*(?:header::|HeaderName::from_static\()\"?([\w-]+)", source):
            if header.replace("_", "-").lower() not in {"content-security-policy", "cache-control", *self.headers()}:
                found.append(f"the canvas comes without {header}")
        distribution = self.resources["Distribution"]["Properties"]["DistributionConfig"]
        kept = {e["ErrorCode"] for e in distribution.get("CustomErrorResponses", []) if e.get("ErrorCachingMinTTL") == 0}
        if ERRORS - kept:
            found.append(f"CloudFront keeps errors: {sorted(ERRORS - kept)}")
        if any(e.get("ResponsePagePath") for e in distribution.get("CustomErrorResponses", [])):
            found.append("CloudFront puts a page over errors of the API")
        behaviours = distribution["CacheBehaviors"]
        api = next((b for b in behaviours if b["PathPattern"] == "/api/*"), None)
        if not api or api.get("Compress") is not False:
            found.append("streams are gathered to be compressed")
        return found


def place(resource) -> str:
    """What calls.py calls a resource of a statement."""
    text = json.dumps(resource)
    if match := re.search(r"index/[\w-]+", text):
        return match.group()
    # The kind alone, where the pattern names all keys of that kind; otherwise the pattern as it stands, which is none of them.
    if match := re.search(r"\$\{FilesBucket\.Arn\}/([^\"]+)", text):
        return next((kind for kind in KINDS.values() if match.group(1) == keys_of(kind)), match.group(1))
    if "function:${AWS::StackName}-janitor" in text:
        return "janitor"
    return {'["Table", "Arn"]': "table", '["FilesBucket", "Arn"]': "bucket", '["Logs", "Arn"]': "logs"}.get(json.dumps(resource.get("Fn::GetAtt")), text)


def definition() -> str:
    """The table as the code makes it: the text of `json!` in its definition, with its constants put in."""
    source = (ROOT / "shared/store/src/dynamo/table.rs").read_text()
    body = re.search(r"fn definition\(\).*?attributes = (\[.*?\]);.*?\n    json!\((\{.*?\})\)\n\}", source, re.S)
    text = body.group(2)
    names = json.loads(body.group(1))
    attributes = json.dumps([{"AttributeName": name, "AttributeType": "S"} for name in names])
    schema = lambda m: json.dumps([{"AttributeName": m[1], "KeyType": "HASH"}, {"AttributeName": m[2], "KeyType": "RANGE"}])  # noqa: E731
    text = re.sub(r'schema\("(\w+)", "(\w+)"\)', schema, text).replace('": attributes', f'": {attributes}')
    for name in ("PROJECTS_INDEX", "WORK_INDEX", "TTL"):
        value = re.search(rf'const {name}: &str = "([^"]*)"', source).group(1)
        text = re.sub(rf"\b{name}\b", json.dumps(value), text)
    listed = re.search(r"const LISTED: \[&str; \d+\] = (\[.*?\]);", source).group(1)
    return re.sub(r",(\s*[}\]])", r"\1", text.replace("LISTED", listed))
