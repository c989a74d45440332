// One Vega view, embedded once. vegaEmbed is in scope: the bundle provides it.

const BESIDE_PLOT = 72;
const LEAST_WIDTH = 160;
const ERRORS = 1;

function colours(el) {
  const style = getComputedStyle(el);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: read("--jp-ui-font-color1", style.color),
    faint: read("--jp-border-color2", "rgba(128, 128, 128, 0.35)"),
  };
}

async function charts(model, el) {
  const plot = element("div", "plot", el);
  const width = () => Math.max(LEAST_WIDTH, plot.clientWidth - BESIDE_PLOT);
  const spec = structuredClone(model.get("spec"));
  for (const panel of spec.vconcat) panel.width = width();
  spec.background = null;
  spec.padding = { left: 0, right: 16, top: 6, bottom: 4 };
  spec.datasets = {
    ...spec.datasets,
    throughput: unpacked(model.get("throughput")),
    delay: unpacked(model.get("delay")),
    states: unpackedStates(model.get("states")),
  };
  const { view, finalize } = await vegaEmbed(plot, spec, {
    actions: false,
    ast: false,
    logLevel: ERRORS,
    mode: "vega-lite",
    renderer: "canvas",
    tooltip: { theme: "livestream" },
  });
  const takers = {
    throughput: [holder(view, "throughput"), unpacked],
    delay: [holder(view, "delay"), unpacked],
    states: [
      (rows) => view.change("states", view.changeset().remove(() => true).insert(rows)),
      unpackedStates,
    ],
  };
  const taken = {};

  function draw() {
    const live = model.get("live");
    for (const [name, [take, read]] of Object.entries(takers)) {
      const value = model.get(name);
      if (taken[name] !== value) take(read(value));
      taken[name] = value;
    }
    const { ink, faint } = colours(el);
    for (const [name, value] of Object.entries({ ...live.signals, ink, faint })) {
      view.signal(name, value);
    }
    return view.runAsync();
  }

  function fit() {
    if (plot.clientWidth === 0 || view.width() === width()) return;
    view.width(width()).resize().runAsync();
  }

  function describe(told) {
    if (plot.getAttribute("aria-label") !== told) plot.setAttribute("aria-label", told);
  }

  plot.setAttribute("role", "img");
  view.resize();
  await draw();
  return { draw, fit, describe, finalize };
}
