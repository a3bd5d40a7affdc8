// Serves the composition with hot reload: on 127.0.0.1:$KODA_PORT (5173), and on the Unix socket $KODA_SOCKET where it is set.
import { startDevServer } from "./src/koda/server/serve.mjs";

await startDevServer(import.meta.dirname);
