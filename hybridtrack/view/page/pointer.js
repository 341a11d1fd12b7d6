// The tip at the pointer, and the bar that is dragged to make room.

const tip = document.getElementById("tip");

/** Show words at the pointer; none: hide it. */
export function showTip(words) {
  tip.hidden = !words;
  if (!words || tip.textContent === words) return;
  tip.textContent = words;
}

export function placeTip({ clientX, clientY }) {
  tip.style.left = `${Math.max(4, Math.min(clientX + 14, innerWidth - tip.offsetWidth - 6))}px`;
  tip.style.top = `${clientY + 16 + tip.offsetHeight > innerHeight ? clientY - tip.offsetHeight - 10 : clientY + 16}px`;
}

/** Let the bar above the timeline be dragged. */
export function listenToSplit(split) {
  split.addEventListener("pointerdown", (event) => {
    split.setPointerCapture(event.pointerId);
    split.onpointermove = (move) => {
      const height = Math.min(Math.max(innerHeight - move.clientY - 3, 90), innerHeight - 260);
      document.body.style.setProperty("--timeline-height", `${height}px`);
    };
  });
  split.addEventListener("pointerup", () => (split.onpointermove = null));
}
