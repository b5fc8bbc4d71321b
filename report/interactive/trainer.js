// <network-trainer>: train three networks side by side in the page, and watch the four graphs and the statistics move.
// Reads globalThis.trainingData, which normstudy/display/page_data.py writes.
"use strict";

(() => {
  const { decimal, number, percent } = globalThis.notation;
  const { element, announcer, shadow } = globalThis.component;
  const { SETTINGS, QUESTIONS, RUNS, begin, answer, asked, counted, shares, allowed, parameters, title, write, read } = globalThis.trials;
  const { fitted, graph, sample, outlines } = globalThis.charts;

  const SIDE = 28;
  const EARLIER = 9; // runs that stay as pale lines
  const SMOOTH = 0.85; // of a running mean over batches, the part that stays
  const DRAWN = 100; // milliseconds from one drawing to the next
  const APART = 30; // milliseconds from one run's distributions to the next one's, so that each has a frame of its own
  const GUESSING = { loss: Math.log(10), accuracy: 0.1 };
  const LOSS = { highest: 3, scales: [[0, 1, 2, 3], [0, 0.5, 1], [0, 0.3, 0.6]], chance: GUESSING.loss, format: (value) => `${value}` };
  const ACCURACY = { highest: 1, scales: [[0, 0.5, 1], [0.5, 0.75, 1], [0.8, 0.9, 1]], chance: GUESSING.accuracy, format: (value) => `${100 * value}` };
  const GRAPHS = [
    { name: "training loss", part: "steps", column: 1, ...LOSS },
    { name: "training accuracy", part: "steps", column: 2, ...ACCURACY },
    { name: "test loss", part: "tests", column: 1, marks: true, ...LOSS },
    { name: "test accuracy", part: "tests", column: 2, marks: true, ...ACCURACY },
  ];
  const ROWS = { state: "epoch", training: "training accuracy", test: "test accuracy", wrong: "test images wrong" };

  const runs = Array.from({ length: RUNS }, (_, i) => i);
  const heads = `<tr><td></td>${runs.map((i) => `<th scope="col" class="run${i}">run ${i + 1} ${sample(i)}</th>`).join("")}</tr>`;
  const choice = ({ name, label, values, words = {} }, i) =>
    `<td><select name="${name}" data-run="${i}" aria-label="${label} of run ${i + 1}">${values.map((value) => `<option value="${value}">${words[value] ?? value}</option>`).join("")}</select></td>`;
  const settings = (more) =>
    SETTINGS.filter((setting) => Boolean(setting.more) === more)
      .map((setting) => `<tr><th scope="row">${setting.label}</th>${runs.map((i) => choice(setting, i)).join("")}</tr>`).join("");

  const PAGE = `
    <form class="app trainer" autocomplete="off">
      <p class="note">Three networks learn to read digits here. Ask a question, or choose settings and press Start.</p>
      <div class="controls questions">${Object.entries(QUESTIONS).map(([name, each]) => `<button type="button" data-question="${name}">${each.title}</button>`).join("")}</div>
      <p class="note look"></p>
      <p class="found"></p>
      <details${matchMedia("(min-width: 40rem)").matches ? " open" : ""}><summary>Settings of the runs</summary>
        <table class="trials">${heads}${settings(false)}</table>
        <details><summary>Batch size, learning rate, initialization, epochs, seed</summary><table class="trials">${heads}${settings(true)}</table></details>
      </details>
      <div class="controls">
        <button type="button" class="main" data-do="go">Start</button>
        <button type="button" data-do="step">One step</button>
        <button type="button" data-do="again">Start again with another seed</button>
      </div>
      <p class="legend">${runs.map((i) => `<span class="run${i}">${sample(i)} <span></span></span>`).join("")}<span class="past">pale: earlier runs</span></p>
      <div class="graphs">${GRAPHS.map(({ name }) => `<div class="graph" role="img"><p aria-hidden="true">${name}${name.endsWith("accuracy") ? " (%)" : ""}</p><div class="plot"></div></div>`).join("")}</div>
      <table class="trials came">${heads}${Object.entries(ROWS).map(([name, label]) => `<tr data-row="${name}"><th scope="row">${label}</th>${runs.map((i) => `<td class="run${i}"></td>`).join("")}</tr>`).join("")}
        <tr class="wrongs"><th scope="row">some of these<br><small>true → said</small></th>${"<td></td>".repeat(RUNS)}</tr></table>
      <table class="trials flows"><caption>Into each normalization layer (left) and out of it (right), in the last training batch: values from −4 to 4, and their standard deviation σ</caption><thead>${heads}</thead><tbody></tbody></table>
      <p class="unseen" role="status"></p>
    </form>`;

  const tested = () => globalThis.trainingData.labels.length - globalThis.trainingData.training;

  /** A bar that takes this part of its place. */
  function bar(part) {
    const made = element("span", { className: "bar" });
    made.style.width = `${100 * part}%`;
    return element("span", { className: "track" }, made);
  }

  /** When the figures above have their height, too. */
  const whole = new Promise((resolve) => (document.readyState === "complete" ? resolve() : addEventListener("load", resolve)));

  /** The source of a worker, from the functions that the page has. */
  const source = () => `"use strict"; globalThis.explorerData = ${JSON.stringify({ normalizations: globalThis.explorerData.normalizations })};
    ${["normalization", "multiplication", "layers", "model", "digits", "training"].map((name) => `globalThis.${name} = (${globalThis[name].script})();`).join("\n")}
    (${globalThis.trainerWorker.script})();`;

  function startWorker() {
    const address = URL.createObjectURL(new Blob([source()], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  }

  const SHADES = [78, 30, 54]; // percent: runs of one normalization differ in how much of its colour they have

  const colour = (trial, shade = 0) => `color-mix(in srgb, ${globalThis.trainingData.colours[trial.norm_arg]} ${SHADES[shade]}%, currentColor)`;

  /** Each trial's colour, in a shade of its own. */
  const colours = (trials) => trials.map((trial, i) => colour(trial, trials.slice(0, i).filter(({ norm_arg: name }) => name === trial.norm_arg).length));

  /** A run before its first step: what it came to is [[epoch, loss, accuracy], …], in training a running mean over batches. */
  const fresh = (trial) => ({ trial, worker: null, steps: [], tests: [], mean: [0, 0, 0], done: 0, batches: 1, distributions: [], wrong: null, shown: [], ended: false });

  class NetworkTrainer extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot || !globalThis.trainingData) return;
      const root = shadow(this, PAGE);
      this.find = (selector) => root.querySelector(selector);
      this.all = (selector) => [...root.querySelectorAll(selector)];
      this.say = announcer(this.find("[role=status]"));
      this.form = this.find("form");
      this.calm = matchMedia("(prefers-reduced-motion: reduce)");
      this.earlier = [];
      this.form.addEventListener("change", ({ target }) => this.choose(Number(target.dataset.run), target.name, target.value));
      this.form.addEventListener("click", ({ target }) => this.click(target.closest("button")?.dataset ?? {}));
      this.form.addEventListener("submit", (event) => event.preventDefault());
      addEventListener("hashchange", () => this.follow());
      addEventListener("pagehide", () => this.stop());
      this.set(begin());
      this.follow();
    }

    disconnectedCallback() {
      this.stop();
    }

    // What the reader does.

    /** Take the trials from the page's address, if it has some. */
    follow() {
      const trials = read(location.hash);
      if (!trials) return;
      this.set(trials);
      whole.then(() => requestAnimationFrame(() => this.scrollIntoView()));
    }

    choose(i, name, word) {
      const { values } = SETTINGS.find((setting) => setting.name === name);
      const value = values.find((each) => `${each}` === word);
      this.set(this.trials.map((trial, other) => (other === i ? allowed({ ...trial, [name]: value }) : trial)));
      this.remember();
    }

    click({ question, do: what }) {
      if (question) {
        this.set(answer(question));
        this.remember();
        this.go();
      } else if (what === "go") this.running ? this.pause() : this.go();
      else if (what === "step") this.go(1);
      else if (what === "again") {
        const { values } = SETTINGS.find(({ name }) => name === "seed");
        this.set(this.trials.map((trial) => ({ ...trial, seed: values[(values.indexOf(trial.seed) + 1) % values.length] })));
        this.remember();
        this.go();
      }
    }

    remember() {
      const end = write(this.trials);
      if (end || read(location.hash)) history.replaceState(history.state, "", end || location.pathname + location.search);
    }

    // The runs.

    /** These trials, none of them begun; what the earlier ones came to stays as pale lines, but where another question is asked. */
    set(trials) {
      this.stop();
      const question = asked(trials);
      const past = [...this.earlier, ...(this.runs ?? []).map((run, i) => ({ ...run, place: i })).filter((run) => run.steps.length)];
      this.earlier = question && question !== this.question ? [] : past.slice(-EARLIER);
      this.trials = trials;
      this.runs = trials.map(fresh);
      this.question = question;
      this.colours = colours(trials);
      this.colours.forEach((each, i) => this.form.style.setProperty(`--run${i}`, each));
      for (const select of this.all("select")) {
        const trial = trials[select.dataset.run];
        select.value = trial[select.name];
        if (["ghost_batch_size", "tested"].includes(select.name)) select.disabled = !shares(trial);
      }
      this.draw();
    }

    /** Train so many steps more; without a number, to the end. */
    go(steps = Infinity) {
      if (this.runs.every((run) => run.ended)) this.set(this.trials);
      this.running = steps === Infinity;
      for (const run of this.runs.filter(({ ended }) => !ended)) {
        if (run.worker) run.worker.postMessage({ steps });
        else this.begin(run, steps);
      }
      this.draw();
    }

    begin(run, steps) {
      try {
        run.worker = startWorker();
      } catch {
        return this.fail(run);
      }
      run.worker.onmessage = ({ data }) => this.hear(run, data);
      run.worker.onerror = () => this.fail(run);
      run.worker.postMessage({ begin: { data: globalThis.trainingData, settings: parameters(run.trial) }, steps });
    }

    pause() {
      this.running = false;
      for (const { worker } of this.runs) worker?.postMessage({ steps: 0 });
      this.draw();
    }

    /** End all workers, and give back what they hold. */
    stop() {
      this.running = false;
      for (const run of this.runs ?? []) this.end(run);
    }

    end(run) {
      run.worker?.terminate();
      run.worker = null;
      run.ended = true;
      this.running = this.runs.some(({ worker }) => worker) && this.running;
    }

    fail(run) {
      this.end(run);
      this.failed = true;
      this.draw();
    }

    hear(run, { epoch, loss, accuracy, wrong, shown, steps, batches, distributions, ended }) {
      if (epoch) {
        run.tests.push([epoch, loss, accuracy]);
        Object.assign(run, { wrong, shown });
        this.said = `After epoch ${epoch}: ${this.runs.filter(({ tests }) => tests.length).map(({ trial, tests }) => `${title(trial)}, test accuracy ${percent(tests.at(-1)[2], 1)}`).join("; ")}.`;
        this.say(this.said);
      }
      for (const [step, ...values] of steps ?? []) {
        run.batches = batches ?? run.batches;
        run.mean = [...values, 1].map((value, i) => SMOOTH * run.mean[i] + (1 - SMOOTH) * value);
        run.done = step;
        run.steps.push([step / run.batches, run.mean[0] / run.mean[2], run.mean[1] / run.mean[2]]);
      }
      if (distributions) run.distributions = distributions;
      if (ended) {
        this.end(run);
        if (this.found()) this.say(`${this.said} ${this.found()}`);
      }
      if (epoch || ended || !this.running || !this.calm.matches) this.drawSoon(); // else nothing moves between epochs
    }

    // What follows from it.

    /** What was found, once all runs have come to their end; else nothing. */
    found() {
      const complete = this.runs.every(({ tests, trial }) => tests.length === trial.epochs);
      const ends = () => this.runs.map(({ wrong, tests, distributions }) => ({ wrong, accuracy: tests.at(-1)[2], widths: distributions.map(([into]) => into.deviation) }));
      return complete ? (QUESTIONS[this.question]?.found ?? counted)(ends(), tested()) : "";
    }

    /** How far the slowest run is, while any trains. */
    progress() {
      const slow = this.runs.filter(({ worker }) => worker).sort((a, b) => a.done / a.batches - b.done / b.batches)[0];
      return slow ? `Training: epoch ${decimal(slow.done / slow.batches, 1)} of ${slow.trial.epochs} …` : "";
    }

    drawSoon() {
      this.timer ??= setTimeout(() => requestAnimationFrame(() => this.draw()), DRAWN);
    }

    draw() {
      clearTimeout(this.timer);
      this.timer = null;
      this.drawControls();
      this.drawNumbers();
      GRAPHS.forEach((_, i) => setTimeout(() => this.drawGraph(i))); // tasks of their own, so that none is long
      runs.forEach((i) => setTimeout(() => this.drawFlows(i), i * APART));
    }

    drawControls() {
      const begun = this.runs.some(({ worker }) => worker);
      this.find("[data-do=go]").textContent = this.running ? "Pause" : begun ? "Continue" : "Start";
      this.find("[data-do=step]").disabled = this.running || this.runs.every(({ ended }) => ended);
      this.find("[data-do=again]").disabled = this.runs.every(({ steps }) => !steps.length);
      this.find(".look").textContent = this.failed ? "No network can be trained here: this page may start no worker." : (QUESTIONS[this.question]?.look ?? "");
      this.find(".found").textContent = this.found() || this.progress();
      this.find(".past").hidden = !this.earlier.length;
      for (const button of this.all("[data-question]")) button.setAttribute("aria-pressed", button.dataset.question === this.question);
      this.all(".legend > span > span").forEach((place, i) => (place.textContent = title(this.trials[i])));
    }

    drawGraph(i) {
      const epochs = Math.max(...this.trials.map((trial) => trial.epochs));
      const all = [...this.earlier.map((run) => ({ ...run, pale: true })), ...this.runs.map((run, place) => ({ ...run, place }))];
      const { name, part, column, marks, scales, ...axes } = GRAPHS[i];
      const narrow = part === "tests" && this.runs.every(({ ended }) => ended); // at the end, so that no axis changes before
      const ticks = fitted(narrow ? scales : [scales[0]], this.runs.flatMap((run) => run[part].slice(-1).map((last) => last[column])));
      const lines = all.map((run) => ({ points: run[part].filter(([epoch]) => epoch <= epochs).map((point) => [point[0], point[column]]), colour: run.pale ? colour(run.trial) : this.colours[run.place], run: run.place, pale: run.pale, marks }));
      const place = this.all(".graph")[i];
      place.querySelector(".plot").innerHTML = graph({ lines, epochs, ticks, ...axes });
      const said = this.runs.filter((run) => run[part].length).map((run) => `${title(run.trial)} ${this.value(run[part].at(-1)[column], name)}`);
      place.setAttribute("aria-label", `${name} over ${epochs} epochs: ${said.join("; ") || "nothing yet"}`);
    }

    value(value, name) {
      if (!Number.isFinite(value)) return "not finite";
      return name.endsWith("accuracy") ? percent(value, 1) : decimal(value, 2);
    }

    drawNumbers() {
      const most = Math.max(...this.runs.map(({ wrong }) => wrong ?? 0), 1);
      for (const table of this.all(".came, .flows")) table.hidden = !this.runs.some(({ worker, steps }) => worker || steps.length);
      this.runs.forEach((run, i) => {
        const [trained, test] = [run.steps.at(-1), run.tests.at(-1)];
        const diverged = trained && !Number.isFinite(trained[1]);
        const cells = {
          state: diverged ? "diverged" : `${decimal(trained?.[0] ?? 0, 1)} of ${run.trial.epochs}`,
          training: trained ? percent(trained[2], 1) : "",
          test: test ? percent(test[2], 1) : "",
          wrong: test ? `${decimal(run.wrong)} of ${decimal(tested())}` : "",
        };
        for (const [row, text] of Object.entries(cells)) this.find(`[data-row=${row}]`).cells[i + 1].textContent = text;
        if (test) this.find("[data-row=wrong]").cells[i + 1].append(bar(run.wrong / most));
        const place = this.find(".wrongs").cells[i + 1];
        if (place.shown === run.shown) return;
        place.shown = run.shown;
        place.replaceChildren(...run.shown.map((each) => this.image(each)));
      });
    }

    image({ pixels, label, prediction }) {
      const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
      const image = new ImageData(SIDE, SIDE);
      pixels.forEach((pixel, i) => image.data.set([255 - pixel, 255 - pixel, 255 - pixel, 255], 4 * i));
      canvas.getContext("2d").putImageData(image, 0, 0);
      return element("span", { className: "mistake" }, canvas, `${label} → ${prediction}`);
    }

    drawFlows(i) {
      const body = this.find(".flows tbody");
      const layers = Math.max(...this.runs.map(({ distributions }) => distributions.length));
      while (body.rows.length > layers) body.deleteRow(-1);
      while (body.rows.length < layers) body.append(this.flow(body.rows.length));
      for (let layer = 0; layer < layers; layer++) {
        const cell = body.rows[layer].cells[i + 1];
        const found = this.runs[i].distributions[layer];
        cell.firstChild.hidden = !found;
        if (!found || cell.found === found) continue;
        cell.found = found;
        const told = found.slice(0, this.trials[i].norm_arg === "none" ? 1 : 2);
        cell.querySelector("path").setAttribute("d", outlines(told));
        cell.querySelector("small").textContent = `σ ${told.map(({ deviation }) => number(deviation, 2)).join(" → ")}`;
      }
    }

    flow(layer) {
      const cell = (i) => `<td class="run${i}"><div><svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><path/></svg><small></small></div></td>`;
      return element("tr", { innerHTML: `<th scope="row">layer ${layer + 1}</th>${runs.map(cell).join("")}` });
    }
  }

  customElements.define("network-trainer", NetworkTrainer);
})();
