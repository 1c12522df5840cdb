/** Completion indexes of an Indexed Job, as a set and as the text in its status: "0-3,5" (pkg/controller/job/indexed_job_utils.go). */
import type { Pod } from '../kubernetes.ts';

export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Indexes beyond the completions are dropped, as after the Job was made smaller. */
export function parseIndexes(text: string, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const range of text.split(',')) {
    const [from, to = from] = range.split('-').map(Number);
    if (range === '' || from === undefined || to === undefined) continue;
    for (let index = from; index <= Math.min(to, completions - 1); index += 1) indexes.add(index);
  }
  return indexes;
}

/** Two in a row are a list, three a range. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].toSorted((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    const first = sorted[at] ?? 0;
    let last = first;
    while (sorted[at + 1] === last + 1) {
      at += 1;
      last += 1;
    }
    at += 1;
    parts.push(last === first ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(',');
}

/** The pod's index, or undefined when it has none below the completions. */
export function indexOf({ metadata }: Pod, completions: number): number | undefined {
  const text = metadata.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^\d+$/.test(text) && Number(text) < completions ? Number(text) : undefined;
}

/** The first `count` indexes that are neither done nor running. */
export function pendingIndexes(count: number, completions: number, taken: ReadonlySet<number>): number[] {
  const pending: number[] = [];
  for (let index = 0; index < completions && pending.length < count; index += 1) if (!taken.has(index)) pending.push(index);
  return pending;
}
