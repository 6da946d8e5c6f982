// Bundles the page's script with its libraries into one file and records what is in it.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const out = "../crates/report/src/html/page.js";
const result = await build({
  entryPoints: ["src/page.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
  write: false,
});
const script = result.outputFiles[0].text.replaceAll("</script", "<\\/script");
const names = new Set(
  Object.keys(result.metafile.inputs)
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
    .filter(Boolean),
);
const libraries = [...names].sort().map((name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")));
const credits = libraries.map(({ name, version, license }) => `${name} ${version} (${license})`).join(", ");
const file = `/* hansel report page. Contains ${credits}; licences in web/LICENSES. */\n${script}`;
writeFileSync(out, file);
const licences = libraries.map(({ name, version }) => `${name} ${version}\n\n${readFileSync(licence(name), "utf8").trim()}\n`);
writeFileSync("LICENSES", licences.join("\n---\n\n"));
writeFileSync("page.js.sha256", `${createHash("sha256").update(file).digest("hex")}  ${out}\n`);
console.log(`${out}: ${file.length} bytes; ${credits}`);

function licence(name) {
  for (const file of ["LICENSE.txt", "LICENSE", "LICENSE.md"]) {
    try {
      readFileSync(`node_modules/${name}/${file}`);
      return `node_modules/${name}/${file}`;
    } catch {}
  }
  throw new Error(`${name} has no licence file`);
}
