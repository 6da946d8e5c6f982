// The interactive graph: drawing, filters, search, the panel of details.

import { MultiDirectedGraph } from "graphology";
import Sigma from "sigma";
import { Model, visible } from "./model.js";

const HEIGHT = 300;
const $ = (id) => document.getElementById(id);

export function openGraph(data) {
  const model = new Model(data);
  if (model.report.nodes.length === 0) return;
  const view = {
    rule: model.report.case.rules[0],
    least: 0,
    since: -Infinity,
    until: Infinity,
    ending: "",
    open: new Set(),
    chosen: null,
    path: new Set(),
    pathNodes: new Set(),
  };
  $("tools").hidden = false;
  $("stage").hidden = false;
  const colours = palette();
  const graph = new MultiDirectedGraph();
  const sigma = new Sigma(graph, $("canvas"), settings(model, view, colours));
  const draw = () => rebuild(graph, model, view, colours);
  const choose = (node) => chooseNode(node, { model, view, draw, sigma, graph, choose, chooseFlow });
  const chooseFlow = (at) => showFlow(model, at, choose);
  if (model.report.nodes.length <= 60) model.bundles.forEach((_, at) => view.open.add(at));
  $("bundle").checked = model.report.nodes.length > 60;
  draw();
  listen({ model, view, draw, sigma, graph, choose, chooseFlow });
  axis(model, sigma);
  legend(model);
  document.documentElement.dataset.drawn = String(Math.round(performance.now()));
  document.documentElement.dataset.graph = "drawn";
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const names = ["passing", "spring", "at-rest", "exchange", "mixer", "bridge", "service", "hub", "open", "lost", "ribbon", "mark", "ink", "line"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function settings(model, view, colours) {
  return {
    allowInvalidContainer: true,
    enableEdgeEvents: true,
    zIndex: true,
    labelFont: "DejaVu Sans, Verdana, sans-serif",
    labelSize: 12,
    labelColor: { color: colours.ink },
    labelRenderedSizeThreshold: 7,
    defaultEdgeType: "arrow",
    minCameraRatio: 0.005,
    maxCameraRatio: 4,
    nodeReducer: (_, attributes) => {
      if (view.path.size === 0) return attributes;
      return attributes.onPath ? { ...attributes, highlighted: attributes.chosen, zIndex: 2, forceLabel: attributes.chosen || view.pathNodes.size <= 8 } : { ...attributes, color: colours.line, label: "", zIndex: 0 };
    },
    edgeReducer: (_, attributes) => {
      if (view.path.size === 0) return attributes;
      return attributes.onPath ? { ...attributes, color: colours.mark, size: Math.max(attributes.size, 3), zIndex: 2 } : { ...attributes, color: colours.line, zIndex: 0 };
    },
  };
}

// Draws what the filters leave. A closed bundle stands in the middle of its nodes.
function rebuild(graph, model, view, colours) {
  graph.clear();
  const spread = model.places.y.reduce((most, y) => Math.max(most, Math.abs(y)), 1);
  const squeeze = Math.min(1, HEIGHT / spread);
  const shown = new Map();
  const stand = (node) => {
    const bundle = model.bundleOf.get(node);
    return bundle === undefined || view.open.has(bundle) ? `n${node}` : `b${bundle}`;
  };
  const put = (node, share) => {
    const key = stand(node);
    const place = shown.get(key);
    if (place) {
      place.share = Math.max(place.share, share);
      place.onPath ||= view.pathNodes.has(node);
      return key;
    }
    const bundle = key.startsWith("b") ? Number(key.slice(1)) : null;
    const first = bundle === null ? node : model.bundles[bundle].nodes[0];
    shown.set(key, { node: first, bundle, share, onPath: view.pathNodes.has(node) });
    return key;
  };
  const edges = new Map();
  const shares = model.sharesUnder(view.rule);
  for (const one of model.flows) {
    const share = shares[one.at];
    if (share * 100 < view.least || one.time < view.since || one.time > view.until) continue;
    if (view.ending && !endsIn(model, one.to, view.ending)) continue;
    const [from, to] = [put(one.from, share), put(one.to, share)];
    if (from === to) continue;
    const key = view.open.size === 0 || from.startsWith("b") || to.startsWith("b") ? `${from}>${to}` : `f${one.at}`;
    const edge = edges.get(key) ?? { from, to, share: 0, at: one.at, onPath: false };
    edge.share += share;
    edge.onPath ||= view.path.has(one.at);
    edges.set(key, edge);
  }
  for (const [key, place] of shown) {
    const { node, bundle } = place;
    const nodes = bundle === null ? [node] : model.bundles[bundle].nodes;
    graph.addNode(key, {
      x: mean(nodes, model.places.x),
      y: -mean(nodes, model.places.y) * squeeze,
      size: 3 + 12 * Math.sqrt(Math.min(1, place.share)),
      color: colours[isSpring(model, node) ? "spring" : model.classes[node]],
      label: bundle === null ? model.names[node] : model.bundles[bundle].name,
      onPath: place.onPath,
      chosen: view.chosen !== null && key === stand(view.chosen),
      node,
      bundle,
    });
  }
  for (const [key, edge] of edges) {
    const size = 0.6 + 9 * Math.sqrt(Math.min(1, edge.share));
    graph.addDirectedEdgeWithKey(key, edge.from, edge.to, { size, color: edge.share > 0 ? colours.ribbon : colours.line, at: edge.at, onPath: edge.onPath });
  }
}

function mean(nodes, places) {
  return nodes.reduce((sum, node) => sum + places[node], 0) / nodes.length;
}

function endsIn(model, node, ending) {
  const stop = model.report.nodes[node].stop;
  return stop !== null ? stop.kind === ending : model.outOf[node].length > 0;
}

function isSpring(model, node) {
  return model.into[node].length === 0;
}

function listen(page) {
  const { model, view, draw, sigma, graph, choose, chooseFlow } = page;
  for (const rule of model.report.case.rules) $("rule").add(new Option(rule, rule));
  const endings = new Set(model.report.nodes.map((node) => node.stop?.kind).filter(Boolean));
  for (const ending of [...endings].sort()) $("ending").add(new Option(ending.replaceAll("-", " "), ending));
  const change = (id, apply) => $(id).addEventListener("change", () => { apply($(id)); draw(); });
  change("rule", (field) => { view.rule = field.value; });
  change("least", (field) => { view.least = Number(field.value) || 0; });
  change("since", (field) => { view.since = field.value ? Date.parse(field.value) : -Infinity; });
  change("until", (field) => { view.until = field.value ? Date.parse(field.value) + 86_400_000 : Infinity; });
  change("ending", (field) => { view.ending = field.value; });
  change("bundle", (field) => {
    view.open.clear();
    if (!field.checked) model.bundles.forEach((_, at) => view.open.add(at));
  });
  $("reset").addEventListener("click", () => {
    Object.assign(view, { least: 0, since: -Infinity, until: Infinity, ending: "", chosen: null });
    view.path.clear();
    view.pathNodes.clear();
    for (const id of ["search", "since", "until", "ending"]) $(id).value = "";
    $("least").value = "0";
    $("hits").replaceChildren();
    draw();
    sigma.getCamera().animatedReset();
  });
  $("search").addEventListener("input", () => showHits(model, choose));
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") $("hits").querySelector("button")?.click();
  });
  sigma.on("clickNode", ({ node }) => {
    const { bundle, node: first } = graph.getNodeAttributes(node);
    if (bundle === null) choose(first);
    else showBundle(page, bundle);
  });
  sigma.on("clickEdge", ({ edge }) => chooseFlow(graph.getEdgeAttribute(edge, "at")));
  sigma.on("enterNode", () => { $("canvas").style.cursor = "pointer"; });
  sigma.on("leaveNode", () => { $("canvas").style.cursor = ""; });
  $("canvas").addEventListener("keydown", (event) => steer(event, sigma));
  for (const button of document.querySelectorAll("button.show")) {
    const at = Number(button.dataset.node);
    button.hidden = false;
    button.addEventListener("click", () => {
      $("graph").scrollIntoView();
      choose(at);
    });
  }
}

function steer(event, sigma) {
  const camera = sigma.getCamera();
  const state = camera.getState();
  const step = 0.1 * state.ratio;
  const moves = {
    ArrowLeft: { x: state.x - step },
    ArrowRight: { x: state.x + step },
    ArrowUp: { y: state.y + step },
    ArrowDown: { y: state.y - step },
    "+": { ratio: state.ratio / 1.3 },
    "-": { ratio: state.ratio * 1.3 },
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  camera.setState({ ...state, ...move });
}

function showHits(model, choose) {
  const hits = model.search($("search").value);
  const items = hits.slice(0, 20).map((at) => item(button(model.names[at], () => choose(at), visible(model.report.nodes[at].id))));
  if (hits.length > 20) items.push(item(`and ${hits.length - 20} more`));
  if (hits.length === 0 && $("search").value.trim().length > 1) items.push(item("nothing found"));
  $("hits").replaceChildren(...items);
}

// Shows a node, opens its bundle, and marks the way of the money from the theft to it.
function chooseNode(at, page) {
  const { model, view, draw, sigma, graph, choose, chooseFlow } = page;
  const bundle = model.bundleOf.get(at);
  if (bundle !== undefined) view.open.add(bundle);
  view.chosen = at;
  const path = model.path(at, view.rule);
  for (const one of path) {
    for (const node of [one.from, one.to]) {
      const closed = model.bundleOf.get(node);
      if (closed !== undefined) view.open.add(closed);
    }
  }
  view.path = new Set(path.map((one) => one.at));
  $("stage").dataset.path = String(path.length);
  view.pathNodes = new Set([at, ...path.flatMap((one) => [one.from, one.to])]);
  draw();
  sigma.refresh();
  bringIntoView([...view.pathNodes], page);
  showNode(model, view, at, path, choose, chooseFlow);
}

// Moves the camera to where all of these nodes are seen, with room around them.
function bringIntoView(nodes, { graph, sigma }) {
  const drawn = nodes.map((node) => `n${node}`).filter((key) => graph.hasNode(key)).map((key) => sigma.getNodeDisplayData(key));
  if (drawn.length === 0) return;
  const [left, right, low, high] = [
    Math.min(...drawn.map(({ x }) => x)),
    Math.max(...drawn.map(({ x }) => x)),
    Math.min(...drawn.map(({ y }) => y)),
    Math.max(...drawn.map(({ y }) => y)),
  ];
  const ratio = Math.min(1.2, Math.max(0.2, 1.5 * (right - left), 1.5 * (high - low)));
  sigma.getCamera().animate({ x: (left + right) / 2, y: (low + high) / 2, ratio }, { duration: 250 });
}

function showNode(model, view, at, path, choose, chooseFlow) {
  const node = model.report.nodes[at];
  const facts = [
    ["id", node.id],
    ["address", node.address],
    ["chain", node.chain],
    ["since", node.time ?? (node.block === null ? null : `block ${node.block}`)],
    ["state", node.stop ? `${node.stop.kind.replaceAll("-", " ")}: ${node.stop.reason}` : "followed"],
    ...node.labels.map((label) => ["label", `${label.label} (${label.category}; says ${label.source}${label.as_of ? `, ${label.as_of}` : ""})`]),
    ...node.gaps.map((gap) => ["not known", gap.detail]),
  ];
  const steps = path.map((one) => item(button(`${one.flow.time ?? "time not known"}: ${model.amount(one.flow.chain, one.flow.asset, one.flow.tainted[view.rule] ?? "0")} to ${model.names[one.to]}`, () => chooseFlow(one.at))));
  const around = [...model.into[at].map((one) => ["from", one, one.from]), ...model.outOf[at].map((one) => ["to", one, one.to])];
  const links = around.slice(0, 100).map(([word, one, other]) => item(button(`${word} ${model.names[other]}: ${model.amount(one.flow.chain, one.flow.asset, one.flow.amount)}`, () => chooseFlow(one.at)), " ", button("go", () => choose(other))));
  detail(model.names[at], facts, [
    ["The money's way from the theft, heaviest flows", "ol", steps],
    [`Flows (${around.length})`, "ul", links],
  ]);
}

function showFlow(model, at, choose) {
  const { flow, from, to } = model.flows[at];
  const amount = (units) => model.amount(flow.chain, flow.asset, units);
  const facts = [
    ["amount", amount(flow.amount)],
    ...Object.entries(flow.tainted).map(([rule, units]) => [`tainted, ${rule}`, amount(units)]),
    ["transaction", flow.tx],
    ["time", flow.time ?? "not known"],
    ["block", flow.block === null ? "not known" : String(flow.block)],
    ["kind", flow.kind],
    ["proof", flow.proof],
    ["evidence", flow.id],
    ...Object.entries(flow.claims).flatMap(([rule, claims]) => Object.entries(claims).map(([seed, claim]) => [`claim of ${seed}, ${rule}`, model.amount(...(model.seeds.get(seed) ?? "\n").split("\n"), claim)])),
  ];
  const ends = [item(button(`from ${model.names[from]}`, () => choose(from))), item(button(`to ${model.names[to]}`, () => choose(to)))];
  detail("Flow", facts, [["Between", "ul", ends]]);
}

function showBundle(page, at) {
  const { model, view, draw, choose } = page;
  const bundle = model.bundles[at];
  const open = () => {
    view.open.add(at);
    draw();
  };
  const nodes = bundle.nodes.slice(0, 200).map((node) => item(button(model.names[node], () => choose(node))));
  detail(bundle.name, [], [["", "p", [button("Draw one by one", open)]], [`Places (${bundle.nodes.length})`, "ol", nodes]]);
}

function detail(head, facts, lists) {
  const title = document.createElement("h3");
  title.textContent = visible(head);
  const list = document.createElement("dl");
  for (const [name, value] of facts) {
    if (value === null || value === undefined) continue;
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    description.className = "id";
    term.textContent = visible(name);
    description.textContent = visible(String(value));
    list.append(term, description);
  }
  const parts = lists.flatMap(([name, kind, items]) => {
    if (items.length === 0) return [];
    const heading = document.createElement("h4");
    heading.textContent = name;
    const block = document.createElement(kind);
    block.append(...items);
    return name ? [heading, block] : [block];
  });
  $("detail").replaceChildren(title, list, ...parts);
}

function item(...content) {
  const li = document.createElement("li");
  li.append(...content);
  return li;
}

function button(text, act, title) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = visible(text);
  if (title) element.title = title;
  element.addEventListener("click", act);
  return element;
}

// The marks of time move with the drawing.
function axis(model, sigma) {
  const marks = model.places.ticks.map((tick) => {
    const span = document.createElement("span");
    span.textContent = tick.time.slice(0, 16).replace("T", " ");
    return { span, x: tick.x };
  });
  $("axis").replaceChildren(...marks.map((mark) => mark.span));
  const follow = () => {
    let last = -Infinity;
    for (const { span, x } of marks) {
      const at = sigma.graphToViewport({ x, y: 0 }).x;
      const room = at - last > 120 && at > 50 && at < $("canvas").clientWidth - 50;
      span.hidden = !room;
      if (!room) continue;
      span.style.left = `${at}px`;
      last = at;
    }
  };
  sigma.on("afterRender", follow);
  follow();
}

function legend(model) {
  const used = new Set(model.classes);
  const words = { passing: "on the way", "at-rest": "at rest", exchange: "exchange", mixer: "mixer", bridge: "bridge", service: "service", hub: "hub", open: "not followed", lost: "fees, burned or lost" };
  const parts = [["spring", "theft"], ...Object.entries(words).filter(([name]) => used.has(name))].map(([name, word]) => {
    const part = document.createElement("span");
    const swatch = document.createElement("i");
    part.className = "part";
    swatch.className = `swatch ${name}`;
    part.append(swatch, word);
    return part;
  });
  $("legend").replaceChildren(...parts);
}
