// Where frames come from: the server beside the page, or the page itself. Chunks of rows, the last used ones kept.

import { unpack } from "view/columns";

const KEPT_CHARACTERS = 12e6; // of JSON: about four times as many bytes as objects

async function answer(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path.split("?")[0]}: ${response.status}`);
  return response;
}

class Served {
  async overview(since, generation) {
    return unpack(await (await answer(`overview?since=${since}&generation=${generation}`)).arrayBuffer());
  }

  async lines(first, end) {
    return (await answer(`lines?first=${first}&end=${end}`)).text();
  }
}

class Embedded {
  constructor(chunkRows) {
    this.chunkRows = chunkRows;
  }

  async overview() {
    return unpack(await (await inflated("overview")).arrayBuffer());
  }

  async lines(first) {
    return (await inflated(`lines-${first / this.chunkRows}`)).text();
  }
}

/** What stands in the page under a name, as bytes. */
export async function embeddedBytes(name) {
  const text = document.getElementById(`data-${name}`).textContent;
  return (await fetch(`data:application/octet-stream;base64,${text}`)).blob();
}

async function inflated(name) {
  const blob = await embeddedBytes(name);
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip")));
}

export class Source {
  constructor(told, onLoad) {
    this.chunkRows = told.chunk_rows;
    this.onLoad = onLoad;
    this.origin = told.mode === "page" ? new Embedded(told.chunk_rows) : new Served();
    this.forget();
  }

  forget() {
    this.chunks = new Map(); // least recently used first
    this.loading = new Map();
    this.kept = 0;
  }

  overview(since, generation) {
    return this.origin.overview(since, generation);
  }

  /** The frame of a row, or undefined while it is not there; then it is asked for. */
  frame(row, rows) {
    if (row < 0 || row >= rows) return undefined;
    const number = Math.floor(row / this.chunkRows);
    const chunk = this.chunks.get(number);
    const frame = chunk?.frames[row - number * this.chunkRows];
    if (frame === undefined) this.#load(number);
    if (chunk) {
      this.chunks.delete(number);
      this.chunks.set(number, chunk);
    }
    return frame;
  }

  /** Ask for what comes after a row, so that it is there in time. */
  prepare(row, rows) {
    const ahead = Math.min(row + this.chunkRows / 2, rows - 1);
    const number = Math.floor(ahead / this.chunkRows);
    if (ahead >= 0 && !this.chunks.has(number)) this.#load(number);
  }

  async #load(number) {
    if (this.loading.has(number)) return;
    const { chunks } = this;
    this.loading.set(number, true);
    const first = number * this.chunkRows;
    try {
      const text = await this.origin.lines(first, first + this.chunkRows);
      if (chunks !== this.chunks) return; // forgotten meanwhile
      const frames = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
      this.kept += text.length - (chunks.get(number)?.size ?? 0);
      chunks.delete(number);
      chunks.set(number, { frames, size: text.length });
      for (const [oldest, { size }] of chunks) {
        if (this.kept <= KEPT_CHARACTERS || oldest === number) break;
        chunks.delete(oldest);
        this.kept -= size;
      }
      this.onLoad(first, first + frames.length);
    } catch (error) {
      console.warn(error);
    } finally {
      if (chunks === this.chunks) setTimeout(() => this.loading.delete(number), 50); // not again at once, if it is short
    }
  }
}
