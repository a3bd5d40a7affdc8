import { CopyPlus, Ellipsis, PencilLine, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import type { ProjectSummary } from "../api/types";
import { projectPath } from "../app/router";
import { IconButton } from "../ui/Button";
import { formatAgo } from "../ui/format";
import { InlineEdit } from "../ui/InlineEdit";
import { Menu } from "../ui/Menu";
import { Skeleton } from "../ui/Skeleton";
import { toast } from "../ui/Toast";
import styles from "./ProjectCard.module.css";
import { projectList } from "./projects";
import { Thumbnail } from "./Thumbnail";

const UNDO_MS = 8_000;

export function ProjectCard({ project }: { project: ProjectSummary }) {
  const [renaming, setRenaming] = useState(false);
  const { id, name, updated_at } = project;

  const rename = (next: string) =>
    projectList
      .rename(id, next)
      .catch((thrown: unknown) => toast.error("The project could not be renamed", thrown));

  const duplicate = () =>
    projectList
      .duplicate(id)
      .then((copy) => toast.success(`“${copy.name}” was created`))
      .catch((thrown: unknown) => toast.error("The project could not be duplicated", thrown));

  const remove = () => {
    projectList.remove(id);
    toast.show({
      title: `“${name}” deleted`,
      timeout: UNDO_MS,
      action: { label: "Undo", onClick: () => projectList.restore(id) },
      // Taken back or not: what is still hidden when the note goes is deleted.
      onClose: () =>
        void projectList
          .commitRemove(id)
          .catch((thrown: unknown) => toast.error(`“${name}” could not be deleted`, thrown)),
    });
  };

  return (
    <article className={styles.card}>
      <Link href={projectPath(id)} className={styles.link} aria-label={`Open ${name}`}>
        <Thumbnail project={project} />
      </Link>
      <div className={styles.foot}>
        <div className={styles.words}>
          {renaming ? (
            <InlineEdit
              label="Project name"
              value={name}
              editing
              onChange={(next) => void rename(next)}
              onDone={() => setRenaming(false)}
              className={styles.field ?? ""}
            />
          ) : (
            <h3 title={name} onDoubleClick={() => setRenaming(true)}>
              {name}
            </h3>
          )}
          <time dateTime={updated_at} title={new Date(updated_at).toLocaleString()}>
            {formatAgo(updated_at)}
          </time>
        </div>
        <Menu
          align="end"
          trigger={
            <IconButton label={`More for ${name}`} size="sm" className={styles.more}>
              <Ellipsis />
            </IconButton>
          }
          items={[
            {
              label: "Rename",
              icon: <PencilLine />,
              // After the menu gave focus back to its button.
              onSelect: () => setTimeout(() => setRenaming(true)),
            },
            { label: "Duplicate", icon: <CopyPlus />, onSelect: () => void duplicate() },
            { type: "separator" },
            { label: "Delete", icon: <Trash2 />, danger: true, onSelect: remove },
          ]}
        />
      </div>
    </article>
  );
}

export function ProjectSkeleton() {
  return (
    <div className={styles.card}>
      <div className={styles.link}>
        <Skeleton height="100%" radius="0" />
      </div>
      <div className={styles.foot}>
        <div className={styles.words}>
          <Skeleton width="60%" height="0.875rem" />
          <Skeleton width="35%" height="0.75rem" />
        </div>
      </div>
    </div>
  );
}
