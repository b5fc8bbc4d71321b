// <digit-drawing>: draw a digit or pick a misclassified one, and see what each of the three trained networks makes of it.
// Reads globalThis.drawingData, which normstudy/display/page_data.py writes.
"use strict";

(() => {
  const { decimal, number, percent } = globalThis.notation;
  const { element, announcer, shadow } = globalThis.component;
  const { load, run, softmax } = globalThis.network;

  const SIDE = 28;
  const DRAWN = 200; // about as large as people draw, of a pad of 280 pixels
  const CENTRES = { mass: "centre of mass", outline: "outline" };
  const whence = (name) => (globalThis.normalization.apart(name).includes("N") ? "from this image" : "stored in training");

  const PAGE = `
    <div class="app">
      <div class="drawing">
        <div>
          <canvas class="pad" width="280" height="280" role="img" aria-label="Draw a digit here with a pointer or a finger"></canvas>
          <div class="controls"><button type="button" class="clear">Clear</button></div>
          <p class="note placement"></p>
        </div>
        <div>
          <p class="shown"></p>
          <table class="calculation answers"></table>
        </div>
      </div>
      <fieldset class="picks"><legend>Or pick a test image that the networks misclassify</legend></fieldset>
      <details class="layers"><summary>The means and standard deviations that each layer used</summary><div class="scroll" tabindex="0" role="region" aria-label="Means and standard deviations"></div></details>
      <p class="unseen" role="status"></p>
    </div>`;

  /** 28×28 grey values (0 to 255) on a canvas, dark on light. */
  function paint(canvas, pixels) {
    const context = canvas.getContext("2d");
    const small = new OffscreenCanvas(SIDE, SIDE);
    const image = new ImageData(SIDE, SIDE);
    pixels.forEach((pixel, i) => image.data.set([255 - pixel, 255 - pixel, 255 - pixel, 255], 4 * i));
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  /** How dark each pixel of a canvas is, 0 to 255. */
  function ink(canvas) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const dark = new Float64Array(data.length / 4);
    for (let i = 0; i < dark.length; i++) dark[i] = 255 - data[4 * i];
    return dark;
  }

  /** A drawing as the dataset has its images: its longer side and what of it is in the middle. Null if empty. */
  function placed(pad, { side, centre }) {
    const dark = ink(pad);
    let [left, right, top, bottom] = [pad.width, -1, pad.height, -1];
    dark.forEach((value, i) => {
      if (value < 32) return;
      const [x, y] = [i % pad.width, Math.floor(i / pad.width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    });
    if (right < 0) return null;
    const [width, height] = [right - left + 1, bottom - top + 1];
    const scale = side / Math.max(width, height);
    const place = (x, y) => {
      const canvas = new OffscreenCanvas(SIDE, SIDE);
      const context = canvas.getContext("2d");
      context.fillStyle = "white";
      context.fillRect(0, 0, SIDE, SIDE);
      context.imageSmoothingQuality = "high";
      context.drawImage(pad, left, top, width, height, x, y, width * scale, height * scale);
      return ink(canvas);
    };
    const [x, y] = [(SIDE - width * scale) / 2, (SIDE - height * scale) / 2];
    const first = place(x, y);
    if (centre === "outline") return first;
    const mass = first.reduce((sum, value) => sum + value, 0);
    const middle = (along) => first.reduce((sum, value, i) => sum + value * (along(i) + 0.5), 0) / mass;
    return place(x + SIDE / 2 - middle((i) => i % SIDE), y + SIDE / 2 - middle((i) => Math.floor(i / SIDE)));
  }

  /** What a test image that can be picked is called. */
  const named = ({ index, label }) => `Test image ${decimal(index)}, whose class is ${globalThis.drawingData.classes[label]}`;

  class DigitDrawing extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot || !globalThis.drawingData) return;
      const { dataset, networks, mistakes, placement } = globalThis.drawingData;
      this.networks = Object.fromEntries(Object.entries(networks).map(([name, layers]) => [name, load(layers)]));
      const root = shadow(this, PAGE);
      this.find = (selector) => root.querySelector(selector);
      this.say = announcer(this.find("[role=status]"));
      this.pad = this.find(".pad");
      this.find(".placement").textContent =
        `A drawing is scaled to ${placement.side} of ${SIDE} pixels, with its ${CENTRES[placement.centre]} in the middle, as the images of ${dataset} are.`;
      this.pen();
      this.find(".clear").addEventListener("click", () => this.clear());
      for (const mistake of mistakes) this.offer(mistake);
      this.clear();
      if (mistakes.length) this.pick(mistakes[0]);
    }

    // What the reader does.

    pen() {
      const context = this.pad.getContext("2d", { willReadFrequently: true });
      const at = ({ offsetX, offsetY }) => [(offsetX * this.pad.width) / this.pad.clientWidth, (offsetY * this.pad.height) / this.pad.clientHeight];
      this.pad.addEventListener("pointerdown", (event) => {
        if (!this.drawn) this.clear();
        this.pad.setPointerCapture(event.pointerId);
        this.last = at(event);
        this.line(context, this.last, this.last);
      });
      this.pad.addEventListener("pointermove", (event) => {
        if (!this.last) return;
        this.line(context, this.last, at(event));
        this.last = at(event);
      });
      for (const end of ["pointerup", "pointercancel"]) this.pad.addEventListener(end, () => (this.last = null));
    }

    /** The drawing as the networks get it, 28×28 numbers from 0 to 255; null if nothing is drawn. */
    prepared() {
      return placed(this.pad, globalThis.drawingData.placement);
    }

    line(context, from, to) {
      const { side, stroke } = globalThis.drawingData.placement;
      Object.assign(context, { lineWidth: (stroke / side) * DRAWN, lineCap: "round", strokeStyle: "black" });
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      this.drawn = true;
      this.show(this.prepared(), "Your drawing");
    }

    clear() {
      const context = this.pad.getContext("2d");
      context.fillStyle = "white";
      context.fillRect(0, 0, this.pad.width, this.pad.height);
      this.drawn = false;
      this.mark(null);
      this.show(null, "Nothing is drawn yet");
    }

    offer(mistake) {
      const canvas = element("canvas", { width: SIDE, height: SIDE });
      const pixels = Uint8Array.from(atob(mistake.pixels), (letter) => letter.charCodeAt(0));
      paint(canvas, pixels);
      const button = element("button", { type: "button", className: "pick", "aria-label": named(mistake), "aria-pressed": "false" }, canvas);
      button.addEventListener("click", () => this.pick(mistake));
      button.dataset.index = mistake.index;
      this.find(".picks").append(button);
    }

    pick(mistake) {
      const pixels = Uint8Array.from(atob(mistake.pixels), (letter) => letter.charCodeAt(0));
      paint(this.pad, pixels);
      this.drawn = false;
      this.mark(mistake.index);
      this.show(pixels, named(mistake));
    }

    // What follows from it.

    mark(index) {
      for (const button of this.shadowRoot.querySelectorAll(".pick")) button.setAttribute("aria-pressed", `${Number(button.dataset.index) === index && index !== null}`);
    }

    show(pixels, name) {
      const { classes, mean, std } = globalThis.drawingData;
      this.pixels = pixels;
      this.find(".shown").replaceChildren(element("strong", {}, name), pixels ? ". What the three networks say:" : ".");
      this.answers = pixels && Object.fromEntries(Object.entries(this.networks).map(([variant, layers]) => [variant, run(layers, pixels, mean, std)]));
      const columns = this.answers ? Object.entries(this.answers).map(([variant, { logits }]) => [variant, softmax(logits)]) : [];
      const best = Object.fromEntries(columns.map(([variant, values]) => [variant, values.indexOf(Math.max(...values))]));
      this.find(".answers").replaceChildren(
        element("tr", {}, element("th", { scope: "col" }, "class"), ...columns.map(([variant]) => element("th", { scope: "col" }, variant))),
        ...classes.map((label, k) => element("tr", {}, element("th", { scope: "row" }, label),
          ...columns.map(([variant, values]) => {
            const bar = element("span", { className: "bar" });
            bar.style.width = percent(values[k], 1).replace("\u00a0", "");
            const chance = element("div", { className: "chance" }, element("span", { className: "track" }, bar), element("span", { className: "number" }, percent(values[k], 1)));
            return element("td", { className: `${variant} ${best[variant] === k ? "best" : ""}` }, chance);
          }))),
      );
      this.showLayers();
      if (pixels) this.say(`${name}: ${columns.map(([variant, values]) => `${variant} says ${classes[best[variant]]}, ${percent(values[best[variant]])}`).join("; ")}.`);
    }

    showLayers() {
      const place = this.find(".layers .scroll");
      if (!this.answers) return place.replaceChildren();
      const heads = ["layer", "C×H×W", "means", "standard deviations"].map((head) => element("th", { scope: "col" }, head));
      const list = (values) => element("td", {}, values.map((value) => number(value, 2)).join("  "));
      const sections = Object.entries(this.answers).map(([variant, { statistics }]) => {
        const rows = statistics.map(({ shape, means, deviations }, i) =>
          element("tr", {}, element("th", { scope: "row" }, `${i + 1}`), element("td", {}, shape.join("×")), list(means), list(deviations)));
        const table = element("table", { className: "calculation" }, element("tr", {}, ...heads.map((head) => head.cloneNode(true))), ...rows);
        const title = element("p", { className: "note" }, element("strong", {}, variant), `: ${whence(variant)}; ${globalThis.explorerData.normalizations[variant].idea}.`);
        return element("section", { className: variant, "aria-label": variant }, title, table);
      });
      place.replaceChildren(...sections);
    }
  }

  customElements.define("digit-drawing", DigitDrawing);
})();
