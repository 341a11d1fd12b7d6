// A run that goes on: its newest picture with the boxes of that very frame, as often as the page can show them.

import { unpack } from "view/columns";

const AGAIN_MS = 500;

export class LiveFeed {
  /** `onFrame` gets what is said of a frame, its line included; its picture is drawn by then. */
  constructor(canvas, onFrame, onEnd) {
    Object.assign(this, { canvas, onFrame, onEnd });
    this.isOn = false;
    this.number = 0;
  }

  start() {
    if (this.isOn) return;
    this.isOn = true;
    this.#loop();
  }

  stop() {
    this.isOn = false;
  }

  async #loop() {
    while (this.isOn) {
      try {
        const response = await fetch(`newest?after=${this.number}`);
        if (!response.ok) throw new Error(String(response.status));
        if (response.status === 204) continue;
        await this.#take(unpack(await response.arrayBuffer()));
      } catch {
        this.onEnd("the run has ended, or its page is not served any more");
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async #take({ said, columns }) {
    const picture = await createImageBitmap(new Blob([columns.jpeg], { type: "image/jpeg" }));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (!this.isOn) return;
    this.number = said.number;
    const { canvas } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    this.onFrame(said);
  }
}
