/**
 * Room and resource score of every node for one size of pod, remembered a node until its use changes: pods come in few sizes, and one that
 * lands changes one node, so that nearly all of a decision's divisions have been done before.
 */
import {
  CPU,
  MEMORY,
  type NodeTable,
  PODS,
  ROW,
  type Scalars,
  SCORED_CPU,
  SCORED_MEMORY,
  STORAGE,
  USED_CPU,
  USED_MEMORY,
  USED_PODS,
  USED_STORAGE,
} from './node-table.ts';
import type { Requests } from './requests.ts';

export interface ResourceFit {
  /** By slot: -1 when the pod does not fit, else the score. Only right while `uses` agrees with the table: else `refresh` first. */
  scores: Int16Array;
  uses: Int32Array;
  refresh(slot: number): void;
  /** Makes the arrays as long as the table. */
  fit(): void;
}

/** True when the node has room for the pod (plugins/noderesources/fit.go). */
export function hasRoom(requests: Requests, rows: Float64Array, extended: Scalars, slot: number): boolean {
  const { cpu, memory, storage, scalars } = requests;
  const row = slot * ROW;
  const free = (all: number, used: number) => (rows[row + all] ?? 0) - (rows[row + used] ?? 0);
  if (free(PODS, USED_PODS) < 1) return false;
  if (cpu > 0 && cpu > free(CPU, USED_CPU)) return false;
  if (memory > 0 && memory > free(MEMORY, USED_MEMORY)) return false;
  if (storage > 0 && storage > free(STORAGE, USED_STORAGE)) return false;
  for (const [name, amount] of scalars) {
    if (amount > (extended.all[slot]?.get(name) ?? 0) - (extended.used[slot]?.get(name) ?? 0)) return false;
  }
  return true;
}

const unused = (asked: number, all: number) => (asked > all ? 0 : Math.floor(((all - asked) * 100) / all));

/** LeastAllocated plus BalancedAllocation for one node, both of weight 1: 0 to 200. */
export function resourceScore(requests: Requests, rows: Float64Array, slot: number): number {
  const row = slot * ROW;
  const cpu = rows[row + CPU] ?? 0;
  const memory = rows[row + MEMORY] ?? 0;
  const cpuScore = unused((rows[row + SCORED_CPU] ?? 0) + requests.scoredCpu, cpu);
  const memoryScore = unused((rows[row + SCORED_MEMORY] ?? 0) + requests.scoredMemory, memory);
  let score = 0;
  if (cpu > 0 && memory > 0) score = Math.floor((cpuScore + memoryScore) / 2);
  else if (cpu > 0) score = cpuScore;
  else if (memory > 0) score = memoryScore;
  // A pod that asks for nothing is not drawn to a balanced node (balanced_allocation.go, kubernetes#129138).
  if (requests.cpu === 0 && requests.memory === 0) return score;
  if (cpu === 0 || memory === 0) return score + 100;
  const cpuShare = Math.min(1, ((rows[row + USED_CPU] ?? 0) + requests.cpu) / cpu);
  const memoryShare = Math.min(1, ((rows[row + USED_MEMORY] ?? 0) + requests.memory) / memory);
  return score + Math.trunc((1 - Math.abs((cpuShare - memoryShare) / 2)) * 100);
}

function createResourceFit(table: NodeTable, requests: Requests): ResourceFit {
  const sized: ResourceFit = {
    scores: new Int16Array(0),
    uses: new Int32Array(0),
    fit() {
      if (sized.scores.length >= table.capacity) return;
      sized.scores = new Int16Array(table.capacity);
      sized.uses = new Int32Array(table.capacity);
    },
    refresh(slot) {
      const { rows, scalars } = table;
      sized.uses[slot] = table.uses[slot] ?? 0;
      sized.scores[slot] = hasRoom(requests, rows, scalars, slot) ? resourceScore(requests, rows, slot) : -1;
    },
  };
  return sized;
}

// Six bytes a node each.
const MOST_SIZES = 1024;

/** Hands out one ResourceFit for all pods that ask for the same. */
export function createResourceFits(table: NodeTable): (requests: Requests) => ResourceFit {
  const sizes = new Map<string, ResourceFit>();
  return (requests) => {
    const { cpu, memory, storage, scoredCpu, scoredMemory, scalars } = requests;
    const key = `${cpu} ${memory} ${storage} ${scoredCpu} ${scoredMemory} ${scalars.size > 0 ? JSON.stringify([...scalars]) : ''}`;
    let sized = sizes.get(key);
    if (!sized) {
      if (sizes.size >= MOST_SIZES) sizes.clear();
      sized = createResourceFit(table, requests);
      sizes.set(key, sized);
    }
    return sized;
  };
}
