export { default } from "./src/koda/server/config.mjs";
