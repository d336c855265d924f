// Moments are milliseconds by the data's own clock; everything is written as that clock shows it.

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR))
  .concat([1, 2, 7, 14].map((n) => n * DAY));
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A whole moment, without what is zero at its end. */
export function moment(x) {
  const text = new Date(x).toISOString().slice(0, 19).replace("T", " ");
  return text.replace(/:00$/, "").replace(/ 00:00$/, "");
}

/** Places on the axis and what is written there. */
export function dateTicks(from, to, most) {
  const wanted = (to - from) / most;
  const step = STEPS.find((one) => one >= wanted);
  return step ? evenly(from, to, step) : months(from, to, Math.ceil(wanted / (30 * DAY)));
}

function evenly(from, to, step) {
  const found = [];
  for (let x = Math.ceil(from / step) * step; x <= to; x += step) found.push([x, short(x)]);
  return found;
}

function short(x) {
  const date = new Date(x);
  return x % DAY ? date.toISOString().slice(11, 16) : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function months(from, to, wanted) {
  const step = [1, 2, 3, 6].find((one) => one >= wanted) || 12 * Math.ceil(wanted / 12);
  const found = [];
  const first = new Date(from);
  let place = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step;
  for (let x = 0; (x = Date.UTC(Math.floor(place / 12), place % 12)) <= to; place += step) {
    if (x >= from) found.push([x, place % 12 ? `${MONTHS[place % 12]} ${Math.floor(place / 12)}` : `${place / 12}`]);
  }
  return found;
}

/** Round numbers for an axis. */
export function numberTicks(from, to, most) {
  const rough = (to - from) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let n = Math.ceil(from / step); n * step <= to; n += 1) {
    found.push([n * step, (n * step + 0).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places })]);
  }
  return found;
}

/** A value with five significant digits. */
export function number(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumSignificantDigits: 5 });
}
