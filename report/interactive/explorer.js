// <normalization-explorer>: which values of a tensor share a mean and a standard deviation, with which normalization.
// Reads globalThis.explorerData, which normstudy/display/page_data.py writes from the example and a trained network.
"use strict";

(() => {
  const { apart, centred, count, divisors } = globalThis.normalization;
  const { number, short } = globalThis.notation;
  const { placeInWords, setInWords, steps } = globalThis.calculation;
  const { LARGEST, begin, sourced, keeps, evaluating, ofBatch, used, trained, normalized, output, follow } = globalThis.exploration;
  const { address, sentences, tasks } = globalThis;
  const { element, announcer, shadow } = globalThis.component;

  const KNOWN = globalThis.explorerData?.normalizations ?? {};
  const NAMES = Object.keys(KNOWN);
  const VIEWS = { input: ({ values }) => values, normalized, output };
  const SOURCES = { example: "worked example", network: "trained network", random: "generated" };

  const called = (name) => sentences.title(name).replace(/ normalization$/, "");
  const range = (length, first = 0) => Array.from({ length }, (_, i) => first + i);
  const option = ([value, label]) => `<option value="${value}">${label}</option>`;
  const options = (values) => values.map((value) => option([value, value])).join("");
  const radio = (name, value, label, more = "") =>
    `<label class="${value} ${more ? "card" : "chip"}"><input type="radio" name="${name}" value="${value}">${label}${more}</label>`;

  const PAGE = `
    <form class="app" autocomplete="off">
      <fieldset class="cards">
        <legend>Normalization, and how many statistics it needs</legend>
        ${NAMES.map((name) => radio("normalization", name, `<strong>${called(name)}</strong>`, `<span class="count" data-normalization="${name}"></span>`)).join("")}
      </fieldset>
      <div class="controls">
        <button type="button" data-do="step" class="main">Next normalization <span aria-hidden="true">→</span></button>
        <button type="button" data-do="restart">Start again</button>
        <label>values <select name="source">${Object.entries(SOURCES).map(option).join("")}</select></label>
      </div>
      <div class="controls">
        <label>images N <select name="N">${options(range(LARGEST[0], 1))}</select></label>
        <label>channels C <select name="C">${options(range(LARGEST[1], 1))}</select></label>
        <label>size H × W <select name="H">${range(LARGEST[2], 1).map((side) => option([side, `${side} × ${side}`])).join("")}</select></label>
        <label>groups G <select name="groups" aria-describedby="why-groups"></select></label>
        <span class="why" id="why-groups"></span>
      </div>
      <fieldset class="chips" aria-describedby="why-mode">
        <legend>The layer is in</legend>
        ${radio("mode", "training", "training")}${radio("mode", "evaluation", "evaluation")}
        <button type="button" data-do="train" data-times="1" aria-describedby="why-mode">1 training step</button>
        <button type="button" data-do="train" data-times="10" aria-describedby="why-mode">10 steps</button>
      </fieldset>
      <p class="note" id="why-mode"></p>
      <div class="controls">
        <label>a task <select name="task">${option(["", "none"])}${Object.entries(tasks).map(([name, { title }]) => option([name, title])).join("")}</select></label>
      </div>
      <p class="task" hidden></p>
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
          <label class="edit">Change this x to <input type="number" name="x" step="any" min="${-address.FARTHEST}" max="${address.FARTHEST}"></label>
        </section>
        <section aria-label="Scale and shift">
          <fieldset class="chips">
            <legend>γ and β of</legend>
            ${radio("scope", "all", "all channels")}${radio("scope", "one", "<span class='channel'></span>")}
          </fieldset>
          <label class="slider">scale γ <input type="range" name="gamma" min="-10" max="10" step="0.05"><output></output></label>
          <label class="slider">shift β <input type="range" name="beta" min="-10" max="10" step="0.05"><output></output></label>
          <div class="controls">
            <button type="button" data-do="undo"></button>
            <button type="button" data-do="learned" aria-describedby="why-learned">as the network learned them</button>
            <button type="button" data-do="plain">γ = 1, β = 0</button>
          </div>
          <p class="note why" id="why-learned"></p>
          <p class="note undo-note"></p>
        </section>
      </div>
      <p class="note">The address of this page holds what you set here. Copy it to send somebody this state.</p>
      <p class="unseen" role="status"></p>
    </form>`;

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
        if (button) this[button.dataset.do](button.dataset);
      });
      this.open(begin());
      this.follow();
      this.find("link").addEventListener("load", () => this.follow()); // now that it has its size
      window.addEventListener("hashchange", () => this.follow());
    }

    /** Go where the page's address leads, if it leads here. */
    follow() {
      const state = address.read(location.hash);
      if (!state) return;
      this.open(state);
      this.scrollIntoView();
    }

    open(state) {
      this.sheet.draw(state.shape);
      this.state = state;
      this.show();
    }

    // What the reader does.

    restart() {
      this.begin(begin({ task: this.state.task }));
    }

    begin(state) {
      this.open(state);
      this.remember();
    }

    step() {
      this.set({ normalization: NAMES[(NAMES.indexOf(this.state.normalization) + 1) % NAMES.length] });
    }

    train({ times }) {
      this.set({ running: trained(this.state, Number(times)).running });
    }

    undo() {
      const { gamma, beta } = this.state;
      const { channel, mean, deviation } = this.current();
      this.set({ gamma: gamma.with(channel, deviation), beta: beta.with(channel, mean), scope: "one", view: "output" });
    }

    learned() {
      const { gamma, beta } = sourced("network");
      const C = this.state.shape[1];
      this.set({ gamma: Float64Array.from(gamma.slice(0, C)), beta: Float64Array.from(beta.slice(0, C)), view: "output" });
    }

    plain() {
      this.set({ gamma: this.state.gamma.map(() => 1), beta: this.state.beta.map(() => 0), scope: "all" });
    }

    input({ name, value, validity }) {
      const { shape: [N, C, H], values, kept, scope } = this.state;
      const chosen = Number(value);
      if (name === "N") this.reshape([chosen, C, H, H]);
      else if (name === "C") this.reshape([N, chosen, H, H]);
      else if (name === "H") this.reshape([N, C, chosen, chosen]);
      else if (name === "source") this.reshape([N, C, H, H].map((length, dimension) => Math.min(length, sourced(value).shape[dimension])), value);
      else if (name === "task") this.begin(begin({ task: value }));
      else if (name === "groups") this.set({ groups: chosen });
      else if (name === "x") value !== "" && validity.valid && this.set({ values: values.with(kept, chosen) });
      else if (name === "gamma" || name === "beta") {
        const { channel } = this.current();
        const scaled = this.state[name].map((old, c) => (scope === "all" || c === channel ? chosen : old));
        this.set({ [name]: scaled, view: "output" });
      } else this.set({ [name]: value });
    }

    reshape(shape, source = this.state.source) {
      this.begin(begin({ ...this.state, shape, source, kept: 0, pointed: null }));
    }

    // What follows from it.

    set(changes) {
      Object.assign(this.state, changes);
      const names = Object.keys(changes);
      if (names.every((name) => name === "pointed" || name === "kept")) this.showValue();
      else this.show();
      if (`${names}` !== "pointed") this.remember();
    }

    /** Put the state into the page's address, a little later, since browsers count how often that is done. */
    remember() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        const end = address.write(this.state);
        if (end || address.read(location.hash)) history.replaceState(history.state, "", end || location.pathname + location.search);
      }, 300);
    }

    /** The value that is looked at, under the pointer, else the one last clicked or reached by the keyboard, and what becomes of it. */
    current() {
      return follow(this.state, this.found, this.state.pointed ?? this.state.kept);
    }

    show() {
      this.found = used(this.state);
      this.showControls();
      this.showWhy();
      this.showTask();
      this.sheet.show(VIEWS[this.state.view](this.state), { ...this.found, centred: centred(this.state.normalization) });
      this.showValue();
    }

    showControls() {
      const { shape, normalization, groups, source } = this.state;
      const { elements } = this.form;
      elements.groups.innerHTML = options(divisors(shape[1]));
      const [N, C, H] = shape;
      for (const name of ["normalization", "mode", "view", "scope", "source", "task"]) elements[name].value = this.state[name];
      for (const [name, value] of Object.entries({ N, C, H, groups })) elements[name].value = value;
      for (const total of this.form.querySelectorAll(".count")) {
        const name = total.dataset.normalization;
        total.textContent = `${KNOWN[name].count} = ${count(shape, name, groups)}`;
      }
      this.form.dataset.normalization = normalization;
      const [before, each] = sentences.idea(this.state, this.found.size);
      this.find(".idea").replaceChildren(before, element("strong", {}, each));
      this.find(".source").textContent = {
        example: "These are the pixels of the worked example.",
        network: globalThis.explorerData.source,
        random: "These numbers are generated, always the same ones.",
      }[source];
    }

    /** Switch off what has no effect, and say why. */
    showWhy() {
      const { normalization, source } = this.state;
      const { elements } = this.form;
      const grouped = apart(normalization).includes("G");
      elements.groups.disabled = !grouped;
      this.find("#why-groups").textContent = grouped ? "" : `${called(normalization)} has no groups`;
      for (const choice of elements.mode) choice.disabled = !keeps(normalization);
      const still = !keeps(normalization) || evaluating(this.state) || ofBatch(this.state).size === 1;
      for (const button of this.form.querySelectorAll("[data-do=train]")) button.disabled = still;
      this.find("[data-do=learned]").disabled = source !== "network";
      this.find("#why-learned").textContent = source === "network" ? "" : "Only the values of the trained network have learned γ and β.";
    }

    showTask() {
      const task = tasks[this.state.task];
      this.solved = Boolean(task?.solved(this.state));
      this.find(".task").hidden = !task;
      this.find(".task").classList.toggle("solved", this.solved);
      if (task) this.find(".task").replaceChildren(`${task.asked} `, element("strong", {}, this.solved ? "✓ Solved." : "Not yet."), this.solved ? ` ${task.why(this.state)}` : "");
    }

    showValue() {
      const current = this.current();
      this.sheet.mark(current.index, this.found.sets, this.state.kept);
      this.showCalculation(current);
      this.showScaleAndShift(current);
      this.find("#why-mode").textContent = sentences.keeping(this.state, current.channel);
      if (this.state.pointed === null) this.tell(current);
    }

    showCalculation(current) {
      const { shape, normalization, groups, values } = this.state;
      const inSet = setInWords(normalization, current, shape[1], groups);
      const one = current.evaluating ? "One stored mean and one stored variance" : current.centred ? "One mean and one standard deviation" : "One root mean square";
      this.find(".place").replaceChildren(element("strong", {}, `x = ${short(current.x)}`), ` in ${placeInWords(current, shape)}. ${one} for ${inSet}.`);
      const sharing = values.filter((_, i) => this.found.sets[i] === current.set);
      const rows = steps(current, sharing, KNOWN[normalization].size);
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
      this.find("[data-do=undo]").textContent = `γ = σ, β = ${centred(this.state.normalization) ? "μ" : "0"} in channel ${channel + 1}`;
      this.find(".undo-note").textContent = sentences.undoing(this.state.normalization);
    }

    /** Say it to those who cannot see it. */
    tell(current) {
      const { shape, normalization, groups, task } = this.state;
      const { x, mean, deviation, normalized: inner, result } = current;
      const shares = current.centred ? `mean ${number(mean)} and standard deviation ${number(deviation)}` : `root mean square ${number(deviation)}`;
      const solved = this.solved ? `Task solved: ${tasks[task].why(this.state)} ` : "";
      this.say(`${solved}${sentences.title(normalization)}, ${sentences.statistics(normalization, count(shape, normalization, groups))}. Value ${short(x)} in ${placeInWords(current, shape)} shares ${shares} with ${this.found.size - 1} others: ${setInWords(normalization, current, shape[1], groups)}. Normalized ${number(inner)}, result ${number(result)}.`);
    }
  }

  customElements.define("normalization-explorer", NormalizationExplorer);
})();
