/** What a person decides about the animation; everything else is the agent's choice. */

import { ImageUp, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api } from "../../../api/client";
import type { Aspect, Engine, Fps, Resolution, Settings } from "../../../api/types";
import { engineOf } from "../../../session/view";
import { ENGINE_NAMES } from "../../../session/words";
import { useAsset, useProject, useUpload } from "../../../store/project";
import { Button, IconButton } from "../../../ui/Button";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { Segmented } from "../../../ui/Segmented";
import { Select } from "../../../ui/Select";
import { Slider } from "../../../ui/Slider";
import { Switch } from "../../../ui/Switch";
import { useAnimation, useSession, useView } from "../context";
import { ColorField } from "./ColorField";
import { Row } from "./Row";
import styles from "./SettingsTab.module.css";

const ASPECTS: readonly Aspect[] = ["16:9", "9:16", "1:1", "4:3", "21:9"];
const RATES: readonly Fps[] = [24, 25, 30, 50, 60];
const RESOLUTIONS: readonly Resolution[] = ["720p", "1080p", "4k"];
const STYLES = ["minimal", "corporate", "fashion", "marketing", "playful", "cinematic"];
const THEMES = ["minimal", "corporate", "bold", "neon", "retro", "organic"];
const TECHNIQUES = [
  "kinetic-typography",
  "particles",
  "3d-scenes",
  "data-visualisation",
  "parallax",
  "morph-transitions",
  "glitch",
  "camera-moves",
  "logo-reveal",
  "compositing",
];
const MAX_TECHNIQUES = 10;
const ROLES = ["background", "primary", "accent", "text"] as const;

const spoken = (word: string) => {
  const words = word.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export default function SettingsTab() {
  const { patch, config, openStudio } = useAnimation();
  const settings = useView((view) => view.settings);
  const approved = useView((view) => view.approved !== null);
  const hasVersion = useView((view) => view.versions.length > 0);
  const engine = useView(engineOf);
  const error = useSession((data) => data.errors.settings);
  const set = (change: Parameters<typeof patch>[0]) => void patch(change);
  const chosen = approved ? engine : settings.engine;
  return (
    <div className={styles.root}>
      {error && <ErrorNotice title="This setting was not taken" error={error} />}
      <Row
        label="Engine"
        hint={
          approved
            ? "Settled with the plan. Ask for a new plan to change it."
            : chosen === "remotion"
              ? "Remotion is free for individuals and small companies; larger companies need a licence."
              : undefined
        }
      >
        <Select<Engine | null>
          label="Engine"
          value={chosen}
          disabled={approved}
          onChange={(next) => set({ engine: next })}
          options={[
            { value: null, label: "Agent's choice" },
            ...config.engines.map((value) => ({ value, label: ENGINE_NAMES[value] })),
          ]}
        />
      </Row>
      <Row label="Aspect">
        <Segmented
          label="Aspect"
          value={settings.aspect}
          onChange={(aspect) => set({ aspect })}
          segments={ASPECTS.map((value) => ({ value, label: value }))}
        />
      </Row>
      <Duration
        settings={settings}
        settled={approved}
        onChange={(seconds) => set({ duration_seconds: seconds })}
      />
      <div className={styles.pair}>
        <Row label="Frames per second">
          <Select<Fps>
            label="Frames per second"
            value={settings.fps}
            onChange={(fps) => set({ fps })}
            options={RATES.map((value) => ({ value, label: `${value}` }))}
          />
        </Row>
        <Row label="Export resolution">
          <Segmented
            label="Export resolution"
            value={settings.resolution}
            onChange={(resolution) => set({ resolution })}
            segments={RESOLUTIONS.map((value) => ({ value, label: value === "4k" ? "4K" : value }))}
          />
        </Row>
      </div>
      {hasVersion && (
        <p className={styles.note}>
          A change of format is checked and becomes a version of its own. Words, colours, fonts and
          pace are under{" "}
          <button type="button" onClick={() => openStudio("edit")}>
            Edit
          </button>
          . A change of style reaches the agent with your next message.
        </p>
      )}
      <div className={styles.pair}>
        <Row label="Style">
          <Choice
            label="Style"
            value={settings.style}
            words={STYLES}
            onChange={(style) => set({ style })}
          />
        </Row>
        <Row label="Theme">
          <Choice
            label="Theme"
            value={settings.theme}
            words={THEMES}
            onChange={(theme) => set({ theme })}
          />
        </Row>
      </div>
      {!hasVersion && (
        <>
          <Row label="Colours" hint="Empty ones are the agent's choice.">
            <div className={styles.colors}>
              {ROLES.map((role) => (
                <ColorField
                  key={role}
                  name={spoken(role)}
                  value={settings.colors[role]}
                  onChange={(color) => set({ colors: { ...settings.colors, [role]: color } })}
                  onClear={() => set({ colors: { ...settings.colors, [role]: null } })}
                />
              ))}
            </div>
          </Row>
          <div className={styles.pair}>
            {(["title", "body"] as const).map((role) => (
              <Row key={role} label={role === "title" ? "Font of titles" : "Font of text"}>
                <Choice
                  label={role === "title" ? "Font of titles" : "Font of text"}
                  value={settings.fonts[role]}
                  words={config.fonts}
                  plain
                  onChange={(font) => set({ fonts: { ...settings.fonts, [role]: font } })}
                />
              </Row>
            ))}
          </div>
        </>
      )}
      <Row label="Logo">
        <Logo value={settings.logo} onChange={(logo) => set({ logo })} />
      </Row>
      <Row label="Techniques" hint="Asked for; the plan says how they are used.">
        <div className={styles.chips}>
          {[...new Set([...TECHNIQUES, ...settings.techniques])].map((technique) => {
            const on = settings.techniques.includes(technique);
            return (
              <button
                key={technique}
                type="button"
                aria-pressed={on}
                disabled={!on && settings.techniques.length >= MAX_TECHNIQUES}
                onClick={() =>
                  set({
                    techniques: on
                      ? settings.techniques.filter((it) => it !== technique)
                      : [...settings.techniques, technique],
                  })
                }
              >
                {spoken(technique)}
              </button>
            );
          })}
        </div>
      </Row>
      <div className={styles.toggle}>
        <span>
          Approve plans without asking
          <small>The agent starts to build as soon as it has a plan.</small>
        </span>
        <Switch
          label="Approve plans without asking"
          checked={settings.auto_approve}
          onChange={(on) => set({ auto_approve: on })}
        />
      </div>
    </div>
  );
}

function Duration({
  settings,
  settled,
  onChange,
}: {
  settings: Settings;
  settled: boolean;
  onChange: (seconds: number) => void;
}) {
  const [value, setValue] = useState(settings.duration_seconds);
  useEffect(() => setValue(settings.duration_seconds), [settings.duration_seconds]);
  const commit = (next: number) => {
    const seconds = Math.min(120, Math.max(1, Math.round(next * 100) / 100));
    if (!Number.isFinite(seconds)) setValue(settings.duration_seconds);
    else if (seconds !== settings.duration_seconds) onChange(seconds);
  };
  return (
    <Row
      label="Duration"
      hint={
        settled || settings.duration_fixed
          ? undefined
          : "Not fixed yet: the plan may choose another one."
      }
    >
      <div className={styles.duration}>
        <Slider
          label="Duration in seconds"
          min={1}
          max={120}
          step={0.5}
          value={Math.min(120, Math.max(1, Number.isFinite(value) ? value : 1))}
          onChange={setValue}
          onCommit={commit}
          format={(it) => `${it} seconds`}
        />
        <input
          type="number"
          aria-label="Duration in seconds, exactly"
          min={1}
          max={120}
          step={0.5}
          value={Number.isFinite(value) ? value : ""}
          onChange={(event) => setValue(event.target.valueAsNumber)}
          onBlur={() => commit(value)}
          onKeyDown={(event) => event.key === "Enter" && commit(value)}
        />
        <span>s</span>
      </div>
    </Row>
  );
}

interface ChoiceProps {
  label: string;
  value: string | null;
  words: readonly string[];
  /** Names, which are shown as they are. */
  plain?: boolean;
  onChange: (value: string | null) => void;
}

function Choice({ label, value, words, plain, onChange }: ChoiceProps) {
  const all = value && !words.includes(value) ? [value, ...words] : words;
  return (
    <Select<string | null>
      label={label}
      value={value}
      onChange={onChange}
      options={[
        { value: null, label: "Agent's choice" },
        ...all.map((word) => ({ value: word, label: plain ? word : spoken(word) })),
      ]}
    />
  );
}

function Logo({
  value,
  onChange,
}: {
  value: string | null;
  onChange: (id: string | null) => void;
}) {
  const { nodeId } = useAnimation();
  const { assets } = useProject();
  const owner = `${nodeId}.logo`;
  const upload = useUpload(owner);
  const asset = useAsset(value);
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div className={styles.logo}>
      {value && (
        <span className={styles.logoShown}>
          <img src={api.assets.contentUrl(value)} alt="" />
          <span>{asset?.filename ?? "Logo"}</span>
          <IconButton size="sm" label="Remove the logo" onClick={() => onChange(null)}>
            <X />
          </IconButton>
        </span>
      )}
      <Button
        size="sm"
        icon={<ImageUp />}
        loading={upload !== null && !upload.error}
        onClick={() => picker.current?.click()}
      >
        {value ? "Replace" : "Choose a picture"}
      </Button>
      <input
        ref={picker}
        type="file"
        hidden
        accept="image/png,image/jpeg,image/webp,image/gif,image/svg+xml"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) void assets.upload(owner, file).then((it) => it && onChange(it.id));
        }}
      />
      {upload?.error && (
        <p className={styles.wrong} role="alert">
          {upload.error.message}
        </p>
      )}
    </div>
  );
}
