/** Words, colours, fonts and numbers of a composition, kept in `src/design.ts` as strict JSON so that controls can edit them. */
export interface Design {
  title: string;
  /** Shown where it is not empty. */
  subtitle: string;
  /** `#rrggbb` each. */
  colors: { background: string; primary: string; accent: string; text: string };
  /** Family names; the bundled ones are listed in API.md. */
  fonts: { title: string; body: string };
  /** Further lines of text, for compositions that show several. */
  lines?: string[];
  /** Numbers to draw, in order. */
  data?: { label: string; value: number }[];
  /** Written before and after each number of `data`, such as "$" and "%". */
  prefix?: string;
  suffix?: string;
  /** Path below `public/`, such as "assets/logo.svg". */
  logo?: string | null;
  /** A word for a variant of the composition, such as "bars" or "line". */
  style?: string;
  /** Multiplies the pace of movement that is not tied to the length, such as drifting particles. */
  speed?: number;
}
