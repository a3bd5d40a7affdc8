/** What the animation node needs from the canvas that it is on. */

import type { AssetKind, Config } from "../../api/types";
import type { SessionHub } from "../../store/hub";

/** A text node that is connected; its words go with every message. */
export interface ConnectedText {
  nodeId: string;
  /** Its title, or its first words. */
  label: string;
  text: string;
}

/** A media node that is connected; its asset goes with every message. */
export interface ConnectedMedia {
  nodeId: string;
  assetId: string;
  filename: string;
  kind: AssetKind | null;
}

export interface AnimationHost {
  projectId: string;
  nodeId: string;
  /** `null` until something was said or set; the node then makes one and tells by `onSession`. */
  sessionId: string | null;
  hub: SessionHub | null;
  config: Config | null;
  texts: readonly ConnectedText[];
  media: readonly ConnectedMedia[];
  selected: boolean;
  /** Write the session into the document, outside of undo. */
  onSession(sessionId: string): void;
  /** Remove the node from the canvas. */
  onRemove(): void;
}
