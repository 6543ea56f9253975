"use strict";

/** A window onto an SVG: drag or arrow keys pan, wheel, pinch or + − zoom, 0 shows all. */
class View {
  constructor(stage) {
    this.stage = stage;
    this.scale = 1; // pixels a point
    this.x = 0; // what is in the left upper corner, in points
    this.y = 0;
    this.fingers = new Map();
    this.moved = 0; // pixels since the last press: a drag is no click
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad comes with ctrl
      this.zoom(Math.exp(-event.deltaY * speed), this.place(event.clientX, event.clientY));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      if (!this.fingers.size) this.moved = 0;
      this.fingers.set(event.pointerId, event);
    });
    addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    addEventListener("resize", () => this.paint());
  }

  get width() { return this.stage.clientWidth; }

  get height() { return this.stage.clientHeight; }

  /** Take another SVG: from its start, or kept in place. */
  show(svg, keep) {
    const [, , width, height] = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
    this.svg = svg;
    this.size = { width, height };
    for (const side of ["width", "height"]) svg.setAttribute(side, "100%");
    if (!keep) this.start();
  }

  /** All of it; where that could not be read, its beginning. */
  start() {
    this.fit();
    const legible = 0.8;
    if (this.scale < legible) {
      this.zoom(legible / this.scale);
      if (this.width / this.scale < this.size.width) this.x = 0;
      if (this.height / this.scale < this.size.height) this.y = 0;
      this.paint();
    }
  }

  fit() {
    const { width, height } = this.size;
    this.scale = Math.min(this.width / width, this.height / height, 2);
    this.x = (width - this.width / this.scale) / 2;
    this.y = (height - this.height / this.scale) / 2;
    this.paint();
  }

  /** Larger by a factor, around a place of the stage. */
  zoom(factor, [left, top] = [this.width / 2, this.height / 2]) {
    const scale = Math.min(Math.max(this.scale * factor, 0.05), 20);
    this.x += left / this.scale - left / scale;
    this.y += top / this.scale - top / scale;
    this.scale = scale;
    this.paint();
  }

  pan(right, down) {
    this.x += right / this.scale;
    this.y += down / this.scale;
    this.paint();
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.fingers.values()].find((finger) => finger !== before);
    if (other) {
      const apart = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY) || 1;
      this.zoom(apart(event) / apart(before), this.place(event.clientX, event.clientY));
    } else {
      this.pan(before.clientX - event.clientX, before.clientY - event.clientY);
    }
    this.moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    this.fingers.set(event.pointerId, event);
  }

  /** A place of the window as one of the stage. */
  place(x, y) {
    const around = this.stage.getBoundingClientRect();
    return [x - around.left, y - around.top];
  }

  /** Where the middle of an element is on the stage. */
  spot(element) {
    const at = element.getBoundingClientRect();
    return this.place(at.left + at.width / 2, at.top + at.height / 2);
  }

  /** Bring an element to a place of the stage; to the middle of what `over` leaves free of it. */
  bring(element, to, over) {
    const [x, y] = this.spot(element);
    const [left, top] = to || [this.width / 2, this.free(over) / 2];
    this.pan(x - left, y - top);
  }

  /** Bring an element to the middle if it is outside or under `over`. */
  reveal(element, over) {
    const [x, y] = this.spot(element);
    const edge = 20;
    const seen = x > edge && y > edge && x < this.width - edge && y < this.free(over) - edge;
    if (!seen) this.bring(element, undefined, over);
  }

  /** How high the stage is above `over`, which may lie on its lower part. */
  free(over) {
    if (!over || over.hidden) return this.height;
    const [left, top] = this.place(over.getBoundingClientRect().left, over.getBoundingClientRect().top);
    return left < this.width / 2 ? top : this.height;
  }

  paint() {
    if (!this.svg) return;
    const size = [this.width, this.height].map((pixels) => pixels / this.scale);
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${size.join(" ")}`);
  }
}
