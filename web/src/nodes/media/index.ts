import { ImagePlay } from "lucide-react";
import type { NodeDefinition } from "../types";
import { MediaNode } from "./MediaNode";

export const media: NodeDefinition = {
  type: "media",
  title: "Media",
  description: "A picture, video, sound or font for animations",
  Icon: ImagePlay,
  shortcut: "m",
  create: () => ({}),
  View: MediaNode,
};
