//! The list of variables: names, defaults, places in YAML, and what they mean. The document is made from it.

use std::fmt::Write as _;

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// In the environment.
    pub name: &'static str,
    /// In `koda.config.yaml`, dotted; empty where it can only be an environment variable.
    pub yaml: &'static str,
    /// When it is not set; empty where there is none.
    pub default: &'static str,
    /// Whether its value must never be shown, and may come from `NAME_FILE`.
    pub secret: bool,
    /// What it means.
    pub help: &'static str,
}

const fn variable(
    name: &'static str,
    yaml: &'static str,
    default: &'static str,
    help: &'static str,
) -> Variable {
    Variable {
        name,
        yaml,
        default,
        secret: false,
        help,
    }
}

/// Every variable.
pub const VARIABLES: &[Variable] = &[
    variable(
        "PORT",
        "server.port",
        "3000",
        "Port to listen on; 0 takes a free one.",
    ),
    variable(
        "KODA_HOST",
        "server.host",
        "127.0.0.1",
        "Address to listen on. There is no sign-in yet, so anything but loopback needs KODA_ALLOW_OPEN.",
    ),
    variable(
        "KODA_ALLOW_OPEN",
        "server.allowOpen",
        "false",
        "Allow listening beyond loopback without sign-in: everybody who reaches the port may use Koda.",
    ),
    variable(
        "KODA_PUBLIC_URL",
        "server.publicUrl",
        "",
        "Where browsers find the canvas, such as https://koda.example.com, when that is not http://localhost:PORT.",
    ),
    variable(
        "KODA_PREVIEW_HOST",
        "server.previewHost",
        "",
        "Host below which each preview has its own name, such as preview.example.com (a wildcard name), when that is not preview.localhost.",
    ),
    variable(
        "KODA_DATA_DIR",
        "storage.local.path",
        "data",
        "Folder of the database, the files and the sandboxes.",
    ),
    variable(
        "DYNAMODB_TABLE",
        "store.dynamodb.table",
        "",
        "DynamoDB table of projects and sessions, instead of SQLite in the data folder. Any number of servers and functions may share it. Credentials and region are found as AWS's own tools find them.",
    ),
    variable(
        "DYNAMODB_ENDPOINT",
        "store.dynamodb.endpoint",
        "",
        "Address of DynamoDB, when it is not AWS's.",
    ),
    variable(
        "STORAGE_PROVIDER",
        "storage.provider",
        "auto",
        "Where files are: `local` (below the data folder), `s3`, `r2`, or `auto`: R2 or S3 where a bucket is set, else local.",
    ),
    variable("S3_BUCKET", "storage.s3.bucket", "", "Bucket for files."),
    variable(
        "S3_ENDPOINT",
        "storage.s3.endpoint",
        "",
        "Address of a service that speaks S3's protocol, such as MinIO, when it is not AWS's.",
    ),
    variable(
        "S3_REGION",
        "storage.s3.region",
        "",
        "Region of the bucket, when it is not AWS_REGION.",
    ),
    Variable {
        name: "S3_ACCESS_KEY",
        yaml: "storage.s3.accessKey",
        default: "",
        secret: true,
        help: "Access key of the bucket, when it is not found as AWS's own tools find it.",
    },
    Variable {
        name: "S3_SECRET_KEY",
        yaml: "storage.s3.secretKey",
        default: "",
        secret: true,
        help: "The secret of S3_ACCESS_KEY.",
    },
    variable(
        "R2_ACCOUNT_ID",
        "storage.r2.accountId",
        "",
        "Account at Cloudflare, for files in R2.",
    ),
    Variable {
        name: "R2_ACCESS_KEY_ID",
        yaml: "storage.r2.accessKeyId",
        default: "",
        secret: true,
        help: "Access key of R2.",
    },
    Variable {
        name: "R2_SECRET_ACCESS_KEY",
        yaml: "storage.r2.secretAccessKey",
        default: "",
        secret: true,
        help: "The secret of R2_ACCESS_KEY_ID.",
    },
    variable("R2_BUCKET_NAME", "storage.r2.bucket", "", "Bucket at R2."),
    variable(
        "KODA_MODEL_PROVIDERS",
        "ai.providers",
        "auto",
        "Whose models work, in the order in which they are asked where one fails: `anthropic`, `openai`, `demo` (not AI), as in `anthropic,openai`; or `auto`: those that are configured, Anthropic first, and the demo model where none is.",
    ),
    Variable {
        name: "ANTHROPIC_API_KEY",
        yaml: "ai.anthropic.apiKey",
        default: "",
        secret: true,
        help: "Key of Anthropic.",
    },
    variable(
        "ANTHROPIC_BASE_URL",
        "ai.anthropic.baseUrl",
        "https://api.anthropic.com",
        "Address of a service that speaks the protocol of Anthropic's Messages, without /v1/messages.",
    ),
    variable(
        "ANTHROPIC_ORCHESTRATOR_MODEL",
        "ai.anthropic.orchestratorModel",
        "claude-opus-4-5-20251101",
        "Model that plans, works and answers.",
    ),
    variable(
        "ANTHROPIC_CODEGEN_MODEL",
        "ai.anthropic.codegenModel",
        "claude-haiku-4-5-20251001",
        "Model that writes code.",
    ),
    variable(
        "ANTHROPIC_THINKING",
        "ai.anthropic.thinking",
        "off",
        "How much the planning model thinks first: `off`, `adaptive` for models that know it, or a number of tokens from 1024.",
    ),
    Variable {
        name: "OPENAI_API_KEY",
        yaml: "ai.openai.apiKey",
        default: "",
        secret: true,
        help: "Key of OpenAI, or of another service at OPENAI_BASE_URL.",
    },
    variable(
        "OPENAI_BASE_URL",
        "ai.openai.baseUrl",
        "",
        "Address of a service that speaks the protocol of OpenAI's chat completions, up to /v1: OpenRouter, Ollama (http://localhost:11434/v1), vLLM. OpenAI's own where only a key is set.",
    ),
    variable(
        "OPENAI_ORCHESTRATOR_MODEL",
        "ai.openai.orchestratorModel",
        "gpt-5",
        "Model that plans, works and answers.",
    ),
    variable(
        "OPENAI_CODEGEN_MODEL",
        "ai.openai.codegenModel",
        "gpt-5-mini",
        "Model that writes code.",
    ),
    variable(
        "OPENAI_TOOLS",
        "ai.openai.tools",
        "auto",
        "How the model is given tools: `stream`; `whole`, for services that lose calls which they stream; `text`, for models without tools; or `auto`, which finds out.",
    ),
    variable(
        "KODA_MODEL_PRICES",
        "ai.prices",
        "",
        "Path of a YAML file (on Lambda: JSON) with prices of models that Koda does not know, or not any more: `name: {input: 3, output: 15, cached: 0.3, cache_write: 3.75}` in US dollars for a million tokens.",
    ),
    variable(
        "KODA_WORKER_FUNCTION",
        "server.workerFunction",
        "",
        "On Lambda, the name of the function that does turns and renders.",
    ),
    variable("AWS_REGION", "", "", "Region of AWS. Lambda sets it."),
    variable(
        "AWS_ENDPOINT_URL_LAMBDA",
        "",
        "",
        "Address of Lambda's API for the functions, when it is not AWS's.",
    ),
    variable(
        "KODA_WEB_DIR",
        "server.webDir",
        "web/dist",
        "Folder of the built canvas.",
    ),
    variable(
        "KODA_TEMPLATES_DIR",
        "sandbox.templates",
        "templates",
        "Folder of the templates, with their packages installed.",
    ),
    variable(
        "KODA_CAPTURE_BIN",
        "sandbox.captureBin",
        "target/release/koda-capture",
        "The program that checks and renders inside a sandbox.",
    ),
    variable(
        "KODA_SANDBOXD_BIN",
        "sandbox.sandboxdBin",
        "target/release/koda-sandboxd",
        "The program that supervises a local sandbox from inside.",
    ),
    Variable {
        name: "KODA_SECRET",
        yaml: "server.secret",
        default: "",
        secret: true,
        help: "At least 32 characters that sign links and preview addresses, the same for all that share a store. Made once and kept in the data folder when not set, unless DYNAMODB_TABLE is.",
    },
    variable(
        "SANDBOX_PROVIDER",
        "sandbox.provider",
        "auto",
        "Where code runs: `local` (bubblewrap on this machine), `e2b`, or `auto`: E2B where E2B_API_KEY is set, else local.",
    ),
    Variable {
        name: "E2B_API_KEY",
        yaml: "sandbox.e2b.apiKey",
        default: "",
        secret: true,
        help: "Key of the E2B account that sandboxes run in.",
    },
    variable(
        "E2B_DOMAIN",
        "sandbox.e2b.domain",
        "e2b.app",
        "Domain of E2B, when it is self-hosted.",
    ),
    variable(
        "E2B_API_URL",
        "sandbox.e2b.apiUrl",
        "",
        "Address of E2B's control plane, when that is not https://api.E2B_DOMAIN.",
    ),
    variable(
        "E2B_SANDBOX_URL",
        "sandbox.e2b.sandboxUrl",
        "",
        "One address for all sandboxes, when they are not at https://PORT-ID.E2B_DOMAIN; they are told apart by headers.",
    ),
    variable(
        "E2B_PREVIEW_URL",
        "sandbox.e2b.previewUrl",
        "",
        "Where browsers find previews without Koda in between, such as https://PORT-ID.e2b.app. That is the default where KODA_PUBLIC_URL is set and KODA_PREVIEW_HOST is not; else previews are proxied, and only Koda can open them.",
    ),
    variable(
        "E2B_TEMPLATE_REMOTION",
        "sandbox.e2b.templates.remotion",
        "koda-remotion-v1",
        "E2B template of 2D animations; `make e2b-templates` builds it.",
    ),
    variable(
        "E2B_TEMPLATE_THEATRE",
        "sandbox.e2b.templates.theatre",
        "koda-theatre-v1",
        "E2B template of 3D animations; `make e2b-templates` builds it.",
    ),
    variable(
        "E2B_ON_IDLE",
        "sandbox.e2b.onIdle",
        "kill",
        "What happens to a sandbox that is not used for SANDBOX_IDLE_TIMEOUT: `kill`, or `pause`, which keeps it for a faster return.",
    ),
    variable(
        "E2B_MAX_LIFE",
        "sandbox.e2b.maxLife",
        "3600",
        "Seconds that the account's plan lets a sandbox run at a stretch: 3600 in the hobby plan, 86400 in the pro plan.",
    ),
    variable(
        "E2B_DEPLOYMENT",
        "sandbox.e2b.deployment",
        "",
        "Name of this deployment among those of the account, when it is not derived from the server's secret.",
    ),
    variable(
        "SANDBOX_IDLE_TIMEOUT",
        "sandbox.limits.timeout",
        "1800000",
        "Milliseconds that a sandbox lives without being used.",
    ),
    variable(
        "SANDBOX_MAX_MEMORY",
        "sandbox.limits.memory",
        "2g",
        "Memory of one sandbox.",
    ),
    variable(
        "SANDBOX_MAX_CPUS",
        "sandbox.limits.cpus",
        "2",
        "Cores of one sandbox.",
    ),
    variable(
        "SANDBOX_MAX_DISK",
        "sandbox.limits.disk",
        "2g",
        "Disk of one sandbox.",
    ),
    variable(
        "KODA_MAX_SANDBOXES",
        "features.maxConcurrentSandboxes",
        "10",
        "The most sandboxes at once.",
    ),
    variable(
        "KODA_WARM_SANDBOXES",
        "features.warmSandboxes",
        "auto",
        "How many sandboxes of each engine wait on this machine with their preview served, so that a new animation does not wait for one; each takes 130 MB (2D) or 390 MB (3D). `auto` is 1 from 8 processors and 16 GB of memory on, else 0. At E2B sandboxes start warm by themselves.",
    ),
    variable(
        "KODA_MAX_RENDERS",
        "features.maxConcurrentRenders",
        "2",
        "The most exports that one server has at work; others wait. Each needs its animation's sandbox, so that `KODA_MAX_SANDBOXES` bounds those of all servers. A function of Lambda's has one at a time whatever this says.",
    ),
    variable(
        "KODA_RENDER_SANDBOXES",
        "features.sandboxesPerRender",
        "1",
        "How many sandboxes may draw one long MP4 or WebM together: each draws some of its parts of eight seconds, and the session's own joins them without encoding again.",
    ),
    variable(
        "KODA_TURNS_PER_MINUTE",
        "limits.turnsPerMinute",
        "60",
        "How many messages and approvals are taken in a minute, by all servers and functions that share the store; then 429 with Retry-After. 0 is no limit, here and below.",
    ),
    variable(
        "KODA_TURN_MAX_STEPS",
        "limits.turnMaxSteps",
        "30",
        "How many answers of the model one turn may take; then it pauses with what is there.",
    ),
    variable(
        "KODA_TURN_MAX_TOKENS",
        "limits.turnMaxTokens",
        "2000000",
        "How many tokens, read and written, one turn may take.",
    ),
    variable(
        "KODA_TURN_MAX_SECONDS",
        "limits.turnMaxSeconds",
        "900",
        "How long one turn may take, in seconds.",
    ),
    variable(
        "KODA_TURN_MAX_COST",
        "limits.turnMaxCost",
        "5",
        "What one turn may cost in US dollars, by the price table. 0 is no limit.",
    ),
    variable(
        "KODA_SESSION_MAX_COST",
        "limits.sessionMaxCost",
        "0",
        "What all turns of one animation may cost in US dollars; then its agent stops, and all that needs none goes on. 0 is no limit.",
    ),
    variable(
        "KODA_TURN_MAX_REPAIRS",
        "limits.turnMaxRepairs",
        "3",
        "How often a model may mend what the check found, in one turn.",
    ),
    variable(
        "KODA_RENDERS_PER_MINUTE",
        "limits.rendersPerMinute",
        "30",
        "How many exports are begun in a minute.",
    ),
    variable(
        "KODA_UPLOADS_PER_MINUTE",
        "limits.uploadsPerMinute",
        "120",
        "How many files are uploaded in a minute.",
    ),
    variable(
        "KODA_CREATIONS_PER_MINUTE",
        "limits.creationsPerMinute",
        "120",
        "How many projects and nodes are made in a minute.",
    ),
    variable(
        "KODA_LOG",
        "log.filter",
        "info",
        "What is logged: error, warn, info, debug, or a tracing filter such as koda_agent=debug.",
    ),
    variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "log.otlp.endpoint",
        "",
        "Address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://localhost:4318, for traces and metrics.",
    ),
    Variable {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        yaml: "log.otlp.headers",
        default: "",
        secret: true,
        help: "Headers that the collector asks for, such as api-key=abc,other=def.",
    },
    variable(
        "OTEL_SERVICE_NAME",
        "log.otlp.service",
        "koda",
        "What this process is called at the collector.",
    ),
    variable(
        "KODA_LOG_FORMAT",
        "log.format",
        "text",
        "`text` for people, `json` for machines.",
    ),
    variable(
        "KODA_CONFIG",
        "",
        "",
        "Path of the configuration file, when that is not koda.config.yaml in the working folder.",
    ),
    variable(
        "KODA_CHROMIUM",
        "",
        "",
        "Chromium's headless shell, when it is not where the system puts it.",
    ),
];

/// The text of `docs/CONFIGURATION.md`.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         <!-- Made from shared/boot/src/config/variables.rs by `make api`; a test compares. -->\n\n\
         Everything has a default. An environment variable wins over `koda.config.yaml`, where `${NAME}` stands for an \
         environment variable. A secret `NAME` may also be given as `NAME_FILE`, the path of a file that holds it. All \
         problems are reported at once when Koda starts; an unknown `KODA_` or `SANDBOX_` name is one of them.\n\n\
         | variable | in `koda.config.yaml` | default | |\n|---|---|---|---|\n",
    );
    let code = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("`{text}`")
        }
    };
    for v in VARIABLES {
        let name = if v.secret {
            format!("`{}`, `{}_FILE`", v.name, v.name)
        } else {
            code(v.name)
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            code(v.yaml),
            code(v.default),
            v.help
        );
    }
    text
}
