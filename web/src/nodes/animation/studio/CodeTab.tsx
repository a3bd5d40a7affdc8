/** The animation's files, to read. */

import { Check, Copy, File, FileCode, Image as ImageIcon } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api } from "../../../api/client";
import { isAbort } from "../../../api/errors";
import type { Files } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { formatBytes } from "../../../ui/format";
import { Select } from "../../../ui/Select";
import { Spinner } from "../../../ui/Spinner";
import { useAnimation, useView } from "../context";
import styles from "./CodeTab.module.css";
import type { Token } from "./highlight";
import { languageOf } from "./language";

/** Colouring longer files would hold up the page. */
const COLOUR_BYTES = 120_000;
const WORKING = "working";

export default function CodeTab() {
  const { live } = useAnimation();
  const working = useView((view) => view.files);
  const versions = useView((view) => view.versions);
  const [version, setVersion] = useState<string>(WORKING);
  const [wanted, setWanted] = useState<string | null>(null);
  const chosen = versions.find((it) => it.id === version);
  const files: Files = chosen?.files ?? working;
  const paths = useMemo(() => Object.keys(files).sort(), [files]);
  const path =
    wanted && files[wanted]
      ? wanted
      : (paths.find((it) => it === "src/Composition.tsx") ?? paths[0] ?? null);
  if (!live || !path) {
    return (
      <EmptyState icon={<FileCode />} title="No code yet">
        The agent writes it once a plan is approved. You can read every line here.
      </EmptyState>
    );
  }
  return (
    <div className={styles.root}>
      <div className={styles.side}>
        <Select<string>
          size="sm"
          label="Version"
          className={styles.version ?? ""}
          value={chosen ? version : WORKING}
          onChange={setVersion}
          options={[
            { value: WORKING, label: "Newest files" },
            ...versions.toReversed().map((it) => ({
              value: it.id,
              label: `Version ${it.number}`,
              detail: it.summary,
            })),
          ]}
        />
        <Tree paths={paths} chosen={path} onChoose={setWanted} />
      </div>
      <FileView
        key={`${path} ${files[path]?.blob}`}
        sessionId={live.session.id}
        path={path}
        size={files[path]?.size ?? 0}
        version={chosen?.id ?? null}
      />
    </div>
  );
}

interface TreeProps {
  paths: readonly string[];
  chosen: string;
  onChoose: (path: string) => void;
}

/** Files below the folders that they are in. */
function Tree({ paths, chosen, onChoose }: TreeProps) {
  const folders = useMemo(() => {
    const found = new Map<string, string[]>();
    for (const path of paths) {
      const at = path.lastIndexOf("/");
      const folder = at < 0 ? "" : path.slice(0, at);
      found.set(folder, [...(found.get(folder) ?? []), path]);
    }
    return [...found];
  }, [paths]);
  return (
    <nav aria-label="Files" className={styles.tree}>
      {folders.map(([folder, inside]) => (
        <section key={folder}>
          {folder && <h4>{folder}/</h4>}
          <ul>
            {inside.map((path) => (
              <li key={path}>
                <button
                  type="button"
                  aria-current={path === chosen ? "true" : undefined}
                  onClick={() => onChoose(path)}
                  title={path}
                >
                  {isPicture(path) ? (
                    <ImageIcon size={13} />
                  ) : languageOf(path) ? (
                    <FileCode size={13} />
                  ) : (
                    <File size={13} />
                  )}
                  <span>{path.split("/").pop()}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

const isPicture = (path: string) => /\.(png|jpe?g|webp|gif|svg|avif)$/i.test(path);

interface FileViewProps {
  sessionId: string;
  path: string;
  size: number;
  version: string | null;
}

function FileView({ sessionId, path, size, version }: FileViewProps) {
  const language = languageOf(path);
  const isText = language !== null || /\.(txt|md|svg|csv|ya?ml)$/i.test(path);
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const [copied, setCopied] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt reads again
  useEffect(() => {
    if (!isText) return;
    const controller = new AbortController();
    setError(null);
    api.files.text(sessionId, path, version, controller.signal).then(setText, (thrown: unknown) => {
      if (!isAbort(thrown)) setError(thrown);
    });
    return () => controller.abort();
  }, [sessionId, path, version, isText, attempt]);
  const copy = () => {
    void navigator.clipboard?.writeText(text ?? "").then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1_500);
    });
  };
  return (
    <div className={styles.view}>
      <header className={styles.head}>
        <code>{path}</code>
        <span className={styles.size}>{formatBytes(size)}</span>
        {isText && (
          <Button
            size="sm"
            variant="ghost"
            icon={copied ? <Check /> : <Copy />}
            disabled={text === null}
            onClick={copy}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </header>
      {error !== null ? (
        <ErrorNotice
          title="The file could not be read"
          error={error}
          onRetry={() => setAttempt(attempt + 1)}
        />
      ) : !isText ? (
        isPicture(path) ? (
          <img
            className={styles.picture}
            src={api.files.url(sessionId, path, version)}
            alt={path}
          />
        ) : (
          <p className={styles.binary}>
            This file is not text.{" "}
            <a href={api.files.url(sessionId, path, version)} download>
              Download it
            </a>
          </p>
        )
      ) : text === null ? (
        <div className={styles.waiting}>
          <Spinner label="Loading the file" />
        </div>
      ) : (
        <Code text={text} language={language} path={path} />
      )}
    </div>
  );
}

function Code({ text, language, path }: { text: string; language: string | null; path: string }) {
  const [tokens, setTokens] = useState<Token[][] | null>(null);
  useEffect(() => {
    if (!language || text.length > COLOUR_BYTES) return;
    let gone = false;
    import("./highlight").then(({ highlight }) =>
      highlight(text, language).then((found) => {
        if (!gone) setTokens(found);
      }),
    );
    return () => {
      gone = true;
    };
  }, [text, language]);
  const lines = useMemo(
    () => tokens ?? text.split("\n").map((line): Token[] => [{ text: line, style: {} }]),
    [tokens, text],
  );
  return (
    // A region that scrolls is reached by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section className={styles.code} tabIndex={0} aria-label={`Code of ${path}`}>
      <pre>
        {lines.map((line, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are known by their number
          <span key={n} className={styles.line}>
            {line.map((token, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line stay in order
              <span key={at} className={styles.token} style={token.style}>
                {token.text}
              </span>
            ))}
            {"\n"}
          </span>
        ))}
      </pre>
    </section>
  );
}
