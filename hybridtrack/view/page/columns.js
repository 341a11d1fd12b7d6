// Blocks of columns, as hybridtrack/view/columns.py packs them, and columns that grow.

const TYPES = { f8: Float64Array, i4: Int32Array, u1: Uint8Array };

export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const columns = {};
  let start = 4 + length;
  for (const [name, code, count] of said.columns) {
    const kind = TYPES[code];
    columns[name] = new kind(buffer, start, count);
    start += Math.ceil((count * kind.BYTES_PER_ELEMENT) / 8) * 8;
  }
  return { said, columns };
}

/** A typed array that grows; `values` has room beyond `length`. */
export class Column {
  constructor(kind) {
    this.values = new kind(64);
    this.length = 0;
  }

  append(more) {
    const length = this.length + more.length;
    if (length > this.values.length) {
      const room = new this.values.constructor(Math.max(length, this.values.length * 2));
      room.set(this.values.subarray(0, this.length));
      this.values = room;
    }
    this.values.set(more, this.length);
    this.length = length;
  }

  truncate(length) {
    this.length = Math.min(this.length, length);
  }

  at(index) {
    return this.values[index < 0 ? this.length + index : index];
  }
}

/** The first index in `0..length` at which `isBeyond` is true; it must be false before and true after. */
export function firstWhere(length, isBeyond) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
