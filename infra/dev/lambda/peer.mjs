// What cold starts are compared with: a handler on Node that makes the same clients, does the same reads, and answers as much.
// It asks the runtime's API itself, without the loop that Lambda puts around a handler for Node: that is in its favour.
import { DynamoDBClient, GetItemCommand, QueryCommand, TransactGetItemsCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";

const COMMANDS = { GetItem: GetItemCommand, Query: QueryCommand, TransactGetItems: TransactGetItemsCommand };
const { AWS_LAMBDA_RUNTIME_API, DYNAMODB_ENDPOINT, S3_ENDPOINT, PEER_READS, PEER_ANSWER_BYTES } = process.env;
const runtime = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const dynamodb = new DynamoDBClient({ endpoint: DYNAMODB_ENDPOINT });
export const s3 = new S3Client({ endpoint: S3_ENDPOINT, forcePathStyle: true });
const reads = JSON.parse(PEER_READS);
const body = "x".repeat(Number(PEER_ANSWER_BYTES));

for (;;) {
  const next = await fetch(`${runtime}/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  await next.json();
  for (const { name, input } of reads) await dynamodb.send(new COMMANDS[name](input));
  await fetch(`${runtime}/${id}/response`, { method: "POST", body: JSON.stringify({ statusCode: 200, body }) });
}
