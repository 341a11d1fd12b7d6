// Boxes over the picture: class by colour, origin by line, numbers, trails, and lines between hands and things.

import { ORIGIN_LOOKS, brightColour, fitted, relationLook } from "view/looks";

export const TRAIL_S = 1.5;
const FONT_PX = 12;

export class Overlay {
  constructor(canvas, tracks, filters) {
    this.canvas = canvas;
    this.tracks = tracks;
    this.filters = filters;
    this.drawn = []; // what can be pointed at: { track, box in CSS pixels }
  }

  /** Draw a frame; `past` yields the frames before it, latest first. */
  draw(frame, past, { chosen, pointed } = {}) {
    const { context, width, height } = fitted(this.canvas);
    this.paint(context, width, height, frame, past, { chosen, pointed });
  }

  paint(context, width, height, frame, past, { chosen, pointed } = {}) {
    this.drawn = [];
    if (!frame) return;
    const { width: across, height: down } = this.tracks.header.source;
    const scale = { x: width / across, y: height / down };
    const onScreen = ([x1, y1, x2, y2]) => [x1 * scale.x, y1 * scale.y, x2 * scale.x, y2 * scale.y];
    const shown = frame.tracks.filter((track) => this.filters.shows(track));
    if (this.filters.detections && frame.detections) this.#drawDetections(context, frame.detections, onScreen);
    if (this.filters.trails) this.#drawTrails(context, shown, past, frame.time, onScreen);
    const boxes = new Map(shown.map((track) => [track.id, onScreen(track.box)]));
    if (this.filters.lines) this.#drawRelations(context, frame.relations, boxes, chosen);
    for (const track of shown) {
      const isDimmed = chosen !== null && chosen !== undefined && chosen !== track.id;
      context.globalAlpha = (isDimmed ? 0.35 : 1) * (track.state === "confirmed" ? 1 : 0.6);
      drawBox(context, boxes.get(track.id), track, track.id === chosen || track.id === pointed);
      this.drawn.push({ track, box: boxes.get(track.id) });
    }
    if (this.filters.labels) {
      const taken = [];
      for (const track of shown) {
        context.globalAlpha = chosen && chosen !== track.id ? 0.35 : 1;
        drawLabel(context, `${track.class} ${track.id}`, boxes.get(track.id), brightColour(track.class), taken, [width, height]);
      }
    }
    context.globalAlpha = 1;
  }

  /** The smallest box under a point, in CSS pixels of the canvas. */
  at(x, y) {
    const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
    const under = this.drawn.filter(({ box: [x1, y1, x2, y2] }) => x >= x1 - 4 && x <= x2 + 4 && y >= y1 - 4 && y <= y2 + 4);
    return under.sort((a, b) => area(a.box) - area(b.box))[0]?.track ?? null;
  }

  #drawTrails(context, shown, past, time, onScreen) {
    const paths = new Map(shown.map((track) => [track.id, { colour: brightColour(track.class), points: [centre(onScreen(track.box))] }]));
    for (const frame of past()) {
      if (time - frame.time > TRAIL_S) break;
      for (const track of frame.tracks) paths.get(track.id)?.points.push(centre(onScreen(track.box)));
    }
    context.setLineDash([]);
    context.lineWidth = 2;
    for (const { colour, points } of paths.values()) {
      context.strokeStyle = colour;
      for (let n = 1; n < points.length; n += 1) {
        context.globalAlpha = 0.75 * (1 - n / points.length);
        context.beginPath();
        context.moveTo(...points[n - 1]);
        context.lineTo(...points[n]);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  #drawRelations(context, relations, boxes, chosen) {
    for (const { subject, object, state } of relations) {
      if (!this.filters.showsRelation(state) || !boxes.has(subject) || !boxes.has(object)) continue;
      const look = relationLook(state);
      const ends = [centre(boxes.get(subject)), centre(boxes.get(object))];
      context.globalAlpha = [null, undefined, subject, object].includes(chosen) ? 1 : 0.25;
      context.setLineDash(look.dash);
      for (const [colour, extra] of [["rgba(0,0,0,.6)", 2], ["#ffffff", 0]]) {
        context.strokeStyle = colour;
        context.lineWidth = look.width + extra;
        context.beginPath();
        context.moveTo(...ends[0]);
        context.lineTo(...ends[1]);
        context.stroke();
      }
      context.setLineDash([]);
      for (const end of ends) dot(context, end, look.width + 1.5);
    }
    context.globalAlpha = 1;
  }

  #drawDetections(context, detections, onScreen) {
    context.setLineDash([]);
    context.lineWidth = 1;
    context.strokeStyle = "rgba(255,255,255,.85)";
    context.font = "10px system-ui, sans-serif";
    context.fillStyle = "#ffffff";
    for (const { box, score } of Object.values(detections).flat()) {
      const [x1, y1, x2, y2] = onScreen(box);
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
      if (score !== null) context.fillText(score.toFixed(2), x2 - 24, y2 - 3);
    }
  }
}

const centre = ([x1, y1, x2, y2]) => [(x1 + x2) / 2, (y1 + y2) / 2];

function dot(context, [x, y], radius) {
  context.fillStyle = "#ffffff";
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function drawBox(context, [x1, y1, x2, y2], track, isMarked) {
  const look = ORIGIN_LOOKS[track.origin];
  const colour = brightColour(track.class);
  context.setLineDash(look.dash);
  context.lineCap = look.dash.length ? "butt" : "square";
  context.strokeStyle = "rgba(0,0,0,.65)";
  context.lineWidth = look.width + 2;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.strokeStyle = colour;
  context.lineWidth = look.width;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash([]);
  if (isMarked) {
    const alpha = context.globalAlpha;
    context.globalAlpha = 0.2;
    context.fillStyle = colour;
    context.fillRect(x1, y1, x2 - x1, y2 - y1);
    context.globalAlpha = alpha;
  }
}

/** Write on a tag at a box, at the first place where it covers no other tag. */
function drawLabel(context, text, [x1, y1, x2, y2], colour, taken, [width, height]) {
  context.font = `600 ${FONT_PX}px system-ui, sans-serif`;
  const [across, down] = [context.measureText(text).width + 10, FONT_PX + 6];
  const places = [
    [x1 - 2, y1 - down - 2],
    [x1 - 2, y2 + 2],
    [x1 - 2, y1 + 2],
    [x2 - across, y1 - down - 2],
    [x2 - across, y2 - down - 2],
  ].map(([x, y]) => [Math.max(0, Math.min(x, width - across)), Math.max(0, Math.min(y, height - down))]);
  const isFree = ([x, y]) => taken.every(([left, top, right, bottom]) => x > right || x + across < left || y > bottom || y + down < top);
  const [x, y] = places.find(isFree) ?? places[0];
  taken.push([x, y, x + across, y + down]);
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, across, down, 3);
  context.fill();
  context.fillStyle = "#111111";
  context.textBaseline = "middle";
  context.fillText(text, x + 5, y + down / 2 + 0.5);
  context.textBaseline = "alphabetic";
}
