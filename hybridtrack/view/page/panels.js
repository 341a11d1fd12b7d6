// The panels beside the picture: what is shown, what is in the frame, what happened.

import { ORIGIN_LOOKS, clockText, element, lineSample, nameClasses, pageColour, relationLook } from "view/looks";
import { ORIGINS, STATES, originOf, stateOf } from "view/tracks";

const EVENT_PX = 26;
const ABOVE_AND_BELOW = 10; // events drawn outside what is seen of the list

/** What the user wants to see; `version` counts changes. */
export class Filters {
  constructor(tracks, onChange) {
    this.tracks = tracks;
    this.onChange = onChange;
    this.version = 0;
    this.hidden = { classes: new Set(), origins: new Set(), relations: new Set(), states: new Set(["tentative", "lost"]) };
    this.ids = null; // all
    this.trails = true;
    this.labels = true;
    this.lines = true;
    this.detections = false;
  }

  changed() {
    this.version += 1;
    this.onChange();
  }

  toggle(kind, name) {
    const set = this.hidden[kind];
    if (!set.delete(name)) set.add(name);
    this.changed();
  }

  /** Take in "1, 4-7"; an empty text means all. */
  setIds(text) {
    const parts = text.match(/\d+\s*-\s*\d+|\d+/g);
    this.ids = parts && parts.map((part) => part.split("-").map(Number)).map(([low, high = low]) => [low, high]);
    this.changed();
  }

  #hasId(id) {
    return !this.ids || this.ids.some(([low, high]) => id >= low && id <= high);
  }

  shows(track) {
    const { classes, origins, states } = this.hidden;
    return !classes.has(track.class) && !origins.has(track.origin) && !states.has(track.state) && this.#hasId(track.id);
  }

  showsKind(kind) {
    return !this.hidden.origins.has(originOf(kind)) && !this.hidden.states.has(stateOf(kind));
  }

  showsRelation(state) {
    return !this.hidden.relations.has(state);
  }

  showsLane(lane) {
    if (this.hidden.classes.has(lane.className) || !this.#hasId(lane.id)) return false;
    for (let kind = 0; kind < 12; kind += 1) if (lane.kinds & (1 << kind) && this.showsKind(kind)) return true;
    return false;
  }

  showsPair(pair, tracks) {
    const ends = [pair.subject, pair.object];
    if (!ends.some((id) => this.#hasId(id))) return false;
    if (ends.some((id) => this.hidden.classes.has(tracks.lanes.get(id)?.className))) return false;
    return tracks.names.relations.some((state, kind) => pair.kinds & (1 << kind) && this.showsRelation(state));
  }

  /** The events that are shown, by time. */
  get events() {
    const key = `${this.tracks.version}/${this.version}`;
    if (this.eventsKey === key) return this.eventsKept;
    const { classes } = this.hidden;
    const parties = (event) => [event.subject, event.object, event.from, event.to].filter((id) => id !== undefined);
    this.eventsKept = this.tracks.events
      .filter((event) => parties(event).some((id) => this.#hasId(id)))
      .filter((event) => !parties(event).some((id) => classes.has(this.tracks.lanes.get(id)?.className)))
      .sort((a, b) => a.time - b.time);
    this.eventsKey = key;
    return this.eventsKept;
  }
}

/** The switches for the filters, made anew when there are new classes or relations. */
export class FilterPanel {
  constructor(place, filters, tracks) {
    Object.assign(this, { place, filters, tracks });
    this.key = "";
  }

  update() {
    const { names, hasDetections } = this.tracks;
    const key = JSON.stringify([names.classes, names.relations, hasDetections, this.tracks.events.length > 0, document.documentElement.dataset.theme]);
    if (key === this.key) return;
    this.key = key;
    nameClasses(names.classes);
    const { filters } = this;
    const typed = this.place.querySelector("input")?.value ?? "";
    const ids = element("input", { type: "search", placeholder: "all; or 1, 4-7", value: typed, id: "ids" });
    ids.setAttribute("aria-label", "numbers of tracks");
    ids.addEventListener("input", () => filters.setIds(ids.value));
    const groups = [
      ["classes", names.classes.map((name) => this.#chip("classes", name, swatch(name)))],
      ["boxes", ORIGINS.map((name) => this.#chip("origins", name, lineSample(ORIGIN_LOOKS[name])))],
      ["relations", names.relations.map((name) => this.#chip("relations", name, lineSample(relationLook(name))))],
      ["also", STATES.filter((name) => name !== "confirmed").map((name) => this.#chip("states", name))],
      ["draw", [this.#option("labels"), this.#option("trails"), this.#option("lines", "relation lines"), ...(hasDetections ? [this.#option("detections", "raw detections")] : [])]],
      ["tracks", [ids]],
    ];
    this.place.replaceChildren(
      ...groups.filter(([, chips]) => chips.length).map(([name, chips]) => element("div", { className: "group" }, element("span", {}, name), ...chips)),
    );
  }

  #chip(kind, name, ...before) {
    const chip = element("button", { className: "chip" }, ...before, name);
    const mark = () => chip.setAttribute("aria-pressed", String(!this.filters.hidden[kind].has(name)));
    chip.addEventListener("click", () => {
      this.filters.toggle(kind, name);
      mark();
    });
    mark();
    return chip;
  }

  #option(name, words = name) {
    const chip = element("button", { className: "chip" }, words);
    const mark = () => chip.setAttribute("aria-pressed", String(this.filters[name]));
    chip.addEventListener("click", () => {
      this.filters[name] = !this.filters[name];
      this.filters.changed();
      mark();
    });
    mark();
    return chip;
  }
}

function swatch(className) {
  const mark = element("i");
  mark.style.background = pageColour(className);
  return mark;
}

/** The tracks of the frame that is shown. */
export class PresentPanel {
  constructor(body, filters, onChoose) {
    Object.assign(this, { body, filters, onChoose });
    this.drawnAt = 0;
  }

  update(frame, chosen, isPlaying) {
    if (isPlaying && performance.now() - this.drawnAt < 150) return; // readable, and cheap
    this.drawnAt = performance.now();
    const shown = (frame?.tracks ?? []).filter((track) => this.filters.shows(track));
    const rows = shown.map((track) => {
      const row = element(
        "tr",
        { className: track.id === chosen ? "chosen" : "" },
        element("td", {}, swatch(track.class), `${track.class} ${track.id}`),
        element("td", {}, track.occluded_by === undefined ? track.origin : `under ${track.occluded_by}`),
        element("td", {}, doing(track.id, frame.relations)),
        element("td", {}, track.confidence === null ? "" : track.confidence.toFixed(2)),
      );
      row.addEventListener("click", () => this.onChoose(track.id));
      return row;
    });
    if (!rows.length) rows.push(element("tr", {}, element("td", { className: "none" }, frame ? "nothing" : "no frame here")));
    this.body.replaceChildren(...rows);
  }
}

const ORDER = ["near", "overlapping", "holding"];

/** "holding 2": the closest relation of a hand. */
function doing(id, relations) {
  const own = relations.filter(({ subject }) => subject === id).sort((a, b) => ORDER.indexOf(b.state) - ORDER.indexOf(a.state));
  return own.length ? `${own[0].state} ${own[0].object}` : "";
}

/** The list of events: as many rows as are seen, whatever there are. */
export class EventPanel {
  constructor(place, count, filters, tracks, onSeek) {
    Object.assign(this, { place, count, filters, tracks, onSeek });
    this.position = 0;
    place.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => {
      this.#reveal();
      this.draw();
    }).observe(place);
  }

  setPosition(time) {
    this.position = time;
    const now = this.#current();
    if (this.scrolledTo === now) return;
    this.scrolledTo = now;
    this.#reveal();
    this.draw();
  }

  /** Scroll to the event at the position, but not under the user's pointer. */
  #reveal() {
    const [top, seen] = [this.place.scrollTop, this.place.clientHeight];
    const y = this.#current() * EVENT_PX;
    if (!this.place.matches(":hover") && (y < top || y + EVENT_PX > top + seen)) this.place.scrollTop = y - seen / 2;
  }

  /** The number of the last event that is not later than the position. */
  #current() {
    const { events } = this.filters;
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle].time <= this.position + 1e-6) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  draw() {
    const { events } = this.filters;
    this.count.textContent = events.length ? `${events.length}` : "";
    const first = Math.max(0, Math.floor(this.place.scrollTop / EVENT_PX) - ABOVE_AND_BELOW);
    const last = Math.min(events.length, first + Math.ceil(this.place.clientHeight / EVENT_PX) + 2 * ABOVE_AND_BELOW);
    const key = JSON.stringify([first, last, this.#current(), this.tracks.version, this.filters.version]);
    if (key === this.key) return;
    this.key = key;
    if (!events.length) {
      this.place.replaceChildren(element("p", { className: "none" }, "None so far: events are what hands do with things, such as pick up and put down."));
      return;
    }
    const current = this.#current();
    const rows = [];
    for (let n = first; n < last; n += 1) rows.push(this.#row(events[n], n, n === current));
    const end = element("div");
    end.style.height = `${events.length * EVENT_PX}px`;
    this.place.replaceChildren(end, ...rows);
  }

  #row(event, n, isHere) {
    const row = element(
      "div",
      { className: isHere ? "event here" : "event", title: `decided at ${clockText(this.tracks.timeOf(event.row))}` },
      element("span", {}, clockText(event.time, 2)),
      element("b", {}, event.kind.replaceAll("_", " ")),
      element("span", {}, this.tracks.partiesOf(event)),
    );
    row.style.top = `${n * EVENT_PX}px`;
    row.addEventListener("click", () => this.onSeek(event.time));
    return row;
  }
}

/** Words about a track of a frame, for the pointer. */
export function trackWords(track, frame, tracks) {
  const number = (value, digits) => (value === null || value === undefined ? "–" : value.toFixed(digits));
  const lines = [
    `${track.class} ${track.id}${track.state === "confirmed" ? "" : ` (${track.state})`}`,
    `${track.origin}: ${ORIGIN_LOOKS[track.origin].words}`,
    `score ${number(track.score, 2)}, confidence ${number(track.confidence, 2)}, seen ${number(track.unseen, 2)} s ago by ${track.detector}`,
  ];
  if (track.position_cm) lines.push(`on the table: ${track.position_cm.map((one) => one.toFixed(1)).join(", ")} cm${track.speed_cm === undefined ? "" : `, ${track.speed_cm.toFixed(0)} cm/s`}`);
  if (track.occluded_by !== undefined) lines.push(`hidden by ${tracks.nameOf(track.occluded_by)}`);
  for (const { subject, object, state, distance } of frame.relations) {
    if (subject === track.id) lines.push(`${state} ${tracks.nameOf(object)} (${number(distance, 2)} hand widths)`);
    if (object === track.id) lines.push(`${tracks.nameOf(subject)} is ${state}`);
  }
  for (const [name, value] of Object.entries(track.attributes ?? {})) lines.push(`${name}: ${JSON.stringify(value)}`.slice(0, 80));
  return lines.join("\n");
}
