// What is known of the whole run: times of rows, stretches of tracks and pairs, detector runs, events.

import { Column, firstWhere } from "view/columns";

export const ORIGINS = ["detected", "tracked", "predicted", "interpolated"];
export const STATES = ["tentative", "confirmed", "lost"];
const FIELDS = 3; // of a stretch: start, end, kind

export const originOf = (kind) => ORIGINS[kind & 3];
export const stateOf = (kind) => STATES[kind >> 2];

class Lane {
  constructor(facts) {
    Object.assign(this, facts);
    this.stretches = new Column(Int32Array);
    this.kinds = 0; // bit k: kind k occurs
  }

  get count() {
    return this.stretches.length / FIELDS;
  }

  start(n) {
    return this.stretches.values[n * FIELDS];
  }

  end(n) {
    return this.stretches.values[n * FIELDS + 1];
  }

  kind(n) {
    return this.stretches.values[n * FIELDS + 2];
  }

  /** Take in stretches that are new, or that go on where they ended. */
  append(table) {
    if (this.count && this.start(this.count - 1) === table[0]) this.stretches.truncate(this.stretches.length - FIELDS);
    this.stretches.append(table);
    for (let n = 2; n < table.length; n += FIELDS) this.kinds |= 1 << table[n];
  }

  /** The number of the first stretch that ends after a row. */
  firstAfter(row) {
    return firstWhere(this.count, (n) => this.end(n) > row);
  }

  kindAt(row) {
    const n = this.firstAfter(row);
    return n < this.count && this.start(n) <= row ? this.kind(n) : null;
  }
}

export class Tracks {
  constructor(header) {
    this.header = header;
    this.version = 0;
    this.clear();
  }

  clear() {
    this.generation = 0;
    this.times = new Column(Float64Array);
    this.numbers = new Column(Int32Array);
    this.lanes = new Map();
    this.pairs = new Map();
    this.runs = { row: new Column(Int32Array), detector: new Column(Int32Array), trigger: new Column(Int32Array), status: new Column(Int32Array) };
    this.events = [];
    this.names = { classes: [], relations: [], detectors: [], triggers: [], statuses: [] };
    this.notes = [];
    this.summary = null;
    this.isGrowing = true;
    this.isReading = true;
    this.hasDetections = false;
    this.step = 1 / (this.header.source.fps || 30);
  }

  get rows() {
    return this.times.length;
  }

  /** Take in an overview; say whether anything in it is new. */
  apply({ said, columns }) {
    const before = JSON.stringify([this.rows, this.generation, this.notes, this.isGrowing]);
    if (said.generation !== this.generation || said.since !== this.rows) {
      if (said.since !== 0) return false;
      this.clear();
      this.generation = said.generation;
    }
    this.names = said.names;
    this.notes = said.notes;
    this.summary = said.summary;
    this.isGrowing = said.is_growing;
    this.isReading = said.is_reading;
    this.hasDetections = said.has_detections;
    this.times.append(columns.time);
    this.numbers.append(columns.frame);
    for (const name of Object.keys(this.runs)) this.runs[name].append(columns[`run_${name}`]);
    this.events.push(...said.events);
    this.#take(columns.track_id, columns.track_count, columns.track_stretches, this.lanes, (n) => [
      columns.track_id[n],
      { id: columns.track_id[n] },
    ]);
    columns.track_id.forEach((id, n) => (this.lanes.get(id).className = this.names.classes[columns.track_class[n]]));
    this.#take(columns.pair_subject, columns.pair_count, columns.pair_stretches, this.pairs, (n) => {
      const [subject, object] = [columns.pair_subject[n], columns.pair_object[n]];
      return [`${subject}-${object}`, { subject, object }];
    });
    if (this.rows > 1) this.step = this.#medianStep();
    this.version += 1;
    return before !== JSON.stringify([this.rows, this.generation, this.notes, this.isGrowing]);
  }

  #take(keys, counts, stretches, lanes, factsOf) {
    let start = 0;
    for (let n = 0; n < keys.length; n += 1) {
      const [key, facts] = factsOf(n);
      if (!lanes.has(key)) lanes.set(key, new Lane(facts));
      const end = start + counts[n] * FIELDS;
      lanes.get(key).append(stretches.subarray(start, end));
      start = end;
    }
  }

  #medianStep() {
    const stride = Math.max(1, Math.floor(this.rows / 200));
    const steps = [];
    for (let row = stride; row < this.rows; row += stride) steps.push(this.times.at(row) - this.times.at(row - 1));
    steps.sort((a, b) => a - b);
    return steps[steps.length >> 1] || this.step;
  }

  get startTime() {
    return this.rows ? this.times.at(0) : 0;
  }

  get endTime() {
    return this.rows ? this.times.at(-1) + this.step : 0;
  }

  timeOf(row) {
    return row < this.rows ? this.times.at(row) : this.endTime;
  }

  /** The last row that is not later than a time, from 0; -1 when there is none. */
  rowAt(time) {
    return firstWhere(this.rows, (row) => this.times.at(row) > time + 1e-6) - 1;
  }

  /** The row whose time is nearest, within half a frame; -1 when there is none. */
  rowNear(time) {
    const row = this.rowAt(time);
    const next = row + 1;
    const nearest = next < this.rows && (row < 0 || this.times.at(next) - time < time - this.times.at(row)) ? next : row;
    return nearest >= 0 && Math.abs(this.times.at(nearest) - time) <= this.step / 2 + 1e-3 ? nearest : -1;
  }

  roleOf(className) {
    return this.header.classes.find((one) => one.name === className)?.role ?? "other";
  }

  /** "mug 2" */
  nameOf(id) {
    const lane = this.lanes.get(id);
    return lane ? `${lane.className} ${id}` : `${id}`;
  }

  /** Who takes part in an event, in words. */
  partiesOf(event) {
    if (event.from !== undefined && event.to !== undefined) {
      const what = event.object === undefined ? "" : ` · ${this.nameOf(event.object)}`;
      return `${this.nameOf(event.from)} → ${this.nameOf(event.to)}${what}`;
    }
    const parts = [this.nameOf(event.subject)];
    if (event.object !== undefined) parts.push(this.nameOf(event.object));
    if (event.zone !== undefined) parts.push(event.zone);
    return parts.join(" · ");
  }
}
