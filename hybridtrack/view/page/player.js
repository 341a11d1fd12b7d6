// What is shown, and when: a video's own presentation times where there is a video, the page's clock where there is none.

const END_SLACK_S = 0.02;
const PRESENTED_WITHIN_MS = 80; // after "seeked"; a seek to the frame that is shown already presents nothing

export class Player {
  /** `onShow` is called whenever another row is to be drawn: with a video, as its picture is put on the screen. */
  constructor(tracks, video, onShow) {
    this.tracks = tracks;
    this.video = video;
    this.onShow = onShow;
    this.row = -1; // of the picture on the screen; -1: no row belongs to it
    this.time = 0; // of that picture, in the time of the tracks
    this.wanted = null; // the time that is sought
    this.isPlaying = false;
    this.rate = 1;
    this.hasVideo = false;
    this.isBesideVideo = false; // beyond its end: boxes on black
    this.origin = null; // what the video calls the time 0
    this.presented = 0;
    if (video) this.#listen();
  }

  /** Play a video at this address from now on; what cannot be played calls `onFail`. */
  load(url, onFail) {
    this.onFail = onFail;
    this.origin = null;
    this.hasVideo = false;
    this.video.src = url;
  }

  #listen() {
    const { video } = this;
    video.addEventListener("error", () => this.#fail());
    video.addEventListener("loadedmetadata", () => {
      if (!video.videoWidth) this.#fail(); // a sound track alone could be decoded
    });
    video.addEventListener("ended", () => this.#goBeyondVideo());
    video.addEventListener("seeked", () => {
      const { presented } = this;
      setTimeout(() => {
        if (presented === this.presented && !video.seeking && this.wanted !== null) this.#show(this.wanted);
      }, PRESENTED_WITHIN_MS);
    });
    const onPresented = (now, { mediaTime }) => {
      video.requestVideoFrameCallback(onPresented);
      this.#present(mediaTime);
    };
    video.requestVideoFrameCallback(onPresented);
  }

  #fail() {
    this.hasVideo = false;
    this.video.hidden = true;
    this.#show(this.wanted ?? this.time);
    this.onFail?.();
  }

  #present(mediaTime) {
    this.presented += 1;
    if (this.origin === null) {
      this.origin = mediaTime;
      this.hasVideo = true;
      this.video.hidden = false;
      this.video.playbackRate = this.rate;
      const time = this.wanted ?? this.time;
      if (Math.abs(time) > this.tracks.step / 2) {
        this.seek(time);
        return;
      }
    }
    if (this.isBesideVideo) return;
    if (!this.video.seeking) this.wanted = null;
    this.#show(mediaTime - this.origin);
  }

  #show(time) {
    this.time = time;
    const row = this.hasVideo && !this.isBesideVideo ? this.tracks.rowNear(time) : this.tracks.rowAt(time + END_SLACK_S / 20);
    this.row = row;
    this.onShow();
  }

  /** The time that the user thinks of: where a seek goes, or what is shown. */
  get position() {
    return this.wanted ?? this.time;
  }

  get positionRow() {
    return Math.max(0, this.wanted === null && this.row >= 0 ? this.row : this.tracks.rowAt(this.position));
  }

  get videoEnd() {
    return this.hasVideo ? this.video.duration - this.origin : -Infinity;
  }

  /** Show the picture of a time, in seconds of the tracks. */
  seek(time) {
    const { tracks } = this;
    const last = tracks.rowAt(time);
    const row = last >= 0 && time < tracks.timeOf(last) + tracks.step * 1.5 ? last : -1;
    const exact = row >= 0 ? tracks.timeOf(row) : time;
    this.isBesideVideo = this.hasVideo && exact >= this.videoEnd - END_SLACK_S;
    if (!this.hasVideo || this.isBesideVideo) {
      this.wanted = null;
      if (this.isBesideVideo) this.video.pause();
      this.video?.toggleAttribute("hidden", true);
      this.#show(exact);
      return;
    }
    this.video.hidden = false;
    this.wanted = exact;
    // the middle of a frame: its edges are rounded differently by different containers
    const gap = row >= 0 && row + 1 < tracks.rows ? tracks.timeOf(row + 1) - exact : tracks.step;
    this.video.currentTime = Math.max(0, exact + this.origin + Math.min(gap, tracks.step) / 2);
    if (this.isPlaying && this.video.paused) this.video.play().catch(() => {});
    this.onMove?.();
  }

  seekRow(row) {
    const last = this.tracks.rows - 1;
    if (last >= 0) this.seek(this.tracks.timeOf(Math.min(Math.max(0, row), last)));
  }

  /** One frame, or more, on or back; stops. */
  step(frames) {
    this.pause();
    this.seekRow(this.positionRow + frames);
  }

  play() {
    if (this.isPlaying) return;
    this.isPlaying = true;
    if (this.position >= Math.max(this.tracks.endTime - this.tracks.step * 1.5, this.videoEnd - END_SLACK_S)) this.seek(this.tracks.startTime);
    if (this.hasVideo && !this.isBesideVideo) this.video.play().catch(() => this.pause());
    else this.#run();
    this.onPlaying?.();
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.video?.pause();
    this.onPlaying?.();
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  setRate(rate) {
    this.rate = rate;
    if (this.video) this.video.playbackRate = rate;
  }

  #goBeyondVideo() {
    if (!this.isPlaying) return;
    if (this.tracks.endTime > this.time + this.tracks.step * 1.5) {
      this.isBesideVideo = true;
      this.video.hidden = true;
      this.#run();
    } else this.pause();
  }

  #run() {
    this.before = null;
    requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    if (!this.isPlaying || (this.hasVideo && !this.isBesideVideo)) return;
    const time = this.position + (this.before === null ? 0 : ((now - this.before) / 1000) * this.rate);
    this.before = now;
    const last = this.tracks.endTime - this.tracks.step;
    if (time >= last && !this.tracks.isGrowing) {
      this.#show(last);
      this.pause();
      return;
    }
    this.#show(Math.min(time, Math.max(last, this.tracks.startTime)));
    requestAnimationFrame((now) => this.#tick(now));
  }
}
