/** What belongs to this browser and not to a project. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export type ThemeChoice = "system" | "light" | "dark";

/** Lines over the picture of a preview: safe areas, what apps cover of a portrait film, thirds and centre. */
export type Guide = "safe" | "social" | "grid";

interface UiState {
  theme: ThemeChoice;
  minimap: boolean;
  snap: boolean;
  /** What dragging the empty canvas does: choose nodes, or move the view. */
  tool: "select" | "hand";
  help: boolean;
  palette: boolean;
  guides: readonly Guide[];
}

const THEME_KEY = "koda.theme";
const PREFS_KEY = "koda.canvas";
const GUIDES_KEY = "koda.guides";

function readPrefs(): Pick<UiState, "minimap" | "snap"> {
  const saved = parse(read(PREFS_KEY));
  return { minimap: saved.minimap !== false, snap: saved.snap === true };
}

function readTheme(): ThemeChoice {
  const saved = read(THEME_KEY);
  return saved === "light" || saved === "dark" ? saved : "system";
}

const GUIDES: readonly Guide[] = ["safe", "social", "grid"];

function readGuides(): readonly Guide[] {
  const saved = read(GUIDES_KEY)?.split(" ") ?? [];
  return GUIDES.filter((it) => saved.includes(it));
}

export const uiStore = createStore<UiState>(() => ({
  theme: readTheme(),
  ...readPrefs(),
  tool: "select",
  help: false,
  palette: false,
  guides: readGuides(),
}));

export const useUi = <T>(selector: (state: UiState) => T): T => useStore(uiStore, selector);

export function setTheme(theme: ThemeChoice): void {
  write(THEME_KEY, theme);
  uiStore.setState({ theme });
  applyTheme();
}

export function setPref(key: "minimap" | "snap", value: boolean): void {
  uiStore.setState({ [key]: value });
  const { minimap, snap } = uiStore.getState();
  write(PREFS_KEY, JSON.stringify({ minimap, snap }));
}

export function toggleGuide(guide: Guide): void {
  const { guides } = uiStore.getState();
  const next = GUIDES.filter((it) => guides.includes(it) !== (it === guide));
  uiStore.setState({ guides: next });
  write(GUIDES_KEY, next.join(" "));
}

const systemDark = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

/** The theme that is shown. */
export function resolvedTheme(choice: ThemeChoice = uiStore.getState().theme): "light" | "dark" {
  if (choice !== "system") return choice;
  return systemDark().matches ? "dark" : "light";
}

function applyTheme(): void {
  document.documentElement.dataset.theme = resolvedTheme();
}

/** Follows the system, and other tabs. Once per page. */
export function watchTheme(): void {
  applyTheme();
  systemDark().addEventListener("change", applyTheme);
  addEventListener("storage", (event) => {
    if (event.key !== THEME_KEY) return;
    uiStore.setState({ theme: readTheme() });
    applyTheme();
  });
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
