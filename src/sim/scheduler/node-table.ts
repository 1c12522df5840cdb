/**
 * The scheduler's nodes as rows of numbers: one slot a node, because a decision visits up to every node and may not
 * allocate for any of them. A slot also stands for a node that is gone (or not there yet) while pods name it, as upstream's cache does.
 */
import type { Labels, Node, Quantities, Taint } from '../kubernetes.ts';
import { milliOf, unitsOf } from '../quantity.ts';

/** Which slots share a value of one label. */
export interface Domains {
  readonly key: string;
  /** Domain of each slot; -1 where the label is missing. */
  readonly of: Int32Array;
  /** Values by domain; a domain stays when its last node goes. */
  readonly values: readonly string[];
}

export interface NodeTable {
  /** Slots ever used: those at and above are empty. */
  readonly size: number;
  /** Nodes there are: what "0/N nodes are available" counts. */
  readonly count: number;
  readonly names: readonly string[];
  readonly nodes: readonly (Node | undefined)[];
  /** Changes whenever a slot's labels, taints, name or unschedulable change; never the same twice. */
  readonly stamps: Int32Array;
  /** Capacity and use of every slot; another array after the table has grown. */
  readonly rows: Float64Array;
  /** Changes whenever a slot's row or scalars change; by `charged` where others change them. */
  readonly uses: Int32Array;
  charged(slot: number): void;
  readonly scalars: Scalars;
  /** Grows with every node added or removed and every change of labels. */
  readonly labelsVersion: number;
  /** The same for taints and unschedulable. */
  readonly taintsVersion: number;
  slotOf(name: string): number | undefined;
  /** The slot of that name, made when there is none; one that is not used ends with `release`. */
  reserve(name: string): number;
  /** Gives an unused slot back: without a node and, by the caller's word, without pods. */
  release(slot: number): void;
  setNode(node: Node): number;
  removeNode(name: string): number | undefined;
  domains(key: string): Domains;
  /** Slots in the order of search: one node of each zone in turn (pkg/scheduler/backend/cache/node_tree.go). */
  order(): Int32Array;
  readonly capacity: number;
}

/** What the numbers of a row are: CPU in millicores, the rest in bytes or units. */
export const CPU = 0;
export const MEMORY = 1;
export const STORAGE = 2;
export const PODS = 3;
export const USED_CPU = 4;
export const USED_MEMORY = 5;
export const USED_STORAGE = 6;
export const USED_PODS = 7;
/** Requests of the pods there with the least that a container counts for; what LeastAllocated goes by. */
export const SCORED_CPU = 8;
export const SCORED_MEMORY = 9;
/** Numbers a row: the row of a slot begins at slot * ROW. */
export const ROW = 10;

/** Extended resources; rare, so not in rows. By slot. */
export interface Scalars {
  readonly all: (ReadonlyMap<string, number> | undefined)[];
  readonly used: (Map<string, number> | undefined)[];
}

const ORDINARY = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);
const NONE: Labels = {};

function zoneKey({ metadata: { labels = NONE } }: Node): string {
  const zone = labels['failure-domain.beta.kubernetes.io/zone'] ?? labels['topology.kubernetes.io/zone'] ?? '';
  const region = labels['failure-domain.beta.kubernetes.io/region'] ?? labels['topology.kubernetes.io/region'] ?? '';
  return zone === '' && region === '' ? '' : `${region}:\0:${zone}`;
}

const sameTaints = (a: readonly Taint[] = [], b: readonly Taint[] = []) =>
  a === b ||
  (a.length === b.length &&
    a.every(
      (taint, i) => taint.key === b[i]?.key && taint.effect === b[i]?.effect && (taint.value ?? '') === (b[i]?.value ?? ''),
    ));

export function sameLabels(a: Labels = NONE, b: Labels = NONE): boolean {
  if (a === b) return true;
  for (const key in a) if (a[key] !== b[key]) return false;
  for (const key in b) if (!(key in a)) return false;
  return true;
}

/** What of two states of a node the scheduler sees; all false when only its heartbeat changed. */
export function nodeChange(
  before: Node,
  after: Node,
): { readonly labels: boolean; readonly taints: boolean; readonly capacity: boolean } {
  return {
    labels: !sameLabels(before.metadata.labels, after.metadata.labels),
    taints:
      (before.spec.unschedulable ?? false) !== (after.spec.unschedulable ?? false) ||
      !sameTaints(before.spec.taints, after.spec.taints),
    capacity: before.status?.allocatable !== after.status?.allocatable,
  };
}

function scalarsOf(allocatable: Quantities): ReadonlyMap<string, number> | undefined {
  let scalars: Map<string, number> | undefined;
  for (const name in allocatable) {
    if (ORDINARY.has(name)) continue;
    scalars ??= new Map();
    scalars.set(name, unitsOf(allocatable[name]));
  }
  return scalars;
}

interface KeyedDomains {
  readonly key: string;
  of: Int32Array;
  readonly values: string[];
  readonly ids: Map<string, number>;
}

export function createNodeTable(): NodeTable {
  const slots = new Map<string, number>();
  const free: number[] = [];
  const names: string[] = [];
  const nodes: (Node | undefined)[] = [];
  const zones = new Map<string, number[]>();
  const keyed = new Map<string, KeyedDomains>();
  let capacity = 64;
  let stamps = new Int32Array(capacity);
  let stamp = 0;
  let uses = new Int32Array(capacity);
  let use = 0;
  let labelsVersion = 0;
  let taintsVersion = 0;
  let count = 0;
  let ordered: Int32Array | undefined;
  let rows = new Float64Array(capacity * ROW);
  const scalars: Scalars = { all: [], used: [] };

  function widened<A extends Float64Array | Int32Array>(from: A, to: A): A {
    to.set(from);
    return to;
  }

  function grow(): void {
    capacity *= 2;
    rows = widened(rows, new Float64Array(capacity * ROW));
    stamps = widened(stamps, new Int32Array(capacity));
    uses = widened(uses, new Int32Array(capacity));
    for (const domains of keyed.values()) domains.of = widened(domains.of, new Int32Array(capacity).fill(-1));
  }

  function reserve(name: string): number {
    const known = slots.get(name);
    if (known !== undefined) return known;
    const slot = free.pop() ?? names.length;
    if (slot >= capacity) grow();
    slots.set(name, slot);
    names[slot] = name;
    nodes[slot] = undefined;
    rows.fill(0, slot * ROW, (slot + 1) * ROW);
    scalars.all[slot] = undefined;
    scalars.used[slot] = undefined;
    stamps[slot] = ++stamp;
    uses[slot] = ++use;
    return slot;
  }

  function domainOf({ key, values, ids }: KeyedDomains, labels: Labels | undefined): number {
    const value = labels?.[key];
    if (value === undefined) return -1;
    let id = ids.get(value);
    if (id === undefined) ids.set(value, (id = values.push(value) - 1));
    return id;
  }

  function place(slot: number, labels: Labels | undefined): void {
    for (const domains of keyed.values()) domains.of[slot] = domainOf(domains, labels);
  }

  function takeOutOfZone(slot: number, node: Node): void {
    const key = zoneKey(node);
    const inZone = zones.get(key)?.filter((other) => other !== slot) ?? [];
    if (inZone.length > 0) zones.set(key, inZone);
    else zones.delete(key);
    ordered = undefined;
  }

  function putIntoZone(slot: number, node: Node): void {
    const key = zoneKey(node);
    const inZone = zones.get(key);
    if (inZone) inZone.push(slot);
    else zones.set(key, [slot]);
    ordered = undefined;
  }

  function interleave(): Int32Array {
    const list = new Int32Array(count);
    const lanes = [...zones.values()];
    let filled = 0;
    for (let row = 0; filled < count; row++) {
      for (const lane of lanes) {
        const slot = lane[row];
        if (slot !== undefined) list[filled++] = slot;
      }
    }
    return list;
  }

  return {
    scalars,
    charged(slot) {
      uses[slot] = ++use;
    },
    get uses() {
      return uses;
    },
    get rows() {
      return rows;
    },
    names,
    nodes,
    get size() {
      return names.length;
    },
    get count() {
      return count;
    },
    get stamps() {
      return stamps;
    },
    get capacity() {
      return capacity;
    },
    get labelsVersion() {
      return labelsVersion;
    },
    get taintsVersion() {
      return taintsVersion;
    },
    slotOf: (name) => slots.get(name),
    reserve,
    release(slot) {
      const name = names[slot];
      if (name === undefined || nodes[slot] || slots.get(name) !== slot) return;
      slots.delete(name);
      stamps[slot] = ++stamp;
      free.push(slot);
    },
    setNode(node) {
      const slot = reserve(node.metadata.name);
      const before = nodes[slot];
      const change = before ? nodeChange(before, node) : { labels: true, taints: true, capacity: true };
      nodes[slot] = node;
      if (change.capacity) {
        const allocatable = node.status?.allocatable ?? {};
        const row = slot * ROW;
        rows[row + CPU] = milliOf(allocatable['cpu']);
        rows[row + MEMORY] = unitsOf(allocatable['memory']);
        rows[row + STORAGE] = unitsOf(allocatable['ephemeral-storage']);
        rows[row + PODS] = unitsOf(allocatable['pods']);
        scalars.all[slot] = scalarsOf(allocatable);
        uses[slot] = ++use;
      }
      if (!before) {
        count++;
        putIntoZone(slot, node);
      } else if (zoneKey(before) !== zoneKey(node)) {
        takeOutOfZone(slot, before);
        putIntoZone(slot, node);
      }
      if (change.labels) {
        labelsVersion++;
        place(slot, node.metadata.labels);
      }
      if (change.taints) taintsVersion++;
      if (change.labels || change.taints) stamps[slot] = ++stamp;
      return slot;
    },
    removeNode(name) {
      const slot = slots.get(name);
      const node = slot === undefined ? undefined : nodes[slot];
      if (slot === undefined || !node) return undefined;
      nodes[slot] = undefined;
      count--;
      takeOutOfZone(slot, node);
      place(slot, undefined);
      rows.fill(0, slot * ROW, slot * ROW + USED_CPU);
      scalars.all[slot] = undefined;
      uses[slot] = ++use;
      labelsVersion++;
      taintsVersion++;
      stamps[slot] = ++stamp;
      return slot;
    },
    domains(key) {
      let domains = keyed.get(key);
      if (!domains) {
        domains = { key, of: new Int32Array(capacity).fill(-1), values: [], ids: new Map() };
        keyed.set(key, domains);
        for (const [slot, node] of nodes.entries()) domains.of[slot] = domainOf(domains, node?.metadata.labels);
      }
      return domains;
    },
    order() {
      ordered ??= interleave();
      return ordered;
    },
  };
}
