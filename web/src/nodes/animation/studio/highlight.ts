/** Colours for code: only the languages that a workspace has, without WebAssembly. */

import { createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

export interface Token {
  text: string;
  /** Custom properties with the colour of each theme. */
  style: Record<string, string>;
}

const highlighter = createHighlighterCore({
  engine: createJavaScriptRegexEngine({ forgiving: true }),
  themes: [import("shiki/themes/vitesse-dark.mjs"), import("shiki/themes/vitesse-light.mjs")],
  langs: [
    import("shiki/langs/tsx.mjs"),
    import("shiki/langs/json.mjs"),
    import("shiki/langs/css.mjs"),
  ],
});

/** Lines of coloured pieces. */
export async function highlight(code: string, lang: string): Promise<Token[][]> {
  const { tokens } = (await highlighter).codeToTokens(code, {
    lang,
    themes: { dark: "vitesse-dark", light: "vitesse-light" },
    defaultColor: false,
  });
  return tokens.map((line) =>
    line.map((token) => ({ text: token.content, style: token.htmlStyle ?? {} })),
  );
}
