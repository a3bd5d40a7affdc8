/** What models used: tokens, money and seconds, added up and in words. */

import type { Usage } from "../api/types";

export interface Spend {
  usage: Usage;
  /** Tokens whose price is not known. */
  unpriced: number;
  seconds: number;
}

/** A model call that is over. */
export interface ModelCall {
  id: string;
  /** From 1 within the turn; `null` for what the code generator was asked. */
  step: number | null;
  model: string;
  spend: Spend;
}

export const NOTHING_SPENT: Spend = {
  usage: {
    input_tokens: 0,
    cached_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 0,
    cost_micros: 0,
  },
  unpriced: 0,
  seconds: 0,
};

export function add(a: Spend, b: Spend): Spend {
  return {
    usage: {
      input_tokens: a.usage.input_tokens + b.usage.input_tokens,
      cached_tokens: a.usage.cached_tokens + b.usage.cached_tokens,
      cache_write_tokens: a.usage.cache_write_tokens + b.usage.cache_write_tokens,
      output_tokens: a.usage.output_tokens + b.usage.output_tokens,
      cost_micros: a.usage.cost_micros + b.usage.cost_micros,
      unpriced_tokens: (a.usage.unpriced_tokens ?? 0) + (b.usage.unpriced_tokens ?? 0),
    },
    unpriced: a.unpriced + b.unpriced,
    seconds: a.seconds + b.seconds,
  };
}

/** Of one call, or of several that are known as a sum only. `free`: of a model that costs nothing, such as the demo. */
export function ofCall(usage: Usage, seconds: number, free = false): Spend {
  // Older entries of a log do not say what has no price; it costs 0 there.
  const unsaid = usage.cost_micros > 0 ? 0 : tokensOf(usage);
  return { usage, unpriced: free ? 0 : usage.unpriced_tokens || unsaid, seconds };
}

export const tokensRead = (usage: Usage): number =>
  usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens;

export const tokensOf = (usage: Usage): number => tokensRead(usage) + usage.output_tokens;

/** `840`, `1.2k`, `48k`, `1.3M`. */
export function count(tokens: number): string {
  if (tokens < 1000) return `${tokens}`;
  if (tokens < 9950) return `${Number((tokens / 1000).toFixed(1))}k`;
  if (tokens < 999_500) return `${Math.round(tokens / 1000)}k`;
  return `${Number((tokens / 1e6).toFixed(1))}M`;
}

/** `$0.45`, `at least $0.45` where a part has no price, `unknown` where nothing has; `null` where nobody says. */
export function price({ usage, unpriced }: Spend): string | null {
  const { cost_micros: micros } = usage;
  if (micros <= 0) return unpriced > 0 && usage.unpriced_tokens ? UNKNOWN : null;
  return unpriced > 0 ? `at least ${dollars(micros)}` : dollars(micros);
}

const UNKNOWN = "unknown";

/** The price as a part of a line. */
function priceInALine(spend: Spend): string | null {
  const it = price(spend);
  return it === UNKNOWN ? "price unknown" : it;
}

function dollars(micros: number): string {
  if (micros < 100) return "under $0.0001";
  return `$${(micros / 1e6).toFixed(micros < 10_000 ? 4 : 2)}`;
}

/** Per cent of all tokens read that came from the provider's cache; `null` where nothing was read. */
export function cached(usage: Usage): number | null {
  const read = tokensRead(usage);
  return read > 0 ? Math.round((usage.cached_tokens / read) * 100) : null;
}

/** `4.2 s`, `41 s`, `2 min 13 s`, `1 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  const left = minutes % 60;
  return left ? `${Math.floor(minutes / 60)} h ${left} min` : `${Math.floor(minutes / 60)} h`;
}

/** `12k tokens · $0.45`; without a price where none is told. */
export function inShort(spend: Spend): string {
  const money = priceInALine(spend);
  const tokens = `${count(tokensOf(spend.usage))} tokens`;
  return money ? `${tokens} · ${money}` : tokens;
}

/** `41 s`, `12k read, 1.2k written`, `67 % from cache`, `$0.04`. */
export function inFull(spend: Spend): string[] {
  const { usage } = spend;
  const share = cached(usage);
  const parts = [duration(spend.seconds)];
  if (tokensOf(usage) > 0) {
    parts.push(`${count(tokensRead(usage))} read, ${count(usage.output_tokens)} written`);
  }
  if (share) parts.push(`${share} % from cache`);
  const money = priceInALine(spend);
  if (money) parts.push(money);
  return parts;
}
