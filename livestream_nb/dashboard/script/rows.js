// Columns of bytes become rows; of the rows held and wanted only the difference goes to Vega.

const TYPES = {
  time: Uint32Array,
  until: Uint32Array,
  base: Float32Array,
  top: Float32Array,
  connection: Uint8Array,
  median: Float32Array,
  p95: Float32Array,
};

function numbers(bytes, Type) {
  const { buffer, byteOffset, byteLength } = bytes;
  return new Type(buffer.slice(byteOffset, byteOffset + byteLength));
}

function unpacked({ origin, ...columns }) {
  const read = Object.entries(columns).map(([name, bytes]) => [name, numbers(bytes, TYPES[name])]);
  const { time } = Object.fromEntries(read);
  return Array.from(time, (_, i) => {
    const row = {};
    for (const [name, values] of read) row[name] = values[i];
    row.time += origin;
    row.until += origin;
    return row;
  });
}

function unpackedStates({ sentences, names, rows }) {
  return rows.map((values) => {
    const row = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    return { ...row, sentence: sentences[row.sentence] };
  });
}

const keyOf = (row) => `${row.connection ?? 0}:${row.time}:${row.until}`;

const same = (a, b) => Object.keys(b).every((name) => Object.is(a[name], b[name]));

// Holds rows: of those that are wanted now it tells which are fresh, and which of the held are gone.
function holder() {
  let held = new Map();

  return function take(wanted) {
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
    held = next;
    return { gone, fresh };
  };
}
