// One Vega view, embedded once, with all that is to be seen at first. vegaEmbed is in scope: the
// bundle provides it.

const BESIDE_PLOT = 72;
const LEAST_WIDTH = 160;
const ERRORS = 1;
// Of each mark, Vega keeps so many items whose rows are gone; its own figure is 10,000.
const MOST_GONE = 100;
const MOMENTS = ["window_start", "window_end", "now"];

function colours(el) {
  const style = getComputedStyle(el);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: read("--jp-ui-font-color1", style.color),
    faint: read("--jp-border-color2", "rgba(128, 128, 128, 0.35)"),
  };
}

function withValues(parts, known, key) {
  return parts.map((part) => (part.name in known ? { ...part, [key]: known[part.name] } : part));
}

// An element has no width before it is on the page.
function shown(el) {
  return new Promise((done) => {
    const sizes = new ResizeObserver(() => {
      if (el.clientWidth === 0) return;
      sizes.disconnect();
      done();
    });
    sizes.observe(el);
  });
}

async function charts(model, el) {
  const plot = element("div", "plot", el);
  await shown(plot);
  const width = () => Math.max(LEAST_WIDTH, plot.clientWidth - BESIDE_PLOT);
  const signals = () => ({ ...model.get("live").signals, ...colours(el) });
  const steps = { throughput: holder(), delay: holder() };
  const taken = {};
  let seen = signals();
  let drawn = seen;

  function rows(name) {
    taken[name] = model.get(name);
    return name in steps ? unpacked(taken[name]) : unpackedStates(taken[name]);
  }

  const { signals: parameters, data, ...spec } = structuredClone(model.get("spec"));
  const first = {
    throughput: steps.throughput(rows("throughput")).fresh,
    delay: steps.delay(rows("delay")).fresh,
    states: rows("states"),
  };
  const whole = {
    ...spec,
    background: null,
    padding: { left: 0, right: 16, top: 6, bottom: 4 },
    width: width(),
    signals: withValues(parameters, drawn, "value"),
    data: withValues(data, first, "values"),
  };
  const { view, finalize } = await vegaEmbed(plot, whole, {
    actions: false,
    ast: false,
    logLevel: ERRORS,
    mode: "vega",
    renderer: "canvas",
    tooltip: { theme: "livestream" },
  });
  view.cleanThreshold = MOST_GONE;

  function take(name) {
    const wanted = rows(name);
    const { gone, fresh } = steps[name]?.(wanted) ?? { gone: () => true, fresh: wanted };
    view.change(name, view.changeset().remove(gone).insert(fresh));
  }

  // Time alone moves the charts by less than can be seen, but for the last that it does.
  function hasMoved(next) {
    const names = Object.keys(next).filter((name) => next[name] !== drawn[name]);
    if (names.some((name) => !MOMENTS.includes(name))) return true;
    const pixels = view.width() / (next.window_end - next.window_start);
    const far = names.some((name) => Math.abs(next[name] - drawn[name]) * pixels >= 1);
    return far || (names.length > 0 && MOMENTS.every((name) => next[name] === seen[name]));
  }

  function draw() {
    const news = Object.keys(taken).filter((name) => taken[name] !== model.get(name));
    const next = signals();
    const moved = hasMoved(next);
    seen = next;
    if (news.length === 0 && !moved) return;
    news.forEach(take);
    for (const [name, value] of Object.entries(next)) view.signal(name, value);
    drawn = next;
    view.runAsync();
  }

  function fit() {
    if (plot.clientWidth === 0 || view.width() === width()) return;
    view.width(width()).resize().runAsync();
  }

  function describe(told) {
    if (plot.getAttribute("aria-label") !== told) plot.setAttribute("aria-label", told);
  }

  plot.setAttribute("role", "img");
  return { draw, fit, describe, finalize };
}
