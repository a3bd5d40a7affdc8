// Dependencies as Vite prepared them: as they are for developing, and for renders, where React does without its checks.
import { resolve } from "node:path";

/** @param {string} modules the folder node_modules */
export const prepared = (modules) => resolve(modules, process.env.NODE_ENV === "production" ? ".vite-production" : ".vite");
