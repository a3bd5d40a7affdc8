import { Type } from "lucide-react";
import type { NodeDefinition } from "../types";
import { TextNode } from "./TextNode";

export const text: NodeDefinition = {
  type: "text",
  title: "Text",
  description: "Words that animations take into their prompt",
  Icon: Type,
  shortcut: "t",
  create: () => ({ text: "" }),
  View: TextNode,
};
