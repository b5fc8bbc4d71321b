// The trainer's graphs, as pure functions: lines over epochs, and distributions, as SVG.
"use strict";

globalThis.charts = (() => {
  const [WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM] = [340, 150, 46, 8, 14, 26];
  const DASHES = ["", "7 4", "2 3"]; // the first, the second and the third run
  const MARKS = ["M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0", "M-3-3h6v6h-6z", "M-4 3L0-4L4 3z"];
  const MARGIN = 4; // for what is as thick as a point
  const MOST = 120; // points of a line

  const thinned = (points) => points.filter((_, i) => i % Math.ceil(points.length / MOST) === 0 || i === points.length - 1);

  const mark = (run, point) => `<path class="mark" transform="translate(${point})" d="${MARKS[run]}"/>`;

  /** The narrowest of some scales, each a list of ticks, in which all values lie; the first one, if there is none. */
  function fitted(scales, values) {
    const holds = (ticks) => values.every((value) => ticks[0] <= value && value <= ticks.at(-1));
    return (values.length && scales.findLast(holds)) || scales[0];
  }

  /**
   * A graph over `epochs` epochs: `lines` are { points: [[epoch, value], …], colour, run, pale, marks }.
   *
   * It shows values from the first to the last of the `ticks`. Values above `highest` are drawn there; `chance` is what guessing gives.
   */
  function graph({ lines, epochs, highest, ticks, chance, format }) {
    const [wide, high, least, most] = [WIDE - LEFT - RIGHT, HIGH - BOTTOM - TOP, ticks[0], ticks.at(-1)];
    const x = (epoch) => (LEFT + (epoch / epochs) * wide).toFixed(1);
    const y = (value) => (HIGH - BOTTOM - ((Math.min(value, highest) - least) / (most - least)) * high).toFixed(1);
    const guessing = least <= chance && chance <= most ? `<path class="guessing" d="M${LEFT} ${y(chance)}H${WIDE - RIGHT}"/><text x="${WIDE - RIGHT}" y="${Number(y(chance)) - 5}" text-anchor="end" class="unit">guessing</text>` : "";
    const [left, top, width, height] = [LEFT - MARGIN, TOP - MARGIN, wide + 2 * MARGIN, high + 2 * MARGIN]; // beyond it, nothing is seen of a line
    const every = Math.max(1, Math.ceil(epochs / 5));
    const epochTicks = Array.from({ length: Math.floor(epochs / every) + 1 }, (_, i) => i * every);
    const finite = (points) => points.filter(([, value]) => Number.isFinite(value));
    return `<svg viewBox="0 0 ${WIDE} ${HIGH}" aria-hidden="true">
      ${ticks.map((tick) => `<path class="tick" d="M${LEFT} ${y(tick)}H${WIDE - RIGHT}"/><text x="${LEFT - 5}" y="${Number(y(tick)) + 4}" text-anchor="end">${format(tick)}</text>`).join("")}
      ${epochTicks.map((tick) => `<text x="${x(tick)}" y="${HIGH - 8}" text-anchor="middle">${tick}</text>`).join("")}
      <text x="${LEFT - 8}" y="${HIGH - 8}" text-anchor="end" class="unit">epoch</text>
      ${guessing}
      <svg x="${left}" y="${top}" width="${width}" height="${height}" viewBox="${left} ${top} ${width} ${height}">${lines.map(({ points, colour, run, pale, marks }) => {
        const drawn = thinned(finite(points)).map(([epoch, value]) => [x(epoch), y(value)]);
        const dots = (marks || drawn.length === 1) && !pale ? drawn.map((point) => mark(run, point)).join("") : "";
        return `<g style="--tint: ${colour}"${pale ? ' class="pale"' : ""}><polyline points="${drawn.map((point) => point.join()).join(" ")}" stroke-dasharray="${DASHES[run]}"/>${dots}</g>`;
      }).join("")}</svg></svg>`;
  }

  /** A sample of a run's line and mark. */
  const sample = (run) => `<svg class="sample" viewBox="0 0 36 8" aria-hidden="true"><path d="M0 4H36" stroke-dasharray="${DASHES[run]}"/>${mark(run, "18 4")}</svg>`;

  /** The outlines of one or two distributions of 48 bins side by side, from 0 to 100; the highest bin is from 1 up to 0. */
  function outlines(distributions) {
    const outline = ({ bins }, side) => {
      const highest = Math.max(...bins) || 1;
      return `M${52 * side} 1${Array.from(bins, (count) => `V${(1 - count / highest).toFixed(2)}h1`).join("")}V1z`;
    };
    return distributions.map(outline).join("");
  }

  return Object.freeze({ fitted, graph, sample, outlines });
})();
