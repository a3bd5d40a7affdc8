import { type Document, dataString, findNode } from "./document";

export interface Incoming {
  /** Words of connected text nodes that are not empty, in the order of the connections. */
  texts: string[];
  /** Assets of connected media nodes that have one, each once. */
  assetIds: string[];
}

/** What flows into a node. A video of another animation is a render, not an asset, and is left out. */
export function incoming(document: Pick<Document, "nodes" | "edges">, nodeId: string): Incoming {
  const texts: string[] = [];
  const assetIds = new Set<string>();
  for (const edge of document.edges) {
    if (edge.target !== nodeId) continue;
    const source = findNode(document as Document, edge.source);
    if (source?.type === "text") {
      const text = dataString(source, "text")?.trim();
      if (text) texts.push(text);
    } else if (source?.type === "media") {
      const asset = dataString(source, "asset_id");
      if (asset) assetIds.add(asset);
    }
  }
  return { texts, assetIds: [...assetIds] };
}
