/** How this page was opened, read once. */

// Remotion's own renderer opens a page without a query, and passes on what it is told.
const told = (window as { remotion_envVariables?: string }).remotion_envVariables;
const query = new URLSearchParams(told === undefined ? location.search : (JSON.parse(told) as { KODA_PAGE?: string }).KODA_PAGE);

function size(name: string): number | null {
  const value = Number(query.get(name));
  return Number.isFinite(value) && value > 0 ? Math.round(value) : null;
}

/** True where Remotion's own renderer takes the frames. */
export const rendererOfRemotion = told !== undefined;

/** True where a driver takes frames from the page; false in a preview. */
export const capturing = query.get("mode") === "capture";

/** True where the picture keeps its alpha: a composition then draws no background of its own. */
export const transparent = query.get("transparent") === "1";

/** False where a driver wants frames sooner than smooth edges in 3D. */
export const smooth = query.get("smooth") !== "0";

/** The exact size of the picture in CSS pixels, where a driver asked for one. */
export const captureSize = { width: size("width"), height: size("height") };
