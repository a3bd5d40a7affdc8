/** What this deployment can do, read once. */

import { useEffect } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { api } from "../api/client";
import { type ApiError, asApiError } from "../api/errors";
import type { Config } from "../api/types";

interface ConfigState {
  config: Config | null;
  error: ApiError | null;
  loading: boolean;
}

/** Used until the answer is here; promises nothing. */
const UNKNOWN: Config = {
  version: "",
  models: {
    orchestrator: { provider: "", model: "", is_ai: true },
    code_generator: { provider: "", model: "", is_ai: true },
  },
  sandbox: { name: "", isolation: "" },
  engines: ["remotion", "theatre"],
  fonts: [],
  limits: { message_bytes: 32_768, asset_bytes: 100 * 2 ** 20, min_seconds: 1, max_seconds: 120 },
  examples: [],
};

export const configStore = createStore<ConfigState>(() => ({
  config: null,
  error: null,
  loading: false,
}));

export async function loadConfig(): Promise<void> {
  const { config, loading } = configStore.getState();
  if (config || loading) return;
  configStore.setState({ loading: true });
  try {
    configStore.setState({ config: await api.config(), error: null, loading: false });
  } catch (thrown) {
    configStore.setState({ error: asApiError(thrown), loading: false });
  }
}

/** The configuration, and where it stands. Asks for it if nobody has. */
export function useConfigState(): ConfigState {
  useEffect(() => void loadConfig(), []);
  return useStore(configStore);
}

/** The configuration; a harmless one until it is here. */
export function useConfig(): Config {
  return useConfigState().config ?? UNKNOWN;
}
