import { CloudAlert } from "lucide-react";
import { useStore } from "zustand";
import { api } from "../api/client";
import { useProject } from "../store/project";
import { Button } from "../ui/Button";
import { toast } from "../ui/Toast";
import styles from "./Banner.module.css";
import { useEditor } from "./editor";

/** What a person has to decide before the canvas can be saved again. */
export function Banner({ onMoved }: { onMoved: (projectId: string) => void }) {
  const editor = useEditor();
  const { autosave, store } = useProject();
  const save = useStore(autosave.state);

  if (save.status === "conflict") {
    const count = save.conflicts.length;
    return (
      <div className={styles.banner} role="alert">
        <CloudAlert size={18} />
        <p>
          <strong>Another tab changed the same {count > 1 ? `${count} things` : "thing"}.</strong>{" "}
          Everything else was put together. Whose should stay?
        </p>
        <Button size="sm" onClick={() => void autosave.resolve("theirs")}>
          Take theirs
        </Button>
        <Button size="sm" variant="primary" onClick={() => void autosave.resolve("mine")}>
          Keep mine
        </Button>
      </div>
    );
  }

  if (save.status === "gone") {
    const keep = async () => {
      try {
        const { name, document } = store.getState();
        const project = await api.projects.create(name);
        const nodes = document.nodes.map((it) =>
          it.type === "animation" || it.type === "media" ? { ...it, data: {} } : it,
        );
        await api.projects.put(project.id, project.revision, {
          name,
          document: { ...document, nodes },
        });
        onMoved(project.id);
      } catch (thrown) {
        toast.error("The copy could not be saved", thrown);
      }
    };
    return (
      <div className={styles.banner} role="alert">
        <CloudAlert size={18} />
        <p>
          <strong>This project was deleted elsewhere.</strong> Its texts and layout are still here;
          conversations and files are gone.
        </p>
        <Button size="sm" onClick={editor.leave}>
          Leave
        </Button>
        <Button size="sm" variant="primary" onClick={() => void keep()}>
          Save as a new project
        </Button>
      </div>
    );
  }
  return null;
}
