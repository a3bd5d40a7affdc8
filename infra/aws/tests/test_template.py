"""The template holds what it must, and these checks would see it where it did not."""

import json
import unittest

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
    "a secret in the open": ("E2B_API_KEY: !Sub", "E2B_API_KEY: e2b_0123 #", "does not come from Secrets Manager"),
    "a table without an end of its items": ("TimeToLiveSpecification: { AttributeName: ttl", "TimeToLiveSpecification: { AttributeName: expires", "TimeToLiveSpecification"),
    "an index by another attribute": ("{ AttributeName: todo, KeyType: HASH }", "{ AttributeName: owner, KeyType: HASH }", "GlobalSecondaryIndexes"),
    "a table that goes with the stack": ("DeletionPolicy: Retain\n", "DeletionPolicy: Delete\n", "goes with the stack"),
    "a permission too few": ("Action: [lambda:InvokeFunction]", "Action: [lambda:GetFunction]", "may not lambda:InvokeFunction"),
    "a permission too many": ("Action: [s3:ListBucket]", "Action: [s3:ListBucket, s3:PutBucketPolicy]", "may s3:PutBucketPolicy"),
    "files of others": ("${FilesBucket.Arn}/blobs/*", "${FilesBucket.Arn}/*", "and does not"),
    "files under keys that the code does not write": ("${FilesBucket.Arn}/blobs/*", "${FilesBucket.Arn}/*/blobs/*", "may not s3:GetObject on blobs"),
    "an open bucket": ("BlockPublicPolicy: true", "BlockPublicPolicy: false", "opened to the public"),
    "uploads under another key": ("Prefix: uploads/", "Prefix: _/uploads/", "never committed"),
    "files that vanish": ("Prefix: uploads/", "Prefix: blobs/", "in use vanish"),
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
