/** Every version: look at it, compare it, bring it back, take it away. */

import { Download, Eye, FileDiff, History, RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { api } from "../../../api/client";
import { isAbort } from "../../../api/errors";
import type { Version, VersionDiff } from "../../../api/types";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { ConfirmDialog } from "../../../ui/Dialog";
import { EmptyState } from "../../../ui/EmptyState";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { formatAgo } from "../../../ui/format";
import { Select } from "../../../ui/Select";
import { Spinner } from "../../../ui/Spinner";
import { useAnimation, useSession, useView } from "../context";
import type { LiveSession } from "../sessions";
import { countDiff, parseDiff } from "./diff";
import styles from "./VersionsTab.module.css";

export default function VersionsTab() {
  const { live } = useAnimation();
  const versions = useView((view) => view.versions);
  if (!live || versions.length === 0) {
    return (
      <EmptyState icon={<History />} title="No versions yet">
        Every change that passes its check becomes a version. You can go back to any of them.
      </EmptyState>
    );
  }
  return <List live={live} versions={versions} />;
}

function List({ live, versions }: { live: LiveSession; versions: readonly Version[] }) {
  const { preview, session } = live;
  const shown = useStore(preview.state, (it) => it.version);
  const error = useSession((data) => data.errors.restore);
  const busy = useSession((data) => data.busy.restore ?? false);
  const working = useView((view) => view.turn !== null);
  const [compared, setCompared] = useState<string | null>(null);
  const [asking, setAsking] = useState<Version | null>(null);
  const newest = versions.at(-1)?.id ?? null;
  const current = shown ?? newest;
  return (
    <div className={styles.root}>
      {error && <ErrorNotice title="The version could not be brought back" error={error} />}
      <ol className={styles.list}>
        {versions.toReversed().map((version) => (
          <li
            key={version.id}
            className={styles.item}
            data-shown={version.id === current || undefined}
          >
            <div className={styles.line}>
              <span className={styles.number}>v{version.number}</span>
              <div className={styles.grow}>
                <p className={styles.summary}>{version.summary}</p>
                <p className={styles.quiet}>
                  <time dateTime={version.created_at}>{formatAgo(version.created_at)}</time>
                  {" · "}
                  {files(version)}
                </p>
              </div>
              {version.id === newest && <Badge tone="success">Newest</Badge>}
              {version.id === current && version.id !== newest && (
                <Badge tone="warning">Shown</Badge>
              )}
            </div>
            <div className={styles.actions}>
              <Button
                size="sm"
                variant="ghost"
                icon={<Eye />}
                disabled={version.id === current || (working && version.id !== newest)}
                onClick={() => preview.show(version.id === newest ? null : version.id)}
              >
                Look at it
              </Button>
              <Button
                size="sm"
                variant="ghost"
                icon={<FileDiff />}
                aria-expanded={compared === version.id}
                onClick={() => setCompared(compared === version.id ? null : version.id)}
              >
                Compare
              </Button>
              <Button
                size="sm"
                variant="ghost"
                icon={<RotateCcw />}
                disabled={version.id === newest || working || busy}
                title={working ? "The agent is at work; stop it or wait" : undefined}
                onClick={() => setAsking(version)}
              >
                Restore
              </Button>
              <a
                className={styles.zip}
                href={api.versions.zipUrl(session.id, version.id)}
                download
                title="A project that runs with npm install and npm run dev"
              >
                <Download size={14} /> Zip
              </a>
            </div>
            {compared === version.id && (
              <Compare sessionId={session.id} version={version} versions={versions} />
            )}
          </li>
        ))}
      </ol>
      <ConfirmDialog
        open={asking !== null}
        onOpenChange={(open) => !open && setAsking(null)}
        title={`Restore version ${asking?.number ?? ""}?`}
        confirmLabel="Restore"
        onConfirm={() => {
          if (asking) void session.actions.restore(asking.id);
        }}
      >
        Its files and settings become a new version. Nothing of the newer versions is lost.
      </ConfirmDialog>
    </div>
  );
}

function files({ changed, removed }: Version): string {
  const count = changed.length + removed.length;
  if (count === 0) return "settings only";
  return count === 1 ? (changed[0] ?? removed[0] ?? "1 file") : `${count} files`;
}

interface CompareProps {
  sessionId: string;
  version: Version;
  versions: readonly Version[];
}

const BEFORE = "before";

function Compare({ sessionId, version, versions }: CompareProps) {
  const [against, setAgainst] = useState<string>(BEFORE);
  const [diff, setDiff] = useState<VersionDiff | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const controller = new AbortController();
    setDiff(null);
    setError(null);
    api.versions
      .diff(sessionId, version.id, against === BEFORE ? null : against, controller.signal)
      .then(setDiff, (thrown: unknown) => {
        if (!isAbort(thrown)) setError(thrown);
      });
    return () => controller.abort();
  }, [sessionId, version.id, against]);
  return (
    <div className={styles.compare}>
      <div className={styles.against}>
        <span className={styles.quiet}>against</span>
        <Select<string>
          size="sm"
          label="Compare against"
          value={against}
          onChange={setAgainst}
          options={[
            { value: BEFORE, label: "The version before" },
            ...versions
              .filter((it) => it.id !== version.id)
              .map((it) => ({ value: it.id, label: `Version ${it.number}`, detail: it.summary })),
          ]}
        />
      </div>
      {error !== null ? (
        <ErrorNotice title="The versions could not be compared" error={error} />
      ) : !diff ? (
        <Spinner label="Comparing" />
      ) : diff.files.length === 0 ? (
        <p className={styles.quiet}>The files are the same.</p>
      ) : (
        diff.files.map((file) => <FileChange key={file.path} file={file} />)
      )}
    </div>
  );
}

function FileChange({ file }: { file: VersionDiff["files"][number] }) {
  const lines = parseDiff(file.diff);
  const { added, removed } = countDiff(lines);
  return (
    <details className={styles.file} open>
      <summary>
        <code>{file.path}</code>
        <span className={styles.quiet}>{file.status}</span>
        <span className={styles.plus}>+{added}</span>
        <span className={styles.minus}>−{removed}</span>
      </summary>
      {lines.length === 0 ? (
        <p className={styles.quiet}>Not text.</p>
      ) : (
        <pre className={styles.diff}>
          {lines.map((line, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are known by their number
            <span key={n} className={styles.row} data-kind={line.kind}>
              <span className={styles.at}>{line.before}</span>
              <span className={styles.at}>{line.after}</span>
              <span className={styles.text}>
                {line.kind === "gap" ? `⋯ ${line.text}` : line.text}
              </span>
            </span>
          ))}
        </pre>
      )}
    </details>
  );
}
