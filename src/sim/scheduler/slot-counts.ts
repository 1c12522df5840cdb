/** How many pods of a kind stand on each node: a small map while they are few, an array once they are many. */
export interface SlotCounts {
  add(slot: number, by: number): void;
  get(slot: number): number;
  /** Nodes with at least one. */
  readonly size: number;
  forEach(visit: (slot: number, count: number) => void): void;
  /**
   * The counts by slot, as an array of at least `length`. Borrowed: `done` ends the loan, before anybody else asks.
   */
  borrow(length: number): Int32Array;
  done(): void;
}

const DENSE_FROM = 512;
// One array serves all sparse counts: between borrow and done it holds one of them, then it is all zeros again.
let scratch = new Int32Array(0);

export function createSlotCounts(): SlotCounts {
  let sparse: Map<number, number> | undefined = new Map();
  let dense = new Int32Array(0);
  let used = 0;

  function densify(length: number): void {
    const wider = new Int32Array(length);
    wider.set(dense);
    if (sparse) for (const [slot, count] of sparse) wider[slot] = count;
    sparse = undefined;
    dense = wider;
  }

  return {
    add(slot, by) {
      if (sparse) {
        const count = (sparse.get(slot) ?? 0) + by;
        if (count === 0) sparse.delete(slot);
        else sparse.set(slot, count);
        used = sparse.size;
        if (used >= DENSE_FROM) densify(Math.max(...sparse.keys()) + 1);
        return;
      }
      if (slot >= dense.length) densify(slot * 2);
      const before = dense[slot] ?? 0;
      dense[slot] = before + by;
      if (before === 0) used++;
      else if (before + by === 0) used--;
    },
    get: (slot) => (sparse ? sparse.get(slot) : dense[slot]) ?? 0,
    get size() {
      return used;
    },
    forEach(visit) {
      if (sparse) for (const [slot, count] of sparse) visit(slot, count);
      else for (let slot = 0; slot < dense.length; slot++) if (dense[slot]) visit(slot, dense[slot] ?? 0);
    },
    borrow(length) {
      if (!sparse) {
        if (dense.length < length) densify(length);
        return dense;
      }
      if (scratch.length < length) scratch = new Int32Array(length);
      for (const [slot, count] of sparse) scratch[slot] = count;
      return scratch;
    },
    done() {
      if (sparse) for (const slot of sparse.keys()) scratch[slot] = 0;
    },
  };
}
