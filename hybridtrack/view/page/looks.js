// Colours of classes, line styles of origins and states of relations: the same in the picture and in the timeline.

// bright ones, for pictures and for the dark page: neighbours of the colours that M. Okabe and K. Ito chose
const BRIGHT = ["#ffc800", "#5abeff", "#00dc82", "#ff82b4", "#faf046", "#7c9cff", "#ff7a4a"];
const DEEP = ["#c27c00", "#1479b8", "#00875a", "#c2447c", "#8a8000", "#2f4fd0", "#c8451a"];

// line in the picture, and bar in the timeline: how tall and how strong it is, and whether it has gaps
export const RELATION_LOOKS = {
  near: { width: 1.2, dash: [2, 5], isDotted: true, fill: 0.3, tall: 0.35 },
  overlapping: { width: 2, dash: [8, 5], fill: 0.6, tall: 0.6 },
  holding: { width: 4, dash: [], fill: 1, tall: 1 },
};
const OTHER_RELATION = { width: 1.2, dash: [], fill: 0.7, tall: 0.7 };

export const ORIGIN_LOOKS = {
  detected: { width: 4, dash: [], fill: 1, tall: 1, words: "a detector saw it on this frame" },
  tracked: { width: 2, dash: [], fill: 0.8, tall: 0.62, words: "its pixels were followed from the frame before" },
  predicted: { width: 2, dash: [9, 6], isDotted: true, fill: 0.5, tall: 0.32, words: "nothing was seen: a motion model says so" },
  interpolated: { width: 2, dash: [2, 5], isDotted: true, fill: 0.65, tall: 0.46, words: "between detector runs before and after" },
};

export const relationLook = (state) => RELATION_LOOKS[state] ?? OTHER_RELATION;

const classNumbers = new Map();

export function nameClasses(names) {
  for (const name of names) if (!classNumbers.has(name)) classNumbers.set(name, classNumbers.size);
}

export const brightColour = (name) => BRIGHT[(classNumbers.get(name) ?? 6) % BRIGHT.length];

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The colour of a class on the page itself. */
export function pageColour(name) {
  return (isDark() ? BRIGHT : DEEP)[(classNumbers.get(name) ?? 6) % BRIGHT.length];
}

const styleColoursOf = new Map(); // by whether it is dark: reading them makes the browser compute styles

/** The colours of the style sheet, by name. */
export function styleColours() {
  const dark = isDark();
  if (!styleColoursOf.has(dark)) {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "faint", "line", "panel", "soft", "accent", "shade"];
    styleColoursOf.set(dark, Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])));
  }
  return styleColoursOf.get(dark);
}

/** A sample of a line, as an SVG element. */
export function lineSample({ width, dash }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 12");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const facts = { x1: 1, x2: 31, y1: 6, y2: 6, stroke: "currentColor", "stroke-width": width * 1.3, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(facts)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

/** 83.5 -> "1:23.500" */
export function clockText(seconds, digits = 3) {
  const sign = seconds < 0 ? "−" : "";
  const rounded = Number(Math.abs(seconds).toFixed(digits));
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60];
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${sign}${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${sign}${minutes}:${rest}`;
}

/** An element with properties and children. */
export function element(name, facts = {}, ...children) {
  const made = Object.assign(document.createElement(name), facts);
  made.append(...children);
  return made;
}

/** Fit a canvas to its place on the screen; return its context, in CSS pixels, and size. */
export function fitted(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
