// The timeline: detector runs, events, a lane for each hand with a thing, a lane for each track; zoom, move, go there.

import { clipped, dashedBar, diamond, pieces, trackLook } from "view/bars";
import { firstWhere } from "view/columns";
import { clockText, fitted, pageColour, relationLook, styleColours } from "view/looks";
import { originOf, stateOf } from "view/tracks";

export const GUTTER_PX = 132;
const RULER_PX = 22;
const RUNS_PX = 12;
const EVENTS_PX = 16;
const LANE_PX = 19;
const BAR_PX = 13;
const MIN_SPAN_S = 0.2;
const TICK_PX = 90; // between the labels of the ruler
const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const CLICK_PX = 4;
const DENSE_PX = 9; // events closer than that, on average, are lines

export class Timeline {
  constructor({ base, cursor, strip, tracks, filters, onSeek, onChoose }) {
    Object.assign(this, { base, cursor, strip, tracks, filters, onSeek, onChoose });
    this.from = 0;
    this.span = 10;
    this.scroll = 0;
    this.isFitted = true; // shows everything, also as it grows
    this.position = 0;
    this.chosen = null;
    this.pointer = null;
    this.pending = false;
    [this.across, this.down] = [base.clientWidth, base.clientHeight];
    this.#listen();
    new ResizeObserver(() => {
      [this.across, this.down] = [base.clientWidth, base.clientHeight];
      this.change();
    }).observe(base);
  }

  get width() {
    return Math.max(1, this.across - GUTTER_PX); // asking the document would make it lay itself out every time
  }

  get fixedPx() {
    return RULER_PX + RUNS_PX * this.tracks.names.detectors.length + EVENTS_PX;
  }

  x(time) {
    return GUTTER_PX + ((time - this.from) / this.span) * this.width;
  }

  timeAt(x) {
    return this.from + ((x - GUTTER_PX) / this.width) * this.span;
  }

  /** Show these seconds. */
  show(from, span) {
    const { startTime: start, endTime: end } = this.tracks;
    const whole = Math.max(end - start, MIN_SPAN_S);
    this.span = Math.min(Math.max(span, MIN_SPAN_S), whole);
    this.from = Math.min(Math.max(from, start), start + whole - this.span);
    this.isFitted = this.span >= whole * 0.9999;
    this.change();
  }

  showAll() {
    this.show(this.tracks.startTime, Infinity);
    this.isFitted = true;
  }

  zoom(factor, around = this.position) {
    const centre = Math.min(Math.max(around, this.from), this.from + this.span);
    const span = Math.min(Math.max(this.span * factor, MIN_SPAN_S), this.tracks.endTime - this.tracks.startTime);
    this.show(centre - ((centre - this.from) * span) / this.span, span);
  }

  /** Move along when the position leaves what is shown. */
  setPosition(time, isPlaying) {
    this.position = time;
    const isOut = time < this.from || time > this.from + this.span;
    if (isOut && !this.isDragging) this.show(isPlaying ? time : time - this.span / 2, this.span);
    else this.#drawCursorSoon();
  }

  /** Draw anew, once, before the next picture of the screen. */
  change() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      if (this.isFitted) [this.from, this.span] = [this.tracks.startTime, Math.max(this.tracks.endTime - this.tracks.startTime, MIN_SPAN_S)];
      this.#drawBase();
      this.#drawStrip();
      this.#drawCursor();
    });
  }

  #drawCursorSoon() {
    if (this.pending || this.cursorPending) return;
    this.cursorPending = true;
    requestAnimationFrame(() => {
      this.cursorPending = false;
      this.#drawCursor();
    });
  }

  /** The lanes that are shown, in order: all, or where they are more than there is room for, those of the time shown. */
  lanes() {
    const all = this.#allLanes();
    if (all.length * LANE_PX <= this.down - this.fixedPx) return all;
    const [first, end] = [Math.max(0, this.tracks.rowAt(this.from)), this.tracks.rowAt(this.from + this.span) + 1];
    const key = `${this.lanesKey}/${first}/${end}`;
    if (this.lanesShownKey !== key) {
      this.lanesShownKey = key;
      this.lanesShown = all.filter((lane) => {
        const n = lane.firstAfter(first);
        return n < lane.count && lane.start(n) < end;
      });
    }
    return this.lanesShown;
  }

  #allLanes() {
    const key = `${this.tracks.version}/${this.filters.version}`;
    if (this.lanesKey === key) return this.lanesKept;
    const { tracks, filters } = this;
    const byStart = (a, b) => a.start(0) - b.start(0);
    const pairs = [...tracks.pairs.values()].filter((pair) => filters.showsPair(pair, tracks)).sort(byStart);
    const roles = { hand: 0, object: 1 };
    const rank = (lane) => roles[tracks.roleOf(lane.className)] ?? 2;
    const single = [...tracks.lanes.values()].filter((lane) => filters.showsLane(lane)).sort((a, b) => rank(a) - rank(b) || byStart(a, b));
    this.lanesKey = key;
    this.lanesKept = [...pairs, ...single];
    return this.lanesKept;
  }

  #drawBase() {
    const { context, width, height } = fitted(this.base);
    const colours = styleColours();
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    const lanes = this.lanes();
    const { fixedPx } = this;
    const room = height - fixedPx;
    this.scroll = Math.max(0, Math.min(this.scroll, lanes.length * LANE_PX - room + 6));
    const rows = [this.tracks.rowAt(this.from), Math.min(this.tracks.rows, this.tracks.rowAt(this.from + this.span) + 2)];
    this.#drawRuler(context, width, height, colours);
    const first = Math.floor(this.scroll / LANE_PX);
    for (let n = first; n < Math.min(lanes.length, first + Math.ceil(room / LANE_PX) + 1); n += 1) {
      this.#drawLane(context, lanes[n], fixedPx + n * LANE_PX - this.scroll, rows, width, colours);
    }
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, width, fixedPx);
    this.#drawRuler(context, width, fixedPx, colours, true);
    this.#drawRuns(context, rows, colours);
    this.#drawEvents(context, colours);
    context.fillStyle = colours.line;
    context.fillRect(0, fixedPx - 1, width, 1);
    context.fillRect(GUTTER_PX - 1, 0, 1, height);
    if (lanes.length * LANE_PX > room) {
      const share = room / (lanes.length * LANE_PX);
      context.fillStyle = colours.faint;
      context.globalAlpha = 0.5;
      context.fillRect(width - 5, fixedPx + (this.scroll / (lanes.length * LANE_PX)) * room, 4, share * room);
      context.globalAlpha = 1;
    }
    if (!lanes.length) {
      context.fillStyle = colours.faint;
      context.fillText(this.tracks.lanes.size ? "all tracks are filtered out" : "no tracks", GUTTER_PX + 12, fixedPx + 14);
    }
  }

  #drawRuler(context, width, height, colours, hasLabels = false) {
    const step = STEPS_S.find((one) => (one / this.span) * this.width >= TICK_PX) ?? STEPS_S.at(-1);
    const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
    for (let n = Math.ceil(this.from / step); n * step <= this.from + this.span; n += 1) {
      const x = Math.round(this.x(n * step));
      context.fillStyle = hasLabels ? colours.line : colours.soft;
      context.fillRect(x, hasLabels ? RULER_PX - 7 : 0, 1, hasLabels ? 7 : height);
      if (hasLabels) {
        context.fillStyle = colours.faint;
        context.fillText(clockText(n * step, digits), x + 4, RULER_PX / 2);
      }
    }
  }

  #drawRuns(context, [firstRow, endRow], colours) {
    const { runs, names } = this.tracks;
    const first = firstWhere(runs.row.length, (n) => runs.row.at(n) >= firstRow);
    const last = firstWhere(runs.row.length, (n) => runs.row.at(n) >= endRow);
    names.detectors.forEach((name, lane) => {
      context.fillStyle = colours.faint;
      context.fillText(clipped(context, name, GUTTER_PX - 14), 8, RULER_PX + lane * RUNS_PX + RUNS_PX / 2);
    });
    const before = names.detectors.map(() => -10);
    const failed = names.statuses.indexOf("failed");
    for (let n = first; n < last; n += 1) {
      const lane = runs.detector.at(n);
      const x = Math.round(this.x(this.tracks.timeOf(runs.row.at(n))));
      if (x < GUTTER_PX || x - before[lane] < 1) continue;
      before[lane] = x;
      context.fillStyle = runs.status.at(n) === failed ? "#d33" : colours.faint;
      context.fillRect(x, RULER_PX + lane * RUNS_PX + 2, 1, RUNS_PX - 4);
    }
  }

  #drawEvents(context, colours) {
    const y = this.fixedPx - EVENTS_PX / 2 - 1;
    context.fillStyle = colours.faint;
    context.fillText("events", 8, y);
    context.fillStyle = colours.accent;
    const places = this.filters.events.map((event) => this.x(event.time)).filter((x) => x >= GUTTER_PX && x <= GUTTER_PX + this.width);
    const isDense = places.length * DENSE_PX > this.width;
    let before = -10;
    for (const x of places) {
      if (x - before < 2) continue;
      before = x;
      if (isDense) context.fillRect(x - 0.5, y - 5, 1, 10);
      else diamond(context, x, y, 5);
    }
  }

  #drawLane(context, lane, y, rows, width, colours) {
    const isPair = lane.subject !== undefined;
    const isChosen = isPair ? [lane.subject, lane.object].includes(this.chosen) : lane.id === this.chosen;
    if (isChosen) {
      context.fillStyle = colours.shade;
      context.fillRect(0, y, width, LANE_PX);
    }
    const colour = isPair ? colours.ink : pageColour(lane.className);
    const looks = isPair ? (kind) => relationLook(this.tracks.names.relations[kind]) : (kind) => trackLook(kind);
    const isShown = isPair ? (kind) => this.filters.showsRelation(this.tracks.names.relations[kind]) : (kind) => this.filters.showsKind(kind);
    context.save();
    context.beginPath();
    context.rect(GUTTER_PX, y, this.width, LANE_PX);
    context.clip();
    context.fillStyle = colour;
    const middle = y + LANE_PX / 2;
    const scale = { tracks: this.tracks, from: this.from, perSecond: this.width / this.span, left: GUTTER_PX, width: this.width };
    pieces(lane, rows, scale, (x1, x2, kind) => {
      if (!isShown(kind)) return;
      const look = looks(kind);
      const tall = Math.max(2, BAR_PX * look.tall);
      context.globalAlpha = look.fill;
      if (look.isDotted && x2 - x1 > 6) dashedBar(context, x1, x2, middle - tall / 2, tall, look.dash);
      else context.fillRect(x1, middle - tall / 2, Math.max(1, x2 - x1 - (x2 - x1 > 5 ? 0.5 : 0)), tall);
    });
    context.restore();
    context.globalAlpha = 1;
    context.fillStyle = isPair ? colours.faint : colour;
    if (!isPair) context.fillRect(8, middle - 4, 8, 8);
    context.fillStyle = colours.ink;
    const label = isPair ? `${this.tracks.nameOf(lane.subject)} · ${this.tracks.nameOf(lane.object)}` : this.tracks.nameOf(lane.id);
    context.fillText(clipped(context, label, GUTTER_PX - (isPair ? 14 : 30)), isPair ? 8 : 22, middle);
  }

  #drawCursor() {
    const { context, width, height } = fitted(this.cursor);
    const x = this.x(this.position);
    if (x >= GUTTER_PX - 1 && x <= width) {
      context.fillStyle = styleColours().accent;
      context.fillRect(Math.round(x), 0, 2, height);
      context.beginPath();
      context.moveTo(x - 5, 0);
      context.lineTo(x + 7, 0);
      context.lineTo(x + 1, 9);
      context.fill();
    }
    if (this.pointer && this.pointer.x > GUTTER_PX) {
      context.fillStyle = styleColours().faint;
      context.globalAlpha = 0.6;
      context.fillRect(Math.round(this.pointer.x), 0, 1, height);
      context.globalAlpha = 1;
    }
  }

  #drawStrip() {
    const { context, width, height } = fitted(this.strip);
    const { startTime: start, endTime: end } = this.tracks;
    const scale = width / Math.max(end - start, MIN_SPAN_S);
    context.fillStyle = styleColours().faint;
    let before = -10;
    for (const { time } of this.filters.events) {
      const x = Math.round((time - start) * scale);
      if (x - before < 2) continue;
      before = x;
      context.fillRect(x, 6, 1, height - 12);
    }
    const [x, across] = [(this.from - start) * scale, Math.max(8, this.span * scale)];
    context.fillStyle = styleColours().shade;
    context.fillRect(x, 1, across, height - 2);
    context.strokeStyle = styleColours().accent;
    context.lineWidth = 1.5;
    context.strokeRect(x + 0.75, 1.75, across - 1.5, height - 3.5);
  }

  /** What lies at a point: words for it, and the track or event. */
  at(x, y) {
    const time = this.timeAt(x);
    const { tracks } = this;
    if (x >= GUTTER_PX && y >= this.fixedPx - EVENTS_PX && y < this.fixedPx) {
      const near = this.filters.events.filter((event) => Math.abs(this.x(event.time) - x) <= 6);
      if (near.length) return { event: near[0], words: near.slice(0, 5).map((event) => `${clockText(event.time)}  ${event.kind.replaceAll("_", " ")}: ${tracks.partiesOf(event)}`).join("\n") };
    }
    const detector = Math.floor((y - RULER_PX) / RUNS_PX);
    if (x >= GUTTER_PX && y >= RULER_PX && detector < tracks.names.detectors.length) return { words: this.#runWords(detector, x) };
    if (y < this.fixedPx) return null;
    const lane = this.lanes()[Math.floor((y - this.fixedPx + this.scroll) / LANE_PX)];
    if (!lane) return null;
    const isPair = lane.subject !== undefined;
    const name = isPair ? `${tracks.nameOf(lane.subject)} · ${tracks.nameOf(lane.object)}` : tracks.nameOf(lane.id);
    const range = `${clockText(tracks.timeOf(lane.start(0)))} – ${clockText(tracks.timeOf(lane.end(lane.count - 1)))}`;
    const kind = x >= GUTTER_PX ? lane.kindAt(tracks.rowAt(time)) : null;
    const words = kind === null ? "" : isPair ? tracks.names.relations[kind] : `${originOf(kind)}${stateOf(kind) === "confirmed" ? "" : `, ${stateOf(kind)}`}`;
    return { lane, words: [name, words && `${clockText(time)}: ${words}`, range].filter(Boolean).join("\n") };
  }

  #runWords(detector, x) {
    const { runs, names } = this.tracks;
    const row = this.tracks.rowAt(this.timeAt(x));
    const after = firstWhere(runs.row.length, (n) => runs.row.at(n) >= row);
    for (const n of [after, after - 1, after + 1]) {
      if (n >= 0 && n < runs.row.length && runs.detector.at(n) === detector && Math.abs(this.x(this.tracks.timeOf(runs.row.at(n))) - x) < 5) {
        return `${names.detectors[detector]} looked at frame ${this.tracks.numbers.at(runs.row.at(n))}\nwhy: ${names.triggers[runs.trigger.at(n)]}, ${names.statuses[runs.status.at(n)]}`;
      }
    }
    return `runs of the detector ${names.detectors[detector]}`;
  }

  #listen() {
    const { base, strip } = this;
    base.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    base.addEventListener("pointerdown", (event) => this.#onDown(event));
    base.addEventListener("pointermove", (event) => {
      this.pointer = { x: event.offsetX, y: event.offsetY };
      this.#drawCursorSoon();
    });
    base.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.#drawCursorSoon();
    });
    const moveTo = (event) => {
      const { startTime: start, endTime: end } = this.tracks;
      this.show(start + (event.offsetX / strip.clientWidth) * (end - start) - this.span / 2, this.span);
    };
    strip.addEventListener("pointerdown", (event) => {
      strip.setPointerCapture(event.pointerId);
      moveTo(event);
      strip.onpointermove = moveTo;
    });
    strip.addEventListener("pointerup", () => (strip.onpointermove = null));
  }

  #onWheel(event) {
    event.preventDefault();
    const hasMore = this.lanes().length * LANE_PX > this.down - this.fixedPx;
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey || (!event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX) && (!hasMore || event.offsetY < this.fixedPx))) {
      this.zoom(Math.exp(event.deltaY * 0.0016), this.timeAt(Math.max(event.offsetX, GUTTER_PX)));
    } else if (across) {
      this.show(this.from + (across / this.width) * this.span, this.span);
    } else {
      this.scroll += event.deltaY;
      this.change();
    }
  }

  #onDown(event) {
    if (event.button) return;
    const start = { x: event.offsetX, y: event.offsetY, from: this.from, scroll: this.scroll };
    const isScrub = start.y < RULER_PX;
    let isMoved = false;
    this.base.setPointerCapture(event.pointerId);
    this.isDragging = true;
    if (isScrub && start.x >= GUTTER_PX) this.onSeek(this.timeAt(start.x));
    this.base.onpointermove = (move) => {
      const [across, down] = [move.offsetX - start.x, move.offsetY - start.y];
      isMoved ||= Math.hypot(across, down) > CLICK_PX;
      if (!isMoved) return;
      if (isScrub) this.onSeek(this.timeAt(Math.max(GUTTER_PX, move.offsetX)));
      else {
        this.scroll = start.scroll - down;
        this.show(start.from - (across / this.width) * this.span, this.span);
      }
    };
    this.base.onpointerup = () => {
      this.base.onpointermove = this.base.onpointerup = null;
      this.isDragging = false;
      if (isMoved || isScrub) return;
      const there = this.at(start.x, start.y);
      if (there?.lane) this.onChoose(there.lane.subject ?? there.lane.id, there.lane);
      if (start.x >= GUTTER_PX) this.onSeek(there?.event?.time ?? this.timeAt(start.x));
    };
  }
}
