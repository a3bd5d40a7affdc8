import { StickyNote } from "lucide-react";
import type { NodeDefinition } from "../types";
import { NoteNode } from "./NoteNode";

export const note: NodeDefinition = {
  type: "note",
  title: "Note",
  description: "A remark for people; animations do not read it",
  Icon: StickyNote,
  shortcut: "n",
  create: () => ({ text: "", color: "sand" }),
  View: NoteNode,
};
