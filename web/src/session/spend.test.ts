import { expect, it } from "vitest";
import type { Usage } from "../api/types";
import {
  add,
  cached,
  count,
  duration,
  inFull,
  inShort,
  NOTHING_SPENT,
  ofCall,
  price,
} from "./spend";

const usage = (patch: Partial<Usage> = {}): Usage => ({
  ...NOTHING_SPENT.usage,
  input_tokens: 3000,
  cached_tokens: 9000,
  output_tokens: 1200,
  ...patch,
});

it("counts tokens in three letters or so", () => {
  expect([0, 840, 1000, 1234, 9949, 9950, 48_211, 999_499, 999_500, 1_260_000].map(count)).toEqual([
    "0",
    "840",
    "1k",
    "1.2k",
    "9.9k",
    "10k",
    "48k",
    "999k",
    "1M",
    "1.3M",
  ]);
});

it("tells times as people do", () => {
  expect([0.04, 4.25, 9.96, 41.4, 59.7, 60, 133, 3600, 3900].map(duration)).toEqual([
    "0 s",
    "4.3 s",
    "10 s",
    "41 s",
    "1 min",
    "1 min",
    "2 min 13 s",
    "1 h",
    "1 h 5 min",
  ]);
});

it("never tells a price that nobody told", () => {
  expect(price(ofCall(usage(), 1))).toBeNull();
  expect(inShort(ofCall(usage(), 1))).toBe("13k tokens");
  expect(inFull(ofCall(usage(), 41))).toEqual([
    "41 s",
    "12k read, 1.2k written",
    "75 % from cache",
  ]);
});

it("says that a price is unknown where the server says so", () => {
  const unknown = ofCall(usage({ unpriced_tokens: 13_200 }), 1);
  expect(inShort(unknown)).toBe("13k tokens · price unknown");
  expect(inFull(unknown).at(-1)).toBe("price unknown");
  const both = ofCall(usage({ unpriced_tokens: 500, cost_micros: 450_000 }), 1);
  expect(both.unpriced).toBe(500);
  expect(price(both)).toBe("at least $0.45");
  expect(price(add(unknown, both))).toBe("at least $0.45");
  expect(inShort(ofCall(usage({ unpriced_tokens: 13_200 }), 1, true))).toBe("13k tokens");
});

it("tells small prices as such, and sums with a part that has none as at least that", () => {
  const priced = ofCall(usage({ cost_micros: 450_000 }), 1);
  expect(price(priced)).toBe("$0.45");
  expect(price(ofCall(usage({ cost_micros: 2100 }), 1))).toBe("$0.0021");
  expect(price(ofCall(usage({ cost_micros: 3 }), 1))).toBe("under $0.0001");
  expect(price(add(priced, ofCall(usage(), 1)))).toBe("at least $0.45");
  expect(price(add(priced, ofCall(usage(), 1, true)))).toBe("$0.45");
});

it("knows no share of the cache where nothing was read", () => {
  expect(cached(usage())).toBe(75);
  expect(cached(NOTHING_SPENT.usage)).toBeNull();
  expect(inFull({ ...NOTHING_SPENT, seconds: 3 })).toEqual(["3 s"]);
});
