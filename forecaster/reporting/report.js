"use strict";
// Draws the report's figures in the colours of report.css, and steps through single forecasts.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const report = JSON.parse(byId("report-data").textContent);
  const coarse = matchMedia("(pointer: coarse)").matches;
  const hidden = {}; // figure -> names of the lines that the reader switched off

  // ---- colours -------------------------------------------------------------------------------------
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const clear = (hex, alpha) => hex + Math.round(255 * alpha).toString(16).padStart(2, "0");

  /** A copy of a figure with the names of colours replaced by their present values. */
  function painted(node, key = "") {
    if (["x", "y", "z", "customdata", "text"].includes(key)) return node;
    if (Array.isArray(node)) return node.map((item) => painted(item, key));
    if (node && typeof node === "object")
      return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, painted(value, name)]));
    return /color(scale)?$/.test(key) && typeof node === "string" && node.startsWith("--") ? colour(node) : node;
  }

  // ---- figures -------------------------------------------------------------------------------------
  const plain = (name) => name.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function layout(own, box) {
    const axis = {
      gridcolor: colour("--grid"), zerolinecolor: colour("--grid"), linecolor: colour("--line"),
      automargin: true, ticks: "", title: { standoff: 8 },
    };
    const merge = (side) => ({ ...axis, ...side, title: { ...axis.title, ...(side || {}).title } });
    const nearby = own.hovermode || (box.clientWidth < 500 ? "closest" : "x unified");
    return {
      ...own,
      autosize: true, showlegend: false, hovermode: nearby, dragmode: coarse ? false : "zoom",
      margin: { l: 44, r: 10, t: own.annotations ? 18 : 8, b: 34 },
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") }, namelength: -1 },
      xaxis: { ...merge(own.xaxis), showgrid: false, showline: true, tickangle: own.xaxis?.tickangle ?? 0,
        nticks: box.clientWidth < 500 ? 4 : 9, tickformatstops: [{ dtickrange: [null, 86399999], value: "%H:%M\n%b %-d" }] },
      yaxis: { nticks: box.clientHeight < 250 ? 5 : 8, ...merge(own.yaxis), zeroline: false },
    };
  }

  function draw(name, figure) {
    const box = byId(`plot-${name}`);
    const off = (hidden[name] ??= new Set());
    const traces = painted(figure.data).map((trace) => ({
      ...trace, name: plain(trace.name || ""), visible: !off.has(trace.name),
    }));
    Plotly.react(box, traces, layout(painted(figure.layout), box), { displayModeBar: false, responsive: true });
    if (byId(`legend-${name}`)) drawLegend(name, figure);
  }

  // ---- legends: buttons, so that a keyboard reaches them ---------------------------------------------
  const DASHES = { solid: "", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3", longdash: "10 4", longdashdot: "10 3 2 3" };

  function swatch(trace) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const shape = document.createElementNS(svg.namespaceURI, trace.fill ? "rect" : "line");
    const line = painted(trace.line || {});
    const look = trace.fill
      ? { x: 0, y: 0, width: 26, height: 12, fill: painted(trace.fillcolor, "color") }
      : { x1: 0, y1: 6, x2: 26, y2: 6, stroke: line.color, "stroke-width": Math.max(line.width, 2),
          "stroke-dasharray": DASHES[line.dash || "solid"] };
    for (const [key, value] of Object.entries({ width: 26, height: 12, "aria-hidden": true })) svg.setAttribute(key, value);
    for (const [key, value] of Object.entries(look)) shape.setAttribute(key, value);
    svg.append(shape);
    return svg;
  }

  function drawLegend(name, figure) {
    const list = byId(`legend-${name}`);
    const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
    list.replaceChildren(...figure.data.map((trace) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden[name].has(trace.name)));
      button.append(swatch(trace), trace.name);
      button.onclick = () => {
        if (!hidden[name].delete(trace.name)) hidden[name].add(trace.name);
        draw(name, figure);
      };
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    list.children[focused]?.firstChild.focus();
  }

  // ---- one forecast: what a model saw, what it said, what came --------------------------------------
  const views = report.views;
  const players = Object.fromEntries(report.players.map((player) => [player.name, player]));
  const chosen = views && { series: 0, origin: views.series[0].origins.length - 1, model: views.model, against: views.against };
  const short = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

  function originFigure(series, origin) {
    const last = origin.upto - 1;
    const seen = last >= origin.from;
    const before = origin.at.length * (byId("plot-origin").clientWidth < 500 ? 1.5 : 3); // less of it on a phone
    const first = Math.max(origin.from, origin.upto - Math.max(Math.round(before), 15));
    const x = origin.at.map((place) => series.ds[place]);
    const start = seen ? [series.ds[last]] : [];
    const join = (values) => (seen ? [series.y[last], ...values] : values);
    const line = (name, values, look) =>
      ({ type: "scatter", mode: x.length > 14 ? "lines" : "lines+markers", name, x: [...start, ...x], y: values,
         hovertemplate: "%{y:,.5~r}", ...look });
    const [median, ...ends] = origin.values[chosen.model];
    const levels = views.levels[chosen.model];
    const { colour: own } = players[chosen.model];
    const bands = levels.map((level, i) => {
      const [low, high] = [join(ends[2 * i]), join(ends[2 * i + 1])];
      return { type: "scatter", mode: "lines", name: `${level} % interval`, hoverinfo: "skip", fill: "toself",
        ...outline([...start, ...x], low, high), line: { width: 0, color: own },
        fillcolor: clear(colour(own), 0.2 + (0.2 * i) / Math.max(levels.length - 1, 1)) };
    });
    const past = { type: "scatter", mode: "lines", name: "history", line: { color: "--history-line", width: 1.6 },
      x: series.ds.slice(first, origin.upto), y: series.y.slice(first, origin.upto), hovertemplate: "%{y:,.5~r}" };
    const came = line("what came", join(origin.at.map((place) => series.y[place])), { line: { color: "--outcome-line", width: 2 } });
    const other = chosen.against && chosen.against !== chosen.model &&
      line(chosen.against, join(origin.values[chosen.against][0]),
        { line: { color: players[chosen.against].colour, width: 1.8, dash: players[chosen.against].dash } });
    const said = line(chosen.model, join(median), { line: { color: own, width: 2.6, dash: players[chosen.model].dash } });
    return { data: [...bands, past, came, ...(other ? [other] : []), said], layout: originLayout(origin) };
  }

  /** The border of a band; steps without a forecast are left out. */
  function outline(x, low, high) {
    const there = x.map((_, i) => i).filter((i) => low[i] !== null && high[i] !== null);
    const back = [...there].reverse();
    return { x: [...there, ...back].map((i) => x[i]), y: [...there.map((i) => high[i]), ...back.map((i) => low[i])] };
  }

  function originLayout(origin) {
    const edge = { x0: origin.cutoff, x1: origin.cutoff, y0: 0, y1: 1, xref: "x", yref: "paper" };
    return {
      xaxis: { type: typeof origin.cutoff === "number" ? "linear" : "date" },
      shapes: [{ type: "line", ...edge, line: { color: "--cutoff-line", width: 1.2, dash: "dot" } }],
      annotations: [{ x: origin.cutoff, y: 1, xref: "x", yref: "paper", yanchor: "bottom", showarrow: false, text: "cutoff",
        font: { size: 11, color: "--soft" } }],
    };
  }

  /** The mean absolute error of a model at one origin; null where nothing can be compared. */
  function error(series, origin, model) {
    const misses = origin.at
      .map((place, i) => [series.y[place], origin.values[model][0][i]])
      .filter(([y, forecast]) => y !== null && forecast !== null)
      .map(([y, forecast]) => Math.abs(y - forecast));
    return misses.length ? misses.reduce((sum, miss) => sum + miss, 0) / misses.length : null;
  }

  function inside(series, origin) {
    const [, low, high] = origin.values[chosen.model];
    const rows = origin.at.map((place, i) => [series.y[place], low?.[i] ?? null, high?.[i] ?? null])
      .filter((row) => row.every((value) => value !== null));
    const hits = rows.filter(([y, from, to]) => from <= y && y <= to).length;
    return rows.length ? ` ${hits} of ${rows.length} values fell inside the ${views.levels[chosen.model][0]} % interval.` : "";
  }

  function words(series, origin) {
    const scores = [...new Set([chosen.model, chosen.against])].filter(Boolean)
      .map((name) => [name, error(series, origin, name)]).filter(([, value]) => value !== null);
    if (!scores.length) return "Nothing that came after this cutoff is known.";
    return `Mean absolute error of this forecast: ${scores.map(([name, value]) => `${name} ${short(value)}`).join(", ")}.`
      + inside(series, origin);
  }

  function drawOrigin() {
    const series = views.series[chosen.series];
    const origin = series.origins[chosen.origin];
    const name = `${chosen.origin + 1} of ${series.origins.length}: ${origin.cutoff}`;
    byId("origin").max = series.origins.length - 1;
    byId("origin").value = chosen.origin;
    byId("origin").setAttribute("aria-valuetext", name);
    byId("origin-name").textContent = name;
    byId("earlier").disabled = chosen.origin === 0;
    byId("later").disabled = chosen.origin === series.origins.length - 1;
    byId("origin-words").textContent = words(series, origin);
    byId("plot-origin").setAttribute("aria-label", `Series ${series.id}, forecast of ${chosen.model} from the cutoff `
      + `${origin.cutoff} with its intervals, beside what came. ${words(series, origin)}`);
    draw("origin", originFigure(series, origin));
  }

  function choose(change) {
    Object.assign(chosen, change);
    const last = views.series[chosen.series].origins.length - 1;
    chosen.origin = Math.min(Math.max(chosen.origin, 0), last);
    drawOrigin();
  }

  function connectControls() {
    const fill = (id, options, value) =>
      byId(id).replaceChildren(...options.map(([key, label]) => new Option(label, key, false, key === value)));
    const names = report.players.map((player) => [player.name, player.name]);
    fill("series", views.series.map((series, i) => [String(i), series.id]), "0");
    fill("model", names, chosen.model);
    fill("against", [["", "nothing"], ...names], chosen.against || "");
    byId("series-choice").hidden = views.series.length === 1;
    byId("series").onchange = (event) => choose({ series: Number(event.target.value), origin: Infinity });
    byId("model").onchange = (event) => choose({ model: event.target.value });
    byId("against").onchange = (event) => choose({ against: event.target.value });
    byId("origin").oninput = (event) => choose({ origin: Number(event.target.value) });
    byId("earlier").onclick = () => choose({ origin: chosen.origin - 1 });
    byId("later").onclick = () => choose({ origin: chosen.origin + 1 });
    document.querySelector(".controls").onsubmit = (event) => event.preventDefault();
  }

  // ---- start, change of theme, paper -----------------------------------------------------------------
  function drawAll() {
    if (views) drawOrigin();
    for (const [name, figure] of Object.entries(report.figures)) draw(name, figure);
  }

  function onPaper(paper) {
    root.toggleAttribute("data-paper", paper);
    drawAll();
    document.querySelectorAll(".canvas").forEach((box) => Plotly.Plots.resize(box));
  }

  if (views) connectControls();
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
})();
