// The template with what is made from the code in its places, on standard output: the API's definition and the functions' roles.
// JSON is YAML as it stands.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (name) => readFileSync(join(import.meta.dirname, name), "utf8");
const whole = (name) => JSON.stringify(JSON.parse(read(name)));
const entries = (name) => Object.entries(JSON.parse(read(name))).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`).join("\n");
const places = { "DefinitionBody: api.json": () => `DefinitionBody: ${whole("api.json")}`, "  Roles: roles.json": () => entries("roles.json") };

let template = read("template.yaml");
for (const [place, made] of Object.entries(places)) {
  if (template.split(place).length !== 2) throw new Error(`template.yaml has no single "${place}"`);
  template = template.replace(place, made);
}
process.stdout.write(template);
