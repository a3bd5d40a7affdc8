/** New projects. */

import { api } from "../api/client";
import { idempotencyKey } from "../api/ids";
import { makeNode } from "../graph/commands";
import { emptyDocument } from "../graph/document";

/** An empty one. */
export const createEmpty = () => api.projects.create("Untitled");

/** One with an animation that is already being talked about. */
export async function createFromPrompt(prompt: string): Promise<string> {
  const project = await api.projects.create(nameFrom(prompt));
  const node = makeNode("animation", { x: 0, y: 0 });
  const session = await api.sessions.create(project.id, { node_id: node.id });
  await api.projects.put(project.id, project.revision, {
    name: project.name,
    document: {
      ...emptyDocument(),
      nodes: [{ ...node, data: { session_id: session.id } }],
    },
  });
  await api.sessions.message(session.id, { text: prompt }, { key: idempotencyKey() });
  return project.id;
}

/** The first words of a prompt, as a title. */
export function nameFrom(prompt: string): string {
  const line =
    prompt
      .trim()
      .split(/[\n.!?:;]/)[0]
      ?.trim() ?? "";
  const all = line.split(/\s+/);
  const words = all
    .slice(0, 6)
    .join(" ")
    .replace(
      all.length > 6 ? /( (a|an|and|at|by|for|from|in|of|on|or|that|the|to|with))+$/i : "",
      "",
    );
  const short = words.length > 60 ? `${words.slice(0, 59).trimEnd()}…` : words;
  return short ? short.charAt(0).toUpperCase() + short.slice(1) : "Untitled";
}
