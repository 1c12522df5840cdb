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

const NO_SLOTS = new Int32Array(0);

/** A class, and the map made late: there are two of these for every workload of the cluster, and in most nothing is ever leaving. */
class Counts implements SlotCounts {
  #sparse: Map<number, number> | undefined;
  #dense = NO_SLOTS;
  #used = 0;

  get size(): number {
    return this.#used;
  }

  #isDense(): boolean {
    return this.#dense !== NO_SLOTS;
  }

  #densify(length: number): void {
    const wider = new Int32Array(length);
    wider.set(this.#dense);
    if (this.#sparse) for (const [slot, count] of this.#sparse) wider[slot] = count;
    this.#sparse = undefined;
    this.#dense = wider;
  }

  add(slot: number, by: number): void {
    if (!this.#isDense()) {
      const sparse = (this.#sparse ??= new Map());
      const count = (sparse.get(slot) ?? 0) + by;
      if (count === 0) sparse.delete(slot);
      else sparse.set(slot, count);
      this.#used = sparse.size;
      if (this.#used >= DENSE_FROM) this.#densify(Math.max(...sparse.keys()) + 1);
      return;
    }
    if (slot >= this.#dense.length) this.#densify(slot * 2);
    const before = this.#dense[slot] ?? 0;
    this.#dense[slot] = before + by;
    if (before === 0) this.#used++;
    else if (before + by === 0) this.#used--;
  }

  get(slot: number): number {
    return (this.#isDense() ? this.#dense[slot] : this.#sparse?.get(slot)) ?? 0;
  }

  forEach(visit: (slot: number, count: number) => void): void {
    if (this.#isDense()) {
      const dense = this.#dense;
      for (let slot = 0; slot < dense.length; slot++) if (dense[slot]) visit(slot, dense[slot] ?? 0);
    } else if (this.#sparse) for (const [slot, count] of this.#sparse) visit(slot, count);
  }

  borrow(length: number): Int32Array {
    if (this.#isDense()) {
      if (this.#dense.length < length) this.#densify(length);
      return this.#dense;
    }
    if (scratch.length < length) scratch = new Int32Array(length);
    if (this.#sparse) for (const [slot, count] of this.#sparse) scratch[slot] = count;
    return scratch;
  }

  done(): void {
    if (this.#sparse) for (const slot of this.#sparse.keys()) scratch[slot] = 0;
  }
}

export function createSlotCounts(): SlotCounts {
  return new Counts();
}
