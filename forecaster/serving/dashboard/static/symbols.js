// Forecasts of symbols on the pages: bars of probabilities, and the same as tables and words.
import { Bars, legible } from "./bars.js";
import { moment, number } from "./dates.js";

/** The bars of a forecast: what was said of the past, beside what came, and what is said now. */
export class SymbolBars extends Bars {
  constructor(box, told) {
    const rows = [...told.past, ...told.next];
    const legend = told.colours.length
      ? [...told.colours.map((name, place) => ({ name, look: `c${place}` })), { name: "all else", look: "rest" }]
      : [{ name: "what came", look: "came" }, { name: "the likeliest others", look: "else" }, { name: "all else", look: "rest" }];
    if (told.colours.length && told.past.length) legend.push({ name: "what came", look: "ring" });
    super(box, {
      time: told.time, from: told.past.length, words: saidOfSymbols(told), legend,
      bars: rows.map((row) => ({ ...row, parts: parts(row, told.colours), ring: told.colours.length > 0 })),
    });
  }
}

/** A bar's parts from below: symbols in the order of their colours, or what came below all others. */
function parts(row, colours) {
  const shares = new Map(row.named);
  if (row.unknown) shares.delete("<unknown>"); // what came has its share
  if (row.came && row.given !== null) shares.set(row.came, row.given);
  const listed = colours.length
    ? colours.filter((name) => shares.has(name)).map((name) => ({ name, look: `c${colours.indexOf(name)}` }))
    : [...shares.keys()].sort((a, b) => (b === row.came) - (a === row.came))
      .map((name) => ({ name, look: name === row.came ? "came" : "else" }));
  const found = listed.map((one) => ({ ...one, share: shares.get(one.name) }));
  const rest = 1 - found.reduce((sum, one) => sum + one.share, 0);
  return [...found, { name: null, look: "rest", share: Math.max(rest, 0) }];
}

const at = (told, x) => (told.time ? moment(x) : String(x));

export function saidOfSymbols(told) {
  if (!told.next.length) return `No forecast from the end of the data: ${told.why}`;
  const [next] = told.next;
  const [[name, share]] = next.named;
  const who = `${told.model}, version ${told.version}`;
  const more = told.tally?.steps
    ? ` Of the ${told.tally.steps} before, it would have named ${told.tally.hits}.` : "";
  return `${told.series}, ${at(told, next.x)}, by ${who}: ${legible(name)}, with a probability of ${number(share)}.${more}`;
}

/** Caption, heads and rows of what is forecast now. */
export function likeliestTable(told) {
  const places = Math.max(...told.next.map((row) => row.named.length));
  const heads = ["Step", ...Array.from({ length: places }, (_, i) => [i ? `${i + 1}.` : "Likeliest", "probability"]).flat()];
  const rows = told.next.map((row) => [at(told, row.x), ...row.named.flatMap(([name, share]) => [legible(name), number(share)])]);
  return ["The forecast, step by step, the likeliest symbols first", heads, rows];
}

export function pastOfSymbols(told, table) {
  const box = document.getElementById("past-table");
  if (!box) return;
  if (!told.past.length) {
    box.textContent = "The data are too short to go back.";
    return;
  }
  const learnt = (row) => (row.learnt === null ? "–" : row.learnt ? "seen in training" : "new to it");
  const rows = [...told.past].reverse().map((row) => [
    at(told, row.x), legible(row.named[0][0]), number(row.named[0][1]), row.came === null ? "–" : legible(row.came),
    number(row.given), learnt(row),
  ]);
  const { steps, hits, log_loss } = told.tally;
  const loss = log_loss === null ? "" : `, log loss ${number(log_loss)}`;
  const caption = `Forecasts of ${told.series}, the latest first: ${hits} of ${steps} named${loss}`;
  box.className = "as-table";
  table(box, caption, ["Step", "Forecast", "probability", "What came", "given to it", "what came was"], rows);
}

/** What comes behind a text, as the bars take it. */
export function textAnswer(series, told) {
  const next = told.forecasts.map((row) => ({
    x: row.ds, cutoff: row.cutoff, named: row.likeliest.map((one) => [one.symbol, one.probability]),
  }));
  const names = [...new Set(next.flatMap((row) => row.named.map(([name]) => name)))].sort();
  const colours = names.length <= 8 ? names : [];
  const { model, version } = told;
  return { kind: "symbols", time: false, series, names: [series], count: 1, model, version, colours, past: [], next };
}

export function symbolCsv(told) {
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const places = Math.max(...told.forecasts.map((row) => row.likeliest.length));
  const label = (i) => (i ? `${told.model}-${i + 1}` : told.model);
  const head = ["unique_id", "ds", "cutoff", ...Array.from({ length: places }, (_, i) => [label(i), `${label(i)}-p`]).flat()];
  const rows = told.forecasts.map((row) => [
    row.unique_id, row.ds, row.cutoff, ...row.likeliest.flatMap((one) => [one.symbol, one.probability]),
  ]);
  return [head, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}
