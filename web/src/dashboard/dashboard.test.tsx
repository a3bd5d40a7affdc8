import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configStore } from "../store/config";
import { createFakeServer, type FakeServer, seed } from "../test/fake";
import { Toaster } from "../ui/Toast";
import { TooltipProvider } from "../ui/Tooltip";
import { nameFrom } from "./create";
import { Dashboard } from "./Dashboard";
import { projectList } from "./projects";

let server: FakeServer;

beforeEach(() => {
  server = createFakeServer();
  vi.stubGlobal("fetch", server.fetch);
  // Nothing is in view here; cards then show no thumbnail.
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  history.replaceState(null, "", "/");
  projectList.setState({ items: [], status: "loading", error: null, cursor: null });
  configStore.setState({ config: null, error: null, loading: false });
});

afterEach(() => vi.unstubAllGlobals());

const show = () =>
  render(
    <TooltipProvider>
      <Dashboard />
      <Toaster />
    </TooltipProvider>,
  );

const names = () => screen.queryAllByRole("heading", { level: 3 }).map((it) => it.textContent);

async function choose(project: string, item: string) {
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: `More for ${project}` }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
  return user;
}

describe("the dashboard", () => {
  it("shows that it loads, then the projects, last written first", async () => {
    seed(server, { name: "First" });
    seed(server, { name: "Second" });
    show();
    expect(screen.getByRole("status", { name: "Loading projects" })).toBeTruthy();
    await waitFor(() => expect(names()).toEqual(["Second", "First"]));
    expect(screen.queryByRole("status", { name: "Loading projects" })).toBeNull();
  });

  it("says why it could not load, and tries again", async () => {
    seed(server, { name: "Film" });
    server.offline = true;
    show();
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("cannot be reached");
    server.offline = false;
    await userEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(names()).toEqual(["Film"]));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("makes a project with an animation that is being talked about from a prompt", async () => {
    show();
    await screen.findByText(/Your projects will be here/);
    const user = userEvent.setup();
    await user.type(
      screen.getByLabelText("Describe an animation"),
      "A calm sea. Slow waves{Enter}",
    );
    await waitFor(() => expect(location.pathname).toMatch(/^\/p\/prj_/));
    const [project] = [...server.projects.values()];
    const [session] = [...server.sessions.values()];
    expect(project?.name).toBe("A calm sea");
    expect(project?.document.nodes).toMatchObject([
      { type: "animation", data: { session_id: session?.id } },
    ]);
    expect(session?.state.node_id).toBe(project?.document.nodes[0]?.id);
    expect(server.calls).toContain(`POST /api/v1/sessions/${session?.id}/messages`);
  });

  it("offers the server's examples and puts one into the field", async () => {
    show();
    await userEvent.click(await screen.findByRole("button", { name: "Animated chart" }));
    const field = screen.getByLabelText<HTMLTextAreaElement>("Describe an animation");
    expect(field.value).toBe(server.config.examples[1]?.prompt);
  });

  it("renames where the name stands", async () => {
    const project = seed(server, { name: "Film" });
    show();
    const user = await choose("Film", "Rename");
    const field = await screen.findByRole("textbox", { name: "Project name" });
    await user.clear(field);
    await user.type(field, "Opera{Enter}");
    await waitFor(() => expect(server.projects.get(project.id)?.name).toBe("Opera"));
    expect(names()).toEqual(["Opera"]);
  });

  it("puts the old name back when renaming fails", async () => {
    seed(server, { name: "Film" });
    show();
    const user = await choose("Film", "Rename");
    const field = await screen.findByRole("textbox", { name: "Project name" });
    server.offline = true;
    await user.clear(field);
    await user.type(field, "Opera{Enter}");
    expect(await screen.findAllByText("The project could not be renamed")).not.toEqual([]);
    expect(names()).toEqual(["Film"]);
  });

  it("duplicates", async () => {
    seed(server, { name: "Film" });
    show();
    await choose("Film", "Duplicate");
    await waitFor(() => expect(names()).toEqual(["Film (copy)", "Film"]));
    expect(server.projects.size).toBe(2);
  });

  it("deletes only when the chance to undo has passed", async () => {
    const project = seed(server, { name: "Film" });
    seed(server, { name: "Opera" });
    show();
    const user = await choose("Film", "Delete");
    await waitFor(() => expect(names()).toEqual(["Opera"]));
    expect(server.projects.has(project.id)).toBe(true);
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(names()).toEqual(["Opera", "Film"]));
    expect(server.calls.some((it) => it.startsWith("DELETE"))).toBe(false);

    await choose("Film", "Delete");
    await waitFor(() => expect(names()).toEqual(["Opera"]));
    // Out of the way of assistive technology until the notes have focus.
    await user.click(await screen.findByLabelText("Dismiss"));
    await waitFor(() => expect(server.projects.has(project.id)).toBe(false));
    expect(names()).toEqual(["Opera"]);
  });

  it("deletes what was deleted when the page closes before the note is gone", async () => {
    const project = seed(server, { name: "Film" });
    show();
    await choose("Film", "Delete");
    await waitFor(() => expect(names()).toEqual([]));
    dispatchEvent(new Event("pagehide"));
    await waitFor(() => expect(server.projects.has(project.id)).toBe(false));
  });

  it("searches in all pages, not only in those on screen", async () => {
    seed(server, { name: "Needle" });
    for (let n = 0; n < 60; n += 1) seed(server, { name: `Hay ${n}` });
    show();
    await waitFor(() => expect(names()).toHaveLength(48));
    const user = userEvent.setup();
    await user.type(screen.getByRole("searchbox", { name: "Search projects" }), "needle");
    await waitFor(() => expect(names()).toEqual(["Needle"]));
    await user.clear(screen.getByRole("searchbox", { name: "Search projects" }));
    await user.type(screen.getByRole("searchbox", { name: "Search projects" }), "zebra");
    expect(await screen.findByText(/No project is called “zebra”/)).toBeTruthy();
  });
});

describe("a title from a prompt", () => {
  it.each([
    ["a calm sea. Slow waves", "A calm sea"],
    ["   \n ", "Untitled"],
    ['Reveal our logo for "Northwind" with the tagline', 'Reveal our logo for "Northwind"'],
    [
      "Confetti particles celebrating one thousand users in warm colours",
      "Confetti particles celebrating one thousand users",
    ],
    ['"Quoted" title: with more', '"Quoted" title'],
  ])("%j becomes %j", (prompt, name) => {
    expect(nameFrom(prompt)).toBe(name);
  });
});
