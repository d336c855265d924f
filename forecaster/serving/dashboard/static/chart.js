// A line chart in SVG with intervals that can be zoomed by mouse, touch, keyboard and buttons.
import { dateTicks, moment, number, numberTicks } from "./dates.js";
import { element, shape } from "./svg.js";

const TOP = 10, RIGHT = 12, BELOW = 26;

/**
 * What is drawn: `time` says whether x are moments; `lines` have {name, look, x, y}; `bands` {name, look, x, lo, hi};
 * `cutoff` is the last observed x; `words` describes it all; `start` is the range that is shown first.
 */
export class Chart {
  constructor(box, data) {
    this.box = box;
    this.data = data;
    const xs = data.lines.flatMap((line) => line.x);
    this.all = [Math.min(...xs), Math.max(...xs)];
    if (this.all[0] === this.all[1]) this.all = [this.all[0] - 1, this.all[1] + 1];
    this.places = [...new Set(xs)].sort((a, b) => a - b);
    this.found = data.lines.map((line) => new Map(line.x.map((x, i) => [x, i])));
    this.range = this.start = data.start || this.all;
    this.at = null;
    this.build();
    this.draw();
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(box);
  }

  close() {
    this.watch.disconnect();
    this.box.replaceChildren();
  }

  build() {
    this.box.replaceChildren();
    const label = `${this.data.words} Arrow keys read the values, with Shift they move, plus and minus zoom, 0 shows all.`;
    this.frame = element("div", { class: "frame", tabindex: "0", role: "group", "aria-label": label }, this.box);
    this.svg = shape("svg", { role: "img", "aria-label": this.data.words }, this.frame);
    this.readout = element("output", { class: "readout", "aria-live": "polite" }, this.box);
    const key = element("ul", { class: "legend", "aria-label": "Legend" }, this.box);
    for (const one of [...this.data.lines, ...this.data.bands]) if (!one.quiet) this.legend(key, one);
    const tools = element("div", { class: "tools", role: "group", "aria-label": "Zoom" }, this.box);
    const tool = (words, act) => element("button", { type: "button" }, tools, words).addEventListener("click", act);
    tool("Zoom in", () => this.zoom(0.5));
    tool("Zoom out", () => this.zoom(2));
    tool("← Earlier", () => this.move(-0.5));
    tool("Later →", () => this.move(0.5));
    tool("Show all", () => this.show(this.all));
    this.listen();
  }

  legend(list, one) {
    const item = element("li", {}, list);
    const sign = shape("svg", { width: 22, height: 10, "aria-hidden": "true" }, item);
    if (one.lo) shape("rect", { class: `band ${one.look}`, width: 22, height: 10 }, sign);
    else shape("line", { class: `line ${one.look}`, x1: 0, x2: 22, y1: 5, y2: 5 }, sign);
    item.append(one.name);
  }

  listen() {
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("dblclick", () => this.show(this.all));
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.held = { x: event.offsetX, range: this.range, touch: event.pointerType === "touch" };
      this.svg.setPointerCapture(event.pointerId);
    });
    this.svg.addEventListener("pointermove", (event) => this.drag(event.offsetX));
    this.svg.addEventListener("pointerup", (event) => this.drop(event.offsetX));
    this.svg.addEventListener("pointercancel", () => this.drop(null));
    this.svg.addEventListener("pointerleave", () => this.held || this.read(null));
    this.svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // the page scrolls; with Ctrl, and by pinching a touchpad, the chart zooms
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.value(event.offsetX));
    }, { passive: false });
  }

  drag(x) {
    if (!this.held) return this.read(this.nearest(this.value(x)));
    if (this.held.touch) {
      const [from, to] = this.held.range;
      const by = ((this.held.x - x) / this.width) * (to - from);
      return this.show([from + by, to + by]);
    }
    const [low, high] = [Math.min(x, this.held.x), Math.max(x, this.held.x)];
    const area = this.selection || (this.selection = shape("rect", { class: "selection", y: TOP }, this.svg));
    for (const [key, value] of [["x", low], ["width", high - low], ["height", this.height]]) area.setAttribute(key, value);
  }

  drop(x) {
    const held = this.held;
    this.held = null;
    this.selection?.remove();
    this.selection = null;
    if (!held || held.touch || x === null) return;
    if (Math.abs(x - held.x) > 8) this.show([held.x, x].map((one) => this.value(one)).sort((a, b) => a - b));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (side && event.shiftKey) this.move(side * 0.25);
    else if (side) this.step(side);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5, this.at);
    else if (event.key === "-") this.zoom(2, this.at);
    else if (event.key === "0") this.show(this.all);
    else return;
    event.preventDefault();
  }

  step(side) {
    const here = this.at === null ? this.nearest(this.data.cutoff ?? this.range[1]) : this.at;
    const place = this.places[Math.min(Math.max(this.places.indexOf(here) + side, 0), this.places.length - 1)];
    if (place < this.range[0] || place > this.range[1]) this.move(side * 0.5);
    this.read(place);
  }

  zoom(factor, around) {
    const [from, to] = this.range;
    const middle = around ?? (from + to) / 2;
    this.show([middle - (middle - from) * factor, middle + (to - middle) * factor]);
  }

  move(share) {
    const by = (this.range[1] - this.range[0]) * share;
    this.show([this.range[0] + by, this.range[1] + by]);
  }

  show([from, to]) {
    const [low, high] = this.all;
    const least = this.places.length > 1 ? 3 * ((high - low) / (this.places.length - 1)) : high - low;
    const length = Math.min(Math.max(to - from, Math.min(least, high - low)), high - low);
    const begin = Math.min(Math.max(from, low), high - length);
    this.range = [begin, begin + length];
    this.draw();
  }

  value(x) { return this.range[0] + ((x - this.left) / this.width) * (this.range[1] - this.range[0]); }
  x(value) { return this.left + ((value - this.range[0]) / (this.range[1] - this.range[0])) * this.width; }
  y(value) { return TOP + this.height * (1 - (value - this.low) / (this.high - this.low)); }

  nearest(value) {
    let [low, high] = [0, this.places.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.places[middle] < value) low = middle + 1; else high = middle;
    }
    return low && value - this.places[low - 1] < this.places[low] - value ? this.places[low - 1] : this.places[low];
  }

  extent() {
    let [low, high] = [Infinity, -Infinity];
    const seen = (xs, ys) => xs.forEach((x, i) => {
      if (ys[i] === null || x < this.range[0] || x > this.range[1]) return;
      if (ys[i] < low) low = ys[i];
      if (ys[i] > high) high = ys[i];
    });
    for (const line of this.data.lines) seen(line.x, line.y);
    for (const band of this.data.bands) { seen(band.x, band.lo); seen(band.x, band.hi); }
    if (low > high) return [0, 1];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    return [low - room, high + room];
  }

  draw() {
    const whole = this.box.clientWidth;
    if (!whole) return;
    const tall = whole < 500 ? 260 : 340;
    [this.low, this.high] = this.extent();
    this.height = tall - TOP - BELOW;
    const ticks = numberTicks(this.low, this.high, 5);
    this.left = 14 + 7 * Math.max(...ticks.map(([, words]) => words.length), 2);
    this.width = Math.max(whole - this.left - RIGHT, 50);
    this.svg.setAttribute("viewBox", `0 0 ${whole} ${tall}`);
    this.svg.setAttribute("height", tall);
    this.svg.replaceChildren();
    this.axes(ticks, whole, tall);
    const id = `clip-${this.box.id}`;
    shape("rect", { x: this.left, y: TOP, width: this.width, height: this.height }, shape("clipPath", { id }, this.svg));
    const inside = shape("g", { "clip-path": `url(#${id})` }, this.svg);
    for (const band of this.data.bands) shape("path", { class: `band ${band.look}`, d: this.area(band) }, inside);
    for (const line of this.data.lines) shape("path", { class: `line ${line.look}`, d: this.path(line.x, line.y) }, inside);
    if (this.data.cutoff !== undefined) this.upright(this.data.cutoff, "cutoff", inside);
    this.marks = shape("g", {}, inside);
    this.read(this.at);
  }

  axes(ticks, whole, tall) {
    for (const [value, words] of ticks) {
      const y = this.y(value);
      shape("line", { class: "grid", x1: this.left, x2: whole - RIGHT, y1: y, y2: y }, this.svg);
      shape("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, this.svg).textContent = words;
    }
    const most = Math.max(2, Math.floor(this.width / 84));
    const across = this.data.time ? dateTicks(...this.range, most) : numberTicks(...this.range, most);
    for (const [value, words] of across) {
      const x = this.x(value);
      if (x > whole - RIGHT - 14 || x < this.left + 8) continue;
      shape("line", { class: "grid", x1: x, x2: x, y1: TOP, y2: TOP + this.height }, this.svg);
      shape("text", { x, y: tall - 8, "text-anchor": "middle" }, this.svg).textContent = words;
    }
  }

  upright(value, look, parent) {
    shape("line", { class: look, x1: this.x(value), x2: this.x(value), y1: TOP, y2: TOP + this.height }, parent);
  }

  path(xs, ys) {
    let [path, pen] = ["", false];
    xs.forEach((x, i) => {
      if (ys[i] === null) { pen = false; return; }
      path += `${pen ? "L" : "M"}${this.x(x).toFixed(1)} ${this.y(ys[i]).toFixed(1)}`;
      pen = true;
    });
    return path;
  }

  area(band) {
    const there = band.x.map((x, i) => i).filter((i) => band.lo[i] !== null && band.hi[i] !== null);
    const at = (i, ys) => `${this.x(band.x[i]).toFixed(1)} ${this.y(ys[i]).toFixed(1)}`;
    if (!there.length) return "";
    return `M${there.map((i) => at(i, band.hi)).join("L")}L${there.reverse().map((i) => at(i, band.lo)).join("L")}Z`;
  }

  /** Shows the values at a place, as text and as dots. */
  read(place) {
    this.at = place;
    this.marks?.replaceChildren();
    if (place === null || place === undefined) { this.readout.value = ""; return; }
    this.upright(place, "cross", this.marks);
    const said = [];
    this.data.lines.forEach((line, which) => {
      const i = this.found[which].get(place);
      if (i === undefined || line.y[i] === null) return;
      shape("circle", { class: "dot", cx: this.x(place), cy: this.y(line.y[i]), r: 3.5 }, this.marks);
      said.push(`${line.said || line.name} ${number(line.y[i])}${this.within(line, i)}`);
    });
    this.readout.value = `${this.data.time ? moment(place) : place}: ${said.join(" · ") || "missing"}`;
  }

  within(line, i) {
    return (line.intervals || []).map((one) => ` (${one.level} %: ${number(one.lo[i])} to ${number(one.hi[i])})`).join("");
  }
}
