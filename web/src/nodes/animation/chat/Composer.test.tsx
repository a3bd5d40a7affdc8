import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { SESSION, Story } from "../../../session/story";
import { answer, renderInNode } from "../testing";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";

const both = (
  <>
    <Conversation />
    <Composer />
  </>
);
const field = () => screen.getByLabelText<HTMLTextAreaElement>("Message to the agent");

it("sends by Enter, breaks the line by Shift and Enter, and shows the message at once", async () => {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  renderInNode(both, new Story().created());
  await user.type(field(), "Two{Shift>}{Enter}{/Shift}lines{Enter}");
  expect(field().value).toBe("");
  expect(screen.getByText(/Two\s+lines/)).toBeTruthy();
  await waitFor(() => expect(server.of("/messages")).toHaveLength(1));
  expect(server.of("/messages")[0]?.body).toEqual({
    text: "Two\nlines",
    attachments: [],
    context: [],
  });
  expect(server.of("/messages")[0]?.key).toMatch(/^[A-Za-z0-9_-]+$/);
});

it("gives the words of connected text nodes as context", async () => {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  renderInNode(both, new Story().created(), { connected: "Tone: warm." });
  expect(screen.getByText("from Text: Tone: warm.")).toBeTruthy();
  await user.type(field(), "Go{Enter}");
  await waitFor(() =>
    expect(server.of("/messages")[0]?.body).toMatchObject({ context: ["Tone: warm."] }),
  );
});

it("begins a session with the first message, and puts it into the document", async () => {
  const server = answer({
    "POST projects/prj_1/sessions": () =>
      Response.json({ id: SESSION, project_id: "prj_1", seq: 1, state: {} }, { status: 201 }),
  });
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  const { store } = renderInNode(both, new Story().created(), { fresh: true });
  await user.type(field(), "Hello{Enter}");
  expect(screen.getByText("Hello")).toBeTruthy();
  await waitFor(() => expect(server.of("/messages")).toHaveLength(1));
  expect(store.getState().document.nodes[0]?.data.session_id).toBe(SESSION);
  expect(store.undo()).toBeNull();
});

it("gives the words back when no session could be begun", async () => {
  const down = { error: { code: "unavailable", message: "The store is away." } };
  const server = answer({
    "POST projects/prj_1/sessions": () => Response.json(down, { status: 503 }),
  });
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  renderInNode(both, new Story().created(), { fresh: true });
  await user.type(field(), "Hello{Enter}");
  expect((await screen.findByRole("alert")).textContent).toBe("The store is away.");
  expect(field().value).toBe("Hello");
});

it("stops a turn by Escape or by its button, and only while one runs", async () => {
  const server = answer({});
  vi.stubGlobal("fetch", server.fetch);
  const { goOn } = renderInNode(both, new Story().created().asked("Hi").says(1, "Wor"));
  fireEvent.keyDown(field(), { key: "Escape" });
  await waitFor(() => expect(server.of("/stop")).toHaveLength(1));
  await waitFor(() => expect(screen.getByLabelText("Stop").hasAttribute("disabled")).toBe(false));
  fireEvent.click(screen.getByLabelText("Stop"));
  await waitFor(() => expect(server.of("/stop")).toHaveLength(2));
  goOn((story) => story.tell({ type: "turn_finished", outcome: { type: "stopped" } }));
  expect(screen.queryByLabelText("Stop")).toBeNull();
  fireEvent.keyDown(field(), { key: "Escape" });
  expect(server.of("/stop")).toHaveLength(2);
});

it("shows that a message waits while a turn runs", () => {
  vi.stubGlobal("fetch", answer({}).fetch);
  renderInNode(both, new Story().created().asked("Hi").says(1, "Wor").posted("And blue"));
  expect(screen.getByText("Waits until the agent is done")).toBeTruthy();
});

it("offers to send a refused message again, with the same key", async () => {
  const full = { error: { code: "invalid", message: "20 messages are waiting already." } };
  let refuse = true;
  const server = answer({
    "POST sessions/ses/messages": () =>
      refuse ? Response.json(full, { status: 422 }) : Response.json({}, { status: 202 }),
  });
  vi.stubGlobal("fetch", server.fetch);
  const user = userEvent.setup();
  renderInNode(both, new Story().created());
  await user.type(field(), "Hello{Enter}");
  expect((await screen.findByRole("alert")).textContent).toMatch("20 messages are waiting");
  refuse = false;
  await user.click(screen.getByRole("button", { name: "Send again" }));
  await waitFor(() => expect(server.of("/messages")).toHaveLength(2));
  expect(new Set(server.of("/messages").map((it_) => it_.key)).size).toBe(1);
});
