// The live view: shows what the model holds, ticks between updates, and tells when they cease.

const STALE_AFTER = 12_000;
const TICK = 200;
const STALE =
  "No update from the kernel for 12 s or more: what stands here is stale. " +
  "Run the cell again if the kernel was restarted.";
const RESTING = "This view is at rest: a newer reader of this stream has a view of its own.";

async function render({ model, el }) {
  el.classList.add("livestream");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", model.get("name"));
  const act = (message) => model.send(message);
  const stale = element("div", "stale", el);
  stale.setAttribute("role", "status");
  const head = header(el, act);
  const showSpans = spanChooser(el, act);
  const chart = await charts(model, el);
  const below = element("section", "tops", el);
  const showColumns = columnChooser(below, act);
  const showTop = topValues(below);
  let heard = performance.now();

  const silent = () => performance.now() - heard;
  const now = () => model.get("live").at + silent() * model.get("live").rate;

  function showHead() {
    head.show(model.get("head"));
    chart.describe(model.get("head").told);
  }

  function showChoices() {
    showSpans(model.get("choices"));
    showColumns(model.get("choices"));
  }

  function hear() {
    heard = performance.now();
    tick();
    chart.draw();
  }

  function tick() {
    const { resting, at } = model.get("live");
    const gone = !resting && silent() >= STALE_AFTER;
    el.classList.toggle("livestream-is-stale", gone);
    stale.hidden = !gone && !resting;
    say(stale, resting ? RESTING : gone ? STALE : "");
    if (!gone) head.tick(resting ? at : now());
    for (const control of el.querySelectorAll("input, select")) control.disabled = resting;
    head.rest(resting);
  }

  const listeners = {
    "change:head": showHead,
    "change:choices": showChoices,
    "change:top": () => showTop(model.get("top")),
    "change:live": hear,
  };
  showHead();
  showChoices();
  showTop(model.get("top"));
  tick();
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  const clock = setInterval(tick, TICK);
  const sizes = new ResizeObserver(chart.fit);
  sizes.observe(el);
  const themes = new MutationObserver(chart.draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });

  return () => {
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
    clearInterval(clock);
    sizes.disconnect();
    themes.disconnect();
    chart.finalize();
  };
}

export default { render };
