// The state as word, shape and colour; the moment, ticking; figures; the reason; Start and Stop.

function header(el, act) {
  const top = element("div", "top", el);
  const badge = element("div", "badge", top);
  const sign = shape("", badge);
  const word = element("span", "", badge);
  const moment = element("div", "moment", top);
  const bar = element("div", "wait", top);
  const over = element("div", "", bar);
  const buttons = element("div", "buttons", top);
  const start = button("Start", buttons, () => act({ do: "start" }));
  const stop = button("Stop", buttons, () => act({ do: "stop" }));
  const figures = element("dl", "figures", el);
  const reason = element("p", "reason", el);
  const spoken = element("div", "spoken", el);
  spoken.setAttribute("role", "status");
  const values = new Map();
  let head = null;

  function figure(name) {
    if (!values.has(name)) {
      const tile = element("div", "", figures);
      element("dt", "", tile, name);
      values.set(name, element("dd", "", tile));
    }
    return values.get(name);
  }

  function show(next) {
    if (head === null || head.change !== next.change || head.state !== next.state) {
      say(spoken, `${next.state}. ${next.reason}`);
    }
    head = next;
    say(word, head.state);
    sign.setAttribute("d", head.path);
    badge.style.setProperty("--livestream-state", head.colour);
    bar.style.setProperty("--livestream-state", head.colour);
    say(reason, head.reason);
    for (const [name, value] of head.figures) say(figure(name), value);
    start.setAttribute("aria-disabled", String(!head.ended));
    stop.setAttribute("aria-disabled", String(head.ended));
  }

  function tick(now) {
    const parts = head.moments.map(({ text, at, ahead }) => {
      if (at === null) return text;
      return text.replace("{}", duration((ahead ? at - now : now - at) / 1000));
    });
    say(moment, parts.join(" · "));
    bar.hidden = head.wait === null;
    if (head.wait === null) return;
    const share = (now - head.wait.since) / (head.wait.until - head.wait.since);
    over.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  }

  return { show, tick };
}
