// The report as a graph: shares, the path of the money, what filters leave.

export class Model {
  constructor({ report, places, bundles, names, classes, decimals }) {
    this.report = report;
    this.places = places;
    this.bundles = bundles;
    this.names = names;
    this.classes = classes;
    this.decimals = new Map(decimals.map(([chain, asset, digits]) => [`${chain}\n${asset}`, digits]));
    this.index = new Map(report.nodes.map((node, at) => [node.id, at]));
    this.bundleOf = new Map();
    bundles.forEach((bundle, at) => bundle.nodes.forEach((node) => this.bundleOf.set(node, at)));
    this.flows = report.flows.map((flow, at) => ({
      at,
      flow,
      from: this.index.get(flow.from),
      to: this.index.get(flow.to),
      time: flow.time ? Date.parse(flow.time) : NaN,
    }));
    this.into = report.nodes.map(() => []);
    this.outOf = report.nodes.map(() => []);
    for (const one of this.flows) {
      this.into[one.to].push(one);
      this.outOf[one.from].push(one);
    }
    this.whole = new Map();
    for (const seed of report.seeds) {
      const asset = `${seed.chain}\n${seed.asset}`;
      this.whole.set(asset, (this.whole.get(asset) ?? 0n) + BigInt(seed.amount));
    }
    this.shares = new Map();
    this.seeds = new Map(report.seeds.map((seed) => [seed.id, `${seed.chain}\n${seed.asset}`]));
  }

  // What part of the theft each flow carries under a rule, between 0 and 1; for drawing and filters only.
  sharesUnder(rule) {
    if (!this.shares.has(rule)) this.shares.set(rule, Float64Array.from(this.flows, ({ flow }) => this.share(flow, rule)));
    return this.shares.get(rule);
  }

  share(flow, rule) {
    let share = 0;
    for (const [seed, claim] of Object.entries(flow.claims[rule] ?? {})) {
      const whole = Number(this.whole.get(this.seeds.get(seed)) ?? 0n);
      if (whole > 0) share += Number(claim) / whole;
    }
    return share;
  }

  // The way from the theft to a node along the heaviest flows, as flows in the order of the money.
  path(node, rule) {
    const path = [];
    const seen = new Set([node]);
    for (let at = node; ; ) {
      const ways = this.into[at].filter((one) => !seen.has(one.from));
      let best = null;
      for (const way of ways) {
        const tainted = BigInt(way.flow.tainted[rule] ?? "0");
        if (tainted > 0n && (best === null || tainted > best.tainted)) best = { way, tainted };
      }
      if (best === null) return path.reverse();
      path.push(best.way);
      at = best.way.from;
      seen.add(at);
    }
  }

  amount(chain, asset, units) {
    const digits = this.decimals.get(`${chain}\n${asset}`);
    if (digits === undefined) return `${grouped(units)} base units of ${visible(asset)}`;
    const padded = units.padStart(digits + 1, "0");
    const whole = grouped(padded.slice(0, padded.length - digits));
    const fraction = padded.slice(padded.length - digits);
    return `${whole}${fraction ? `.${fraction}` : ""} ${visible(asset)}`;
  }

  search(words) {
    const wanted = words.trim().toLowerCase();
    if (wanted.length < 2) return [];
    const hits = [];
    this.report.nodes.forEach((node, at) => {
      const labels = node.labels.map((label) => label.label).join(" ");
      if (`${node.id} ${node.address ?? ""} ${labels}`.toLowerCase().includes(wanted)) hits.push(at);
    });
    for (const one of this.flows) {
      if (hits.length > 200) break;
      if (one.flow.tx.toLowerCase().includes(wanted) && !hits.includes(one.to)) hits.push(one.to);
    }
    return hits;
  }
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

// Characters that a reader would not see, by their codes; the same as in the other formats.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]/gu;

export function visible(text) {
  const cut = text.length > 300 ? `${text.slice(0, 299)}…` : text;
  return cut.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}
