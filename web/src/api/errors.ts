/** What went wrong with a request, and how to say it to a person. */

export interface FieldProblem {
  field: string;
  message: string;
}

export type ErrorCode =
  | "bad_request"
  | "invalid_path"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "gone"
  | "too_large"
  | "unsupported_media_type"
  | "misdirected"
  | "invalid"
  | "rate_limited"
  | "internal"
  | "unavailable"
  | "sandbox_unreachable"
  /** No answer came: offline, or the server is down. */
  | "network";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: readonly FieldProblem[];
  readonly requestId: string | null;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | null;

  constructor(init: {
    code: ErrorCode;
    message: string;
    status: number;
    details?: readonly FieldProblem[];
    requestId?: string | null;
    retryAfter?: number | null;
  }) {
    super(init.message);
    this.code = init.code;
    this.status = init.status;
    this.details = init.details ?? [];
    this.requestId = init.requestId ?? null;
    this.retryAfter = init.retryAfter ?? null;
  }

  /** Whether the same request may work later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }

  /** The problem of one field, where the server named it. */
  field(name: string): string | undefined {
    return this.details.find((it) => it.field === name)?.message;
  }
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  "network",
  "rate_limited",
  "unavailable",
  "sandbox_unreachable",
]);

const BY_STATUS: Record<number, ErrorCode> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  410: "gone",
  413: "too_large",
  415: "unsupported_media_type",
  421: "misdirected",
  422: "invalid",
  429: "rate_limited",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

/** Reads an error body; a proxy's page or an empty body still becomes a sentence. */
export function errorFrom(response: Response, body: unknown): ApiError {
  const after = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : null;
  const given = isRecord(body) && isRecord(body.error) ? body.error : {};
  const code = typeof given.code === "string" ? (given.code as ErrorCode) : undefined;
  return new ApiError({
    code: code ?? BY_STATUS[response.status] ?? "internal",
    status: response.status,
    message:
      typeof given.message === "string"
        ? given.message
        : `The server answered with status ${response.status}.`,
    details: Array.isArray(given.details) ? given.details.filter(isFieldProblem) : [],
    requestId: typeof given.request_id === "string" ? given.request_id : null,
    retryAfter,
  });
}

/** For a request that got no answer. */
export function networkError(): ApiError {
  return new ApiError({
    code: "network",
    status: 0,
    message: "Koda cannot be reached. Check the connection, or whether the server is running.",
  });
}

/** Any thrown value as an `ApiError`, for screens. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError({
    code: "internal",
    status: 0,
    message: thrown instanceof Error ? thrown.message : "Something unexpected happened.",
  });
}

/** One sentence for a toast or a notice. */
export function sentence(thrown: unknown): string {
  const error = asApiError(thrown);
  const [first] = error.details;
  return first && !error.message.includes(first.message)
    ? `${error.message} ${first.message}`
    : error.message;
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "AbortError";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return isRecord(value) && typeof value.field === "string" && typeof value.message === "string";
}
