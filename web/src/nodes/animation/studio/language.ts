/** Which language a file is written in, as the highlighter calls it. */

const LANGUAGES: Record<string, string> = {
  ts: "tsx",
  tsx: "tsx",
  js: "tsx",
  jsx: "tsx",
  mjs: "tsx",
  json: "json",
  css: "css",
};

export const languageOf = (path: string): string | null =>
  LANGUAGES[path.split(".").pop()?.toLowerCase() ?? ""] ?? null;
