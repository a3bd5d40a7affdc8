#!/usr/bin/env python3
"""Writes roles.json: a role for each function, with what its code asks of AWS and nothing else. `make api` runs it; a test compares.

A change of it in a review says which function may do more, or less, than before.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tests"))

from calls import KINDS, Source, keys_of  # noqa: E402

FILE = HERE / "roles.json"
# Every function writes its log, in the group of the template, which exists: nobody needs to make one.
LOGS = {("logs:CreateLogStream", "logs"), ("logs:PutLogEvents", "logs")}


def resource(name: str) -> dict:
    """What calls.py names, as the template does."""
    if name.startswith("index/"):
        return {"Fn::Sub": f"${{Table.Arn}}/{name}"}
    if name in KINDS.values():
        return {"Fn::Sub": f"${{FilesBucket.Arn}}/{keys_of(name)}"}
    if name == "janitor":
        # By its name: it has a role with this in it, which is there first.
        return {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-janitor"}
    return {"Fn::GetAtt": [{"table": "Table", "bucket": "FilesBucket", "logs": "Logs"}[name], "Arn"]}


def role(wanted: set) -> dict:
    """A role that may do this."""
    by_resource = {}
    for action, name in sorted(wanted | LOGS):
        by_resource.setdefault(name, []).append(action)
    statements = [{"Effect": "Allow", "Action": by_resource[name], "Resource": resource(name)} for name in sorted(by_resource)]
    lambdas = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [lambdas]},
            "Policies": [{"PolicyName": "calls", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        },
    }


def roles() -> str:
    """The text of the file."""
    found = {f"{name.capitalize()}Role": role(wanted) for name, wanted in sorted(Source().wanted().items())}
    return json.dumps(found, indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(roles())
