// <normalization-explorer>: which values of a tensor share a mean and a standard deviation, with which normalization.
// Reads globalThis.explorerData, which normstudy/display/page_data.py writes from a trained network.
"use strict";

(() => {
  const { apart, count, statistics, normalize, divisors } = globalThis.normalization;
  const { number } = globalThis.notation;
  const { placeInWords, setInWords, steps } = globalThis.calculation;
  const { element, announcer, shadow } = globalThis.component;

  const ALL = Object.entries(globalThis.explorerData?.normalizations ?? {});

  const range = (length, first = 0) => Array.from({ length }, (_, i) => first + i);
  const options = (values) => values.map((value) => `<option>${value}</option>`).join("");
  const radio = (name, value, label, more = "") =>
    `<label class="${value} ${more ? "card" : "chip"}"><input type="radio" name="${name}" value="${value}">${label}${more}</label>`;

  const PAGE = `
    <form class="app" autocomplete="off">
      <fieldset class="cards">
        <legend>Normalization, and how many statistics it needs</legend>
        ${ALL.map(([name]) => radio("normalization", name, `<strong>${name}</strong>`, `<span class="count" data-normalization="${name}"></span>`)).join("")}
      </fieldset>
      <div class="controls">
        <button type="button" data-do="step" class="main">Next normalization <span aria-hidden="true">→</span></button>
        <label>images N <select name="N">${options(range(6, 1))}</select></label>
        <label>channels C <select name="C">${options(range(8, 1))}</select></label>
        <label>size H × W <select name="H">${range(4, 1).map((side) => `<option value="${side}">${side} × ${side}</option>`).join("")}</select></label>
        <label>groups G <select name="groups"></select></label>
        <button type="button" data-do="restart">Start again</button>
      </div>
      <p class="idea"></p>
      <fieldset class="chips">
        <legend>The sheet shows</legend>
        ${radio("view", "input", "values x")}${radio("view", "normalized", "normalized x̂")}${radio("view", "output", "result y")}
      </fieldset>
      <div class="sheet-here"></div>
      <p class="note source"></p>
      <div class="panels">
        <section aria-label="The calculation for one value">
          <p class="place"></p>
          <table class="calculation"></table>
          <label class="edit">Change this x to <input type="number" name="x" step="any"></label>
        </section>
        <section aria-label="Scale and shift">
          <fieldset class="chips">
            <legend>γ and β of</legend>
            ${radio("scope", "all", "all channels")}${radio("scope", "one", "<span class='channel'></span>")}
          </fieldset>
          <label class="slider">scale γ <input type="range" name="gamma" min="-4" max="4" step="0.05"><output></output></label>
          <label class="slider">shift β <input type="range" name="beta" min="-4" max="4" step="0.05"><output></output></label>
          <div class="controls">
            <button type="button" data-do="undo"></button>
            <button type="button" data-do="learned">as the network learned them</button>
            <button type="button" data-do="plain">γ = 1, β = 0</button>
          </div>
          <p class="note undo-note"></p>
        </section>
      </div>
      <p class="unseen" role="status"></p>
    </form>`;

  /** Normally distributed numbers with two decimals, the same for the same seed (mulberry32; Box and Muller). */
  function generate(length, seed) {
    let state = seed;
    const uniform = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Float64Array.from({ length }, () => Math.round(100 * normal()) / 100);
  }

  /** The first images, channels, rows and columns of an activation, which has at least as many of each. */
  function excerpt(activation, [N, C, H, W]) {
    const [, channels, height, width] = activation.shape;
    return Float64Array.from({ length: N * C * H * W }, (_, i) => {
      const [n, c, h, w] = [Math.floor(i / (C * H * W)), Math.floor(i / (H * W)) % C, Math.floor(i / W) % H, i % W];
      return activation.values[((n * channels + c) * height + h) * width + w];
    });
  }

  class NormalizationExplorer extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot || !globalThis.explorerData) return;
      const root = shadow(this, PAGE);
      this.form = root.querySelector("form");
      this.find = (selector) => root.querySelector(selector);
      this.say = announcer(this.find("[role=status]"));
      this.sheet = globalThis.createSheet({
        point: (index) => this.set({ pointed: index }),
        keep: (index) => this.set({ kept: index, pointed: null }),
      });
      this.find(".sheet-here").append(this.sheet.node);
      this.form.addEventListener("input", (event) => this.input(event.target));
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("click", (event) => {
        const button = event.target.closest("[data-do]");
        if (button) this[button.dataset.do]();
      });
      this.restart();
    }

    // What the reader does.

    restart() {
      this.state = { normalization: ALL[0][0], groups: 2, view: "input", scope: "all", kept: 0, pointed: null };
      this.reshape([4, 4, 2, 2]);
    }

    reshape(shape) {
      const { activation } = globalThis.explorerData;
      const [N, C, H, W] = shape;
      const real = shape.every((length, dimension) => length <= activation.shape[dimension]);
      const values = real ? excerpt(activation, shape) : generate(N * C * H * W, 1);
      const groups = Math.max(...divisors(C).filter((divisor) => divisor <= this.state.groups));
      this.sheet.draw(shape);
      this.set({ shape, values, real, groups, kept: 0, pointed: null, gamma: new Float64Array(C).fill(1), beta: new Float64Array(C) });
    }

    step() {
      const names = ALL.map(([name]) => name);
      this.set({ normalization: names[(names.indexOf(this.state.normalization) + 1) % names.length] });
    }

    undo() {
      const { gamma, beta } = this.state;
      const { channel, mean, deviation } = this.current();
      this.set({ gamma: gamma.with(channel, deviation), beta: beta.with(channel, mean), scope: "one", view: "output" });
    }

    learned() {
      const { gamma, beta } = globalThis.explorerData.activation;
      const C = this.state.shape[1];
      this.set({ gamma: Float64Array.from(gamma.slice(0, C)), beta: Float64Array.from(beta.slice(0, C)), view: "output" });
    }

    plain() {
      this.set({ gamma: this.state.gamma.map(() => 1), beta: this.state.beta.map(() => 0), scope: "all" });
    }

    input({ name, value }) {
      const { shape, values, kept, scope } = this.state;
      const [N, C, H] = shape;
      const chosen = Number(value);
      if (name === "N") this.reshape([chosen, C, H, H]);
      else if (name === "C") this.reshape([N, chosen, H, H]);
      else if (name === "H") this.reshape([N, C, chosen, chosen]);
      else if (name === "groups") this.set({ groups: chosen });
      else if (name === "x") value !== "" && this.set({ values: values.with(kept, chosen) });
      else if (name === "gamma" || name === "beta") {
        const { channel } = this.current();
        const scaled = this.state[name].map((old, c) => (scope === "all" || c === channel ? chosen : old));
        this.set({ [name]: scaled, view: "output" });
      } else this.set({ [name]: value });
    }

    // What follows from it.

    set(changes) {
      Object.assign(this.state, changes);
      const { values, shape, normalization, groups } = this.state;
      const moved = Object.keys(changes).some((name) => name !== "pointed" && name !== "kept");
      if (moved) {
        this.found = statistics(values, shape, normalization, groups);
        this.showControls();
        this.showSheet();
      }
      this.showValue();
    }

    /** The value that is looked at, under the pointer, else the one last clicked or reached by the keyboard, and what becomes of it. */
    current() {
      const { shape, values, gamma, beta, kept, pointed } = this.state;
      const [, C, H, W] = shape;
      const index = pointed ?? kept;
      const block = Math.floor(index / (H * W));
      const place = { image: Math.floor(block / C), channel: block % C, row: Math.floor(index / W) % H, column: index % W };
      const set = this.found.sets[index];
      const [x, sum, mean] = [values[index], this.found.sums[set], this.found.means[set]];
      const [variance, deviation] = [this.found.variances[set], this.found.deviations[set]];
      const normalized = (x - mean) / deviation;
      const [scale, shift] = [gamma[place.channel], beta[place.channel]];
      return { index, set, ...place, x, sum, mean, variance, deviation, normalized, scale, shift, result: scale * normalized + shift };
    }

    showControls() {
      const { shape, normalization, groups, view, scope, real } = this.state;
      const [N, C, H] = shape;
      const { elements } = this.form;
      elements.groups.innerHTML = options(divisors(C));
      for (const [name, value] of Object.entries({ normalization, view, scope, N, C, H, groups })) elements[name].value = value;
      elements.groups.disabled = !apart(normalization).includes("G");
      const known = Object.fromEntries(ALL);
      for (const total of this.form.querySelectorAll(".count")) {
        const name = total.dataset.normalization;
        total.textContent = `${known[name].count} = ${count(shape, name, groups)}`;
      }
      this.form.dataset.normalization = normalization;
      const K = count(shape, normalization, groups);
      const { idea, size, count: formula } = known[normalization];
      const title = normalization.replace(/^./, (letter) => letter.toUpperCase());
      const others = apart(normalization).includes("N") ? "No other image has a say." : "What the other images hold changes the result for this one.";
      this.find(".idea").replaceChildren(`${title} normalization: ${idea}. ${others} `, element("strong", {}, `${formula} = ${K} ${K === 1 ? "mean and 1 standard deviation" : `means and ${K} standard deviations`}, each over ${size} = ${this.found.size} values.`));
      this.find(".source").textContent = real ? globalThis.explorerData.source : "These numbers are generated, always the same ones: the excerpt from the trained network is smaller than this sheet.";
      this.find("[data-do=learned]").disabled = !real;
    }

    showSheet() {
      const { values, shape, view, gamma, beta } = this.state;
      const shown = {
        input: () => values,
        normalized: () => normalize(values, shape, this.found),
        output: () => normalize(values, shape, this.found, gamma, beta),
      }[view]();
      this.sheet.show(shown, this.found);
    }

    showValue() {
      const current = this.current();
      this.sheet.mark(current.index, this.found.sets, this.state.kept);
      this.showCalculation(current);
      this.showScaleAndShift(current);
      if (this.state.pointed === null) this.tell(current);
    }

    showCalculation(current) {
      const { shape, normalization, groups, values } = this.state;
      const inSet = setInWords(normalization, current, shape[1], groups);
      this.find(".place").replaceChildren(element("strong", {}, `x = ${number(current.x)}`), ` in ${placeInWords(current, shape)}. One mean and one standard deviation for ${inSet}.`);
      const sharing = values.filter((_, i) => this.found.sets[i] === current.set);
      const rows = steps(current, sharing, Object.fromEntries(ALL)[normalization].size);
      this.find(".calculation").replaceChildren(...rows.map(([name, symbol, how, value]) => element("tr", {},
        element("th", { scope: "row" }, `${name} `, element("i", {}, symbol)), element("td", { className: "how" }, how), element("td", { className: "is" }, value))));
      const { x } = this.form.elements;
      if (this.shadowRoot.activeElement !== x) x.value = Number(values[this.state.kept].toFixed(4));
    }

    showScaleAndShift({ channel, scale, shift }) {
      for (const [name, value] of Object.entries({ gamma: scale, beta: shift })) {
        const slider = this.form.elements[name];
        slider.value = value;
        slider.nextElementSibling.textContent = number(value);
      }
      this.find(".channel").textContent = `channel ${channel + 1}`;
      this.find("[data-do=undo]").textContent = `γ = σ, β = μ in channel ${channel + 1}`;
      const letters = apart(this.state.normalization);
      this.find(".undo-note").textContent = !letters.includes("N")
        ? "γ = σ and β = μ give a whole channel back as it was: all of its values share one mean and one standard deviation."
        : `γ = σ and β = μ give the channel back for this ${letters.includes("G") ? "image's group" : "image"} only: elsewhere the same γ and β meet another mean and standard deviation.`;
    }

    /** Say it to those who cannot see it. */
    tell(current) {
      const { shape, normalization, groups } = this.state;
      const { x, mean, deviation, normalized, result } = current;
      this.say(`${normalization} normalization, ${count(shape, normalization, groups)} means and standard deviations. Value ${number(x)} in ${placeInWords(current, shape)} shares mean ${number(mean)} and standard deviation ${number(deviation)} with ${this.found.size - 1} others: ${setInWords(normalization, current, shape[1], groups)}. Normalized ${number(normalized)}, result ${number(result)}.`);
    }
  }

  customElements.define("normalization-explorer", NormalizationExplorer);
})();
