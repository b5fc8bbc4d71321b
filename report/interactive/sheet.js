// The sheet of images × channels: a row an image, a column a channel, in each crossing H×W values; every set of values
// that share statistics in a frame that wears its mean and standard deviation. An ARIA grid with arrow keys.
"use strict";

globalThis.createSheet = (() => {
  const { number } = globalThis.notation;
  const { element } = globalThis.component;
  const SMALLEST = 24; // pixels: the side of a value that a finger still hits
  const ROOM = [[36, 2], [26, 1]]; // from so many pixels on, a value is written with so many decimals
  const LARGEST = 72; // pixels: wider, a sheet no longer reads as one
  const BESIDE = 70; // pixels: about what the names of the images take

  /**
   * A sheet without values. `point(index)` is called with the value under the pointer, or null when it leaves;
   * `keep(index)` with the value that is clicked, tapped or reached by the keyboard.
   */
  return function createSheet({ point, keep }) {
    const grid = element("div", { role: "grid", className: "grid", "aria-label": "Sheet of images and channels" });
    const frames = element("div", { className: "frames", "aria-hidden": "true" });
    const sheet = element("div", { className: "sheet" }, frames, grid);
    const node = element("div", { className: "scroll" }, sheet);
    let shape = [0, 0, 0, 0];
    let cells = [];
    let values = [];
    let decimals = null; // null where the cells are too small for numbers

    // Lines of the CSS grid. Row 1 names the channels; above each image a row for the labels of the sets that begin there.
    const rowOf = (n, h) => 3 + n * (shape[2] + 1) + h;
    const columnOf = (c, w) => 2 + c * (shape[3] + 1) + w;
    const put = (part, row, column, rows = 1, columns = 1) => {
      part.style.gridArea = `${row} / ${column} / span ${rows} / span ${columns}`;
      return part;
    };

    /** Lay out the cells of a tensor of this shape. */
    function draw(newShape) {
      shape = newShape;
      const [N, C, H, W] = shape;
      const corner = put(element("div", { role: "columnheader", className: "unseen", textContent: "image" }), 1, 1);
      const head = element("div", { role: "row", className: "row" }, corner);
      for (let c = 0; c < C; c++) {
        const name = element("div", { role: "columnheader", className: "head" }, element("span", {}, "channel "), `${c + 1}`);
        head.append(put(name, 1, columnOf(c, 0), 1, W));
      }
      grid.replaceChildren(head);
      cells = [];
      for (let n = 0; n < N; n++) {
        for (let h = 0; h < H; h++) {
          const row = element("div", { role: "row", className: "row" });
          if (h === 0) {
            const name = element("div", { role: "rowheader", className: "head" }, element("span", {}, "image "), `${n + 1}`);
            row.append(put(name, rowOf(n, 0), 1, H));
          }
          for (let c = 0; c < C; c++) {
            for (let w = 0; w < W; w++) {
              const index = ((n * C + c) * H + h) * W + w;
              const cell = element("div", { role: "gridcell", className: "value", tabIndex: -1 });
              cell.dataset.index = index;
              cells[index] = put(cell, rowOf(n, h), columnOf(c, w));
              row.append(cell);
            }
          }
          grid.append(row);
        }
      }
      room.disconnect();
      room.observe(cells[0]);
    }

    /** Write the values, and frame the sets (`found` as normalization.statistics returns it). */
    function show(newValues, found) {
      values = newValues;
      const [N, C, H, W] = shape;
      const least = Math.min(...values);
      const range = Math.max(...values) - least || 1;
      cells.forEach((cell, i) => {
        const [block, h, w] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
        const place = [`image ${Math.floor(block / C) + 1}`, `channel ${(block % C) + 1}`];
        if (H * W > 1) place.push(`row ${h + 1}`, `column ${w + 1}`);
        cell.dataset.place = place.join(", ");
        cell.style.setProperty("--shade", (values[i] - least) / range);
      });

      const extent = Array.from(found.means, () => ({ top: N, bottom: 0, left: C, right: 0 }));
      const setAt = (n, c) => found.sets[(n * C + c) * H * W];
      for (let n = 0; n < N; n++) {
        for (let c = 0; c < C; c++) {
          const part = extent[setAt(n, c)];
          Object.assign(part, { top: Math.min(part.top, n), bottom: n, left: Math.min(part.left, c), right: Math.max(part.right, c) });
        }
      }
      write();

      frames.replaceChildren(...extent.flatMap(({ top, bottom, left, right }, set) => {
        const [first, rows] = [rowOf(top, -1), rowOf(bottom, H) - rowOf(top, -1)];
        const [column, columns] = [columnOf(left, 0), columnOf(right, W) - columnOf(left, 0)];
        const frame = element("div", { className: "frame" });
        const label = element("div", { className: "label" });
        label.append(element("span", {}, `μ ${number(found.means[set], 2)}`), " ", element("span", {}, `σ ${number(found.deviations[set], 2)}`));
        frame.dataset.set = label.dataset.set = set;
        return [put(frame, first, column, rows, columns), put(label, first, column, 1, columns)];
      }));

      const channels = Array.from({ length: C }, (_, c) => (c > 0 && setAt(0, c) !== setAt(0, c - 1) ? "apart" : "together"));
      const images = Array.from({ length: N }, (_, n) => (n > 0 && setAt(n, 0) !== setAt(n - 1, 0) ? "apart" : "together"));
      const gap = { apart: "1.1rem", together: "0.25rem" };
      const tracks = `repeat(${W}, minmax(${SMALLEST}px, 1fr))`;
      sheet.style.gridTemplateColumns = `max-content ${channels.map((how, c) => `${c ? gap[how] : ""} ${tracks}`).join(" ")} 0.25rem`;
      sheet.style.maxWidth = `${BESIDE + C * (W * LARGEST + 18)}px`;
      sheet.style.gridTemplateRows = `auto ${images.map((how) => `minmax(${gap[how]}, auto) repeat(${H}, auto)`).join(" ")}`;
    }

    /** Mark one value and those that share with it. */
    function mark(index, sets, kept) {
      cells.forEach((cell, i) => {
        cell.classList.toggle("shares", sets[i] === sets[index]);
        cell.classList.toggle("current", i === index);
        cell.setAttribute("aria-selected", i === kept);
        cell.tabIndex = i === kept ? 0 : -1;
      });
      for (const part of frames.children) part.classList.toggle("shares", Number(part.dataset.set) === sets[index]);
    }

    function write() {
      cells.forEach((cell, i) => {
        // The name is the cell's text, of which the first part is only heard.
        const seen = decimals === null ? "" : number(values[i], decimals);
        const heard = `${cell.dataset.place}: ${seen ? "" : number(values[i])}`;
        cell.dataset.value = values[i];
        cell.replaceChildren(element("span", { className: "unseen" }, heard), seen);
      });
    }

    /** See how much of a number there is room for. */
    const room = new ResizeObserver(([{ target }]) => {
      decimals = ROOM.find(([pixels]) => target.offsetWidth >= pixels)?.[1] ?? null;
      sheet.classList.toggle("dense", decimals === null);
      write();
    });

    function indexOf(target) {
      const cell = target.closest(".value");
      return cell ? Number(cell.dataset.index) : null;
    }

    function move(event) {
      const [N, C, H, W] = shape;
      const index = indexOf(event.target);
      if (index === null) return;
      const block = Math.floor(index / (H * W));
      let row = Math.floor(block / C) * H + (Math.floor(index / W) % H);
      let column = (block % C) * W + (index % W);
      const [lastRow, lastColumn] = [N * H - 1, C * W - 1];
      switch (event.key) {
        case "ArrowUp": row = Math.max(0, row - 1); break;
        case "ArrowDown": row = Math.min(lastRow, row + 1); break;
        case "ArrowLeft": column = Math.max(0, column - 1); break;
        case "ArrowRight": column = Math.min(lastColumn, column + 1); break;
        case "Home": column = 0; if (event.ctrlKey) row = 0; break;
        case "End": column = lastColumn; if (event.ctrlKey) row = lastRow; break;
        default: return;
      }
      event.preventDefault();
      const [n, h, c, w] = [Math.floor(row / H), row % H, Math.floor(column / W), column % W];
      cells[((n * C + c) * H + h) * W + w].focus();
    }

    sheet.addEventListener("pointerover", (event) => event.pointerType === "mouse" && indexOf(event.target) !== null && point(indexOf(event.target)));
    sheet.addEventListener("pointerleave", () => point(null));
    sheet.addEventListener("focusin", (event) => keep(indexOf(event.target)));
    sheet.addEventListener("keydown", move);

    return { node, draw, show, mark };
  };
})();
