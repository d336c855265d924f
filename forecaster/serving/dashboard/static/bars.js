// Stacked bars in SVG: one for each step, of how likely each symbol was held to be; rings mark what came.
import { dateTicks, moment, number } from "./dates.js";
import { element, shape } from "./svg.js";

const TOP = 10, LEFT = 40, RIGHT = 8, WIDEST = 72;

/** A symbol as it can be read: blanks and ends of lines have signs. */
export const legible = (symbol) =>
  symbol.trim() ? symbol : symbol.replaceAll("\n", "↵").replaceAll(" ", "␣").replaceAll("\t", "⇥");

/**
 * What is drawn: `bars` have {x, parts: [{look, name, share}], came, given, cutoff}; `from` is the place of the first
 * that has not come yet; `legend` has {look, name}; `time` says whether x are moments; `words` describes it all.
 */
export class Bars {
  constructor(box, data) {
    this.box = box;
    this.data = data;
    this.at = data.from ? null : 0; // where there is no past to look at, the first bar is read at once
    const label = `${data.words} Arrow keys read the bars one by one.`;
    this.frame = element("div", { class: "frame", tabindex: "0", role: "group", "aria-label": label });
    this.svg = shape("svg", { role: "img", "aria-label": data.words }, this.frame);
    this.readout = element("output", { class: "readout", "aria-live": "polite" });
    const key = element("ul", { class: "legend", "aria-label": "Legend" });
    for (const one of data.legend) this.legend(key, one);
    box.replaceChildren(this.frame, this.readout, key);
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("pointermove", (event) => this.read(this.nearest(event.offsetX)));
    this.svg.addEventListener("pointerdown", (event) => this.read(this.nearest(event.offsetX)));
    this.draw();
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(box);
  }

  close() {
    this.watch.disconnect();
    this.box.replaceChildren();
  }

  legend(list, one) {
    const item = element("li", {}, list);
    const sign = shape("svg", { width: 14, height: 12, "aria-hidden": "true" }, item);
    if (one.look === "ring") shape("circle", { class: "ring", cx: 7, cy: 6, r: 4 }, sign);
    else shape("rect", { class: `part ${one.look}`, width: 14, height: 12 }, sign);
    item.append(legible(one.name));
  }

  key(event) {
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!side || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const last = this.data.bars.length - 1;
    this.read(Math.min(Math.max((this.at ?? last + (side < 0 ? 1 : 0)) + side, 0), last));
  }

  nearest(x) {
    const place = Math.floor((x - LEFT) / this.step);
    return Math.min(Math.max(place, 0), this.data.bars.length - 1);
  }

  draw() {
    const whole = this.box.clientWidth, { bars } = this.data;
    if (!whole || !bars.length) return;
    const names = this.names();
    const below = names ? this.room(names) : 26;
    const tall = (whole < 500 ? 200 : 250) + below;
    this.height = tall - TOP - below;
    this.step = Math.min((whole - LEFT - RIGHT) / bars.length, WIDEST);
    this.svg.setAttribute("viewBox", `0 0 ${whole} ${tall}`);
    this.svg.setAttribute("height", tall);
    this.svg.replaceChildren();
    for (const share of [0, 0.5, 1]) {
      const y = this.y(share);
      shape("line", { class: "grid", x1: LEFT, x2: whole - RIGHT, y1: y, y2: y }, this.svg);
      shape("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, this.svg).textContent = String(share);
    }
    bars.forEach((bar, place) => this.bar(bar, place));
    const { from } = this.data;
    if (from > 0 && from < bars.length) {
      const x = LEFT + from * this.step;
      shape("line", { class: "cutoff", x1: x, x2: x, y1: TOP - 6, y2: TOP + this.height }, this.svg);
    }
    if (names) this.written(names, tall); else this.dates(tall);
    this.mark = shape("g", {}, this.svg);
    this.read(this.at);
  }

  y(share) { return TOP + this.height * (1 - share); }
  left(place) { return LEFT + place * this.step + this.step * 0.07; }

  bar(bar, place) {
    const width = this.step * 0.86;
    let upto = 0;
    for (const part of bar.parts) {
      const height = Math.max(part.share, 0) * this.height;
      if (height > 0.2) {
        shape("rect", { class: `part ${part.look}`, x: this.left(place), width, height, y: this.y(upto + part.share) }, this.svg);
      }
      if (bar.came && bar.ring && part.name === bar.came) {
        const r = Math.min(4, Math.max(width / 3, 2));
        shape("circle", { class: "ring", cx: this.left(place) + width / 2, cy: this.y(upto + part.share / 2), r }, this.svg);
      }
      upto += part.share;
    }
  }

  /** What came under each bar, where the steps have no dates and there is room; null otherwise. */
  names() {
    const names = this.data.bars.map((bar) => legible(bar.came ?? "?"));
    this.longest = Math.max(...names.map((name) => name.length));
    return this.data.time || this.longest > 12 ? null : names;
  }

  /** Pixels that the names take under the bars: upright ones as many as the longest is drawn with. */
  room(names) {
    if (this.longest === 1) return 18;
    const lengths = [...new Set(names)].map((name) => {
      const text = shape("text", {}, this.svg);
      text.textContent = name;
      return text.getComputedTextLength();
    });
    return 12 + Math.max(...lengths);
  }

  written(names, tall) {
    names.forEach((name, place) => {
      const x = LEFT + (place + 0.5) * this.step, y = TOP + this.height + 8;
      const look = this.longest > 1
        ? { "text-anchor": "end", transform: `rotate(-90 ${x} ${y})`, x, y: y + 4 } : { "text-anchor": "middle", x, y: y + 8 };
      shape("text", look, this.svg).textContent = name;
    });
  }

  dates(tall) {
    const { bars } = this.data;
    const most = Math.max(2, Math.floor((this.step * bars.length) / 84));
    const shown = Math.ceil(bars.length / most);
    const words = this.data.time ? new Map(dateTicks(bars[0].x, bars.at(-1).x, most)) : null;
    bars.forEach((bar, place) => {
      const written = words ? words.get(bar.x) : place % shown ? undefined : String(bar.x);
      if (written === undefined) return;
      shape("text", { x: LEFT + (place + 0.5) * this.step, y: tall - 8, "text-anchor": "middle" }, this.svg).textContent = written;
    });
  }

  /** Says a bar in words, and frames it. */
  read(place) {
    this.at = place;
    this.mark?.replaceChildren();
    if (place === null || place === undefined) { this.readout.value = ""; return; }
    const bar = this.data.bars[place];
    const frame = { x: this.left(place) - 1, width: this.step * 0.86 + 2, y: TOP - 1, height: this.height + 2 };
    shape("rect", { class: "chosen", ...frame }, this.mark);
    const said = bar.named.map(([name, share]) => `${legible(name)} ${number(share)}`).join(", ");
    const given = bar.given === null || bar.given === undefined ? "" : ` (${number(bar.given)})`;
    const came = bar.came ? ` · ${legible(bar.came)} came${given}` : "";
    this.readout.value = `${this.data.time ? moment(bar.x) : bar.x}: ${said}${came}`;
  }
}
