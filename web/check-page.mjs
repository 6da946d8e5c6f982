// Opens report pages in a real browser and says what a reader would meet, as JSON.
//
// usage: node check-page.mjs '[{"file":"/path/page.html","search":"words","picture":"/path/shot.png"}]'
// PUPPETEER and CHROMIUM name the tools. Nothing but the page itself may be loaded.

import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const entry = realpathSync(process.env.PUPPETEER);
const puppeteer = createRequire(entry)(entry).default;
const axe = readFileSync(join(dirname(entry), "../../../../axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--enable-unsafe-swiftshader"],
  headless: true,
});
try {
  const results = [];
  for (const one of JSON.parse(process.argv[2])) results.push(await check(one));
  console.log(JSON.stringify(results));
} finally {
  await browser.close();
}

async function check({ file, search, picture, dark, print }) {
  const page = await browser.newPage();
  const url = pathToFileURL(file).href;
  const said = [];
  const loaded = [];
  page.on("console", (message) => {
    if (["error", "assert"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  page.on("dialog", (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url && !/^(data|blob):/.test(request.url())) loaded.push(request.url());
  });
  await page.setViewport({ width: 1400, height: 1000 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  await page.goto(url, { waitUntil: "load" });
  await page.waitForFunction("document.documentElement.dataset.graph === 'drawn' || !document.getElementById('data').textContent.includes('\"nodes\":[{')", { timeout: 60_000 });
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null);
  const drawn = await page.evaluate(() => Number(document.documentElement.dataset.drawn ?? 0));
  if (picture) await page.screenshot({ path: picture, fullPage: false });
  const found = search ? await seek(page, search) : null;
  const sorted = await sortFirstTable(page);
  if (picture && search) await shootGraph(page, picture.replace(/\.png$/, "-graph.png"));
  await page.evaluate(axe);
  const report = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const violations = report.violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 200)}`);
  const marks = await page.evaluate(() => ({
    scripts: document.querySelectorAll("script").length,
    injected: document.querySelectorAll("img, iframe, object, embed, link, base, form").length,
    owned: globalThis.owned ?? null,
    title: document.title,
    text: document.body.innerText.length,
  }));
  const printed = print ? await onPaper(page) : null;
  await page.close();
  return { file, said, loaded, paint, drawn, found, sorted, violations, printed, ...marks };
}

// Types into the search, takes the first hit, and follows the path to its first flow, all by clicks.
async function seek(page, words) {
  await page.type("#search", words);
  const hits = await page.$$eval("#hits button", (buttons) => buttons.length);
  if (hits === 0) return { hits };
  await page.click("#hits button");
  await page.waitForFunction("document.getElementById('stage').dataset.path !== undefined");
  const path = await page.$eval("#stage", (stage) => Number(stage.dataset.path));
  const head = await page.$eval("#detail h3", (head) => head.textContent);
  const step = await page.$("#detail ol button");
  let flow = null;
  if (step) {
    await step.click();
    flow = await page.$eval("#detail", (detail) => detail.innerText);
  }
  return { hits, path, head, flow };
}

// How the page prints on both usual papers: pixels that stick out to the right, what still asks for a mouse (a head that sorts is read as a head), the pages.
async function onPaper(page) {
  await page.emulateMediaType("print");
  const papers = {};
  for (const [format, width] of [["A4", 210], ["Letter", 215.9]]) {
    // The style leaves 14 mm on each side; a pixel is 1/96 of an inch.
    await page.setViewport({ width: Math.floor(((width - 28) / 25.4) * 96), height: 1000 });
    const seen = await page.evaluate(() => ({
      over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      controls: [...document.querySelectorAll("button:not(th button), input, select")].filter((one) => one.offsetParent !== null).length,
      ink: getComputedStyle(document.body).color,
    }));
    const pdf = Buffer.from(await page.pdf({ format, preferCSSPageSize: false })).toString("latin1");
    papers[format] = { ...seen, pages: (pdf.match(/\/Type\s*\/Page[^s]/g) ?? []).length };
  }
  return papers;
}

// The graph and what it says of the flow that was clicked, once the camera rests.
async function shootGraph(page, picture) {
  await new Promise((rest) => setTimeout(rest, 400));
  await (await page.$("#graph")).screenshot({ path: picture });
}

async function sortFirstTable(page) {
  const head = await page.$("table.sortable th:last-child button");
  if (!head) return null;
  await head.evaluate((button) => button.click());
  return page.evaluate(() => {
    const head = document.querySelector("table.sortable th:last-child");
    const cells = [...document.querySelectorAll("table.sortable")][0].querySelectorAll("tbody tr td:last-child");
    return { order: head.getAttribute("aria-sort"), cells: [...cells].slice(0, 50).map((cell) => cell.dataset.sort ?? cell.textContent) };
  });
}
