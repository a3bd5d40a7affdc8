import type { Fault, PageError } from "./contract";

/** What went wrong and where, in the composition's own files. */

const own = /(?:^|\/)((?:src|public)\/[^?]*|koda\.json)(?:\?.*)?$/;

/** The path below the workspace, from an address or an absolute path. */
function pathOf(address: string): string {
  return own.exec(address.split("?")[0] ?? address)?.[1] ?? address;
}

function clean(text: string): string {
  // Compilers colour their messages for terminals.
  return text.replace(/\u001b\[[0-9;]*m/g, "").trim();
}

export function toPageError(error: unknown): PageError {
  if (error instanceof Error) return { message: clean(error.message || error.name), stack: error.stack ?? "" };
  return { message: clean(String(error)), stack: "" };
}

/** The first line of a stack that lies in the composition rather than in the template or a package. */
function ownFrame(stack: string): { url: string; line: string; column: string } | null {
  for (const line of stack.split("\n")) {
    const found = /(https?:\/\/[^\s()]+?):(\d+):(\d+)\)?$/.exec(line.trim());
    if (!found?.[1] || !found[2] || !found[3]) continue;
    const path = new URL(found[1]).pathname;
    if (path.startsWith("/src/") && !path.startsWith("/src/koda/")) return { url: path, line: found[2], column: found[3] };
  }
  return null;
}

async function ask<T>(path: string): Promise<T | null> {
  try {
    const response = await fetch(path);
    return response.ok ? ((await response.json()) as T) : null;
  } catch {
    return null;
  }
}

/** Finds the source line of what the composition threw. */
export async function runtimeFault(error: PageError): Promise<Fault> {
  const frame = ownFrame(error.stack);
  const place = frame && (await ask<Fault>(`/__koda/locate?${new URLSearchParams(frame)}`));
  if (place) return { message: error.message, file: place.file, line: place.line, column: place.column };
  return { message: error.message, file: frame ? frame.url.slice(1) : null, line: null, column: null };
}

interface CompileError {
  message: string;
  frame?: string | null;
  id?: string | null;
  file?: string | null;
  line?: number | null;
  column?: number | null;
  loc?: { file?: string; line: number; column: number } | null;
}

/** Reads what the bundler says about a module that does not compile. */
export function compileFault(error: CompileError): Fault {
  const message = clean(error.message);
  // The parser names the place only in the picture of the code that it draws: "╭─[ src/Composition.tsx:3:7 ]".
  const drawn = /\[\s*([^\s\]]+?):(\d+):(\d+)\s*\]/.exec(`${message}\n${clean(error.frame ?? "")}`);
  const file = error.loc?.file ?? error.file ?? error.id ?? drawn?.[1] ?? null;
  return {
    message: sentence(message),
    file: file ? pathOf(file) : null,
    line: error.loc?.line ?? error.line ?? (drawn ? Number(drawn[2]) : null),
    column: error.loc?.column ?? error.column ?? (drawn ? Number(drawn[3]) : null),
  };
}

/** The part of a compiler's message that is a message. */
function sentence(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  const first = lines.find((line) => line !== "" && !/^(Transform failed|Build failed|Parse failure)/.test(line)) ?? message;
  return first.replace(/^\[[A-Z_]+\]\s*/, "").replace(/^(Error|SyntaxError):\s*/, "");
}

/** Asks the server why a module could not be loaded. */
export async function diagnose(): Promise<Fault | null> {
  const found = await ask<CompileError>("/__koda/diagnose");
  return found && compileFault(found);
}
