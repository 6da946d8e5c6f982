// Sorting by a click on a column's head, and copying a table as CSV.

export function sortTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, heads, column));
      head.replaceChildren(button);
    });
  }
}

function sort(table, heads, column) {
  const head = heads[column];
  const descending = head.getAttribute("aria-sort") === "ascending";
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  const order = (one, next) => compare(key(one.cells[column]), key(next.cells[column]));
  rows.sort((one, next) => (descending ? order(next, one) : order(one, next)));
  table.tBodies[0].append(...rows);
}

// Amounts are whole numbers of base units, larger than a float can tell apart.
function key(cell) {
  const number = cell.dataset.sort;
  return number === undefined ? cell.textContent : BigInt(number);
}

function compare(one, next) {
  if (one < next) return -1;
  return one > next ? 1 : 0;
}

export function copyTables() {
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    const table = document.getElementById(button.dataset.table);
    button.addEventListener("click", async () => {
      const done = await copy(csv(table));
      button.textContent = done ? "Copied" : "Could not copy";
    });
  }
}

export function csv(table) {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(cell.textContent.trim())).join(","));
  return rows.join("\r\n") + "\r\n";
}

// A spreadsheet runs what begins like a formula; an apostrophe in front keeps it text.
function quoted(text) {
  const inert = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${inert.replaceAll('"', '""')}"`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
