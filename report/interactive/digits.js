// The built-in digits, enlarged, and their augmentation: the page's twin of normstudy/data.py.
"use strict";

globalThis.digits = (function script() {
  const { zeros } = globalThis.layers;

  const [SMALL, SIDE, WHITE] = [8, 28, 16];
  const NEAR = [1, 7, 8]; // how far back the pixels are by whose sum a place is ordered

  /** The images and labels of `trainingData`, which normstudy/display/page_data.py writes; those for training come first. */
  async function unpack({ images, labels, training, mean, std }) {
    const packed = Uint8Array.from(atob(images), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const pixels = new Uint8Array(await new Response(stream).arrayBuffer()); // the first one of all images, the second one of all …
    const small = new Uint8Array(pixels.length);
    for (let place = 0; place < SMALL ** 2; place++) {
      const near = Array.from(labels, (_, n) => NEAR.reduce((sum, back) => sum + (back <= place ? small[n * SMALL ** 2 + place - back] : 0), 0));
      const order = [...near.keys()].sort((a, b) => near[a] - near[b]);
      order.forEach((n, i) => (small[n * SMALL ** 2 + place] = pixels[place * labels.length + i]));
    }
    return { images: enlarge(small), labels: Uint8Array.from(labels, Number), training, mean, std };
  }

  /** Images of 8×8 pixels from 0 to 16 as 28×28 pixels from 0 to 255, interpolated bilinearly. */
  function enlarge(small) {
    const at = Array.from({ length: SIDE }, (_, i) => {
      const place = Math.max(0, ((i + 0.5) * SMALL) / SIDE - 0.5);
      const low = Math.floor(place);
      return { low, high: Math.min(low + 1, SMALL - 1), part: place - low };
    });
    const large = new Uint8Array((small.length / SMALL ** 2) * SIDE ** 2);
    for (let start = 0, i = 0; start < small.length; start += SMALL ** 2) {
      for (const y of at) {
        const [top, bottom] = [start + y.low * SMALL, start + y.high * SMALL];
        for (const x of at) {
          const across = (row) => small[row + x.low] * (1 - x.part) + small[row + x.high] * x.part;
          large[i++] = Math.round(((across(top) * (1 - y.part) + across(bottom) * y.part) * 255) / WHITE);
        }
      }
    }
    return large;
  }

  /** Images by their numbers as a network's input (N, 1, 28, 28); `sample(image, pixels)` gives 28×28 numbers from 0 to 255. */
  function toInput({ images, mean, std }, numbers, sample) {
    const input = zeros([numbers.length, 1, SIDE, SIDE]);
    numbers.forEach((number, n) => {
      const pixels = sample(images.subarray(number * SIDE ** 2, (number + 1) * SIDE ** 2), n);
      for (let i = 0; i < SIDE ** 2; i++) input.values[n * SIDE ** 2 + i] = (pixels[i] - 255 * mean) / (255 * std);
    });
    return input;
  }

  /**
   * An image turned, resized and moved; what comes in from outside is black, and pixels are interpolated bilinearly.
   *
   * `draws` are four numbers from −1 to 1: how much of the largest turn (degrees), change of size, and moves (pixels).
   */
  function augment(image, [turn, size, right, down], { rotation, shift, scale }) {
    const [angle, zoom] = [(turn * rotation * Math.PI) / 180, 1 / (1 + size * scale)]; // where a pixel comes from: the inverse
    const [cosine, sine] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
    const result = new Float64Array(SIDE ** 2);
    const pixel = (row, column) => (row >= 0 && row < SIDE && column >= 0 && column < SIDE ? image[row * SIDE + column] : 0);
    for (let i = 0; i < SIDE ** 2; i++) {
      const [u, v] = [(i % SIDE) + 0.5 - SIDE / 2, Math.floor(i / SIDE) + 0.5 - SIDE / 2];
      const x = cosine * u - sine * v + right * shift + SIDE / 2 - 0.5;
      const y = sine * u + cosine * v + down * shift + SIDE / 2 - 0.5;
      const [column, row] = [Math.floor(x), Math.floor(y)];
      const across = (line) => pixel(line, column) * (1 - x + column) + pixel(line, column + 1) * (x - column);
      result[i] = across(row) * (1 - y + row) + across(row + 1) * (y - row);
    }
    return result;
  }

  return Object.freeze({ script, SIDE, unpack, enlarge, toInput, augment });
})();
