// The script of the report page: the interactive graph, sorting and copying of tables.
//
// It reads the data that stands in the page and writes text through textContent only, so that nothing that a
// chain, an endpoint or a label says can become markup.

import { copyTables, sortTables } from "./tables.js";
import { openGraph } from "./graph.js";

const data = JSON.parse(document.getElementById("data").textContent);
sortTables();
copyTables();
try {
  openGraph(data);
} catch (error) {
  const note = document.createElement("p");
  note.textContent = `The interactive graph cannot be drawn here (${error.message}). The tables below hold everything it shows.`;
  document.getElementById("graph").append(note);
}
