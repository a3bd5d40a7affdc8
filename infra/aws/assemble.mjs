// The template with the API's definition in its place, on standard output. JSON is YAML as it stands.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (name) => readFileSync(join(import.meta.dirname, name), "utf8");
const place = "DefinitionBody: api.json";
const template = read("template.yaml");
if (template.split(place).length !== 2) throw new Error(`template.yaml has no single "${place}"`);
process.stdout.write(template.replace(place, () => `DefinitionBody: ${JSON.stringify(JSON.parse(read("api.json")))}`));
