// The scripts come packed, and are unpacked once for all views of a page.

const known = (globalThis.livestreamScripts ??= new Map());

async function unpacked(packed) {
  const text = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const file = new Blob([await new Response(text).arrayBuffer()], { type: "text/javascript" });
  const address = URL.createObjectURL(file);
  const { default: scripts } = await import(address);
  URL.revokeObjectURL(address);
  return scripts;
}

function scripts(model) {
  const name = model.get("scripts_name");
  if (!known.has(name)) known.set(name, unpacked(model.get("scripts")));
  return known.get(name);
}

export default {
  initialize({ model }) {
    scripts(model);
  },
  async render(context) {
    return (await scripts(context.model)).render(context);
  },
};
