// The state as word, shape and colour; the moment, ticking; figures; the reason; Start and Stop.

const ASK_AGAIN = 3_000;

function header(el, act) {
  const top = element("div", "top", el);
  const badge = element("div", "badge", top);
  const sign = shape("", badge);
  const word = element("span", "", badge);
  const moment = element("div", "moment", top);
  const bar = element("div", "wait", top);
  const over = element("div", "", bar);
  const buttons = element("div", "buttons", top);
  const start = button("Start", buttons, () => ask("start"));
  const stop = button("Stop", buttons, () => ask("stop"));
  const figures = element("dl", "figures", el);
  const reason = element("p", "reason", el);
  const spoken = element("div", "spoken", el);
  spoken.setAttribute("role", "status");
  const values = new Map();
  let head = null;
  let asked = null;

  // What was asked for is shown as such, and asked again, until it has happened: a busy kernel
  // answers late, and one that is interrupted may drop what waits for it.
  function ask(what) {
    asked = { what, reason: head.reason, since: performance.now() };
    act({ do: what });
    label();
  }

  function askAgain() {
    if (asked === null || performance.now() - asked.since < ASK_AGAIN) return;
    asked.since = performance.now();
    act({ do: asked.what });
  }

  function label() {
    const done = asked !== null && (asked.what === "stop") === head.ended;
    if (asked !== null && (done || asked.reason !== head.reason)) asked = null;
    say(start, asked?.what === "start" ? "Starting…" : "Start");
    say(stop, asked?.what === "stop" ? "Stopping…" : "Stop");
  }

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
    label();
    start.setAttribute("aria-disabled", String(!head.ended));
    stop.setAttribute("aria-disabled", String(head.ended));
  }

  function tick(now) {
    askAgain();
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

  function rest(resting) {
    buttons.hidden = resting;
  }

  return { show, tick, rest };
}
