// The sheet of images × channels: a row an image, a column a channel, in each crossing H×W values; every set of values
// that share statistics in a frame that wears its mean and standard deviation. An ARIA grid with arrow keys.
"use strict";

globalThis.createSheet = (() => {
  const { number } = globalThis.notation;
  const { element } = globalThis.component;
  const { placeInWords } = globalThis.calculation;
  const SMALLEST = 24; // pixels: the side of a value that a finger still hits
  const READABLE = 26; // pixels: from here on values are written
  const LARGEST = 72; // pixels: wider, a sheet no longer reads as one
  const BESIDE = 70; // pixels: about what the names of the images take
  const GAP = { apart: "1.1rem", together: "0.25rem" };

  // Lines of the CSS grid. Row 1 names the channels; above each image a row for the labels of the sets that begin there.
  const rowOf = ([, , H], n, h) => 3 + n * (H + 1) + h;
  const columnOf = ([, , , W], c, w) => 2 + c * (W + 1) + w;

  function put(part, row, column, rows = 1, columns = 1) {
    part.style.gridArea = `${row} / ${column} / span ${rows} / span ${columns}`;
    return part;
  }

  const head = (role, word, index) => element("div", { role, className: "head" }, element("span", {}, `${word} `), `${index + 1}`);
  const times = (length, make) => Array.from({ length }, (_, i) => make(i));

  /** The rows of the grid, and its cells in the order of the tensor's values. */
  function lay(shape) {
    const [N, C, H, W] = shape;
    const corner = put(element("div", { role: "columnheader", className: "unseen", textContent: "image" }), 1, 1);
    const names = times(C, (c) => put(head("columnheader", "channel", c), 1, columnOf(shape, c, 0), 1, W));
    const rows = [element("div", { role: "row", className: "row" }, corner, ...names)];
    const cells = [];
    for (let n = 0; n < N; n++) {
      for (let h = 0; h < H; h++) {
        const row = element("div", { role: "row", className: "row" });
        if (h === 0) row.append(put(head("rowheader", "image", n), rowOf(shape, n, 0), 1, H));
        for (let c = 0; c < C; c++) {
          for (let w = 0; w < W; w++) {
            const index = ((n * C + c) * H + h) * W + w;
            const cell = element("div", { role: "gridcell", className: "value", tabIndex: -1 });
            Object.assign(cell.dataset, { index, place: placeInWords({ image: n, channel: c, row: h, column: w }, shape) });
            cells[index] = put(cell, rowOf(shape, n, h), columnOf(shape, c, w));
            row.append(cell);
          }
        }
        rows.push(row);
      }
    }
    return [rows, cells];
  }

  /** The images and channels that each set covers; none where sets lie between one another, and no frame can hold them. */
  function extents({ means, sets }, [N, C, H, W]) {
    const extent = Array.from(means, () => ({ top: N, bottom: 0, left: C, right: 0 }));
    sets.forEach((set, i) => {
      const [n, c] = [Math.floor(i / (C * H * W)), Math.floor(i / (H * W)) % C];
      const part = extent[set];
      Object.assign(part, { top: Math.min(part.top, n), bottom: n, left: Math.min(part.left, c), right: Math.max(part.right, c) });
    });
    const area = extent.reduce((sum, { top, bottom, left, right }) => sum + (bottom - top + 1) * (right - left + 1), 0);
    return area === N * C ? extent : [];
  }

  /** The frame of a set and its label. */
  function framed({ top, bottom, left, right }, set, { means, deviations, centred }, shape) {
    const [, , H, W] = shape;
    const [first, rows] = [rowOf(shape, top, -1), rowOf(shape, bottom, H) - rowOf(shape, top, -1)];
    const [column, columns] = [columnOf(shape, left, 0), columnOf(shape, right, W) - columnOf(shape, left, 0)];
    const frame = element("div", { className: "frame" });
    const label = element("div", { className: "label" });
    if (centred) label.append(element("span", {}, `μ ${number(means[set], 2)}`), " ");
    label.append(element("span", {}, `σ ${number(deviations[set], 2)}`));
    frame.dataset.set = label.dataset.set = set;
    return [put(frame, first, column, rows, columns), put(label, first, column, 1, columns)];
  }

  /** Where the sheet is wide: between neighbours that do not share. */
  function spread({ style }, { sets }, [N, C, H, W]) {
    const setAt = (n, c) => sets[(n * C + c) * H * W];
    const channels = times(C, (c) => (c > 0 && setAt(0, c) !== setAt(0, c - 1) ? GAP.apart : GAP.together));
    const images = times(N, (n) => (n > 0 && setAt(n, 0) !== setAt(n - 1, 0) ? GAP.apart : GAP.together));
    const tracks = `repeat(${W}, minmax(${SMALLEST}px, 1fr))`;
    style.gridTemplateColumns = `max-content ${channels.map((gap, c) => `${c ? gap : ""} ${tracks}`).join(" ")} 0.25rem`;
    style.gridTemplateRows = `auto ${images.map((gap) => `minmax(${gap}, auto) repeat(${H}, auto)`).join(" ")}`;
    style.maxWidth = `${BESIDE + C * (W * LARGEST + 18)}px`;
  }

  const ruler = new OffscreenCanvas(1, 1).getContext("2d");

  /** A number with as many decimals as `width` pixels hold; a sign that there is more where they hold none. */
  function fitting(value, width, digits) {
    const texts = [...digits.map((count) => number(value, count)), "…"];
    return texts.find((text) => ruler.measureText(text).width <= width - 4) ?? "";
  }

  /** The place, counted in rows and columns of the sheet, that a key leads to; nothing for other keys. */
  function reached({ key, ctrlKey }, row, column, lastRow, lastColumn) {
    switch (key) {
      case "ArrowUp": return [Math.max(0, row - 1), column];
      case "ArrowDown": return [Math.min(lastRow, row + 1), column];
      case "ArrowLeft": return [row, Math.max(0, column - 1)];
      case "ArrowRight": return [row, Math.min(lastColumn, column + 1)];
      case "Home": return [ctrlKey ? 0 : row, 0];
      case "End": return [ctrlKey ? lastRow : row, lastColumn];
      default: return null;
    }
  }

  function indexOf(target) {
    const cell = target.closest(".value");
    return cell ? Number(cell.dataset.index) : null;
  }

  class Sheet {
    #shape = [0, 0, 0, 0];
    #cells = [];
    #values = [];
    #width = 0; // of a value, in pixels, as it was last written
    #grid = element("div", { role: "grid", className: "grid", "aria-label": "Sheet of images and channels" });
    #frames = element("div", { className: "frames", "aria-hidden": "true" });
    #sheet = element("div", { className: "sheet" }, this.#frames, this.#grid);
    #scroll = element("div", { className: "scroll" }, this.#sheet);
    #room = new ResizeObserver(() => this.#fit());
    node = element("div", {}, this.#scroll, element("p", { className: "note sideways", textContent: "The sheet goes on: scroll it sideways. →" }));

    constructor({ point, keep }) {
      this.#sheet.addEventListener("pointerover", (event) => event.pointerType === "mouse" && indexOf(event.target) !== null && point(indexOf(event.target)));
      this.#sheet.addEventListener("pointerleave", () => point(null));
      this.#sheet.addEventListener("focusin", (event) => keep(indexOf(event.target)));
      this.#sheet.addEventListener("keydown", (event) => this.#move(event));
    }

    /** Lay out the cells of a tensor of this shape. */
    draw(shape) {
      const [rows, cells] = lay(shape);
      this.#shape = shape;
      this.#cells = cells;
      this.#grid.replaceChildren(...rows);
      this.#room.disconnect();
      this.#room.observe(this.#scroll);
      this.#room.observe(cells[0]);
    }

    /** Write the values, and frame the sets (`found` as normalization.statistics returns it; `centred`, whether means are subtracted). */
    show(values, found) {
      const least = Math.min(...values);
      const range = Math.max(...values) - least || 1;
      this.#cells.forEach((cell, i) => {
        cell.dataset.value = values[i];
        cell.style.setProperty("--shade", (values[i] - least) / range);
      });
      this.#values = values;
      this.#frames.replaceChildren(...extents(found, this.#shape).flatMap((extent, set) => framed(extent, set, found, this.#shape)));
      spread(this.#sheet, found, this.#shape);
      this.#write();
      this.#fit();
    }

    /** Mark one value and those that share with it. */
    mark(index, sets, kept) {
      this.#cells.forEach((cell, i) => {
        cell.classList.toggle("shares", sets[i] === sets[index]);
        cell.classList.toggle("current", i === index);
        cell.setAttribute("aria-selected", i === kept);
        cell.tabIndex = i === kept ? 0 : -1;
      });
      for (const part of this.#frames.children) part.classList.toggle("shares", Number(part.dataset.set) === sets[index]);
    }

    /** See how much of the numbers there is room for. */
    #fit() {
      if (this.#cells[0].offsetWidth !== this.#width) this.#write();
      const labels = [...this.#frames.querySelectorAll(".label")];
      this.#sheet.classList.toggle("crowded", labels.some((label) => label.scrollWidth > label.clientWidth));
      this.node.classList.toggle("wide", this.#scroll.scrollWidth > this.#scroll.clientWidth + 1);
    }

    #write() {
      this.#width = this.#cells[0].offsetWidth;
      const { fontSize, fontFamily } = getComputedStyle(this.#cells[0]);
      ruler.font = `600 ${fontSize} ${fontFamily}`;
      const digits = this.#values.every(Number.isInteger) ? [0] : [2, 1];
      const dense = this.#width < READABLE;
      this.#sheet.classList.toggle("dense", dense);
      this.#cells.forEach((cell, i) => {
        // The name is the cell's text, of which the first part is only heard.
        const seen = dense ? "" : fitting(this.#values[i], this.#width, digits);
        const heard = `${cell.dataset.place}: ${/\d/.test(seen) ? "" : number(this.#values[i])}`;
        cell.replaceChildren(element("span", { className: "unseen" }, heard), seen);
      });
    }

    #move(event) {
      const [N, C, H, W] = this.#shape;
      const index = indexOf(event.target);
      if (index === null) return;
      const block = Math.floor(index / (H * W));
      const here = [Math.floor(block / C) * H + (Math.floor(index / W) % H), (block % C) * W + (index % W)];
      const there = reached(event, ...here, N * H - 1, C * W - 1);
      if (!there) return;
      event.preventDefault();
      const [n, h, c, w] = [Math.floor(there[0] / H), there[0] % H, Math.floor(there[1] / W), there[1] % W];
      this.#cells[((n * C + c) * H + h) * W + w].focus();
    }
  }

  /**
   * A sheet without values. `point(index)` is called with the value under the pointer, or null when it leaves;
   * `keep(index)` with the value that is clicked, tapped or reached by the keyboard.
   */
  return (called) => new Sheet(called);
})();
