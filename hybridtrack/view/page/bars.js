// Bars of the timeline: where the stretches of a lane lie in pixels, and how they look.

import { ORIGIN_LOOKS } from "view/looks";
import { originOf, stateOf } from "view/tracks";

/** Call `draw` with the pieces of a lane, in pixels; what is narrower than one shares it: the longest is drawn. */
export function pieces(lane, [firstRow, endRow], { tracks, from, perSecond, left: edge, width }, draw) {
  const cover = new Float64Array(32); // of the column, by kind
  let column = -1;
  let [left, right, same] = [0, 0, -1]; // columns of one kind side by side are drawn as one
  const flushColumns = () => {
    if (same >= 0) draw(left, right, same);
    same = -1;
  };
  const flush = () => {
    let [best, most] = [-1, 0];
    for (let kind = 0; kind < cover.length; kind += 1) {
      if (cover[kind] > most) [best, most] = [kind, cover[kind]];
      cover[kind] = 0;
    }
    if (best < 0) return;
    if (best !== same || column !== right) {
      flushColumns();
      [left, same] = [column, best];
    }
    right = column + 1;
  };
  const times = tracks.times.values;
  const [rows, end] = [tracks.rows, tracks.endTime];
  const { values } = lane.stretches;
  const { count } = lane;
  for (let n = lane.firstAfter(firstRow); n < count; n += 1) {
    const start = values[n * 3];
    if (start >= endRow) break;
    const stop = values[n * 3 + 1];
    const x1 = edge + (times[start] - from) * perSecond;
    const x2 = edge + ((stop < rows ? times[stop] : end) - from) * perSecond;
    if (x2 - x1 >= 2) {
      flush();
      flushColumns();
      draw(Math.max(x1, edge - 2), Math.min(x2, edge + width + 2), values[n * 3 + 2]);
      column = -1;
      continue;
    }
    const here = Math.floor(x1);
    if (here !== column) {
      flush();
      column = here;
    }
    const kind = values[n * 3 + 2];
    cover[kind] += Math.min(x2, here + 1) - x1;
    if (x2 > here + 1) {
      flush();
      column = here + 1;
      cover[kind] = x2 - column;
    }
  }
  flush();
  flushColumns();
}

const trackLooks = new Map();

export function trackLook(kind) {
  if (!trackLooks.has(kind)) {
    const look = ORIGIN_LOOKS[originOf(kind)];
    trackLooks.set(kind, stateOf(kind) === "confirmed" ? look : { ...look, fill: look.fill * 0.4 });
  }
  return trackLooks.get(kind);
}

export function diamond(context, x, y, radius) {
  context.beginPath();
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.fill();
}

export function dashedBar(context, x1, x2, y, tall, [drawn, left]) {
  const period = drawn + left;
  for (let x = Math.floor(x1 / period) * period; x < x2; x += period) {
    const [start, end] = [Math.max(x, x1), Math.min(x + drawn, x2)];
    if (end > start) context.fillRect(start, y, end - start, tall);
  }
}

export function clipped(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > room) length -= 1;
  return `${text.slice(0, length)}…`;
}
