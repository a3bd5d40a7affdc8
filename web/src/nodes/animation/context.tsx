/** One animation node, for everything that is drawn of it: on the canvas and in the studio. */

import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import { api } from "../../api/client";
import { type ApiError, asApiError } from "../../api/errors";
import { idempotencyKey } from "../../api/ids";
import type { Config, SettingsPatch } from "../../api/types";
import type { Incoming } from "../../graph/incoming";
import type { Outgoing, PendingMessage, SessionData } from "../../session/store";
import { EMPTY, type View } from "../../session/view";
import { useConfig } from "../../store/config";
import { useIncoming, useNodeActions, useProject } from "../../store/project";
import { enter, type LiveSession, leave, peek } from "./sessions";

export type StudioTab = "chat" | "edit" | "code" | "versions" | "export" | "settings";

/** What is being written and has not been sent. */
export interface Draft {
  text: string;
  /** Owners of uploads, see `AssetStore`; with the asset once it is there. */
  files: readonly { owner: string; name: string; assetId: string | null }[];
}

export interface Animation {
  nodeId: string;
  projectId: string;
  /** `null` until something was said or set. */
  live: LiveSession | null;
  config: Config;
  incoming: Incoming;
  draft: StoreApi<Draft>;
  /** Why no session could be begun. */
  beginError: ApiError | null;
  /** The message that begins the session, while it is begun. */
  first: Outgoing | null;
  /** Sends words, with what is connected to the node. */
  send(text: string, attachments?: readonly string[]): void;
  patch(patch: SettingsPatch): Promise<boolean>;
  studio: StudioTab | null;
  openStudio(tab: StudioTab): void;
  closeStudio(): void;
  remove(): void;
}

const Context = createContext<Animation | null>(null);

export function AnimationProvider({ value, children }: { value: Animation; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

export function useAnimation(): Animation {
  const animation = useContext(Context);
  if (!animation) throw new Error("useAnimation is for parts of an animation node.");
  return animation;
}

const NOTHING: SessionData = { view: EMPTY, loading: false, pending: [], busy: {}, errors: {} };
const nothing = createStore<SessionData>(() => NOTHING);

/** A part of the session; of an empty one while there is none. */
export function useSession<T>(selector: (data: SessionData) => T): T {
  const { live } = useAnimation();
  return useStore(live?.session.state ?? nothing, selector);
}

export const useView = <T,>(selector: (view: View) => T): T =>
  useSession((data) => selector(data.view));

/** Builds what `AnimationProvider` gives. */
export function useAnimationNode(nodeId: string, sessionId: string | null): Animation {
  const { id: projectId, hub } = useProject();
  const incoming = useIncoming(nodeId);
  const config = useConfig();
  const { setData, remove } = useNodeActions(nodeId);
  const [studio, setStudio] = useState<StudioTab | null>(null);
  const [first, setFirst] = useState<Outgoing | null>(null);
  const [beginError, setBeginError] = useState<ApiError | null>(null);
  const [draft] = useState(() => createStore<Draft>(() => ({ text: "", files: [] })));

  const live = useMemo(() => (sessionId ? peek(hub, sessionId) : null), [hub, sessionId]);
  useEffect(() => {
    if (!sessionId) return;
    enter(hub, sessionId);
    return () => leave(hub, sessionId);
  }, [hub, sessionId]);

  // The same key until it worked, so that a second try does not make a second session.
  const beginKey = useRef<string | null>(null);
  const beginning = useRef<Promise<LiveSession> | null>(null);

  return useMemo(() => {
    const begin = (): Promise<LiveSession> => {
      if (live) return Promise.resolve(live);
      beginKey.current ??= idempotencyKey();
      const key = beginKey.current;
      beginning.current ??= api.sessions
        .create(projectId, { node_id: nodeId }, { key })
        .then((session) => {
          beginKey.current = null;
          const made = peek(hub, session.id);
          setData({ session_id: session.id }, { undoable: false });
          hub.wake();
          return made;
        })
        .finally(() => {
          beginning.current = null;
        });
      return beginning.current;
    };
    return {
      nodeId,
      projectId,
      live,
      config,
      incoming,
      draft,
      beginError,
      first,
      studio,
      send(text, attachments = []) {
        const message: Outgoing = {
          text,
          attachments: [...new Set([...attachments, ...incoming.assetIds])],
          context: incoming.texts,
        };
        if (live) {
          live.session.actions.post(message);
          return;
        }
        setBeginError(null);
        setFirst(message);
        begin()
          .then(({ session }) => session.actions.post(message))
          .catch((thrown: unknown) => {
            setBeginError(asApiError(thrown));
            // What was typed is not lost.
            if (draft.getState().text === "") draft.setState({ text });
          })
          .finally(() => setFirst(null));
      },
      async patch(patch) {
        try {
          setBeginError(null);
          return await (await begin()).session.actions.patch(patch);
        } catch (thrown) {
          setBeginError(asApiError(thrown));
          return false;
        }
      },
      openStudio: setStudio,
      closeStudio: () => setStudio(null),
      remove,
    };
  }, [
    nodeId,
    projectId,
    hub,
    live,
    config,
    incoming,
    draft,
    beginError,
    first,
    studio,
    setData,
    remove,
  ]);
}

/** Messages on their way, the one that begins the session included. */
export function usePending(): readonly PendingMessage[] {
  const { first } = useAnimation();
  const pending = useSession((data) => data.pending);
  return useMemo(() => {
    if (!first) return pending;
    const begins: PendingMessage = {
      key: "first",
      text: first.text,
      attachments: first.attachments ?? [],
      context: first.context ?? [],
      status: "sending",
      error: null,
    };
    return [begins, ...pending];
  }, [first, pending]);
}
