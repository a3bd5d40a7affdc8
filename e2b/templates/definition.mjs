// What a sandbox of Koda's is made from. The context is a folder that `build.mjs` lays out: app/ (the engine's template
// without packages) and koda/ (programs, and what runs from the beginning).
import { Template } from "e2b";

/** Templates by engine: names at E2B, and what a machine of each has. */
export const TEMPLATES = {
  remotion: { name: "koda-remotion-v1", cpuCount: 2, memoryMB: 2048 },
  theatre: { name: "koda-theatre-v1", cpuCount: 2, memoryMB: 2048 },
};

const PACKAGES = [
  "ca-certificates", "chromium-headless-shell", "curl", "ffmpeg", "fonts-dejavu-core", "fonts-noto-cjk",
  "fonts-noto-color-emoji", "libegl-mesa0", "libgl1-mesa-dri", "nodejs", "npm",
];

/** The definition of one template, with its files below `context`. */
export function definition(context) {
  return Template({ fileContextPath: context })
    .fromImage("debian:13-slim")
    .setUser("root")
    .runCmd(`apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(" ")} && apt-get clean`)
    .copy("koda", "/opt/koda", { user: "root" })
    .runCmd("chmod 755 /opt/koda/koda-sandboxd /opt/koda/koda-capture /opt/koda/start.sh /opt/koda/ready.sh")
    .copy("app", "/app", { user: "user" })
    // Packages belong to root: what runs inside cannot change them. Vite bundles them here, once.
    .runCmd("cd /app && npm ci --no-audit --no-fund --loglevel=error && npm run --silent optimize && NODE_ENV=production npm run --silent optimize && chown -R root:root /app/node_modules")
    // What runs inside is `user`, and stays it.
    .runCmd("chown user:user /app && rm -f /etc/sudoers.d/*user* && (gpasswd -d user sudo >/dev/null 2>&1 || true)")
    .setWorkdir("/app")
    .setStartCmd("/opt/koda/start.sh", "/opt/koda/ready.sh");
}
