/** An animation node around a part of it, for tests: real stores, a hub that is told by hand. */

import { act, render } from "@testing-library/react";
import type { ReactNode } from "react";
import type { SessionEvent } from "../../api/types";
import { SESSION, type Story } from "../../session/story";
import { createAssetStore } from "../../store/assets";
import { createDocumentStore } from "../../store/document";
import type { SessionHub } from "../../store/hub";
import { type OpenProject, ProjectProvider, useDocument } from "../../store/project";
import { AnimationProvider, useAnimationNode } from "./context";

interface Options {
  /** Words of a text node that is connected. */
  connected?: string;
  /** A node that has no session. */
  fresh?: boolean;
}

function Node({ children }: { children: ReactNode }) {
  const sessionId = useDocument(({ document }) => {
    const id = document.nodes[0]?.data.session_id;
    return typeof id === "string" ? id : null;
  });
  const animation = useAnimationNode("node-1", sessionId);
  return <AnimationProvider value={animation}>{children}</AnimationProvider>;
}

export function renderInNode(part: ReactNode, story: Story, options: Options = {}) {
  let listener: (events: readonly SessionEvent[]) => void = () => {};
  const hub = {
    projectId: "prj_1",
    subscribe: (_: string, to: typeof listener) => {
      listener = to;
      to(story.events);
      return () => {};
    },
    events: () => story.events,
    wake() {},
    close() {},
  } as unknown as SessionHub;
  const data = { session_id: options.fresh ? null : SESSION };
  const nodes = [{ id: "node-1", type: "animation" as const, x: 0, y: 0, data }];
  const text = {
    id: "text-1",
    type: "text" as const,
    x: 0,
    y: 0,
    data: { text: options.connected },
  };
  const edge = {
    id: "e",
    source: "text-1",
    source_port: "text",
    target: "node-1",
    target_port: "prompt",
  };
  const store = createDocumentStore({
    id: "prj_1",
    name: "Test",
    document: {
      schema: 1,
      nodes: options.connected ? [...nodes, text] : nodes,
      edges: options.connected ? [edge] : [],
      viewport: { x: 0, y: 0, zoom: 1 },
    },
  });
  const project = {
    id: "prj_1",
    store,
    hub,
    assets: createAssetStore("prj_1"),
  } as unknown as OpenProject;
  const view = render(
    <ProjectProvider value={project}>
      <Node>{part}</Node>
    </ProjectProvider>,
  );
  return {
    ...view,
    store,
    goOn(write: (it: Story) => void) {
      const from = story.events.length;
      write(story);
      act(() => listener(story.events.slice(from)));
    },
  };
}

/** Requests that were made, and what they were answered with. */
export function answer(replies: Record<string, () => Response>) {
  const asked: { method: string; path: string; key: string | null; body: unknown }[] = [];
  const fetch = async (path: string, init: RequestInit = {}) => {
    const name = `${init.method ?? "GET"} ${path.replace("/api/v1/", "").replace(SESSION, "ses")}`;
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : null;
    const key = new Headers(init.headers).get("idempotency-key");
    asked.push({ method: init.method ?? "GET", path, key, body });
    return replies[name]?.() ?? Response.json({});
  };
  return { fetch, of: (part: string) => asked.filter((it) => it.path.endsWith(part)) };
}
