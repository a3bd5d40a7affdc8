import type { Connection, FinalConnectionState } from "@xyflow/react";
import { useMemo } from "react";
import { connect, remove } from "../graph/commands";
import { canConnect, fittingInput, inputPort, type Link, outputPort, PORTS } from "../graph/ports";
import { nodes as definitions } from "../nodes";
import { useProject } from "../store/project";
import { toast } from "../ui/Toast";
import { type Pending, useEditor } from "./editor";
import type { FlowEdge } from "./flow";

const linkOf = (it: Connection | FlowEdge): Link => ({
  source: it.source,
  source_port: it.sourceHandle ?? "",
  target: it.target,
  target_port: it.targetHandle ?? "",
});

/** Connecting, reconnecting, and dropping a connection on a node or on nothing. */
export function useConnectionHandlers() {
  const editor = useEditor();
  const { store } = useProject();
  return useMemo(() => {
    const document = () => store.getState().document;
    const join = (link: Link) => store.perform(connect(document(), link), { label: "connect" });

    const marks = (
      dataset: DOMStringMap | undefined,
      mark: { flow: string; from: string } | null,
    ) => {
      if (!dataset) return;
      if (mark) Object.assign(dataset, { connecting: mark.flow, from: mark.from });
      else {
        delete dataset.connecting;
        delete dataset.from;
      }
    };

    return {
      isValidConnection: (it: Connection | FlowEdge) => canConnect(document(), linkOf(it)).ok,
      onConnect: (it: Connection) => {
        join(linkOf(it));
      },
      onConnectStart: (
        _: unknown,
        from: { nodeId: string | null; handleId: string | null; handleType: string | null },
      ) => {
        const kind = document().nodes.find((it) => it.id === from.nodeId)?.type;
        const find = from.handleType === "source" ? outputPort : inputPort;
        const port = kind && find(kind, from.handleId ?? "");
        if (port)
          marks(editor.surface.current?.dataset, {
            flow: port.flow,
            from: from.handleType ?? "source",
          });
      },
      onConnectEnd: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
        marks(editor.surface.current?.dataset, null);
        if (state.isValid || !state.fromHandle) return;
        const at = "clientX" in event ? event : event.changedTouches[0];
        if (at) finish(state, { x: at.clientX, y: at.clientY });
      },
      onReconnect: (old: FlowEdge, it: Connection) => {
        const gone = remove([], [old.id]);
        const without = {
          ...document(),
          edges: document().edges.filter((edge) => edge.id !== old.id),
        };
        const added = connect(without, linkOf(it));
        if (added.length > 0) store.perform([...gone, ...added], { label: "reconnect" });
      },
      onReconnectEnd: (_: unknown, edge: FlowEdge, __: unknown, state: FinalConnectionState) => {
        if (!state.isValid && !state.toHandle)
          store.perform(remove([], [edge.id]), { label: "disconnect" });
      },
    };

    function finish(state: FinalConnectionState, at: { x: number; y: number }): void {
      const from = state.fromHandle;
      if (!from) return;
      const port = from.id ?? "";
      if (state.toHandle) {
        const [source, target] =
          from.type === "source" ? [from, state.toHandle] : [state.toHandle, from];
        const verdict = canConnect(document(), {
          source: source.nodeId,
          source_port: source.id ?? "",
          target: target.nodeId,
          target_port: target.id ?? "",
        });
        if (!verdict.ok) toast.show({ title: verdict.reason });
        return;
      }
      const under = window.document
        .elementFromPoint(at.x, at.y)
        ?.closest<HTMLElement>("[data-node-frame]")?.dataset.nodeFrame;
      if (under === from.nodeId) return;
      if (under) {
        onto(under, from.type, from.nodeId, port);
        return;
      }
      const pending: Pending =
        from.type === "source"
          ? { source: from.nodeId, source_port: port }
          : { target: from.nodeId, target_port: port };
      editor.ui.setState({ adding: { at, pending } });
    }

    /** Dropped on a node's body: the first port that fits. */
    function onto(node: string, fromType: string, fromNode: string, port: string): void {
      const kind = document().nodes.find((it) => it.id === node)?.type;
      if (!kind) return;
      const link =
        fromType === "source"
          ? fittingInput(document(), fromNode, port, node)
          : PORTS[kind].outputs
              .map(
                (it): Link => ({
                  source: node,
                  source_port: it.name,
                  target: fromNode,
                  target_port: port,
                }),
              )
              .find((it) => canConnect(document(), it).ok);
      if (link) join(link);
      else toast.show({ title: `${definitions[kind].title} nodes have no port that fits this.` });
    }
  }, [editor, store]);
}
