import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { DIAGNOSTIC, Story } from "../../../session/story";
import { answer, renderInNode } from "../testing";
import { Conversation } from "./Conversation";

const outcome = {
  type: "check_failed",
  diagnostic: DIAGNOSTIC,
  repairs: 2,
  version_id: "ver_1",
} as const;

beforeEach(() => void vi.stubGlobal("fetch", answer({}).fetch));

function failed(): Story {
  const story = new Story().created().built();
  story.tell({
    type: "message_posted",
    message_id: "msg_9",
    text: "Make it spin like this",
    attachments: ["ast_1"],
    context: [],
    key: null,
  });
  story.taken(9).said(1, "I spin it.");
  const first = { ...DIAGNOSTIC, line: 3, message: "Cannot find name 'spin'." };
  story.checked(false, [first]).told();
  story.said(2, "Now.").checked(false).told();
  story.said(3, "And now.").checked(false);
  return story.tell({ type: "turn_finished", outcome });
}

it("says what each round met, and that the good version is back", () => {
  renderInNode(<Conversation />, failed());
  const card = within(screen.getByRole("alert"));
  expect(card.getByText(/2 repairs did not mend it. The files are back at version 1/)).toBeTruthy();
  const rounds = card.getAllByRole("listitem", { hidden: true }).map((it) => it.textContent);
  expect(rounds).toEqual([
    "First trysrc/Composition.tsx:3:7Cannot find name 'spin'.",
    `Repair 1src/Composition.tsx:12:7${DIAGNOSTIC.message}`,
    "Repair 2met the same error",
  ]);
});

it("asks for the same once more, files included, with what went wrong", async () => {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  renderInNode(<Conversation />, failed());
  await userEvent.click(screen.getByRole("button", { name: "Try another way" }));
  await waitFor(() => expect(server.of("/messages")).toHaveLength(1));
  const body = server.of("/messages")[0]?.body as { text: string; attachments: string[] };
  expect(body.attachments).toEqual(["ast_1"]);
  expect(body.text).toMatch(/^Make it spin like this\n\nThis was tried before/);
  expect(body.text).toContain("back at version 1");
  expect(body.text).toContain("src/Composition.tsx:3:7: Cannot find name 'spin'.");
});

it("offers no second try once something else was said", () => {
  const { goOn } = renderInNode(<Conversation />, failed());
  expect(screen.getByRole("button", { name: "Try another way" })).toBeTruthy();
  goOn((story) => story.asked("Never mind"));
  expect(screen.queryByRole("button", { name: "Try another way" })).toBeNull();
});

it("tells below a turn what it used, and behind that each call", () => {
  const story = new Story().created().asked("Hi").said(1, "Hello.").coded("qwen", 0);
  story.tell({ type: "turn_finished", outcome: { type: "answered" } });
  renderInNode(<Conversation />, story);
  expect(screen.getByText("5k read, 1.6k written")).toBeTruthy();
  expect(screen.getByText("at least $0.0021")).toBeTruthy();
  const rows = screen.getAllByRole("row", { hidden: true }).map((it) => it.textContent);
  expect(rows[1]).toBe("1 claude-opus-4-52.4 s2k80090$0.0021");
  expect(rows[2]).toBe("Code qwen7.5 s3k2.4k1.5k–");
});
