// One Vega view, embedded once; every update inserts and removes only the rows that changed.
// vegaEmbed is in scope: the bundle provides it.

const STALE_AFTER = 12_000;
const BESIDE_PLOT = 76;
const ERRORS = 1;
const COLUMNS = {
  time: Uint32Array,
  until: Uint32Array,
  base: Float32Array,
  top: Float32Array,
  connection: Uint8Array,
  run: Uint16Array,
};

function numbers(bytes, Type) {
  const { buffer, byteOffset, byteLength } = bytes;
  return new Type(buffer.slice(byteOffset, byteOffset + byteLength));
}

function throughputRows(live) {
  const columns = {};
  for (const [name, Type] of Object.entries(COLUMNS)) {
    columns[name] = numbers(live[name], Type);
  }
  return Array.from(columns.time, (time, i) => ({
    time: live.origin + time,
    until: live.origin + columns.until[i],
    base: columns.base[i],
    top: columns.top[i],
    connection: columns.connection[i],
    run: columns.run[i],
  }));
}

const keyOf = (row) => `${row.connection}:${row.time}`;

const same = (a, b) => Object.keys(COLUMNS).every((name) => a[name] === b[name]);

// Returns the change that turns the rows held into the rows wanted, and the rows then held.
function difference(view, held, wanted) {
  const next = new Map();
  const fresh = [];
  for (const row of wanted) {
    const key = keyOf(row);
    const old = held.get(key);
    const kept = old !== undefined && same(old, row) ? old : row;
    if (kept === row) fresh.push(row);
    next.set(key, kept);
  }
  const gone = [...held].filter(([key, row]) => next.get(key) !== row).map(([, row]) => row);
  return { change: view.changeset().remove(gone).insert(fresh), next };
}

function colours(el) {
  const style = getComputedStyle(el);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: read("--jp-ui-font-color1", style.color),
    faint: read("--jp-border-color2", "rgba(128, 128, 128, 0.35)"),
  };
}

function element(name, parent) {
  const made = document.createElement("div");
  made.className = name;
  parent.append(made);
  return made;
}

const plotWidth = (el) => Math.max(180, el.clientWidth - BESIDE_PLOT);

async function embed(model, el, plot) {
  const spec = structuredClone(model.get("spec"));
  for (const panel of spec.vconcat) panel.width = plotWidth(el);
  spec.background = null;
  spec.padding = { left: 0, right: 20, top: 10, bottom: 6 };
  spec.datasets = {
    ...spec.datasets,
    throughput: throughputRows(model.get("live")),
    states: model.get("states"),
  };
  const options = {
    actions: false,
    logLevel: ERRORS,
    mode: "vega-lite",
    renderer: "canvas",
    tooltip: { theme: "livestream" },
  };
  return vegaEmbed(plot, spec, options);
}

async function render({ model, el }) {
  el.classList.add("livestream-charts");
  const stale = element("livestream-stale", el);
  stale.setAttribute("role", "status");
  stale.hidden = true;
  const plot = element("livestream-plot", el);
  const { view, finalize } = await embed(model, el, plot);
  let held = null;
  let states = null;
  let heard = Date.now();

  function takeRows() {
    const wanted = throughputRows(model.get("live"));
    if (held === null) {
      view.change("throughput", view.changeset().remove(() => true).insert(wanted));
      held = new Map(wanted.map((row) => [keyOf(row), row]));
      return;
    }
    const { change, next } = difference(view, held, wanted);
    view.change("throughput", change);
    held = next;
  }

  function takeStates() {
    if (model.get("states") === states) return;
    states = model.get("states");
    const rows = states.map((row) => ({ ...row }));
    view.change("states", view.changeset().remove(() => true).insert(rows));
  }

  function draw() {
    const { start, end, note, ceiling } = model.get("live");
    const { ink, faint } = colours(el);
    takeRows();
    takeStates();
    view.signal("window_start", start).signal("window_end", end).signal("note", note);
    view.signal("ceiling", ceiling).signal("ink", ink).signal("faint", faint);
    return view.runAsync();
  }

  function hear() {
    heard = Date.now();
    stale.hidden = true;
    draw();
  }

  function listen() {
    const silent = Date.now() - heard;
    stale.hidden = silent < STALE_AFTER;
    stale.textContent = stale.hidden
      ? ""
      : `No update from the kernel for ${Math.round(silent / 1000)} s: this view is stale. ` +
        "Run the cell again if the kernel was restarted.";
  }

  function fit() {
    if (el.clientWidth === 0 || view.width() === plotWidth(el)) return;
    view.width(plotWidth(el)).resize().runAsync();
  }

  model.on("change:live", hear);
  const clock = setInterval(listen, 1_000);
  const sizes = new ResizeObserver(fit);
  sizes.observe(el);
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
  view.resize();
  await draw();

  return () => {
    model.off("change:live", hear);
    clearInterval(clock);
    sizes.disconnect();
    themes.disconnect();
    finalize();
  };
}

export default { render };
