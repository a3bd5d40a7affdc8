// Vite as its documentation sets it up for React. Usage: serve.mjs ROOT CACHE PORT.
import react from "@vitejs/plugin-react";
import { createServer } from "vite";

const [root, cacheDir, port] = process.argv.slice(2);
const server = await createServer({ root, cacheDir, configFile: false, plugins: [react()], logLevel: "warn", server: { host: "127.0.0.1", port: Number(port), strictPort: true } });
await server.listen();
process.once("SIGTERM", async () => {
  await server.close();
  process.exit(0);
});
