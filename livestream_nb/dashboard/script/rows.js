// Columns of bytes become rows; of the rows held and wanted only the difference goes to Vega.

const TYPES = {
  time: Uint32Array,
  until: Uint32Array,
  base: Float32Array,
  top: Float32Array,
  connection: Uint8Array,
  median: Float32Array,
  p95: Float32Array,
  run: Uint16Array,
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

const same = (a, b) => Object.keys(b).every((name) => a[name] === b[name]);

// Holds rows: of those that are wanted now it tells which are fresh, and which of the held are gone.
// Runs are counted anew with each update; here each keeps its number, so that its rows stay as they
// are.
function holder() {
  let held = new Map();
  let runs = 0;

  function settle(wanted) {
    const known = new Map();
    const used = new Set();
    for (const row of wanted) {
      const old = held.get(keyOf(row));
      if (old === undefined || known.has(row.run) || used.has(old.run)) continue;
      known.set(row.run, old.run);
      used.add(old.run);
    }
    for (const row of wanted) {
      if (!known.has(row.run)) known.set(row.run, (runs += 1));
      row.run = known.get(row.run);
    }
  }

  return function take(wanted) {
    settle(wanted);
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
