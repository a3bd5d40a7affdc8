import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { PLAN, Story } from "../../../../session/story";
import { answer, renderInNode } from "../../testing";
import EditTab from "./EditTab";

const DESIGN = {
  title: "Hello",
  subtitle: "",
  colors: { background: "#000000", primary: "#111111", accent: "#222222", text: "#ffffff" },
  fonts: { title: "Inter", body: "Inter" },
  lines: ["one", "two"],
  data: [{ label: "Jan", value: 12 }],
  logo: null,
  suffix: "%",
};

const server = () =>
  answer({
    "GET sessions/ses/design": () => Response.json({ design: DESIGN, fonts: ["Inter", "Sora"] }),
  });

const built = () => new Story().created().planned().approved().built();

it("has nothing to edit before there is a version", () => {
  vi.stubGlobal("fetch", server().fetch);
  renderInNode(<EditTab />, new Story().created().planned());
  expect(screen.getByText("Nothing to edit yet")).toBeTruthy();
});

it("sends words when a field is left, and nothing where nothing changed", async () => {
  const { fetch, of } = server();
  vi.stubGlobal("fetch", fetch);
  const user = userEvent.setup();
  renderInNode(<EditTab />, built());
  const title = await screen.findByLabelText("Title");
  await user.click(title);
  await user.tab();
  expect(of("/design").filter((it) => it.method === "PATCH")).toEqual([]);
  await user.clear(title);
  await user.type(title, "Good bye{Enter}");
  const line = screen.getByLabelText("Line 2");
  await user.clear(line);
  await user.type(line, "zwei");
  await user.tab();
  await waitFor(() => {
    const sent = of("/design").filter((it) => it.method === "PATCH");
    expect(sent.map((it) => it.body)).toEqual([{ title: "Good bye" }, { lines: ["one", "zwei"] }]);
  });
});

it("sends numbers that are numbers, and puts back what is none", async () => {
  const { fetch, of } = server();
  vi.stubGlobal("fetch", fetch);
  const user = userEvent.setup();
  renderInNode(<EditTab />, built());
  const value = await screen.findByLabelText("Number 1");
  await user.clear(value);
  await user.type(value, "many");
  await user.tab();
  expect((value as HTMLInputElement).value).toBe("12");
  await user.clear(value);
  await user.type(value, "7.5");
  await user.tab();
  await waitFor(() =>
    expect(of("/design").at(-1)?.body).toEqual({ data: [{ label: "Jan", value: 7.5 }] }),
  );
});

it("holds the last frame by a setting that keeps the speeds of all scenes", async () => {
  const { fetch, of } = server();
  vi.stubGlobal("fetch", fetch);
  const user = userEvent.setup();
  renderInNode(<EditTab />, built());
  const held = await screen.findByLabelText("Hold the last frame, in seconds");
  await user.clear(held);
  await user.type(held, "2{Enter}");
  await waitFor(() =>
    expect(of("/settings")[0]?.body).toEqual({ timing: { stretches: [], hold_seconds: 2 } }),
  );
  for (const scene of PLAN.scenes) expect(screen.getByText(scene.title)).toBeTruthy();
});
