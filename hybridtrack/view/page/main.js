// The page: puts picture, boxes, timeline and panels together.

import { LiveFeed } from "view/live";
import { ORIGIN_LOOKS, clockText, element, isDark, lineSample, nameClasses } from "view/looks";
import { Overlay, TRAIL_S } from "view/overlay";
import { EventPanel, FilterPanel, Filters, PresentPanel, trackWords } from "view/panels";
import { Player } from "view/player";
import { listenToSplit, placeTip, showTip } from "view/pointer";
import { Source, embeddedBytes } from "view/source";
import { GUTTER_PX, Timeline } from "view/timeline";
import { Tracks } from "view/tracks";

const POLL_MS = 400;
const CAPTION_S = 1.6;
const ROOMY_PX = 560; // height of the panels from which the filters are open at the start
const LIVE_SPAN_S = 60;
const H264 = 'video/mp4; codecs="avc1.42E01E"';
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const KEYS = [
  ["space", "play or pause"],
  ["← →", "one frame back or on; with Shift one second"],
  ["[ ]", "event before or after"],
  ["Home End", "first or last frame"],
  ["+ − 0", "zoom the timeline; show all of it"],
  ["f", "follow the newest frame of a run that goes on"],
  ["t l r", "trails, labels, relation lines"],
  ["s", "save this picture with its boxes"],
  ["Esc", "choose no track"],
];

const $ = (id) => document.getElementById(id);
const told = JSON.parse($("told").textContent);
const tracks = new Tracks(told.header);
nameClasses(told.header.classes.map(({ name }) => name));
const filters = new Filters(tracks, () => refresh());
const source = new Source(told, (first, end) => {
  if (player.row >= first && player.row < end) draw();
});
const player = new Player(tracks, $("video"), () => draw());
const overlay = new Overlay($("overlay"), tracks, filters);
const timeline = new Timeline({
  base: $("lanes-base"),
  cursor: $("lanes-cursor"),
  strip: $("strip"),
  tracks,
  filters,
  onSeek: (time) => seek(time),
  onChoose: (id) => choose(id),
});
const filterPanel = new FilterPanel($("filters"), filters, tracks);
const presentPanel = new PresentPanel($("present").tBodies[0], filters, (id) => choose(id));
const eventPanel = new EventPanel($("events"), $("event-count"), filters, tracks, (time) => seek(time));
const isLive = told.mode === "live";
const feed = isLive ? new LiveFeed($("frame"), (said) => showLive(said), (words) => say([words])) : null;
let chosen = null;
let pointed = null;
let pointer = null; // where it is over the picture
let isFollowing = false;
let live = null; // what the feed said last, while its picture is shown
let recent = []; // lines that the feed said, the last of them ``live``
let liveNotes = [];

function choose(id) {
  chosen = timeline.chosen = id === chosen ? null : id;
  timeline.change();
  draw();
}

function shownFrame() {
  return live ? live.line : source.frame(player.row, tracks.rows);
}

function* pastFrames() {
  if (live) {
    yield* recent.slice(0, -1).reverse();
    return;
  }
  for (let row = player.row - 1; row >= 0; row -= 1) {
    const chunk = source.chunks.get(Math.floor(row / source.chunkRows));
    const frame = chunk?.frames[row % source.chunkRows];
    if (!frame) return;
    yield frame;
  }
}

function draw() {
  const frame = shownFrame();
  overlay.draw(frame, pastFrames, { chosen, pointed });
  tellOfPointed(frame);
  const time = live ? live.line.time : player.position;
  timeline.setPosition(time, player.isPlaying || isFollowing);
  eventPanel.setPosition(time);
  presentPanel.update(frame, chosen, player.isPlaying || live !== null);
  if (!live) source.prepare(player.row, tracks.rows);
  $("clock").textContent = clockText(time);
  const number = live ? live.line.frame : player.row >= 0 && tracks.rows ? tracks.numbers.at(player.row) : null;
  $("number").textContent = number === null ? (tracks.rows ? "no frame of the tracks" : "") : `frame ${number}`;
  drawCaption(time);
  const { dataset } = document.documentElement;
  dataset.row = String(player.row);
  dataset.drawn = frame ? String(frame.frame) : "";
}

function drawCaption(time) {
  const recent = filters.events.filter((event) => event.time <= time && time - event.time < CAPTION_S).slice(-3);
  const text = recent.map((event) => `${event.kind.replaceAll("_", " ")}: ${tracks.partiesOf(event)}`);
  if ($("caption").dataset.text === text.join("\n")) return;
  $("caption").dataset.text = text.join("\n");
  $("caption").replaceChildren(...text.map((words) => element("span", {}, words)));
}

function refresh() {
  filterPanel.update();
  eventPanel.draw();
  timeline.change();
  draw();
}

/** Go to a time; a live picture gives way to boxes on black. */
function seek(time) {
  setFollowing(false);
  player.seek(Math.min(Math.max(time, tracks.startTime), Math.max(tracks.startTime, player.videoEnd, tracks.endTime - tracks.step)));
}

function seekEvent(direction) {
  const { events } = filters;
  const now = player.position;
  const found = direction > 0 ? events.find(({ time }) => time > now + 1e-3) : events.findLast(({ time }) => time < now - Math.max(tracks.step, 1e-3));
  if (found) seek(found.time);
}

function setFollowing(isOn) {
  isFollowing = isOn && tracks.isGrowing;
  $("follow").setAttribute("aria-pressed", String(isFollowing));
  if (isLive) {
    if (isFollowing) feed.start();
    else feed.stop();
    if (!isFollowing && live) {
      player.seek(live.line.time);
      live = null;
    }
    $("frame").hidden = !isFollowing && !live;
    $("play").textContent = isFollowing ? "❚❚" : "▶";
  } else if (isFollowing) {
    player.pause();
    player.seekRow(tracks.rows - 1);
  }
}

function togglePlaying() {
  if (!isLive) player.toggle();
  else if (isFollowing) pauseLive();
  else setFollowing(true);
}

/** Stop at the picture that is shown; the run itself goes on. */
function pauseLive() {
  feed.stop();
  isFollowing = false;
  $("follow").setAttribute("aria-pressed", "false");
  $("play").textContent = "▶";
}

function showLive(said) {
  live = said;
  recent = [...recent.filter(({ time }) => time >= said.line.time - TRAIL_S), said.line];
  player.time = said.line.time;
  player.row = tracks.rowAt(said.line.time);
  $("frame").hidden = false;
  $("rate").hidden = false;
  const behind = said.behind_ms === null ? `${said.work_ms.toFixed(0)} ms a frame` : `${said.behind_ms.toFixed(0)} ms behind`;
  $("rate").textContent = [said.rate, behind].filter(Boolean).join(" · ");
  draw();
}

function say(notes) {
  const all = [...new Set([...told.notes, ...tracks.notes, ...liveNotes, ...notes])];
  liveNotes = [...new Set([...liveNotes, ...notes])];
  $("notes").hidden = !all.length;
  $("notes").replaceChildren(...all.map((note) => element("p", {}, note)));
}

function drawFacts() {
  const { source: from, detectors } = told.header;
  const { summary } = tracks;
  const often = detectors.map(({ name, every }) => (every === null ? name : `${name} every ${typeof every === "number" && every > 1 ? `${every} frames` : every === 1 ? "frame" : every}`));
  const facts = [
    `${from.width}×${from.height}`,
    `${tracks.rows} frames`,
    clockText(tracks.endTime - tracks.startTime, 1),
    `${tracks.lanes.size} tracks`,
    often.join(", "),
    summary ? `tracked at ${summary.fps.toFixed(0)} frames/s` : "",
  ];
  $("facts").textContent = facts.filter(Boolean).join(" · ");
  $("live").hidden = !tracks.isGrowing || tracks.isReading;
  $("live").textContent = isLive ? "live" : "growing";
  $("follow").hidden = !tracks.isGrowing;
}

function place() {
  const stage = $("stage");
  const { width, height } = told.header.source;
  const scale = Math.min(stage.clientWidth / width, stage.clientHeight / height);
  const { style } = $("picture");
  [style.width, style.height] = [`${width * scale}px`, `${height * scale}px`];
  [style.left, style.top] = [`${(stage.clientWidth - width * scale) / 2}px`, `${(stage.clientHeight - height * scale) / 2}px`];
  draw();
}

/** Take in what the file has by now, again and again while it grows. */
async function keepUp() {
  let pause = POLL_MS;
  try {
    const { generation } = tracks;
    const block = await source.overview(tracks.rows, generation);
    const [before, wasAtEnd] = [tracks.rows, isFollowing && !isLive];
    const isNew = tracks.apply(block);
    if (tracks.generation !== generation) source.forget();
    if (tracks.isReading) pause = 0;
    if (isNew) {
      say([]);
      drawFacts();
      if (before === 0 && !isLive) player.seekRow(0);
      if (wasAtEnd) player.seekRow(tracks.rows - 1);
      if (isLive && !tracks.isGrowing) pauseLive();
      if (isLive && isFollowing) timeline.show(tracks.endTime - LIVE_SPAN_S, LIVE_SPAN_S);
      refresh();
    }
  } catch (error) {
    say(["the server does not answer any more: what is here by now stays"]);
    console.warn(error);
    pause = 4 * POLL_MS;
  }
  document.documentElement.dataset.rows = String(tracks.rows);
  if (tracks.isGrowing || tracks.isReading) setTimeout(keepUp, pause);
  else document.documentElement.dataset.whole = "true";
}

function message(...children) {
  $("message").hidden = !children.length;
  $("message").replaceChildren(...children);
}

function loadVideo() {
  if (told.mode === "page") {
    if (told.video?.is_inside) {
      embeddedBytes("video").then((blob) => player.load(URL.createObjectURL(new Blob([blob], { type: told.video.type })), () => message("This browser cannot play the video.")));
    } else if (told.video) askForVideo();
    return;
  }
  if (told.video) player.load("video", () => loadConverted());
}

/** A page that was handed on has no video in it: whoever has the file can add it. */
function askForVideo() {
  const file = element("input", { type: "file", accept: "video/*", hidden: true });
  file.addEventListener("change", () => {
    if (!file.files.length) return;
    message();
    player.load(URL.createObjectURL(file.files[0]), () => message("This browser cannot play that file."));
  });
  message(`The video is not in this page. `, element("label", {}, `Open ${told.video.name}`, file), " to see it under the boxes.");
}

async function loadConverted() {
  const form = $("video").canPlayType(H264) ? "h264" : "vp8";
  const bar = element("progress", { max: 1, value: 0 });
  message("This browser does not play the video as it is: making a copy that it plays.", bar);
  for (;;) {
    const { state, share, problem } = await (await fetch(`conversion/${form}`)).json();
    bar.value = share;
    if (state === "failed") return message(`The video cannot be shown: ${problem}`);
    if (state === "done") break;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  message();
  player.load(`converted/${form}`, () => message("This browser cannot play the video: boxes alone are shown."));
  return undefined;
}

function saveSnapshot() {
  const { width, height } = told.header.source;
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, width, height);
  if (!$("video").hidden) context.drawImage($("video"), 0, 0, width, height);
  if (!$("frame").hidden) context.drawImage($("frame"), 0, 0, width, height);
  const frame = shownFrame();
  overlay.paint(context, width, height, frame, pastFrames, { chosen });
  draw();
  canvas.toBlob((blob) => {
    const link = element("a", { href: URL.createObjectURL(blob), download: `${told.title.replace(/\.[^.]*$/, "")}-${frame?.frame ?? "picture"}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("hybridtrack-theme", document.documentElement.dataset.theme);
  } catch {} // a page without storage, such as a file of its own
  refresh();
}

function toggleOption(name) {
  filters[name] = !filters[name];
  filterPanel.key = "";
  filters.changed();
}

const ACTIONS = {
  " ": togglePlaying,
  ArrowLeft: (event) => moveBy(event.shiftKey ? -1 : 0, -1),
  ArrowRight: (event) => moveBy(event.shiftKey ? 1 : 0, 1),
  "[": () => seekEvent(-1),
  "]": () => seekEvent(1),
  Home: () => seek(tracks.startTime),
  End: () => seek(tracks.endTime - tracks.step),
  "+": () => timeline.zoom(0.5),
  "=": () => timeline.zoom(0.5),
  "-": () => timeline.zoom(2),
  0: () => timeline.showAll(),
  f: () => setFollowing(!isFollowing),
  t: () => toggleOption("trails"),
  l: () => toggleOption("labels"),
  r: () => toggleOption("lines"),
  s: saveSnapshot,
  "?": () => $("keys").showModal(),
  Escape: () => chosen !== null && choose(chosen),
};

function moveBy(seconds, frames) {
  setFollowing(false);
  if (seconds) seek(player.position + seconds);
  else player.step(frames);
}

function listen() {
  const clicks = {
    play: togglePlaying,
    back: () => moveBy(0, -1),
    forward: () => moveBy(0, 1),
    "to-start": ACTIONS.Home,
    "to-end": ACTIONS.End,
    "event-back": ACTIONS["["],
    "event-on": ACTIONS["]"],
    "zoom-in": ACTIONS["+"],
    "zoom-out": ACTIONS["-"],
    "zoom-fit": ACTIONS[0],
    follow: ACTIONS.f,
    theme: toggleTheme,
    snapshot: saveSnapshot,
    help: ACTIONS["?"],
  };
  for (const [id, action] of Object.entries(clicks)) $(id).addEventListener("click", action);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select") || $("keys").open) return;
    if (event.key === " " && event.target.matches("button, summary")) event.target.blur();
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  $("speed").append(...SPEEDS.map((rate) => element("option", { value: rate, selected: rate === 1 }, `${rate}×`)));
  $("speed").addEventListener("change", () => player.setRate(Number($("speed").value)));
  player.onPlaying = () => ($("play").textContent = player.isPlaying ? "❚❚" : "▶");
  player.onMove = () => draw();
  listenToPointer();
  listenToSplit($("split"));
  new ResizeObserver(place).observe($("stage"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
}

/** Tell of the box under the pointer, in the frame that is shown. */
function tellOfPointed(frame) {
  if (!pointer) return;
  const track = overlay.at(pointer.offsetX, pointer.offsetY);
  pointed = track?.id ?? null;
  showTip(track && frame ? trackWords(track, frame, tracks) : "");
}

function listenToPointer() {
  const picture = $("overlay");
  picture.addEventListener("pointermove", (event) => {
    pointer = event;
    const before = pointed;
    const frame = shownFrame();
    tellOfPointed(frame);
    placeTip(event);
    if (pointed !== before) overlay.draw(frame, pastFrames, { chosen, pointed });
  });
  picture.addEventListener("pointerleave", () => {
    pointer = null;
    pointed = null;
  });
  picture.addEventListener("click", (event) => {
    const track = overlay.at(event.offsetX, event.offsetY);
    if (track) choose(track.id);
    else togglePlaying();
  });
  const lanes = $("lanes-base");
  lanes.addEventListener("pointermove", (event) => {
    const there = timeline.at(event.offsetX, event.offsetY);
    showTip(there?.words ?? (event.offsetX > GUTTER_PX ? clockText(timeline.timeAt(event.offsetX)) : ""));
    placeTip(event);
  });
  for (const one of [picture, lanes]) one.addEventListener("pointerleave", () => showTip(""));
}

function begin() {
  try {
    const theme = localStorage.getItem("hybridtrack-theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {} // see above
  $("title").textContent = told.title;
  $("legend").append(...Object.entries(ORIGIN_LOOKS).map(([name, look]) => element("li", {}, lineSample(look), element("span", {}, element("b", {}, name), `: ${look.words}`))));
  $("key-list").append(...KEYS.flatMap(([keys, words]) => [element("dt", {}, ...keys.split(" ").map((key) => element("kbd", {}, key))), element("dd", {}, words)]));
  $("show").open = $("show").parentElement.clientHeight > ROOMY_PX;
  listen();
  say([]);
  place();
  keepUp();
  loadVideo();
  if (isLive) {
    $("follow").textContent = "Live";
    setFollowing(true);
  }
}

begin();
