import react from "@vitejs/plugin-react";
import type { ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.KODA_URL ?? "http://127.0.0.1:3000";
/** What the server knows as the canvas's address. */
const origin = process.env.KODA_ORIGIN ?? server;

/** The server refuses foreign origins; in development the page's origin is Vite's. */
const proxy: ProxyOptions = {
  target: server,
  changeOrigin: true,
  configure: (it) => it.on("proxyReq", (request) => request.setHeader("origin", origin)),
};

export default defineConfig({
  plugins: [react()],
  server: { host: "127.0.0.1", port: 5180, proxy: { "/api": proxy, "/objects": proxy } },
  build: {
    assetsInlineLimit: 0,
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
