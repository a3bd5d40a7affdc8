import { Clapperboard } from "lucide-react";
import type { NodeDefinition } from "../types";
import { AnimationNode } from "./AnimationNode";

export const animation: NodeDefinition = {
  type: "animation",
  title: "Animation",
  description: "A video that an agent makes from your words",
  Icon: Clapperboard,
  shortcut: "a",
  create: () => ({ session_id: null }),
  View: AnimationNode,
};
