// Elements of SVG and of HTML, made in one line.
const NS = "http://www.w3.org/2000/svg";

export function shape(kind, attributes, parent) {
  const made = document.createElementNS(NS, kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

export function element(kind, attributes, parent, words) {
  const made = document.createElement(kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (words) made.textContent = words;
  if (parent) parent.append(made);
  return made;
}
