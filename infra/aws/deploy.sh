#!/usr/bin/env bash
# Deploys Koda to AWS: builds the functions and the canvas, makes or changes the stack, and puts the canvas where it is served.
# Usage: deploy.sh [STACK]; settings come from the environment, see docs/DEPLOYMENT/aws.md. With DRY=1 it prints what it would do.
set -euo pipefail
cd "$(dirname "$0")/../.."
stack=${1:-${STACK:-koda}}
architecture=${ARCHITECTURE:-arm64}
e2b_secret=${E2B_KEY_SECRET:-$stack/e2b}
functions=(chat sandbox file render status canvas janitor)
build=target/aws-deploy

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
stop() { printf '\033[31m✗ %s\033[0m\n' "$*" >&2; exit 1; }
# Does something, or says what would be done.
run() { if [ -n "${DRY:-}" ]; then printf '%s\n' "$(printf '%q ' "$@")"; else "$@"; fi; }

[[ $stack =~ ^[a-z][a-z0-9-]{0,30}$ ]] || stop "The stack's name is also that of a bucket: small letters, digits and -, 31 at most. This is \"$stack\"."
case $architecture in arm64) flag=--arm64 ;; x86_64) flag=--x86-64 ;; *) stop "ARCHITECTURE is arm64 or x86_64." ;; esac
PATH="$HOME/.cache/koda/cargo-lambda/bin:$PATH"
command -v cargo >/dev/null || { [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"; }
if [ -z "${DRY:-}" ]; then
  command -v cargo >/dev/null || stop "Rust is missing: https://rustup.rs"
  command -v node >/dev/null || stop "Node.js is missing: https://nodejs.org"
  command -v cargo-lambda >/dev/null || stop "cargo-lambda is missing: pip install cargo-lambda ziglang (https://www.cargo-lambda.info)."
  # Zig links for another processor, and for the C library of Lambda's, which may be older than this machine's.
  if [ -z "${LAMBDA_COMPILER:-}" ] && ! command -v zig >/dev/null && ! python3 -m ziglang version >/dev/null 2>&1; then
    stop "Zig, which cargo-lambda links with, is missing: pip install ziglang. For x86_64 on x86_64 LAMBDA_COMPILER=cargo does without."
  fi
fi
if [ -z "${DRY:-}" ]; then
  command -v aws >/dev/null || stop "The AWS command line is missing: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
  account=$(aws sts get-caller-identity --query Account --output text) || stop "AWS does not know you: run \`aws configure\`, or set AWS_PROFILE."
  region=${AWS_REGION:-$(aws configure get region || true)}
  [ -n "$region" ] || stop "Set AWS_REGION, such as eu-central-1."
else
  account=123456789012 region=${AWS_REGION:-us-east-1}
fi
export AWS_REGION=$region

if [ -n "${MONTHLY_BUDGET:-}" ] && [ -z "${ALARM_EMAIL:-}" ]; then stop "MONTHLY_BUDGET needs ALARM_EMAIL: somebody has to be told."; fi
if [ "${ACCESS_LOGS:-}" = true ] && [ -z "${DRY:-}" ] && [ "$(aws apigateway get-account --query cloudwatchRoleArn --output text)" = None ]; then
  stop "API Gateway may not write logs in this account and region yet: give it a role, once (docs/DEPLOYMENT/aws.md, \"Access logs\")."
fi

# What no other user of this machine may see, not even on a command line.
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT

# ── secrets ───────────────────────────────────────────────────────────────────
# Keeps a key in Secrets Manager, where one is given and it is not that already: keep SECRET WHAT KEY
keep() {
  local secret=$1 what=$2 key=$3
  if [ -n "${DRY:-}" ] || ! aws secretsmanager describe-secret --secret-id "$secret" >/dev/null 2>&1; then
    say "Keeping the $what key in Secrets Manager"
    printf '%s' "$key" >"$private/key"
    run aws secretsmanager create-secret --name "$secret" --description "$what API key of Koda" --secret-string "file://$private/key"
  elif [ -n "$key" ] && [ "$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)" != "$key" ]; then
    say "Keeping the new $what key in Secrets Manager"
    printf '%s' "$key" >"$private/key"
    aws secretsmanager put-secret-value --secret-id "$secret" --secret-string "file://$private/key" >/dev/null
  fi
}
# CloudFormation looks a secret up again only where something about it has changed.
version_of() {
  [ -n "${DRY:-}" ] || aws secretsmanager list-secret-version-ids --secret-id "$1" --query "Versions[?contains(VersionStages, 'AWSCURRENT')].VersionId | [0]" --output text
}
kept() { [ -z "${DRY:-}" ] && aws secretsmanager describe-secret --secret-id "$1" >/dev/null 2>&1; }

if [ -z "${E2B_API_KEY:-}${DRY:-}" ] && ! kept "$e2b_secret"; then
  stop "Set E2B_API_KEY (https://e2b.dev/dashboard); it is kept in Secrets Manager as $e2b_secret, and needed once."
fi
keep "$e2b_secret" E2B "${E2B_API_KEY:-}"
version=$(version_of "$e2b_secret")
# Models: without a key of either the demo model works, which is not AI.
models=()
for provider in Anthropic:ANTHROPIC_API_KEY:anthropic OpenAI:OPENAI_API_KEY:openai; do
  IFS=: read -r what variable name <<<"$provider"
  secret=$stack/$name key=${!variable:-}
  if [ -n "$key" ]; then keep "$secret" "$what" "$key"; elif ! kept "$secret"; then continue; fi
  models+=("${what}KeySecret=$secret" "${what}KeyVersion=$(version_of "$secret")")
done
[ ${#models[@]} -gt 0 ] || say "No key of a language model: Koda uses its demo model, which is not AI. Set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real one."
if [ -z "${KODA_PASSWORD:-}" ] && [ -z "${OPEN:-}" ] && [ -z "${DRY:-}" ]; then
  stop "There is no sign-in yet. Set KODA_PASSWORD, which browsers ask for; or OPEN=1, and whoever knows the address uses Koda at your cost."
fi

# ── programs ──────────────────────────────────────────────────────────────────
say "Building the functions for $architecture"
packages=()
for name in "${functions[@]}"; do packages+=(-p "koda-function-$name"); done
run cargo lambda build --profile lambda --locked "$flag" ${LAMBDA_COMPILER:+--compiler "$LAMBDA_COMPILER"} --lambda-dir target/lambda "${packages[@]}"
[ -n "${DRY:-}" ] || for name in "${functions[@]}"; do
  printf '  %-8s %5s kB\n' "$name" "$(($(wc -c <"target/lambda/$name/bootstrap") / 1024))" >&2
done
say "Building the canvas"
[ -d web/node_modules ] || (cd web && run npm ci --no-audit --no-fund --loglevel=error)
run make --silent --no-print-directory web/dist/index.html

# ── the stack ─────────────────────────────────────────────────────────────────
mkdir -p "$build"
node infra/aws/assemble.mjs | sed "s#CodeUri: ../../target#CodeUri: $PWD/target#" >"$build/template.yaml"
bucket="$stack-deploy-$account-$region"
if [ -n "${DRY:-}" ] || ! aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1; then
  say "Making a bucket for what is deployed"
  run aws s3 mb "s3://$bucket"
fi
say "Uploading the functions"
run aws cloudformation package --template-file "$build/template.yaml" --s3-bucket "$bucket" --output-template-file "$build/packaged.yaml"

# A limit for a function is taken from the account's, of which 100 must stay free; new accounts have less than that.
work=${WORK_CONCURRENCY:-20} streams=${STREAM_CONCURRENCY:-100}
if [ -z "${DRY:-}" ]; then
  free=$(aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions --output text)
  if [ "$free" -lt $((work + streams + 100)) ]; then
    say "This account allows $free invocations at once: too few to set some aside, so nothing but that limits work at once"
    work=0
  fi
fi
parameters=("E2bKeySecret=$e2b_secret" "E2bKeyVersion=$version" "Architecture=$architecture" "WorkConcurrency=$work" "StreamConcurrency=$streams")
parameters+=(${models[@]+"${models[@]}"})
for pair in OPENAI_BASE_URL:OpenAIBaseUrl ANTHROPIC_ORCHESTRATOR_MODEL:AnthropicOrchestratorModel ANTHROPIC_CODEGEN_MODEL:AnthropicCodegenModel \
  OPENAI_ORCHESTRATOR_MODEL:OpenAIOrchestratorModel OPENAI_CODEGEN_MODEL:OpenAICodegenModel OTEL_EXPORTER_OTLP_ENDPOINT:OtlpEndpoint \
  OTLP_HEADERS_SECRET:OtlpHeadersSecret; do
  variable=${pair%%:*}
  [ -z "${!variable:-}" ] || parameters+=("${pair##*:}=${!variable}")
done
[ -z "${DOMAIN_NAME:-}" ] || parameters+=("DomainName=$DOMAIN_NAME" "CertificateArn=${CERTIFICATE_ARN:?is needed with DOMAIN_NAME}")
[ -z "${ALARM_EMAIL:-}" ] || parameters+=("AlarmEmail=$ALARM_EMAIL")
[ -z "${E2B_DOMAIN:-}" ] || parameters+=("E2bDomain=$E2B_DOMAIN")
[ -z "${E2B_MAX_LIFE:-}" ] || parameters+=("E2bMaxLife=$E2B_MAX_LIFE")
[ -z "${KODA_MAX_SANDBOXES:-}" ] || parameters+=("MaxSandboxes=$KODA_MAX_SANDBOXES")
[ -z "${KODA_MAX_RENDERS:-}" ] || parameters+=("MaxRenders=$KODA_MAX_RENDERS")
[ -z "${KODA_TURNS_PER_MINUTE:-}" ] || parameters+=("TurnsPerMinute=$KODA_TURNS_PER_MINUTE")
[ -z "${KODA_TURN_MAX_COST:-}" ] || parameters+=("TurnMaxCost=$KODA_TURN_MAX_COST")
[ -z "${KODA_SESSION_MAX_COST:-}" ] || parameters+=("SessionMaxCost=$KODA_SESSION_MAX_COST")
[ -z "${KODA_RENDERS_PER_MINUTE:-}" ] || parameters+=("RendersPerMinute=$KODA_RENDERS_PER_MINUTE")
[ -z "${REQUESTS_PER_SECOND:-}" ] || parameters+=("RequestsPerSecond=$REQUESTS_PER_SECOND")
[ -z "${LOG_DAYS:-}" ] || parameters+=("LogDays=$LOG_DAYS")
[ -z "${MONTHLY_BUDGET:-}" ] || parameters+=("MonthlyBudget=$MONTHLY_BUDGET")
[ -z "${ACCESS_LOGS:-}" ] || parameters+=("AccessLogs=$ACCESS_LOGS")
PASSWORD=${KODA_PASSWORD:-} node -e '
  const pairs = process.argv.slice(1).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  process.stdout.write(JSON.stringify([...pairs, ["Password", process.env.PASSWORD]].map((pair) => pair.join("="))));
' "${parameters[@]}" >"$private/parameters.json"
say "With ${parameters[*]}"
say "Making or changing the stack $stack in $region; the first time takes some ten minutes, most of it for CloudFront"
run aws cloudformation deploy --template-file "$build/packaged.yaml" --stack-name "$stack" --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
  --s3-bucket "$bucket" --no-fail-on-empty-changeset --parameter-overrides "file://$private/parameters.json"

# ── the canvas ────────────────────────────────────────────────────────────────
output() {
  if [ -n "${DRY:-}" ]; then printf '<%s of the stack>' "$1"; else
    aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
  fi
}
canvas=$(output CanvasBucket) distribution=$(output Distribution)
say "Uploading the canvas"
# Names below assets/ hold a hash of the content and never change; everything else may, and the page that names them goes last. Assets of
# earlier deployments stay: pages that are open still ask for them.
run aws s3 sync web/dist/assets "s3://$canvas/assets" --cache-control "public, max-age=31536000, immutable" --only-show-errors
run aws s3 sync web/dist "s3://$canvas" --exclude 'assets/*' --exclude index.html --delete --cache-control no-cache --only-show-errors
run aws s3 cp web/dist/index.html "s3://$canvas/index.html" --cache-control no-cache --only-show-errors
run aws cloudfront create-invalidation --distribution-id "$distribution" --paths '/*'
url=$(output Url)
if [ -z "${DRY:-}" ]; then
  say "Looking at it"
  : >"$private/curl"
  if [ -n "${KODA_PASSWORD:-}" ]; then
    escaped=${KODA_PASSWORD//\\/\\\\}
    printf 'user = "koda:%s"\n' "${escaped//\"/\\\"}" >"$private/curl"
  fi
  for try in 1 2 3 4 5 6; do
    answer=$(curl -sS -m 20 -K "$private/curl" "$url/api/health" || true)
    [[ $answer == *'"status"'* ]] && break
    [ "$try" = 6 ] && stop "$url/api/health says: ${answer:0:200}. See docs/DEPLOYMENT/aws.md, troubleshooting."
    sleep 10
  done
fi
printf 'Koda is at %s\n' "$url"
