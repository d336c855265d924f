// What the pages do: draw a pipeline's latest forecast, forecast a CSV file, filter the list of pipelines.
import { Chart } from "./chart.js";
import { moment, number } from "./dates.js";
import { SymbolBars, likeliestTable, pastOfSymbols, saidOfSymbols, symbolCsv, textAnswer } from "./symbols.js";

const charts = new Map();

function draw(box, data) {
  charts.get(box)?.close();
  charts.set(box, data.kind === "symbols" ? new SymbolBars(box, data) : new Chart(box, data));
}

/** The answer as JSON; an error has the server's own words. */
async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error || `The server answered ${answer.status}.`);
  return told;
}

function table(box, caption, heads, rows) {
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  for (const [key, value] of [["role", "region"], ["aria-label", caption], ["tabindex", "0"]]) scroll.setAttribute(key, value);
  const made = document.createElement("table");
  made.className = "numbers";
  made.createCaption().textContent = caption;
  const head = made.createTHead().insertRow();
  const cell = (row, kind, words, scope) => {
    const one = document.createElement(kind);
    if (scope) one.scope = scope;
    one.textContent = words;
    row.append(one);
  };
  heads.forEach((words) => cell(head, "th", words, "col"));
  const body = made.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    cells.forEach((words, place) => (place ? cell(row, "td", words) : cell(row, "th", words, "row")));
  }
  scroll.append(made);
  box.replaceChildren(scroll);
}

function choices(select, names, chosen, changed) {
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.closest(".choice").hidden = names.length < 2;
  select.onchange = () => changed(select.value);
}

function steps(box, forecast, time) {
  const heads = ["Step", "Forecast", ...forecast.bands.flatMap((band) => [`${band.level} % from`, "to"])];
  const rows = forecast.x.map((x, i) => [
    time ? moment(x) : String(x), number(forecast.y[i]),
    ...forecast.bands.flatMap((band) => [number(band.lo[i]), number(band.hi[i])]),
  ]);
  table(box, "The forecast, step by step, with its intervals", heads, rows);
}

function described(told) {
  if (!told.forecast) return `No forecast from the end of the data: ${told.why}`;
  const { x, y } = told.forecast;
  const at = (place) => (told.time ? moment(place) : place);
  const line = `Forecast of ${told.series} by ${told.model}, version ${told.version}, from ${at(x[0])} to ${at(x.at(-1))}`;
  return `${line}: between ${number(Math.min(...y))} and ${number(Math.max(...y))}.`;
}

/** The chart of a forecast: observed past, earlier forecasts, the latest with its intervals. */
function plan(told) {
  const { history, forecast, past = [] } = told;
  const narrow = (one) => one.bands.at(-1);
  const lines = [
    ...(history.x.length ? [{ name: "observed", look: "observed", ...history }] : []),
    ...past.map((one, i) => ({
      name: "earlier forecasts", said: "forecast then", look: "past", quiet: i > 0, x: one.x, y: one.y,
      intervals: narrow(one) ? [narrow(one)] : [],
    })),
    ...(forecast ? [{ name: "forecast", look: "forecast", x: forecast.x, y: forecast.y, intervals: forecast.bands }] : []),
  ];
  const bands = [
    ...past.filter(narrow).map((one, i) => ({ name: `${narrow(one).level} % then`, look: "pastband", quiet: i > 0, x: one.x, ...narrow(one) })),
    ...(forecast?.bands ?? []).map((band, i) => ({ name: `${band.level} % interval`, look: `b${i}`, x: forecast.x, ...band })),
  ];
  const newest = forecast ?? past[0];
  const last = newest.x.at(-1);
  const length = (last - newest.cutoff) * 4;
  const begin = Math.max(history.x[0] ?? newest.x[0], newest.cutoff - length);
  return { time: told.time, lines, bands, cutoff: newest.cutoff, words: described(told), start: [begin, last] };
}

function pastTable(told) {
  const box = document.getElementById("past-table");
  if (!box) return;
  if (!told.past.length) {
    box.textContent = "The data are too short to go back.";
    return;
  }
  const levels = told.past[0].bands.map((band) => band.level).reverse();
  const heads = ["Made from", "Mean absolute error", "of the last value", ...levels.map((level) => `inside ${level} %`), "what came was"];
  const share = (value) => (value === undefined ? "–" : `${Math.round(100 * value)} %`);
  const rows = told.past.map((one) => [
    told.time ? moment(one.cutoff) : String(one.cutoff), number(one.error), number(one.naive),
    ...levels.map((level) => share(one.inside[level])),
    one.learnt === null ? "–" : one.learnt ? "seen in training" : "new to it",
  ]);
  table(box, `Forecasts of ${told.series} from earlier origins, the latest first`, heads, rows);
}

async function outlook(box, series) {
  const status = box.querySelector(".status");
  status.className = "status";
  status.textContent = "Reading the data and forecasting …";
  status.hidden = false;
  try {
    const told = await ask(box.dataset.source + (series ? `?series=${encodeURIComponent(series)}` : ""));
    choices(box.querySelector("select"), told.names, told.series, (name) => outlook(box, name));
    const symbols = told.kind === "symbols";
    const forecast = symbols ? told.next.length : told.forecast;
    draw(box.querySelector(".chart"), symbols ? told : plan(told));
    const more = box.querySelector("details");
    more.hidden = !forecast;
    const listed = more.querySelector(".as-table");
    if (forecast && symbols) table(listed, ...likeliestTable(told));
    else if (forecast) steps(listed, told.forecast, told.time);
    if (symbols) pastOfSymbols(told, table); else pastTable(told);
    status.textContent = symbols ? saidOfSymbols(told) : described(told);
    if (!forecast) status.className = "status bad";
  } catch (error) {
    status.className = "status bad";
    status.textContent = `No forecast can be shown: ${error.message}`;
    const past = document.getElementById("past-table");
    if (past) past.textContent = "";
  }
}

function csv(told) {
  const levels = Object.keys(told.forecasts[0].intervals);
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const head = ["unique_id", "ds", "cutoff", told.model, ...levels.flatMap((one) => [`${told.model}-lo-${one}`, `${told.model}-hi-${one}`])];
  const rows = told.forecasts.map((row) => [row.unique_id, row.ds, row.cutoff, row.forecast, ...levels.flatMap((one) => row.intervals[one])]);
  return [head, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

/** Offers the forecasts of all series as a file, and draws one of them over its past. */
async function shown(told, plot, failed) {
  const result = document.getElementById("try-result");
  const link = document.getElementById("try-download");
  URL.revokeObjectURL(link.href);
  const symbols = "likeliest" in told.forecasts[0];
  link.href = URL.createObjectURL(new Blob([(symbols ? symbolCsv : csv)(told)], { type: "text/csv" }));
  const show = async (series) => {
    const one = await plot(series, told);
    result.hidden = false;
    choices(document.getElementById("try-series"), one.names, one.series, (name) => show(name).catch(failed));
    draw(document.getElementById("try-chart"), symbols ? one : plan(one));
    const listed = result.querySelector(".as-table");
    if (symbols) table(listed, ...likeliestTable(one)); else steps(listed, one.forecast, one.time);
    return one.count;
  };
  return show(told.forecasts[0].unique_id);
}

function trying(form) {
  const file = document.getElementById("file");
  const drop = document.getElementById("drop");
  const status = document.getElementById("try-status");
  const button = form.querySelector("button");
  const failed = (error) => {
    document.getElementById("try-result").hidden = true;
    status.className = "status bad";
    status.textContent = error.message;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = document.getElementById("token")?.value;
    status.className = "status";
    status.textContent = "Forecasting …";
    button.disabled = true;
    try {
      const text = document.getElementById("text");
      const headers = { "Content-Type": text ? "text/plain" : "text/csv", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
      const sent = { method: "POST", headers, body: text ? text.value : file.files[0] };
      const told = await ask(form.dataset.target, sent);
      const plot = text ? textAnswer : (series) => ask(`${form.dataset.plot}?series=${encodeURIComponent(series)}`, sent);
      const count = await shown(told, plot, failed);
      const strange = told.unknown?.length ? ` It does not know ${told.unknown.join(", ")}.` : "";
      const what = text ? "" : `: ${count} series`;
      status.textContent = `Forecast by ${told.model}, version ${told.version}${what}.${strange}`;
    } catch (error) {
      failed(error);
    } finally {
      button.disabled = false;
    }
  });
  if (!drop) return;
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

function filtering(box) {
  const rows = [...document.querySelectorAll("table.pipelines tbody tr")];
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
    document.getElementById("filtered").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  });
}

document.querySelectorAll(".outlook[data-source]").forEach((box) => outlook(box));
const form = document.getElementById("try-form");
if (form) trying(form);
const filter = document.getElementById("filter");
if (filter) filtering(filter);
