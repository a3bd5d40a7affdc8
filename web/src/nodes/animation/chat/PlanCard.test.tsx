import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { PLAN, Story } from "../../../session/story";
import { answer, renderInNode } from "../testing";
import { Conversation } from "./Conversation";

const planned = () => new Story().created().planned();

it("shows what will be made, and the terms of Remotion", () => {
  vi.stubGlobal("fetch", answer({}).fetch);
  renderInNode(<Conversation />, planned());
  expect(screen.getByRole("heading", { name: PLAN.title })).toBeTruthy();
  for (const scene of PLAN.scenes) expect(screen.getByText(scene.title)).toBeTruthy();
  expect(screen.getByText(/larger companies need a licence/)).toBeTruthy();
});

it("is approved as it is by its hash, by button or by Ctrl+Enter", async () => {
  for (const approve of [
    () => fireEvent.click(screen.getByRole("button", { name: /Approve/ })),
    () => fireEvent.keyDown(screen.getByLabelText(/^Plan:/), { key: "Enter", ctrlKey: true }),
  ]) {
    const server = answer({});
    vi.stubGlobal("fetch", server.fetch);
    const { unmount } = renderInNode(<Conversation />, planned());
    approve();
    await waitFor(() => expect(server.of("/plan")).toHaveLength(1));
    expect(server.of("/plan")[0]?.body).toEqual({ decision: "approve", hash: "hash-1" });
    unmount();
  }
});

it("is approved with the edits that were made, and not while they break a rule", async () => {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  renderInNode(<Conversation />, planned());
  await user.click(screen.getByRole("button", { name: "Edit" }));
  const seconds = screen.getByLabelText("Seconds of scene 2");
  await user.clear(seconds);
  await user.type(seconds, "500");
  expect(screen.getByRole("button", { name: /Approve/ }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("alert").textContent).toMatch(/make it 1 to 120 s/);
  await user.clear(seconds);
  await user.type(seconds, "4");
  await user.click(screen.getByLabelText("Remove scene 1"));
  await user.click(screen.getByRole("button", { name: /Approve with edits/ }));
  await waitFor(() => expect(server.of("/plan")).toHaveLength(1));
  expect(server.of("/plan")[0]?.body).toMatchObject({
    hash: "hash-1",
    plan: { scenes: [{ title: "Three facts", duration_seconds: 4 }, { title: "Logo" }] },
  });
});

it("says beside the plan why it could not be approved", async () => {
  const conflict = { error: { code: "conflict", message: "Look at the newest plan." } };
  const server = answer({
    "POST sessions/ses/plan": () => Response.json(conflict, { status: 409 }),
  });
  vi.stubGlobal("fetch", server.fetch);
  renderInNode(<Conversation />, planned());
  fireEvent.click(screen.getByRole("button", { name: /Approve/ }));
  expect((await screen.findByRole("alert")).textContent).toMatch("Look at the newest plan.");
});

it("folds away once it is decided in another tab", async () => {
  vi.stubGlobal("fetch", answer({}).fetch);
  const { goOn } = renderInNode(<Conversation />, planned());
  goOn((story) => story.tell({ type: "plan_rejected", hash: "hash-1", reason: "Too long" }));
  expect(screen.queryByRole("button", { name: /^Approve/ })).toBeNull();
  expect(screen.getByText("Rejected")).toBeTruthy();
  expect(screen.getByText("“Too long”")).toBeTruthy();
});
