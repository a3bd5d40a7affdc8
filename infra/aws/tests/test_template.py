"""The template holds what it must, and these checks would see it where it did not."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import roles
from template import Template, assembled, lint


class Whole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = assembled()
        cls.template = Template(cls.text)

    def test_cloudformation_accepts_it(self):
        self.assertEqual(lint(self.template.whole), [])

    def test_it_says_what_the_code_says(self):
        self.assertEqual(self.template.problems(), [])

    def test_the_roles_are_those_of_the_code(self):
        self.assertEqual(roles.FILE.read_text(), roles.roles(), "run `make api`")

    def test_a_new_key_reaches_the_functions(self):
        for it in self.template.functions().values():
            self.assertIn(":SecretString:::${E2bKeyVersion}}}", it["Environment"]["Variables"]["E2B_API_KEY"]["Fn::Sub"])

    def test_a_models_key_is_one_that_was_given_and_a_new_one_reaches_the_functions(self):
        for function, it in self.template.functions().items():
            for name, provider in {"ANTHROPIC_API_KEY": "Anthropic", "OPENAI_API_KEY": "OpenAI"}.items():
                condition, key, none = it["Environment"]["Variables"][name]["Fn::If"]
                self.assertEqual((condition, none), (f"Has{provider}", ""))
                if function != "janitor":
                    self.assertEqual(key, "known-to-the-worker")
                    continue
                self.assertIn(f"${{{provider}KeySecret}}:SecretString:::${{{provider}KeyVersion}}", key["Fn::Sub"])

    def test_the_dashboard_is_json(self):
        (dashboard,) = self.template.of_type("AWS::CloudWatch::Dashboard").values()
        self.assertGreaterEqual(len(json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]), 6)

    def test_it_stays_below_the_limits_of_cloudformation(self):
        self.assertLess(len(self.text.encode()), 1_000_000)
        self.assertLess(len(self.template.resources), 500)


# What is changed, and a word of what is said of it.
CHANGES = {
    "a stream that is not one": ('"responseTransferMode":"STREAM"', '"responseTransferMode":"BUFFERED"', "is not STREAM"),
    "a stream by the wrong door": ("/response-streaming-invocations", "/invocations", "is not STREAM"),
    "a stream that ends early": ('"timeoutInMillis":900000', '"timeoutInMillis":29000', "another time"),
    "a function that ends early": ("Timeout: 900", "Timeout: 300", "and needs 900"),
    "a function that lives too long": ("Timeout: 900", "Timeout: 901", "and needs 900"),
    "the stage in every path": ('AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH: "1"', 'AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH: "0"', "name of the stage"),
    "a misspelt variable": ("DYNAMODB_TABLE:", "DYNAMO_TABLE:", "which nobody reads"),
    "the program of another function": ("CodeUri: ../../target/lambda/file/", "CodeUri: ../../target/lambda/chat/", "file is another program"),
    "a password that is shown": ("NoEcho: true", "NoEcho: false", "Password is shown"),
    "another secret in the open": ("S3_BUCKET: !Ref FilesBucket", "S3_BUCKET: !Ref FilesBucket\n        S3_SECRET_KEY: abc", "S3_SECRET_KEY"),
    "a secret in the open": ("E2B_API_KEY: !Sub", "E2B_API_KEY: e2b_0123 #", "does not come from Secrets Manager"),
    "a table without an end of its items": ("TimeToLiveSpecification: { AttributeName: ttl", "TimeToLiveSpecification: { AttributeName: expires", "TimeToLiveSpecification"),
    "an index by another attribute": ("{ AttributeName: todo, KeyType: HASH }", "{ AttributeName: owner, KeyType: HASH }", "GlobalSecondaryIndexes"),
    "a table that goes with the stack": ("DeletionPolicy: Retain\n", "DeletionPolicy: Delete\n", "goes with the stack"),
    "a permission too few": ('"Action":["lambda:InvokeFunction"]', '"Action":["lambda:GetFunction"]', "may not lambda:InvokeFunction"),
    "a permission too many": ('"Action":["s3:ListBucket"]', '"Action":["s3:ListBucket","s3:PutBucketPolicy"]', "may s3:PutBucketPolicy"),
    "a permission for everything": ('"Action":["s3:ListBucket"]', '"Action":["s3:*"]', "may s3:* on bucket"),
    "a role of another function": ("Role: !GetAtt StatusRole.Arn", "Role: !GetAtt ChatRole.Arn", "status may dynamodb:PutItem"),
    "a role that SAM makes": ("      Role: !GetAtt StatusRole.Arn\n", "", "status may what others wrote"),
    "files of others": ("${FilesBucket.Arn}/blobs/*", "${FilesBucket.Arn}/*", "and does not"),
    "files under keys that the code does not write": ("${FilesBucket.Arn}/blobs/*", "${FilesBucket.Arn}/*/blobs/*", "may not s3:GetObject on blobs"),
    "an open bucket": ("BlockPublicPolicy: true", "BlockPublicPolicy: false", "opened to the public"),
    "uploads under another key": ("Prefix: uploads/", "Prefix: _/uploads/", "never committed"),
    "files that vanish": ("Prefix: uploads/", "Prefix: blobs/", "in use vanish"),
    "a path that no gateway takes": ("/files/{path+}", "/files/path+}", "is no path that API Gateway takes"),
    "a key of a model for all": ("ANTHROPIC_API_KEY: !If [HasAnthropic, known-to-the-worker,", "ANTHROPIC_API_KEY: !If [HasAnthropic, !Sub '{{resolve:secretsmanager:${AnthropicKeySecret}:SecretString}}',", "and asks no model"),
    "no schedule": ("Schedule: rate(1 minute)", "Schedule: rate(1 day)", "cut off"),
    "no throttle": ("ThrottlingRateLimit", "CachingEnabled: false #", "not throttled"),
    "an open door": ("CustomStatements:", "CustomStatements: [] #", "through the distribution"),
    "another policy": ("worker-src 'self' blob:", "worker-src *", "the canvas's policy"),
    "a canvas in a frame": ("FrameOption: DENY", "FrameOption: SAMEORIGIN", "another x-frame-options"),
    "errors that are kept": ("{ ErrorCode: 404, ErrorCachingMinTTL: 0 }", "{ ErrorCode: 404, ErrorCachingMinTTL: 10 }", "keeps errors"),
    "a second stage": ("OpenApiVersion: 3.0.1", "CacheClusterEnabled: false", "beside the one"),
    "metrics of each route": ("MetricsEnabled: false", "MetricsEnabled: true", "paid for"),
    "compressed streams": ("Compress: false", "Compress: true", "gathered"),
    "logs for ever": ("RetentionInDays: !Ref LogDays", "LogGroupClass: STANDARD", "kept for ever"),
    "a function that API Gateway may not call": ("FunctionName: !Ref RenderFunction", "FunctionName: !Ref ChatFunction", "may not call render"),
}


class Entrance(unittest.TestCase):
    """What CloudFront runs before it answers, run by Node.js."""

    def answer(self, uri, expected="", given=None):
        """What becomes of a request: its address, or a status; and whether the password went on."""
        entrance = Template(assembled()).resources["Entrance"]["Properties"]["FunctionCode"]["Fn::Sub"]
        headers = {} if given is None else {"authorization": {"value": given}}
        code = entrance[0].replace("${Expected}", expected)
        code += f"\nconsole.log(JSON.stringify(handler({json.dumps({'request': {'uri': uri, 'headers': headers}})})));"
        said = json.loads(subprocess.run(["node", "-e", code], check=True, capture_output=True, text=True).stdout)
        return said.get("statusCode") or said["uri"], "authorization" in said["headers"]

    def test_every_address_of_the_canvas_is_its_page(self):
        for uri in ("/", "/projects/prj_01", "/projects/prj_01/sessions/ses_01"):
            self.assertEqual(self.answer(uri), ("/index.html", False))

    def test_files_and_the_api_are_what_they_are(self):
        for uri in ("/assets/index-B7x_k.js", "/icon.svg", "/assets/Inter.woff2", "/api/v1/projects", "/api/v1/sessions/ses_01/files/src/a"):
            self.assertEqual(self.answer(uri), (uri, False))

    def test_the_password_is_asked_for_and_goes_no_further(self):
        for given in (None, "Basic eDp5", "a29kYTp4", "Basic "):
            self.assertEqual(self.answer("/api/health", "a29kYTp4", given), (401, False))
        self.assertEqual(self.answer("/api/health", "a29kYTp4", "Basic a29kYTp4"), ("/api/health", False))
        # Where none is set, whoever sends one is let in too.
        self.assertEqual(self.answer("/api/health", "", "Basic eDp5"), ("/api/health", False))


class Changed(unittest.TestCase):
    """Each of the checks fails where it has to."""


def seen(before, after, word):
    def test(self):
        text = assembled()
        self.assertIn(before, text)
        changed = text.replace(before, after)
        if before.startswith("CustomStatements"):
            # What stood below goes with it.
            head, tail = changed.split(after)
            changed = head + after + "\n" + tail[tail.index("      MethodSettings") :]
        try:
            problems = Template(changed).problems()
        except Exception as refused:
            problems = [str(refused)]
        self.assertTrue(any(word in problem for problem in problems), problems)

    return test


for name, change in CHANGES.items():
    setattr(Changed, "test_" + name.replace(" ", "_"), seen(*change))

if __name__ == "__main__":
    unittest.main()
