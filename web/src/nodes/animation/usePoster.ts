import { api } from "../../api/client";
import { useAnimation, useView } from "./context";

/** A still picture of the animation, where an export left one. */
export function usePoster(): string | null {
  const { live } = useAnimation();
  const id = useView(
    (view) => view.renders.findLast((it) => it.status === "ready" && it.output?.poster)?.id ?? null,
  );
  return live && id ? api.renders.posterUrl(live.session.id, id) : null;
}
